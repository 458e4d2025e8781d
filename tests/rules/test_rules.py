"""The rules agree with the clinical table, which is typed here a second time so that an error in one copy shows."""

import random
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from screening.questionnaire import QUESTIONS
from screening.rules import CURRENT, recommend
from screening.rules.ruleset import DUTIES_DECIDE, LEVELS, Rule, RuleSet, rules_of
from screening.rules.sources import SOURCES
from tests.answers import BEST, KINDS, TODAY, answers, random_answers
from tests.rules.helpers import with_rule

pytestmark = pytest.mark.sqlite_is_enough

# key | least answers | what they raise | notices
TABLE = """
emergency_now | emergency withdrawal | need high, urgency now |
may_have_taken_too_much | emergency medical | | naloxone
recent_overdose | overdose yes | need some, urgency today | naloxone
possible_overdose | overdose not_sure | urgency soon | naloxone
possible_opioid_overdose | overdose not_sure, opioids fine | need some, urgency today | naloxone, opioid_medicine
may_act_on_thoughts | self_harm plan | need high, urgency now | means
recent_attempt | self_harm attempt | need high, urgency today | means
thoughts_of_ending | self_harm thoughts | need some, urgency soon | means
thoughts_alone | self_harm thoughts, supporters nobody | need high, urgency today | means
thoughts_and_watch | self_harm thoughts, constant_care sometimes | urgency today | means
thoughts_unsaid | self_harm rather_not_say | need some, urgency soon |
past_dark_thoughts | self_harm past | urgency soon |
may_hurt_someone | violence might_act | need high, urgency now |
thoughts_of_hurting | violence thoughts | need some, urgency soon |
violence_unsaid | violence rather_not_say | urgency soon |
danger_at_home | home_safety danger | support weak, urgency now | shelter
nowhere_safe | home_safety nowhere_else | support weak, urgency today | shelter
home_may_be_unsafe | home_safety rather_not_say | support some, urgency soon |
unsafe_with_refuge | home_safety other_place | urgency soon |
job_cannot_be_left | job cannot_leave | duties fixed |
cannot_attend | attendance no | urgency soon | attendance
may_not_attend | attendance maybe | | attendance
only_carer | caregiving only_me | duties fixed |
main_provider | provider mostly | duties fixed |
few_supporters | supporters one_or_two | support some |
no_supporters | supporters nobody | support weak |
lives_alone | home alone | support some |
others_use_at_home | home others_use | support weak | sober_house
no_steady_place | home no_place | support weak, urgency soon | sober_house
constant_care | constant_care always | need high, urgency soon |
some_supervision | constant_care sometimes | need some |
nobody_to_watch | constant_care sometimes, supporters nobody | need high |
nobody_day_and_night | constant_care always, supporters nobody | need high, urgency today |
alcohol_or_pill_withdrawal | alcohol_or_pills sick | need high, urgency today | dont_stop_alone, detox
possible_withdrawal | alcohol_or_pills not_sure | need some, urgency soon | dont_stop_alone
shaky_withdrawal | alcohol_or_pills shaky | urgency soon | dont_stop_alone
severe_withdrawal_before | past_withdrawal severe | urgency soon | dont_stop_alone
withdrawal_may_be_severe | past_withdrawal not_sure | urgency soon | dont_stop_alone
shaky_and_unsure | past_withdrawal not_sure, alcohol_or_pills shaky | need some, urgency today | dont_stop_alone
shaky_with_risk | past_withdrawal risk, alcohol_or_pills shaky | need high, urgency today | dont_stop_alone, detox
severe_before_still_using | past_withdrawal severe, alcohol_or_pills fine | need some, urgency today | dont_stop_alone
ill_and_shaky | health most_days, alcohol_or_pills shaky | need high, urgency today | dont_stop_alone, detox
uses_opioids | opioids fine | urgency soon | naloxone, opioid_medicine
opioid_withdrawal | opioids very_sick | urgency soon | naloxone, opioid_medicine
two_withdrawals | opioids very_sick, alcohol_or_pills shaky | need high, urgency today | dont_stop_alone, detox
daily_nursing | health most_days | need high, urgency soon |
health_unsure | health not_sure | urgency soon |
tell_them_of_your_health | health often | | health
out_of_touch | mind yes | need high, urgency now |
not_coping | mind not_coping | need high, urgency today |
mind_unsaid | mind rather_not_say | need some, urgency soon |
mind_unsettled | mind manageable | urgency soon |
may_be_pregnant | pregnancy maybe | urgency soon | pregnancy
maybe_pregnant_and_shaky | pregnancy maybe, alcohol_or_pills shaky | need high, urgency today \
| pregnancy, dont_stop_alone, detox
maybe_pregnant_in_opioid_withdrawal | pregnancy maybe, opioids sick | need some, urgency today \
| pregnancy, opioid_medicine
intensive_program_not_enough | past_treatment not_enough | need high, urgency soon |
treated_many_times | past_treatment many_times | need some |
"""
# The most dangerous first.
PROGRAM_NOTICES = ("sober_house", "attendance", "health")
NOTICES = ("dont_stop_alone", "naloxone", "opioid_medicine", "pregnancy", "means", "shelter", "detox", *PROGRAM_NOTICES)
LOWEST = {"no_constant_need": "need", "supported_at_home": "support", "free_to_leave": "duties"}


def pairs(text: str) -> dict[str, str]:
    return dict(pair.split() for pair in text.split(",") if pair.strip())


def row(line: str) -> tuple[str, tuple[dict[str, str], dict[str, str], set[str]]]:
    key, when, raises, notices = line.split("|")
    return key.strip(), (pairs(when), pairs(raises), set(notices.replace(",", "").split()))


CLINICAL = dict(row(line) for line in TABLE.strip().splitlines())


def test_rules_are_those_of_the_clinical_table_and_no_others() -> None:
    rules = {rule.key: (dict(rule.when), rule.raises, set(rule.notices.split())) for rule in CURRENT.rules}
    assert rules == CLINICAL | {key: ({}, {name: LEVELS[name][0]}, set()) for key, name in LOWEST.items()}


def applying(given: dict[str, str]) -> list[str]:
    """Return the rules of the table whose conditions are met."""
    ranks = {key: list(QUESTIONS[key].options).index for key in given}
    return [
        rule
        for rule, (when, _raises, _notices) in CLINICAL.items()
        if all(ranks[key](given[key]) >= ranks[key](least) for key, least in when.items())
    ]


def by_the_table(given: dict[str, str]) -> dict[str, object]:
    """Work out the result from the table, without the code of the rules."""
    levels = {"need": "low", "support": "strong", "duties": "flexible", "urgency": "none"}
    brought: set[str] = set()
    for _when, raises, notices in map(CLINICAL.__getitem__, applying(given)):
        brought |= notices
        for dimension, level in raises.items():
            levels[dimension] = max(levels[dimension], level, key=LEVELS[dimension].index)
    close_call = (levels["need"], levels["support"]) in {("low", "weak"), ("some", "some"), ("some", "weak")}
    if close_call:
        program = "iop" if levels["duties"] == "fixed" else "inpatient"
    else:
        program = "inpatient" if levels["need"] == "high" else "iop"
    headline = {"now": "help_now", "today": "help_today"}.get(levels["urgency"], "either" if close_call else program)
    shown = tuple(notice for notice in NOTICES if notice in brought)
    return {"program": program, "close_call": close_call, "headline": headline, "notices": shown, **levels}


def test_recommend_agrees_with_the_table_worked_out_the_plain_way() -> None:
    generator = random.Random(7)
    tried: set[str] = set()
    for _ in range(5000):
        # Most answers are the least needy ones, or nearly every set would need help now.
        given = {
            key: value if generator.random() < 0.2 else BEST[key] for key, value in random_answers(generator).items()
        }
        tried.update(applying(given))
        recommendation = recommend(given)
        expected = by_the_table(given)
        assert {name: getattr(recommendation, name) for name in expected} == expected
    assert tried == set(CLINICAL)


def test_notices_are_those_of_the_specification_with_known_sources() -> None:
    assert [notice.key for notice in CURRENT.notices] == list(NOTICES)
    assert all(notice.sources and set(notice.sources.split()) <= set(SOURCES) for notice in CURRENT.notices)


def test_appeals_carry_rules_on_support_and_treatment_before_alone_and_the_manual_none_of_high_need() -> None:
    for rule in CURRENT.rules:
        cited = rule.sources.split()
        assert "P1" not in cited or "support" in rule.raises or "past_treatment" in rule.when, rule.key
        assert "A2" not in cited or rule.need != "high", rule.key


def test_people_get_the_results_they_stand_for() -> None:
    seen = {name: recommend(given) for name, given in KINDS.items()}
    assert seen["iop"].program == "iop"
    assert not seen["iop"].close_call
    assert seen["inpatient"].program == "inpatient"
    assert seen["close call"].program == "iop"
    assert seen["close call"].close_call
    assert seen["urgent"].urgency == "now"
    assert (recommend(TODAY).headline, recommend(TODAY).program) == ("help_today", "iop")


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
    "row", ["a_rule | home alone | support some | S3", "a_rule | home alone | need some | | S3 | S4"]
)
def test_row_of_the_table_with_another_number_of_cells_is_named(row: str) -> None:
    with pytest.raises(ValueError, match=rf"'{re.escape(row)}' has \d cells, and needs 5"):
        rules_of({row: "A reason."})


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
    assert "no_constant_need" in ran.stdout


def test_reasons_for_a_dimension_come_with_the_highest_level_first() -> None:
    generator = random.Random(20261128)
    several = 0
    for _ in range(300):
        recommendation = recommend(random_answers(generator))
        for dimension, order in LEVELS.items():
            ranks = [order.index(reason.level) for reason in recommendation.reasons_for(dimension)]
            assert ranks == sorted(ranks, reverse=True)
            several += len(set(ranks)) > 1
    assert several > 100


def test_a_milder_rule_on_the_same_answer_stays_silent() -> None:
    keys = {reason.key for reason in recommend(answers(self_harm="plan")).reasons}
    assert "may_act_on_thoughts" in keys
    assert not keys & {"recent_attempt", "thoughts_of_ending", "thoughts_unsaid", "past_dark_thoughts"}
    assert "no_constant_need" not in keys


def test_notices_come_in_order_of_danger_also_from_rules_that_stay_silent() -> None:
    recommendation = recommend(answers(self_harm="plan", pregnancy="maybe", alcohol_or_pills="sick"))
    assert "shaky_withdrawal" not in {reason.key for reason in recommendation.reasons}
    assert recommendation.notices == ("dont_stop_alone", "pregnancy", "means", "detox")
    quiet = with_rule(CURRENT, "alcohol_or_pill_withdrawal", notices="")
    assert quiet.recommend(answers(alcohol_or_pills="sick")).notices == ("dont_stop_alone",)
    assert recommend(BEST).notices == ()


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
        "low": ["iop", "iop", DUTIES_DECIDE],
        "some": ["iop", DUTIES_DECIDE, DUTIES_DECIDE],
        "high": ["inpatient", "inpatient", "inpatient"],
    }
