"""The invariants of the rules, proved over the whole answer space.

The proof has two parts. Each rule is upward closed in the questions that it reads: a worse answer never makes it stop
applying. A level is the highest of any applying rule, so a worse answer never lowers it. The tests of the grid then
check each of its places.
"""

import itertools
import math
import random

import pytest

from screening.questionnaire import QUESTIONS
from screening.rules import CURRENT, recommend
from screening.rules.answer_space import AnswerSets, walk
from screening.rules.invariants import pair
from screening.rules.ruleset import DUTIES_DECIDE, LEVELS, PROGRAMS, Levels, Rule, level_names
from tests.answers import BEST, random_answers

pytestmark = pytest.mark.sqlite_is_enough


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


def test_more_need_never_lowers_program_need_or_urgency() -> None:
    # Levels rise with worse answers (each rule is upward closed). It remains that more need, with the same support and
    # duties, never means less care, and that no question of need is one of duties too.
    assert not read_by({"need", "urgency"}) & read_by({"duties"})
    for support, duties in itertools.product(LEVELS["support"], LEVELS["duties"]):
        programs = [PROGRAMS.index(CURRENT.program_for(need, support, duties)[0]) for need in LEVELS["need"]]
        assert programs == sorted(programs)


def test_weaker_support_never_means_less_care() -> None:
    assert not read_by({"support"}) & read_by({"duties"})
    for need, duties in itertools.product(LEVELS["need"], LEVELS["duties"]):
        programs = [PROGRAMS.index(CURRENT.program_for(need, support, duties)[0]) for support in LEVELS["support"]]
        assert programs == sorted(programs)


def test_duties_matter_only_where_duties_decide_and_never_touch_urgency() -> None:
    cells = [(need, support) for (need, support), program in CURRENT.grid.items() if program == DUTIES_DECIDE]
    assert sorted(cells) == [("low", "weak"), ("some", "some")]
    for need, support in CURRENT.grid:
        flexible, fixed = (CURRENT.program_for(need, support, duties) for duties in LEVELS["duties"])
        if (need, support) in cells:
            assert (flexible, fixed) == (("inpatient", True), ("iop", True))
        else:
            assert flexible == fixed
            assert not fixed[1]
    assert not any({"duties"} < rule.raises.keys() for rule in CURRENT.rules if rule.when)


def test_urgency_now_or_today_comes_with_inpatient_or_a_reason_for_the_call(space: dict[Levels, AnswerSets]) -> None:
    seen = set()
    for levels, sets in space.items():
        program, _close_call, urgency = CURRENT.decision_at(levels)
        seen.add(urgency)
        if urgency in ("now", "today"):
            reasons = recommend(BEST | dict(sets.example)).reasons_for("urgency")
            assert program == "inpatient"
            assert reasons[0].level == urgency
    assert seen == set(LEVELS["urgency"])


@pytest.mark.parametrize("key", QUESTIONS)
def test_question_earns_its_place(key: str) -> None:
    """Some pair of answer sets that differs in this question alone differs in program or urgency."""
    example = pair(CURRENT, key) if key in CURRENT.options else None
    if example is None:
        pytest.fail(f"no answer to {key!r} can change the program or the urgency: give it a rule, or don't ask it")
    one, other = (recommend(BEST | given) for given in example)
    assert {name for name in QUESTIONS if (BEST | example[0])[name] != (BEST | example[1])[name]} == {key}
    assert (one.program, one.urgency) != (other.program, other.urgency)


@pytest.mark.parametrize("rule", CURRENT.rules, ids=lambda rule: rule.key)
def test_rule_can_fire(rule: Rule) -> None:
    given = BEST | dict(rule.when)
    assert applies(rule, given)
    assert {reason.dimension for reason in recommend(given).reasons if reason.key == rule.key} == set(rule.raises)


def test_random_answers_agree_with_the_proofs(sample_size: int) -> None:
    """Check random answer sets, and each again with one random answer made worse."""
    generator = random.Random(20261123)
    duties = read_by({"duties"})
    questions = [key for key in QUESTIONS if key not in duties]
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
        for name in ("need", "support", "urgency"):
            assert LEVELS[name].index(getattr(after, name)) >= LEVELS[name].index(getattr(before, name))
