"""The exact counts agree with brute force, on a set of questions small enough to try every combination."""

from collections import Counter
from dataclasses import replace
from itertools import product

import pytest

from screening.rules import CURRENT
from screening.rules.answer_space import transitions, walk
from screening.rules.ruleset import DUTIES_DECIDE, LEVELS, Decision, Rule, RuleSet
from tests.rules.helpers import with_rule

pytestmark = pytest.mark.sqlite_is_enough

ASKED = ("home", "supporters", "job", "pregnancy", "alcohol_or_pills", "opioids")
SMALL = replace(
    CURRENT,
    options={key: CURRENT.options[key] for key in ASKED},
    rules=tuple(rule for rule in CURRENT.rules if set(rule.when) <= set(ASKED)),
    replaces={key: values for key, values in CURRENT.replaces.items() if key in ASKED},
)


OTHERS = {
    "a stricter condition": with_rule(SMALL, "few_supporters", when={"supporters": "not_sure"}),
    "a second condition": with_rule(SMALL, "opioid_withdrawal", when={"opioids": "sick", "home": "alone"}),
    "three conditions": with_rule(
        SMALL, "two_withdrawals", when={"supporters": "nobody", "home": "alone", "opioids": "sick"}
    ),
    "a rule less": replace(SMALL, rules=tuple(rule for rule in SMALL.rules if rule.key != "no_steady_place")),
    "a rule more": replace(
        SMALL, rules=(*SMALL.rules, Rule("new", {"job": "not_sure", "opioids": "not_sure"}, "W.", "S1", urgency="soon"))
    ),
    "another grid": replace(SMALL, grid={**SMALL.grid, ("low", "some"): DUTIES_DECIDE}),
    "the same": SMALL,
}


def every_answer_set(rules: RuleSet) -> list[dict[str, str]]:
    return [dict(zip(rules.options, values, strict=True)) for values in product(*rules.options.values())]


@pytest.mark.parametrize("name", OTHERS)
def test_transitions_agree_with_brute_force(name: str) -> None:
    new = OTHERS[name]
    by_hand: Counter[tuple[Decision, Decision]] = Counter()
    smallest: dict[tuple[Decision, Decision], tuple[int, int]] = {}
    for given in every_answer_set(SMALL):
        ways = SMALL.recommend(given).decision, new.recommend(given).decision
        ranks = [SMALL.options[key].index(value) for key, value in given.items()]
        size = (sum(map(bool, ranks)), sum(ranks))
        by_hand[ways] += 1
        smallest[ways] = min(size, smallest.get(ways, size))
    counted = transitions(SMALL, new)
    assert {ways: sets.count for ways, sets in counted.items()} == by_hand
    assert {ways: sets.distance for ways, sets in counted.items()} == smallest
    for ways, sets in counted.items():
        assert (SMALL.recommend(sets.example).decision, new.recommend(sets.example).decision) == ways


def test_walk_agrees_with_brute_force() -> None:
    by_hand: Counter[tuple[int, ...]] = Counter()
    for given in every_answer_set(SMALL):
        recommendation = SMALL.recommend(given)
        by_hand[tuple(order.index(getattr(recommendation, name)) for name, order in LEVELS.items())] += 1
    assert {levels: sets.count for levels, sets in walk(SMALL).items()} == by_hand


def test_a_question_that_only_one_version_reads_counts_with_all_its_answers() -> None:
    fewer = replace(
        SMALL,
        options={key: values for key, values in SMALL.options.items() if key != "opioids"},
        rules=tuple(rule for rule in SMALL.rules if "opioids" not in rule.when),
        replaces={key: values for key, values in SMALL.replaces.items() if key != "opioids"},
    )
    for old, new in ((SMALL, fewer), (fewer, SMALL)):
        by_hand = Counter(
            (old.recommend(given).decision, new.recommend(given).decision) for given in every_answer_set(SMALL)
        )
        assert {ways: sets.count for ways, sets in transitions(old, new).items()} == by_hand


def test_an_option_that_stood_for_another_before_is_compared_as_that_one() -> None:
    values = {**SMALL.options, "job": (*SMALL.options["job"], "on_strike")}
    wider = replace(SMALL, options=values, replaces={"job": {"on_strike": "can_leave"}})
    by_hand: Counter[tuple[Decision, Decision]] = Counter()
    for given in every_answer_set(wider):
        before = given | ({"job": "can_leave"} if given["job"] == "on_strike" else {})
        by_hand[SMALL.recommend(before).decision, wider.recommend(given).decision] += 1
    assert {ways: sets.count for ways, sets in transitions(SMALL, wider).items()} == by_hand
    assert any(old.program != new.program for old, new in by_hand)


def test_an_option_that_only_one_version_knows_is_not_compared() -> None:
    wider = replace(SMALL, options={**SMALL.options, "job": (*SMALL.options["job"], "on_strike")})
    compared = sum(sets.count for sets in transitions(SMALL, wider).values())
    assert compared == len(every_answer_set(SMALL)) < len(every_answer_set(wider))
