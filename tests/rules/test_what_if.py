"""What would change a result, and what did not matter, agree with the rules."""

import random
from dataclasses import replace
from itertools import product

import pytest

from screening.questionnaire import QUESTIONS, UNSURE
from screening.rules import CURRENT, recommend, what_if, what_would_change
from screening.rules.ruleset import Rule
from screening.rules.what_if import CIRCUMSTANCES, OFFERED, Change, what_did_not_matter
from tests.answers import BEST, CLOSE_CALL, KINDS, WORST, answers, random_answers
from tests.rules.helpers import with_rule

pytestmark = pytest.mark.sqlite_is_enough

NO_ONE_TO_WATCH = answers(constant_care="sometimes", supporters="nobody", home="alone")
LESS_CARE_FIRST = ["iop", "either", "inpatient"]


def some_answer_sets(number: int = 300) -> list[dict[str, str]]:
    """Return known answer sets, and random ones with mostly mild answers, or nearly all would need help now."""
    generator = random.Random(3)
    mixed = []
    for _ in range(number):
        mild = generator.choice((0.02, 0.1, 0.3))  # how many of the answers on safety and health are not the least
        mixed.append(
            {
                key: value if generator.random() < (0.6 if key in CIRCUMSTANCES else mild) else BEST[key]
                for key, value in random_answers(generator).items()
            }
        )
    return [BEST, WORST, NO_ONE_TO_WATCH, *KINDS.values(), *mixed]


def by_hand(given: dict[str, str]) -> set[Change]:
    """Try every other answer on the home and on supporters: the nearest that means more care, the best that means less.

    Results that need help today or now are none, neither before nor after.
    """
    now, shown = recommend(given).headline, set()
    if now not in LESS_CARE_FIRST:
        return set()
    for key in ("home", "supporters"):
        sure = [value for value in QUESTIONS[key].options if value not in ("not_sure", "rather_not_say")]
        after = [Change(key, value, recommend(given | {key: value}).headline) for value in sure]
        places = [
            (LESS_CARE_FIRST.index(change.headline) - LESS_CARE_FIRST.index(now), change)
            for change in after
            if change.headline in LESS_CARE_FIRST
        ]
        shown |= {change for more, change in [each for each in places if each[0] > 0][:1]}
        shown |= {change for more, change in [each for each in places if each[0] < 0][:1]}
    return shown


def test_what_is_named_a_circumstance_offered_and_unsure_is_pinned() -> None:
    # Typed a second time: a safety or health question among these would teach people to hide danger, and one on work
    # or family would teach them to take it on.
    assert set(CIRCUMSTANCES) == {"home", "supporters", "attendance", "job", "caregiving", "provider"}
    assert set(OFFERED) == {"home", "supporters"}
    assert set(UNSURE) == {"not_sure", "rather_not_say"}


def test_changes_shown_are_all_those_that_trying_every_answer_finds() -> None:
    seen = set()
    for given in some_answer_sets():
        shown = what_would_change(given)
        assert len(set(shown)) == len(shown)
        assert set(shown) == by_hand(given)
        seen |= {(recommend(given).headline, change.question, change.headline) for change in shown}
    for key in OFFERED:
        assert {("iop", key, "either"), ("either", key, "iop")} <= seen
    assert {("either", "supporters", "inpatient"), ("inpatient", "supporters", "either")} <= seen


def test_every_change_shown_leads_to_another_headline_and_to_the_one_it_names() -> None:
    for given in some_answer_sets():
        for change in what_would_change(given):
            assert recommend(given | {change.question: change.value}).headline == change.headline
            assert change.headline != recommend(given).headline


def test_from_iop_the_mildest_answer_that_means_more_care_is_shown() -> None:
    assert what_would_change(BEST) == (Change("supporters", "nobody", "either"), Change("home", "others_use", "either"))


def test_from_a_close_call_both_ways_are_shown() -> None:
    assert set(what_would_change(CLOSE_CALL)) == {
        Change("supporters", "several", "iop"),
        Change("supporters", "nobody", "inpatient"),
    }


def test_downward_the_best_that_life_could_bring_is_shown_not_the_least_that_suffices() -> None:
    given = answers(constant_care="sometimes", supporters="nobody")
    assert recommend(given | {"supporters": "one_or_two"}).headline == "either"
    assert what_would_change(given) == (Change("supporters", "several", "iop"),)
    assert what_would_change(answers(home="no_place")) == (Change("home", "supportive", "iop"),)


def test_an_unsure_answer_is_never_shown() -> None:
    stricter = with_rule(CURRENT, "no_supporters", when={"supporters": "not_sure"})
    assert stricter.decide(answers(supporters="not_sure")).headline == "either"
    assert Change("supporters", "nobody", "either") in what_if.what_would_change(stricter, BEST)
    assert "not_sure" not in {change.value for change in what_if.what_would_change(stricter, BEST)}


def test_an_answer_that_would_need_help_today_is_not_shown() -> None:
    given = answers(self_harm="thoughts")
    assert recommend(given | {"supporters": "nobody"}).headline == "help_today"
    assert Change("supporters", "one_or_two", "either") in what_would_change(given)
    assert {change.value for change in what_would_change(given)} == {"one_or_two", "alone"}


@pytest.mark.parametrize(
    "rule", [rule for rule in CURRENT.rules if rule.urgency in ("today", "now")], ids=lambda r: r.key
)
def test_nothing_is_shown_where_help_comes_first(rule: Rule) -> None:
    for home, supporters in product(QUESTIONS["home"].options, QUESTIONS["supporters"].options):
        given = answers(home=home, supporters=supporters) | dict(rule.when)
        assert what_would_change(given) == ()


@pytest.mark.parametrize("key", [key for key in QUESTIONS if key not in ("home", "supporters")])
def test_an_answer_on_safety_health_work_or_family_is_never_shown(key: str) -> None:
    for value, supporters in product(QUESTIONS[key].options, QUESTIONS["supporters"].options):
        given = answers(supporters=supporters) | {key: value}
        assert key not in {change.question for change in what_would_change(given)}


def test_nothing_is_shown_where_no_single_answer_would_change_it() -> None:
    assert recommend(answers(constant_care="always")).headline == "inpatient"
    assert what_would_change(answers(constant_care="always")) == ()


def test_incomplete_answers_are_named() -> None:
    with pytest.raises(ValueError, match="missing question 'home'"):
        what_would_change({key: value for key, value in BEST.items() if key != "home"})


def test_what_did_not_matter_changes_nothing_that_is_told() -> None:
    seen: set[str] = set()
    for given in some_answer_sets(100):
        unmoved = what_did_not_matter(CURRENT, given)
        assert set(unmoved) <= set(CIRCUMSTANCES)
        seen.update(unmoved)
        for key in unmoved:
            told = [recommend(given | {key: value}) for value in QUESTIONS[key].options]
            assert len({(each.decision, each.notices) for each in told}) == 1
    assert seen == {"job", "caregiving", "provider", "supporters"}


def test_duties_did_not_matter_outside_a_close_call_and_did_inside() -> None:
    duties = {"job", "caregiving", "provider"}
    for given in some_answer_sets(150):
        unmoved = duties & set(what_did_not_matter(CURRENT, given))
        assert unmoved == (set() if recommend(given).close_call else duties)


def test_two_duties_that_decided_together_both_mattered() -> None:
    given = answers(supporters="nobody", job="cannot_leave", caregiving="only_me")
    assert recommend(given).decision == ("iop", True, "none")
    for job, caregiving in product(("none", "cannot_leave"), ("nobody", "only_me")):
        alone = recommend(given | {"job": job, "caregiving": caregiving}).program
        assert alone == ("inpatient" if (job, caregiving) == ("none", "nobody") else "iop")
    assert not {"job", "caregiving"} & set(what_did_not_matter(CURRENT, given))


def test_what_is_given_as_a_reason_is_not_called_irrelevant_except_work_and_family() -> None:
    given = answers(emergency="medical", job="cannot_leave")
    assert {"supporters", "job"} <= set(what_did_not_matter(CURRENT, given))
    without = given | {"supporters": "nobody"}
    assert recommend(without).decision == recommend(given).decision
    assert "supporters" not in what_did_not_matter(CURRENT, without)
    assert "job_cannot_be_left" in {reason.key for reason in recommend(without).reasons}
    assert "job" in what_did_not_matter(CURRENT, without)


def test_circumstance_that_raises_nothing_does_not_matter() -> None:
    silent = replace(CURRENT, rules=tuple(rule for rule in CURRENT.rules if "job" not in rule.when))
    assert "job" in what_did_not_matter(silent, BEST)
