"""The invariants of the rules, proved over the whole answer space.

Each rule is upward closed in the questions that it reads: a worse answer never makes it stop applying. A level is the
highest of any applying rule, so a worse answer never lowers it. What follows for the result is proved for all answer
sets by walking them.
"""

import itertools
import math
import random
from dataclasses import replace

import pytest

from screening.questionnaire import QUESTIONS
from screening.rules import CURRENT, recommend
from screening.rules.answer_space import AnswerSets, transitions, walk
from screening.rules.invariants import HELP_FIRST, pair, violations
from screening.rules.ruleset import DUTIES_DECIDE, LEVELS, PROGRAMS, Decision, Levels, Rule, RuleSet, level_names
from tests.answers import BEST, random_answers

pytestmark = pytest.mark.sqlite_is_enough

DUTIES = ("job", "caregiving", "provider")
NEVER_CLINICAL = (*DUTIES, "attendance", "home", "supporters")
STAY = ("inpatient", False)
MAY_NEED_NO_STAY = {  # typed a second time
    "danger_at_home",
    "nowhere_safe",
    "recent_overdose",
    "possible_opioid_overdose",
    "thoughts_and_watch",
    "shaky_and_unsure",
    "severe_before_still_using",
    "maybe_pregnant_in_opioid_withdrawal",
}


@pytest.fixture(scope="module")
def space() -> dict[Levels, AnswerSets]:
    return walk(CURRENT)


def applies(rule: Rule, given: dict[str, str]) -> bool:
    return rule in CURRENT.applying(given)


def read_by(dimensions: set[str]) -> set[str]:
    """Return the questions whose answers can raise one of the dimensions."""
    return {key for rule in CURRENT.rules if dimensions & rule.raises.keys() for key in rule.when}


@pytest.mark.parametrize("rule", CURRENT.rules, ids=lambda rule: rule.key)
def test_rule_is_upward_closed_in_the_questions_it_reads(rule: Rule) -> None:
    places = [range(len(QUESTIONS[key].options)) for key in rule.when]
    keys = list(rule.when)
    for ranks in itertools.product(*places):
        given = {key: list(QUESTIONS[key].options)[rank] for key, rank in zip(keys, ranks, strict=True)}
        if not applies(rule, given):
            continue
        for key in keys:
            for worse in list(QUESTIONS[key].options)[QUESTIONS[key].rank(given[key]) :]:
                assert applies(rule, given | {key: worse})


def test_rule_reads_nothing_but_its_own_questions() -> None:
    generator = random.Random(1)
    for rule in CURRENT.rules:
        for _ in range(50):
            given = random_answers(generator)
            assert applies(rule, given) == applies(rule, {key: given[key] for key in rule.when})


def test_walk_covers_every_combination(space: dict[Levels, AnswerSets]) -> None:
    # A question that no rule reads changes no result, so it only multiplies the count.
    assert sum(sets.count for sets in space.values()) == math.prod(
        len(QUESTIONS[key].options) for key in CURRENT.options
    )
    assert {key: tuple(QUESTIONS[key].options) for key in CURRENT.options} == CURRENT.options
    assert sum(sets.count for sets in space.values()) > 10**10


def test_walk_agrees_with_recommend(space: dict[Levels, AnswerSets]) -> None:
    for levels, sets in space.items():
        recommendation = recommend(BEST | dict(sets.example))
        assert {dimension: getattr(recommendation, dimension) for dimension in LEVELS} == level_names(levels)


def test_every_complete_set_gets_one_program_and_a_reason_for_each_dimension(space: dict[Levels, AnswerSets]) -> None:
    assert set(CURRENT.grid) == set(itertools.product(LEVELS["need"], LEVELS["support"]))
    for levels, sets in space.items():
        recommendation = recommend(BEST | dict(sets.example))
        assert recommendation.program in PROGRAMS
        for dimension in ("need", "support", "duties"):
            reasons = recommendation.reasons_for(dimension)
            assert reasons
            assert reasons[0].level == level_names(levels)[dimension]
    # Reasons for the lowest levels come from rules without conditions, which always apply.
    assert {d for rule in CURRENT.rules if not rule.when for d in rule.raises} == {"need", "support", "duties"}


def once_answered(key: str, value: str) -> RuleSet:
    """The rules for those who have answered one question so: its conditions are met, or their rules are gone."""
    rank = list(QUESTIONS[key].options).index
    return replace(
        CURRENT,
        options={other: values for other, values in CURRENT.options.items() if other != key},
        rules=tuple(
            replace(rule, when={other: least for other, least in rule.when.items() if other != key})
            for rule in CURRENT.rules
            if key not in rule.when or rank(value) >= rank(rule.when[key])
        ),
        replaces={},
    )


def more_care(decision: Decision) -> tuple[int, int, int]:
    """Place a decision: first by its cell (home, both could fit, stay), then by its program, then by its urgency."""
    cell = 1 if decision.close_call else 2 * PROGRAMS.index(decision.program)
    return cell, PROGRAMS.index(decision.program), LEVELS["urgency"].index(decision.urgency)


@pytest.mark.parametrize("key", [key for key in QUESTIONS if key not in DUTIES])
def test_a_worse_answer_never_means_less_care_or_less_urgency(key: str) -> None:
    by_answer = [once_answered(key, value) for value in QUESTIONS[key].options]
    for milder, worse in itertools.pairwise(by_answer):
        for before, after in transitions(milder, worse):
            assert all(less <= more for less, more in zip(more_care(before), more_care(after), strict=True))


def test_more_need_or_weaker_support_never_means_less_care_in_the_grid() -> None:
    for duties in LEVELS["duties"]:
        care = {cell: PROGRAMS.index(CURRENT.program_for(*cell, duties)[0]) for cell in CURRENT.grid}
        for need in LEVELS["need"]:
            assert [care[need, support] for support in LEVELS["support"]] == sorted(
                care[need, support] for support in LEVELS["support"]
            )
        for support in LEVELS["support"]:
            assert [care[need, support] for need in LEVELS["need"]] == sorted(
                care[need, support] for need in LEVELS["need"]
            )


def test_duties_matter_only_where_both_could_fit_and_never_touch_need_support_or_urgency() -> None:
    assert read_by({"duties"}) == set(DUTIES)
    assert not read_by({"need", "support", "urgency"}) & set(DUTIES)
    cells = [cell for cell, program in CURRENT.grid.items() if program == DUTIES_DECIDE]
    assert sorted(cells) == [("low", "weak"), ("some", "some"), ("some", "weak")]
    flexible = replace(CURRENT, rules=tuple(rule for rule in CURRENT.rules if rule.duties != "fixed"))
    moves = {(before, after) for before, after in transitions(flexible, CURRENT) if before != after}
    assert moves
    for before, after in moves:
        assert (before.program, before.close_call) == ("inpatient", True)
        assert after == before._replace(program="iop")


def test_home_ride_work_and_family_alone_are_no_high_need_and_no_urgency_today() -> None:
    reached = [
        level_names(levels) for levels in walk(CURRENT, {key: BEST[key] for key in set(BEST) - {*NEVER_CLINICAL}})
    ]
    assert {levels["need"] for levels in reached} == {"low"}
    assert {levels["urgency"] for levels in reached} == {"none", "soon"}
    assert {levels["support"] for levels in reached} == set(LEVELS["support"])


def without(rules: RuleSet, keys: set[str]) -> RuleSet:
    return replace(rules, rules=tuple(rule for rule in rules.rules if rule.key not in keys))


def help_beside_home(rules: RuleSet) -> set[Decision]:
    """Return the decisions that need help today or now, and are no stay."""
    decisions = {rules.decision_at(levels) for levels in walk(rules)}
    return {each for each in decisions if each.urgency in ("today", "now") and (each.program, each.close_call) != STAY}


def test_urgency_now_or_today_comes_without_a_stay_only_by_a_literal_list_of_rules() -> None:
    assert HELP_FIRST == MAY_NEED_NO_STAY
    assert not help_beside_home(without(CURRENT, MAY_NEED_NO_STAY))
    assert violations(CURRENT) == []


@pytest.mark.parametrize("key", sorted(MAY_NEED_NO_STAY))
def test_each_rule_of_that_list_needs_its_place(key: str) -> None:
    assert help_beside_home(without(CURRENT, MAY_NEED_NO_STAY - {key}))


def test_no_program_is_the_headline_where_help_is_needed_now_or_today(space: dict[Levels, AnswerSets]) -> None:
    decisions = {CURRENT.decision_at(levels) for levels in space}
    assert {each.urgency for each in decisions} == set(LEVELS["urgency"])
    for decision in decisions:
        help_first = decision.urgency in ("today", "now")
        assert (decision.headline in {"iop", "either", "inpatient"}) is not help_first
        assert not help_first or decision.headline == f"help_{decision.urgency}"


def test_every_rule_on_pregnancy_begins_at_maybe_so_that_nobody_has_to_say() -> None:
    assert {rule.when["pregnancy"] for rule in CURRENT.rules if "pregnancy" in rule.when} == {"maybe"}
    generator = random.Random(5)
    for _ in range(300):
        given = random_answers(generator)
        unsaid, said = (recommend(given | {"pregnancy": value}) for value in ("maybe", "yes"))
        assert unsaid == said


@pytest.mark.parametrize("key", QUESTIONS)
def test_question_earns_its_place(key: str) -> None:
    """Some pair of answer sets that differs in this question alone differs in program, urgency or a notice."""
    example = pair(CURRENT, key) if key in CURRENT.options else None
    if example is None:
        pytest.fail(f"no answer to {key!r} can change what a person is told: give it a rule, or don't ask it")
    given = [BEST | each for each in example]
    assert {name for name in QUESTIONS if given[0][name] != given[1][name]} == {key}
    one, other = map(recommend, given)
    assert (one.program, one.urgency, one.notices) != (other.program, other.urgency, other.notices)


@pytest.mark.parametrize("rule", CURRENT.rules, ids=lambda rule: rule.key)
def test_rule_can_fire(rule: Rule) -> None:
    given = BEST | dict(rule.when)
    assert applies(rule, given)
    recommendation = recommend(given)
    assert {reason.dimension for reason in recommendation.reasons if reason.key == rule.key} == set(rule.raises)
    assert set(rule.notices.split()) <= set(recommendation.notices)


def test_every_notice_can_be_shown() -> None:
    shown = {notice for rule in CURRENT.rules for notice in recommend(BEST | dict(rule.when)).notices}
    assert shown == {notice.key for notice in CURRENT.notices}


def test_random_answers_agree_with_the_proofs(sample_size: int) -> None:
    """Check random answer sets, and each again with one random answer made worse."""
    generator = random.Random(20261123)
    questions = [key for key in QUESTIONS if key not in DUTIES]
    space = walk(CURRENT)
    for _ in range(sample_size):
        given = random_answers(generator)
        key = generator.choice(questions)
        options = list(QUESTIONS[key].options)
        worse = given | {key: generator.choice(options[QUESTIONS[key].rank(given[key]) :])}
        before, after = recommend(given), recommend(worse)
        for recommendation in (before, after):
            levels = tuple(order.index(getattr(recommendation, name)) for name, order in LEVELS.items())
            assert levels in space
            assert CURRENT.decision_at(levels) == recommendation.decision
        assert PROGRAMS.index(after.program) >= PROGRAMS.index(before.program)
        assert set(before.notices) <= set(after.notices)
        for name in ("need", "support", "urgency"):
            assert LEVELS[name].index(getattr(after, name)) >= LEVELS[name].index(getattr(before, name))
