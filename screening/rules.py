"""The rules, the grid, and `recommend`: which program fits a complete set of answers, how urgent a call is, and why.

A rule is data: the least answers that count, what they raise, the reason in words, its sources. All of a rule's
conditions must hold. Each dimension takes the highest level that any rule gives it; nothing is added up or averaged,
so one serious answer can't be outweighed. Because a condition is only ever "at least this answer", a worse answer can
only make more rules apply.

Not clinically validated. Nothing here needs Django: words are English and are translated where they are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from screening.questionnaire import QUESTIONS, _, require_complete
from screening.sources import SOURCES

RULES_VERSION = "2026.1"  # change it with every change to RULES or GRID

# Each dimension's levels, from the one that no rule has to raise to the one that counts most.
LEVELS = {
    "need": ("low", "some", "high"),
    "support": ("strong", "some", "weak"),
    "duties": ("flexible", "fixed"),
    "urgency": ("none", "soon", "today", "now"),
}

DUTIES_DECIDE = "duties decide"

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


@dataclass(frozen=True)
class Rule:
    """If every question in `when` is answered at least so, raise the given dimensions to the given levels."""

    key: str
    when: Mapping[str, str]
    text: str
    sources: str  # ids in SOURCES, divided by spaces
    need: str = ""
    support: str = ""
    duties: str = ""
    urgency: str = ""
    raises: Mapping[str, str] = field(init=False)
    least: Mapping[str, int] = field(init=False)  # question -> rank of the least answer that counts

    def __post_init__(self) -> None:
        raises = {dimension: getattr(self, dimension) for dimension in LEVELS if getattr(self, dimension)}
        for dimension, level in raises.items():
            if level not in LEVELS[dimension]:
                raise ValueError(f"rule {self.key!r}: unknown level {level!r} for {dimension!r}")
        unknown = [f"question {key!r}" for key in self.when if key not in QUESTIONS]
        unknown += [f"source {source!r}" for source in self.sources.split() if source not in SOURCES]
        if unknown:
            raise ValueError(f"rule {self.key!r}: unknown " + ", ".join(unknown))
        if not (raises and self.sources.split() and self.text):
            raise ValueError(f"rule {self.key!r} needs a level to raise, a reason in words, and a source")
        least = {key: QUESTIONS[key].rank(value) for key, value in self.when.items()}
        if 0 in least.values():
            raise ValueError(f"rule {self.key!r}: a condition on the first option always holds")
        object.__setattr__(self, "raises", raises)
        object.__setattr__(self, "least", least)

    def applies(self, answers: Mapping[str, str]) -> bool:
        """Whether the answers given so far meet every condition."""
        return all(key in answers and QUESTIONS[key].rank(answers[key]) >= rank for key, rank in self.least.items())

    def covers(self, other: "Rule") -> bool:
        """Whether this rule can only apply where `other` does too, so that it says at least as much."""
        return all(self.least.get(key, -1) >= rank for key, rank in other.least.items())


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
        _("The people and the home around you can help hold you up."),
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
        _("Your home may not help you stay away from alcohol and drugs."),
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

if set(GRID) != set(product(LEVELS["need"], LEVELS["support"])):
    raise ValueError("the grid needs a program for each level of need with each of support, and no other")
if not set(GRID.values()) <= {"iop", "inpatient", DUTIES_DECIDE}:
    raise ValueError("the grid names a program that does not exist")
if len({rule.key for rule in RULES}) != len(RULES):
    raise ValueError("two rules share a key")

# (dimension, rule) -> the rules that say at least as much there: where one of them applies, it has nothing to add.
_STRONGER = {
    (dimension, rule.key): {
        other.key
        for other in RULES
        if other is not rule
        and dimension in other.raises
        and LEVELS[dimension].index(other.raises[dimension]) >= LEVELS[dimension].index(level)
        and other.covers(rule)
        and not (rule.covers(other) and other.raises[dimension] == level)  # twins: both speak
    }
    for rule in RULES
    for dimension, level in rule.raises.items()
}


@dataclass(frozen=True)
class Reason:
    """Why a dimension stands where it does: the rule, the level it asks for, and the questions that it read."""

    key: str  # the rule's
    text: str
    dimension: str
    level: str
    sources: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Recommendation:
    """What the rules say to one complete set of answers; `reasons` run by dimension, the weightiest first."""

    program: str  # "iop" | "inpatient"
    urgency: str
    need: str
    support: str
    duties: str
    close_call: bool
    reasons: tuple[Reason, ...]
    rules_version: str = RULES_VERSION

    def reasons_for(self, dimension: str) -> tuple[Reason, ...]:
        return tuple(reason for reason in self.reasons if reason.dimension == dimension)


def program_for(need: str, support: str, duties: str) -> tuple[str, bool]:
    """The grid's program for three levels, and whether it was a close call that the duties decided."""
    program = GRID[need, support]
    if program != DUTIES_DECIDE:
        return program, False
    return ("iop" if duties == "fixed" else "inpatient"), True


def recommend(answers: Mapping[str, str]) -> Recommendation:
    """The recommendation for `answers` (question key -> option value; all questions, no others).

    Raises a ValueError that names every missing or unknown question or option. A rule gives no reason where a stricter
    one that applies too raises the same dimension as far.
    """
    require_complete(answers)
    applying = [rule for rule in RULES if rule.applies(answers)]
    keys = {rule.key for rule in applying}
    levels: dict[str, str] = {}
    reasons: list[Reason] = []
    for dimension, order in LEVELS.items():
        raising = [rule for rule in applying if dimension in rule.raises]
        raising.sort(key=lambda rule: order.index(rule.raises[dimension]), reverse=True)
        levels[dimension] = raising[0].raises[dimension] if raising else order[0]
        reasons += [
            Reason(
                rule.key, rule.text, dimension, rule.raises[dimension], tuple(rule.sources.split()), tuple(rule.when)
            )
            for rule in raising
            if not keys & _STRONGER[dimension, rule.key]
        ]
    program, close_call = program_for(levels["need"], levels["support"], levels["duties"])
    return Recommendation(program=program, close_call=close_call, reasons=tuple(reasons), **levels)


def needs_help_now(answers: Mapping[str, str], questions: set[str]) -> bool:
    """Whether the answers so far, to one of `questions` at least, mean that help must come before all else."""
    return any(rule.urgency == "now" and questions & rule.when.keys() and rule.applies(answers) for rule in RULES)
