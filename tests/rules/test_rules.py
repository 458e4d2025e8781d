"""The rules agree with the clinical table, which is typed here a second time so that an error in one copy shows."""

import random
import subprocess
import sys
from dataclasses import replace

import pytest

from screening.questionnaire import QUESTIONS
from screening.rules import CURRENT, recommend
from screening.rules.ruleset import LEVELS, Notice, Rule, RuleSet
from tests.answers import BEST, KINDS, answers, random_answers
from tests.rules.helpers import with_rule

pytestmark = pytest.mark.sqlite_is_enough

# key | least answers | what they raise
TABLE = """
emergency_now | emergency withdrawal | need high, urgency now
may_act_on_thoughts | self_harm plan | need high, urgency now
dark_thoughts | self_harm rather_not_say | need some, urgency soon
past_dark_thoughts | self_harm past | urgency soon
danger_at_home | home_safety danger | need high, urgency now
nowhere_safe | home_safety nowhere_else | need high, urgency soon
home_may_be_unsafe | home_safety rather_not_say | need some, urgency soon
unsafe_with_refuge | home_safety other_place | urgency soon
job_cannot_be_left | job cannot_leave | duties fixed
cannot_attend | attendance no | need some, urgency soon
only_carer | caregiving only_me | duties fixed
main_provider | provider mostly | duties fixed
few_supporters | supporters one_or_two | support some
no_supporters | supporters nobody | support weak
lives_alone | home alone | support some
others_use_at_home | home others_use | support weak
no_steady_place | home no_place | need high, urgency soon
alone_among_users | home others_use, supporters nobody | need high
constant_care | constant_care always | need high
some_supervision | constant_care sometimes | need some
alcohol_or_pill_withdrawal | alcohol_or_pills sick | need high, urgency soon
possible_withdrawal | alcohol_or_pills not_sure | need some, urgency soon
severe_withdrawal_before | past_withdrawal severe | need high, urgency soon
possible_severe_withdrawal | past_withdrawal not_sure | need some, urgency soon
withdrawal_with_seizure_history | past_withdrawal severe, alcohol_or_pills shaky | urgency today
opioid_withdrawal | opioids very_sick | need some, urgency soon
daily_nursing | health most_days | need high, urgency soon
regular_medical_care | health often | need some
mind_out_of_control | mind yes | need high, urgency now
mind_unsettled | mind manageable | need some, urgency soon
pregnant | pregnancy yes | need some, urgency soon
may_be_pregnant | pregnancy maybe | urgency soon
pregnant_in_alcohol_withdrawal | pregnancy yes, alcohol_or_pills shaky | need high, urgency today
pregnant_in_opioid_withdrawal | pregnancy yes, opioids sick | need high, urgency today
intensive_program_not_enough | past_treatment not_enough | need high
treated_many_times | past_treatment many_times | need some
"""


def pairs(text: str) -> dict[str, str]:
    return dict(pair.split() for pair in text.split(","))


CLINICAL = {key.strip(): (pairs(when), pairs(raises)) for key, when, raises in
            (line.split("|") for line in TABLE.strip().splitlines())}  # fmt: skip


def test_rules_are_those_of_the_clinical_table() -> None:
    rules = {rule.key: (dict(rule.when), dict(rule.raises)) for rule in CURRENT.rules}
    assert {key: rules.get(key) for key in CLINICAL} == CLINICAL


def by_the_table(given: dict[str, str]) -> dict[str, object]:
    """Work out the result from the table, without the code of the rules."""
    levels = {"need": "low", "support": "strong", "duties": "flexible", "urgency": "none"}
    for when, raises in CLINICAL.values():
        if all(
            list(QUESTIONS[key].options).index(given[key]) >= list(QUESTIONS[key].options).index(least)
            for key, least in when.items()
        ):
            for dimension, level in raises.items():
                levels[dimension] = max(levels[dimension], level, key=LEVELS[dimension].index)
    if levels["need"] == "high" or (levels["need"], levels["support"]) == ("some", "weak"):
        program, close_call = "inpatient", False
    elif (levels["need"], levels["support"]) in {("low", "weak"), ("some", "some")}:
        program, close_call = ("iop" if levels["duties"] == "fixed" else "inpatient"), True
    else:
        program, close_call = "iop", False
    return {"program": program, "close_call": close_call, **levels}


def test_recommend_agrees_with_the_table_worked_out_the_plain_way() -> None:
    generator = random.Random(7)
    asked = {key for when, _raises in CLINICAL.values() for key in when}
    for _ in range(5000):
        # Most answers are the least needy ones, or nearly every set would be inpatient.
        given = {
            key: value if key in asked and generator.random() < 0.2 else BEST[key]
            for key, value in random_answers(generator).items()
        }
        recommendation = recommend(given)
        expected = by_the_table(given)
        assert {name: getattr(recommendation, name) for name in expected} == expected


def test_people_get_the_results_they_stand_for() -> None:
    seen = {name: recommend(given) for name, given in KINDS.items()}
    assert seen["iop"].program == "iop"
    assert not seen["iop"].close_call
    assert seen["inpatient"].program == "inpatient"
    assert seen["close call"].program == "iop"
    assert seen["close call"].close_call
    assert seen["urgent"].urgency == "now"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({key: value for key, value in BEST.items() if key != "job"}, "missing question 'job'"),
        (BEST | {"age": "40"}, "unknown question 'age'"),
        (BEST | {"job": "astronaut"}, "unknown option 'astronaut' for question 'job'"),
        (BEST | {"job": ["none"]}, "for question 'job'"),
        ({}, "missing question 'emergency'"),
    ],
)
def test_answers_that_are_missing_or_unknown_are_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        recommend(given)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"when": {"age": "40"}}, "question 'age'"),
        ({"when": {"job": "astronaut"}}, "option 'astronaut'"),
        ({"when": {"job": "none"}}, "always holds"),
        ({"sources": "S1 X9"}, "source 'X9'"),
        ({"sources": ""}, "a source"),
        ({"need": "enormous"}, "level 'enormous'"),
        ({"need": ""}, "a level"),
        ({"text": ""}, "a reason in words"),
    ],
)
def test_rule_that_names_something_unknown_fails_where_it_is_made(wrong: dict[str, str], named: str) -> None:
    right = {"key": "made_up", "when": {"job": "not_sure"}, "text": "Words.", "sources": "S1", "need": "some"}

    def made(**rule: object) -> RuleSet:
        return RuleSet("x", CURRENT.options, (Rule(**rule),), CURRENT.grid)  # type: ignore[arg-type]

    made(**right)
    with pytest.raises(ValueError, match=named):
        made(**(right | wrong))


@pytest.mark.parametrize(
    ("grid", "named"),
    [
        (
            {cell: program for cell, program in CURRENT.grid.items() if cell != ("low", "weak")},
            "hole at need 'low', support 'weak'",
        ),
        ({**CURRENT.grid, ("low", "weak"): "hospital"}, "unknown program 'hospital'"),
        ({**CURRENT.grid, ("huge", "weak"): "iop"}, "unknown place"),
    ],
)
def test_grid_with_a_hole_or_an_unknown_name_fails_where_it_is_made(
    grid: dict[tuple[str, str], str], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        RuleSet("x", CURRENT.options, CURRENT.rules, grid)


def test_rules_need_no_django_settings() -> None:
    program = (
        "from screening.rules import recommend; from screening.questionnaire import QUESTIONS; import sys;"
        "print(recommend({k: next(iter(q.options)) for k, q in QUESTIONS.items()}).reasons);"
        "assert not any(name.startswith('django') for name in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={}, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "None of your answers" in ran.stdout


def test_a_milder_rule_on_the_same_answer_stays_silent() -> None:
    keys = {reason.key for reason in recommend(answers(self_harm="plan")).reasons}
    assert "may_act_on_thoughts" in keys
    assert not keys & {"dark_thoughts", "past_dark_thoughts", "no_constant_need"}


def test_notices_come_in_order_of_danger_also_from_rules_that_stay_silent() -> None:
    wider = replace(CURRENT, notices=tuple(Notice(key, "Words.", "S1") for key in ("grave", "other", "mild")))
    wider = with_rule(with_rule(wider, "dark_thoughts", notices="mild grave"), "lives_alone", notices="other")
    recommendation = wider.recommend(answers(self_harm="plan"))
    assert "dark_thoughts" not in {reason.key for reason in recommendation.reasons}
    assert recommendation.notices == ("grave", "mild")
    assert wider.recommend(answers(home="alone", self_harm="thoughts")).notices == ("grave", "other", "mild")
    assert wider.recommend(BEST).notices == recommend(BEST).notices == ()


@pytest.mark.parametrize(
    ("program", "close_call", "urgency", "headline"),
    [
        ("iop", False, "soon", "iop"),
        ("inpatient", False, "none", "inpatient"),
        ("inpatient", True, "soon", "either"),
        ("iop", True, "today", "help_today"),
        ("inpatient", False, "now", "help_now"),
    ],
)
def test_headline_is_help_before_anything_else(program: str, close_call: bool, urgency: str, headline: str) -> None:
    made = replace(recommend(BEST), program=program, close_call=close_call, urgency=urgency)
    assert made.headline == headline


def test_grid_is_the_clinical_grid() -> None:
    rows = {need: [CURRENT.grid[need, support] for support in LEVELS["support"]] for need in LEVELS["need"]}
    assert rows == {
        "low": ["iop", "iop", "duties decide"],
        "some": ["iop", "duties decide", "inpatient"],
        "high": ["inpatient", "inpatient", "inpatient"],
    }
