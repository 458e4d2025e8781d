"""Every page, question and option that a person is asked, declared once.

Forms, pages, the check page and the staff desk are read from here. Keys and option values are a contract: they are
stored, so a released one is never renamed or given a new meaning. Options run from least to most need (for job,
caregiving and provider: from most flexible to most fixed), because rules compare answers by their place in this order.

Words are English here and are translated where they are shown. Nothing here needs Django.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


def _(text: str) -> str:
    """Mark `text` for translation; whoever shows it calls gettext."""
    return text


@dataclass(frozen=True)
class Question:
    """One single-choice question; `options` maps each value to its words, from least to most need.

    What an answer means beyond the rules is declared here too, each for an answer and all worse ones.
    """

    key: str
    text: str
    topic: str  # completes "Choose an answer about ..."
    options: Mapping[str, str]
    hint: str = ""
    circumstance: bool = False  # a circumstance that can change in a life; safety and health are none
    needed_for: str = ""  # the program that can't be had without it
    same_subject: str = ""  # the question about the same subject: if it counts, this one is not called irrelevant
    help_lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # least answer -> keys in help_lines.py
    notices: Mapping[str, str] = field(default_factory=dict)  # least answer -> key in explanation.NOTICES

    def __post_init__(self) -> None:
        for value in (*self.help_lines, *self.notices):
            self.rank(value)

    def brought_by(self, value: str | None) -> tuple[set[str], set[str]]:
        """Return the keys of the help lines and of the notices that an answer brings; none for an unknown answer."""
        if value not in self._ranks:
            return set(), set()
        rank = self._ranks[value]
        lines = {line for least, keys in self.help_lines.items() if self.rank(least) <= rank for line in keys}
        return lines, {notice for least, notice in self.notices.items() if self.rank(least) <= rank}

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {value: rank for rank, value in enumerate(self.options)}

    def rank(self, value: str) -> int:
        """Return the place of an option in the order of need, from 0; raise a ValueError for an unknown one."""
        try:
            return self._ranks[value]
        except (KeyError, TypeError):
            raise ValueError(f"unknown option {value!r} for question {self.key!r}") from None


@dataclass(frozen=True)
class Page:
    """One page of questions; `why` tells the person why they are asked."""

    slug: str
    title: str
    why: str
    questions: tuple[Question, ...]

    def is_answered(self, answers: Mapping[str, str]) -> bool:
        return all(question.key in answers for question in self.questions)


PAGES = (
    Page(
        "safety",
        _("Are you safe right now?"),
        _("We ask this first. If you need help today, the rest can wait."),
        (
            Question(
                "emergency",
                _("Is any of this happening right now?"),
                _("an emergency right now"),
                {
                    "none": _("No"),
                    "withdrawal": _(
                        "I am very sick from stopping: I see or hear things, I am confused, or I can’t stop shaking "
                        "or throwing up"
                    ),
                    "medical": _(
                        "I took too much, passed out, had a seizure, have chest pain, or have trouble breathing"
                    ),
                },
                help_lines={"withdrawal": ("911",), "medical": ("poison",)},
            ),
            Question(
                "self_harm",
                _("In the past month, have you thought about ending your life or hurting someone?"),
                _("thoughts of ending your life or hurting someone"),
                {
                    "no": _("No"),
                    "past": _("Not this month, but before"),
                    "rather_not_say": _("I’d rather not say"),
                    "thoughts": _("Yes, but I have no plan"),
                    "plan": _("Yes, and I have a plan or might act on it"),
                },
                hint=_(
                    "Many people have thoughts like these. There is help, and you can call or text 988 at any time."
                ),
                help_lines={"past": ("988",)},
            ),
            Question(
                "home_safety",
                _("Do you feel safe where you live?"),
                _("feeling safe where you live"),
                {
                    "safe": _("Yes, I feel safe"),
                    "other_place": _("No, but I have a safe place to go"),
                    "rather_not_say": _("I’d rather not say"),
                    "nowhere_else": _("No, and I have nowhere else to go"),
                    "danger": _("I am in danger right now"),
                },
                hint=_("Think of people who hurt or scare you, as well as the place."),
                help_lines={"other_place": ("domestic_violence",), "danger": ("911",)},
            ),
        ),
    ),
    Page(
        "job",
        _("Your job or school"),
        _("We ask because some programs let you keep working, and some don’t."),
        (
            Question(
                "job",
                _("Do you have a job or school that you can’t leave right now?"),
                _("your job or school"),
                {
                    "none": _("I have neither"),
                    "can_leave": _("Yes, and I could take some weeks off"),
                    "not_sure": _("I’m not sure"),
                    "cannot_leave": _("Yes, and I can’t leave it"),
                },
                hint=_("Think about the next month or two."),
                circumstance=True,
            ),
            Question(
                "attendance",
                _("Could you come to a program for at least nine hours a week?"),
                _("coming to a program each week"),
                {
                    "yes": _("Yes"),
                    "maybe": _("Maybe. Rides, child care or shifts could get in the way"),
                    "no": _("No"),
                },
                hint=_("For example, three evenings of three hours."),
                circumstance=True,
                needed_for="iop",
                notices={"no": "attendance"},
            ),
        ),
    ),
    Page(
        "family",
        _("Your family"),
        _("We ask because some people can’t be away from home, and a program has to fit that."),
        (
            Question(
                "caregiving",
                _("Does anyone need you for care each day, such as a child or a parent?"),
                _("people who need your care"),
                {
                    "nobody": _("No one"),
                    "shared": _("Yes, and someone can step in for me"),
                    "not_sure": _("I’m not sure"),
                    "only_me": _("Yes, and there is only me"),
                },
                circumstance=True,
            ),
            Question(
                "provider",
                _("Does your household count on your income?"),
                _("your income"),
                {
                    "no": _("No"),
                    "partly": _("Partly"),
                    "mostly": _("Mostly, or only on mine"),
                },
                circumstance=True,
            ),
        ),
    ),
    Page(
        "support",
        _("People and home"),
        _(
            "We ask because the people and the home around you can make it easier, or harder, to stay away from "
            "alcohol and drugs."
        ),
        (
            Question(
                "supporters",
                _("Who can help you stay away from alcohol and drugs?"),
                _("who can help you"),
                {
                    "several": _("A few people I can count on"),
                    "one_or_two": _("One or two people"),
                    "not_sure": _("I’m not sure"),
                    "nobody": _("No one right now"),
                },
                hint=_("Family, friends, a sponsor, a group, a faith leader: anyone counts."),
                circumstance=True,
            ),
            Question(
                "home",
                _("Where will you live for the next few weeks?"),
                _("where you will live"),
                {
                    "supportive": _("With people who don’t drink or use, or who help me"),
                    "alone": _("Alone"),
                    "others_use": _("With people who drink or use"),
                    "no_place": _("I don’t have a steady place"),
                },
                circumstance=True,
                same_subject="home_safety",
            ),
        ),
    ),
    Page(
        "care",
        _("Your health and care"),
        _(
            "We ask because stopping can make some people very sick, and some health needs call for a nurse or doctor "
            "close by. These are the most personal questions. It is fine to say you’re not sure."
        ),
        (
            Question(
                "constant_care",
                _("Do you need someone with you, day and night, to stay safe or to keep from using?"),
                _("having someone with you"),
                {
                    "no": _("No"),
                    "sometimes": _("Some days or nights"),
                    "not_sure": _("I’m not sure"),
                    "always": _("Yes, day and night"),
                },
            ),
            Question(
                "alcohol_or_pills",
                _("When you cut down or stop alcohol or calming pills, how do you feel?"),
                _("stopping alcohol or calming pills"),
                {
                    "fine": _("Fine, or I don’t use these"),
                    "shaky": _("A little shaky or sweaty"),
                    "not_sure": _("I’m not sure"),
                    "sick": _("Quite sick, or I need more to feel okay"),
                },
                hint=_(
                    "Calming pills are pills such as Xanax or Valium. Please don’t stop these or alcohol all at once "
                    "before you have talked with a doctor. It can be dangerous."
                ),
            ),
            Question(
                "past_withdrawal",
                _("Has stopping alcohol or calming pills ever made you very sick?"),
                _("times that stopping made you sick"),
                {
                    "no": _("No"),
                    "rough": _("I felt sick but got through it"),
                    "not_sure": _("I’m not sure"),
                    "severe": _("Yes: a seizure, seeing things, or a hospital stay"),
                },
            ),
            Question(
                "opioids",
                _("When you stop heroin, fentanyl or pain pills, how do you feel?"),
                _("stopping heroin, fentanyl or pain pills"),
                {
                    "fine": _("Fine, or I don’t use these"),
                    "sick": _("A little sick"),
                    "not_sure": _("I’m not sure"),
                    "very_sick": _("Very sick, so I use again"),
                },
                notices={"sick": "naloxone"},
            ),
            Question(
                "health",
                _("Do you have a health problem that needs care?"),
                _("your health"),
                {
                    "steady": _("No, or it is under control"),
                    "often": _("I see someone often for it"),
                    "not_sure": _("I’m not sure"),
                    "most_days": _("I need a nurse or doctor most days"),
                },
            ),
            Question(
                "mind",
                _("In the past two weeks, has your mind felt out of control?"),
                _("feeling out of control"),
                {
                    "no": _("No"),
                    "manageable": _("A little, but I can manage"),
                    "rather_not_say": _("I’d rather not say"),
                    "yes": _("Yes"),
                },
                hint=_(
                    "For example: hearing voices, feeling that people are after you, or not able to look after "
                    "yourself."
                ),
                help_lines={"manageable": ("988",)},
            ),
            Question(
                "pregnancy",
                _("Are you pregnant, or could you be?"),
                _("being pregnant"),
                {
                    "no": _("No, or this doesn’t apply"),
                    "maybe": _("Maybe, or I’d rather not say"),
                    "yes": _("Yes"),
                },
            ),
            Question(
                "past_treatment",
                _("Have you had treatment for alcohol or drugs before?"),
                _("treatment you had before"),
                {
                    "none": _("No"),
                    "helped": _("Yes, and it helped"),
                    "returned": _("Yes, and I went back to using"),
                    "many_times": _("Many times"),
                    "not_enough": _("In the past year, a day, evening or live-in program was not enough"),
                },
            ),
        ),
    ),
)

PAGE_BY_SLUG = {page.slug: page for page in PAGES}
QUESTIONS = {question.key: question for page in PAGES for question in page.questions}

if len(PAGE_BY_SLUG) != len(PAGES) or len(QUESTIONS) != sum(len(page.questions) for page in PAGES):
    raise ValueError("two pages share a slug, or two questions share a key")
if gone := {question.same_subject for question in QUESTIONS.values()} - {"", *QUESTIONS}:
    raise ValueError(f"a question names {sorted(gone)} as its subject, which is no longer asked")

UNSURE = ("not_sure", "rather_not_say")  # answers under these names are never shown as a change that life could make


def first_gap(answers: Mapping[str, str]) -> Page | None:
    """Return the first page with a question that `answers` leaves open; None if all are answered."""
    return next((page for page in PAGES if not page.is_answered(answers)), None)


def known(answers: Mapping[str, str]) -> dict[str, str]:
    """Return those of `answers` whose question and option exist."""
    return {key: value for key, value in answers.items() if key in QUESTIONS and value in list(QUESTIONS[key].options)}


def require_complete(answers: Mapping[str, str]) -> None:
    """Raise a ValueError that names every missing or unknown question and every unknown option."""
    faults = [f"missing question {key!r}" for key in QUESTIONS if key not in answers]
    for key, value in answers.items():
        if key not in QUESTIONS:
            faults.append(f"unknown question {key!r}")
        elif value not in list(QUESTIONS[key].options):  # in a list, because the value may not be hashable
            faults.append(f"unknown option {value!r} for question {key!r}")
    if faults:
        raise ValueError("; ".join(faults))
