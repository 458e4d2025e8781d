"""Counterfactuals and what did not matter agree with the rules."""

import random
from itertools import product

import pytest

from screening.questionnaire import QUESTIONS
from screening.rules import CURRENT, recommend, what_would_change
from screening.rules.what_if import CIRCUMSTANCES, UNSURE, counterfactuals, what_did_not_matter
from tests.answers import BEST, KINDS, WORST, answers, random_answers

pytestmark = pytest.mark.sqlite_is_enough

NO_ONE_AND_NO_HOME = answers(constant_care="sometimes", home="others_use", supporters="nobody")


def some_answer_sets(number: int = 150) -> list[dict[str, str]]:
    """Return known answer sets, and random ones with mostly mild answers, or nearly all would be inpatient."""
    generator = random.Random(3)
    mixed = [
        {key: value if generator.random() < 0.25 else BEST[key] for key, value in random_answers(generator).items()}
        for _ in range(number)
    ]
    return [BEST, WORST, NO_ONE_AND_NO_HOME, *KINDS.values(), *mixed]


def test_every_change_shown_really_leads_to_the_other_program() -> None:
    shown = 0
    for given in some_answer_sets():
        for change in what_would_change(given):
            after = recommend(given | {change.question: change.value})
            assert after.program == change.program != recommend(given).program
            shown += 1
    assert shown > 100


def test_from_iop_every_question_that_could_change_it_is_shown_with_its_mildest_sure_answer() -> None:
    for given in some_answer_sets():
        if recommend(given).program != "iop":
            continue
        by_hand = {}
        for key, question in QUESTIONS.items():
            options = list(question.options)
            flipping = [
                value
                for value in options
                if value not in UNSURE and recommend(given | {key: value}).program == "inpatient"
            ]
            if flipping:
                by_hand[key] = min(flipping, key=lambda v: abs(options.index(v) - options.index(given[key])))
        assert {change.question: change.value for change in what_would_change(given)} == by_hand


def test_circumstances_and_unsure_answers_are_pinned() -> None:
    # Typed a second time: a safety or health question among these would teach people to hide danger.
    assert set(CIRCUMSTANCES) == {"home", "supporters", "attendance", "job", "caregiving", "provider"}
    assert set(UNSURE) == {"not_sure", "rather_not_say"}


def test_from_inpatient_the_best_that_life_could_bring_is_shown() -> None:
    given = answers(home="no_place", job="cannot_leave")
    assert [(change.question, change.value) for change in what_would_change(given)] == [("home", "supportive")]
    given = answers(supporters="nobody")
    assert ("supporters", "several") in {(change.question, change.value) for change in what_would_change(given)}


def test_from_inpatient_only_circumstances_are_shown() -> None:
    seen = set()
    for given in some_answer_sets():
        if recommend(given).program == "inpatient":
            seen |= {change.question for change in what_would_change(given)}
    assert seen <= set(CIRCUMSTANCES) <= set(QUESTIONS)
    assert {"home", "supporters", "job", "caregiving", "provider"} <= seen


@pytest.mark.parametrize("key", [key for key in QUESTIONS if key not in CIRCUMSTANCES])
def test_a_safety_or_health_answer_is_never_a_way_out_of_inpatient(key: str) -> None:
    milder = answers(supporters="one_or_two")
    assert recommend(milder).program == "iop"
    worse = [milder | {key: value} for value in QUESTIONS[key].options]
    inpatient = [given for given in worse if recommend(given).program == "inpatient"]
    assert inpatient
    for given in inpatient:  # the milder answer to `key` alone would change the program, and is not shown
        assert key not in {change.question for change in what_would_change(given)}


def test_nothing_is_shown_where_no_single_answer_would_change_it() -> None:
    assert counterfactuals(CURRENT, NO_ONE_AND_NO_HOME) == ()
    assert what_would_change(NO_ONE_AND_NO_HOME) == ()


def test_unsure_answers_are_never_shown_as_a_change_of_life() -> None:
    for given in some_answer_sets():
        assert not {change.value for change in what_would_change(given)} & set(UNSURE)


def test_incomplete_answers_are_named() -> None:
    with pytest.raises(ValueError, match="missing question 'home'"):
        what_would_change({key: value for key, value in BEST.items() if key != "home"})


def test_what_did_not_matter_holds_whatever_else_of_its_kind_was_answered() -> None:
    for given in some_answer_sets(30):
        unmoved = what_did_not_matter(CURRENT, given)
        assert set(unmoved) <= set(CIRCUMSTANCES)
        for key in unmoved:
            assert len({recommend(given | {key: value}).decision for value in QUESTIONS[key].options}) == 1


def test_duties_did_not_matter_outside_a_close_call_and_did_inside() -> None:
    duties = {"job", "caregiving", "provider"}
    for given in some_answer_sets():
        unmoved = duties & set(what_did_not_matter(CURRENT, given))
        assert unmoved == (set() if recommend(given).close_call else duties)


def test_two_duties_that_decided_together_both_mattered() -> None:
    given = answers(supporters="nobody", job="cannot_leave", caregiving="only_me")
    assert recommend(given).decision == ("iop", True, "none")
    for job, caregiving in product(("none", "cannot_leave"), ("nobody", "only_me")):
        alone = recommend(given | {"job": job, "caregiving": caregiving}).program
        assert alone == ("inpatient" if (job, caregiving) == ("none", "nobody") else "iop")
    assert not {"job", "caregiving"} & set(what_did_not_matter(CURRENT, given))
