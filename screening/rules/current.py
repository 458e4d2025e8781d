"""The rules in force, as data: which program fits a complete set of answers, how urgent a call is, and why.

A change here is a new version: add it to VERSIONS, then `manage.py freeze_rules` (docs/changing-the-rules.md).
How rules decide is in ruleset.py.

Not clinically validated. Nothing here needs Django: words are English and are translated where they are shown.
"""

from dataclasses import dataclass
from datetime import date

from screening.questionnaire import QUESTIONS, _
from screening.rules.ruleset import DUTIES_DECIDE, Rule, RuleSet


@dataclass(frozen=True)
class Version:
    """A released version of the rules, and what changed with it."""

    version: str
    released: date
    changes: str


VERSIONS = (Version("2026.1", date(2026, 11, 23), _("The first version.")),)  # the last is in force

# (need, support) -> program
GRID = {
    ("low", "strong"): "iop",
    ("low", "some"): "iop",
    ("low", "weak"): DUTIES_DECIDE,
    ("some", "strong"): "iop",
    ("some", "some"): DUTIES_DECIDE,
    ("some", "weak"): "inpatient",
    ("high", "strong"): "inpatient",
    ("high", "some"): "inpatient",
    ("high", "weak"): "inpatient",
}

RULES = (
    # Where nothing raises a dimension, these say so.
    Rule(
        "no_constant_need",
        {},
        _("None of your answers point to a need for care day and night."),
        "S4 I2",
        need="low",
    ),
    Rule(
        "supported_at_home",
        {},
        _("You have people you can count on."),
        "S3",
        support="strong",
    ),
    Rule(
        "free_to_leave",
        {},
        _("You did not name work or family that you can’t leave for some weeks."),
        "S1 S2",
        duties="flexible",
    ),
    # Safety
    Rule(
        "emergency_now",
        {"emergency": "withdrawal"},
        _("What you feel right now can put your life at risk. You need a doctor’s help at once."),
        "W1 W2",
        need="high",
        urgency="now",
    ),
    Rule(
        "may_act_on_thoughts",
        {"self_harm": "plan"},
        _("You might act on thoughts of ending your life or hurting someone. You should not be alone with this."),
        "A1 P1",
        need="high",
        urgency="now",
    ),
    Rule(
        "dark_thoughts",
        {"self_harm": "rather_not_say"},
        _("Thoughts of ending your life or hurting someone need a person who listens, and care that keeps watch."),
        "A1",
        need="some",
        urgency="soon",
    ),
    Rule(
        "past_dark_thoughts",
        {"self_harm": "past"},
        _("Hard thoughts can come back when you stop using. Tell our staff about them."),
        "A1",
        urgency="soon",
    ),
    Rule(
        "danger_at_home",
        {"home_safety": "danger"},
        _("You are in danger where you are. Getting you to a safe place comes first."),
        "H1",
        need="high",
        urgency="now",
    ),
    Rule(
        "nowhere_safe",
        {"home_safety": "nowhere_else"},
        _("You don’t have a safe place to sleep. It is very hard to get well without one."),
        "H1 S3",
        need="high",
        urgency="soon",
    ),
    Rule(
        "home_may_be_unsafe",
        {"home_safety": "rather_not_say"},
        _("Your home may not be safe for you, and that makes it harder to get well there."),
        "H1",
        need="some",
        urgency="soon",
    ),
    Rule(
        "unsafe_with_refuge",
        {"home_safety": "other_place"},
        _("You don’t feel safe where you live. Our staff can help you plan."),
        "H1",
        urgency="soon",
    ),
    # Job and family
    Rule(
        "job_cannot_be_left",
        {"job": "cannot_leave"},
        _("You have a job or school that you can’t leave right now."),
        "S1",
        duties="fixed",
    ),
    Rule(
        "cannot_attend",
        {"attendance": "no"},
        _("You can’t come to a program for nine hours a week, and an IOP asks for at least that."),
        "I1",
        need="some",
        urgency="soon",
    ),
    Rule(
        "only_carer",
        {"caregiving": "only_me"},
        _("Someone needs your care each day, and there is only you."),
        "S2",
        duties="fixed",
    ),
    Rule(
        "main_provider",
        {"provider": "mostly"},
        _("Your household lives mostly on your income."),
        "S2",
        duties="fixed",
    ),
    # People and home
    Rule(
        "few_supporters",
        {"supporters": "one_or_two"},
        _("You may have only one or two people to lean on. More help around you makes it easier."),
        "S3",
        support="some",
    ),
    Rule(
        "no_supporters",
        {"supporters": "nobody"},
        _("You have no one right now who can help you stay away from alcohol and drugs."),
        "S3 P1",
        support="weak",
    ),
    Rule(
        "lives_alone",
        {"home": "alone"},
        _("You may not have someone at home who can help you."),
        "S3",
        support="some",
    ),
    Rule(
        "others_use_at_home",
        {"home": "others_use"},
        _("The place where you live or stay may not help you keep away from alcohol and drugs."),
        "S3 P1",
        support="weak",
    ),
    Rule(
        "no_steady_place",
        {"home": "no_place"},
        _("You don’t have a steady place to live. A program where you stay gives you one while you get well."),
        "P1",
        need="high",
        urgency="soon",
    ),
    Rule(
        "alone_among_users",
        {"home": "others_use", "supporters": "nobody"},
        _("You have no one to help you, and no home free of alcohol and drugs to go back to at night."),
        "P1",
        need="high",
    ),
    # Health and care
    Rule(
        "constant_care",
        {"constant_care": "always"},
        _("You need someone with you day and night. A program you go to from home can’t give you that."),
        "S4 I2",
        need="high",
    ),
    Rule(
        "some_supervision",
        {"constant_care": "sometimes"},
        _("You may need someone with you at times to stay safe or to keep from using."),
        "S4 I2",
        need="some",
    ),
    Rule(
        "alcohol_or_pill_withdrawal",
        {"alcohol_or_pills": "sick"},
        _("Stopping alcohol or calming pills makes you quite sick. That can be dangerous without a doctor close by."),
        "W1 W2 W3",
        need="high",
        urgency="soon",
    ),
    Rule(
        "possible_withdrawal",
        {"alcohol_or_pills": "not_sure"},
        _("Stopping alcohol or calming pills could make you sick. A doctor should check this before you stop."),
        "W2",
        need="some",
        urgency="soon",
    ),
    Rule(
        "severe_withdrawal_before",
        {"past_withdrawal": "severe"},
        _("Stopping has made you very sick before. It can happen again, and it can be worse the next time."),
        "W1",
        need="high",
        urgency="soon",
    ),
    Rule(
        "possible_severe_withdrawal",
        {"past_withdrawal": "not_sure"},
        _("Stopping may have made you very sick before. A doctor should ask you more about it."),
        "W1",
        need="some",
        urgency="soon",
    ),
    Rule(
        "withdrawal_with_seizure_history",
        {"past_withdrawal": "severe", "alcohol_or_pills": "shaky"},
        _("You may get sick when you stop, and it has been very bad before. A doctor should see you today."),
        "W1",
        urgency="today",
    ),
    Rule(
        "opioid_withdrawal",
        {"opioids": "very_sick"},
        _(
            "Stopping makes you so sick that you use again. Medicine can help with that, and you can start it "
            "while you live at home."
        ),
        "W4",
        need="some",
        urgency="soon",
    ),
    Rule(
        "daily_nursing",
        {"health": "most_days"},
        _("You need a nurse or doctor most days. A program where you stay has them close by."),
        "A2",
        need="high",
        urgency="soon",
    ),
    Rule(
        "regular_medical_care",
        {"health": "often"},
        _("You may have a health problem that needs care, and your program has to fit that in."),
        "A2",
        need="some",
    ),
    Rule(
        "mind_out_of_control",
        {"mind": "yes"},
        _("Your mind has felt out of control. You need someone to help with that right now."),
        "P1 A1",
        need="high",
        urgency="now",
    ),
    Rule(
        "mind_unsettled",
        {"mind": "manageable"},
        _("Your mind may need care too. It works best to treat both at the same time."),
        "A1",
        need="some",
        urgency="soon",
    ),
    Rule(
        "pregnant",
        {"pregnancy": "yes"},
        _("You are pregnant. Please see a doctor before you stop, for you and for the baby."),
        "W5",
        need="some",
        urgency="soon",
    ),
    Rule(
        "may_be_pregnant",
        {"pregnancy": "maybe"},
        _("You could be pregnant. A test can tell, and it matters for how you stop."),
        "W5",
        urgency="soon",
    ),
    Rule(
        "pregnant_in_alcohol_withdrawal",
        {"pregnancy": "yes", "alcohol_or_pills": "shaky"},
        _(
            "You are pregnant, and you may get sick when you stop alcohol or calming pills. A doctor should see "
            "you today."
        ),
        "W1 W5",
        need="high",
        urgency="today",
    ),
    Rule(
        "pregnant_in_opioid_withdrawal",
        {"pregnancy": "yes", "opioids": "sick"},
        _(
            "You are pregnant, and stopping opioids may make you sick. Don’t stop all at once. A doctor should "
            "see you today."
        ),
        "W5",
        need="high",
        urgency="today",
    ),
    Rule(
        "intensive_program_not_enough",
        {"past_treatment": "not_enough"},
        _("In the past year a program was not enough for you. You may need more care this time."),
        "A3",
        need="high",
    ),
    Rule(
        "treated_many_times",
        {"past_treatment": "many_times"},
        _("You have been in treatment many times. More care this time may help it last."),
        "A3",
        need="some",
    ),
)

_read = {key for rule in RULES for key in rule.when}

CURRENT = RuleSet(
    VERSIONS[-1].version,
    {key: tuple(question.options) for key, question in QUESTIONS.items() if key in _read},
    RULES,
    GRID,
)
