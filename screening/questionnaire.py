"""Every section, question and option that a person is asked, declared once.

Forms, pages, the check page and the staff desk are read from here. Keys and option values are a contract: they are
stored, so a released one is never renamed or given a new meaning. Options run from least to most need (for job,
caregiving and provider: from most flexible to most fixed), because rules compare answers by their place in this order.

Words are English here and are translated where they are shown. Nothing here needs Django.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property


def _(text: str) -> str:
    """Mark `text` for translation; whoever shows it calls gettext."""
    return text


@dataclass(frozen=True)
class Question:
    """One single-choice question; `options` maps each value to its words, from least to most need."""

    key: str
    text: str
    topic: str  # names it in a list
    missing: str  # asks for it where it was left out
    options: Mapping[str, str]
    hint: str = ""
    circumstance: bool = False  # a circumstance of life; safety and health are none
    subject: str = ""  # of an interview, a key in SUBJECTS; that of the section, unless it has its own
    offered: bool = False  # may be named to a person as a change that would lead to another result
    help_lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # least answer -> keys in help_lines.py

    def __post_init__(self) -> None:
        for value in self.help_lines:
            self.rank(value)

    def help_lines_for(self, value: str | None) -> set[str]:
        """Return the keys of the help lines that an answer and all milder ones bring; none for an unknown answer."""
        rank = self._ranks.get(value or "", -1)
        return {line for least, keys in self.help_lines.items() if self.rank(least) <= rank for line in keys}

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
class Section:
    """What is asked for one reason, which `why` tells the person. `together` puts the questions on one page."""

    slug: str
    subject: str  # of an interview, a key in SUBJECTS
    title: str
    why: str
    questions: tuple[Question, ...]
    together: bool = False


@dataclass(frozen=True)
class Page:
    """What is asked at a time: one question, or a pair."""

    slug: str
    section: Section
    questions: tuple[Question, ...]

    @cached_property
    def keys(self) -> frozenset[str]:
        """Of its questions."""
        return frozenset(question.key for question in self.questions)

    def is_answered(self, answers: Mapping[str, str]) -> bool:
        return self.keys <= answers.keys()

    def alone(self, key: str) -> "Page | None":
        """Return the page with one of its questions, to change its answer; None if it does not ask it."""
        questions = tuple(question for question in self.questions if question.key == key)
        return replace(self, questions=questions) if questions else None


# A sentence is never broken over lines, so that it can be searched for, and a change of it is a change of one line.
# fmt: off
SUBJECTS = {  # of an interview, in its order
    "use": _("Withdrawal and use"),
    "care": _("Health"),
    "safety": _("Mind and safety"),
    "people": _("Home and people"),
    "life": _("Work, family and getting there"),
    "treatment": _("Treatment before"),
}
IF_SEVERAL = _("If two are true, choose the last true one.")
SECTIONS = (
    Section("safety", "safety",
        _("Safety"),
        _("We ask this first. If you need help today, the rest can wait."),
        (
            Question("emergency",
                _("Is any of this happening right now?"),
                _("an emergency right now"),
                _("Tell us if any of this is happening right now."),
                {
                    "none": _("No"),
                    "withdrawal": _("I am very sick from stopping: I see or hear things, I am confused, my heart races, or I can’t stop shaking or throwing up"),
                    "medical": _("I took too much, passed out, had a seizure, have chest pain, or have trouble breathing"),
                },
                hint=IF_SEVERAL,
                help_lines={"withdrawal": ("911",), "medical": ("poison",)},
                subject="use",
            ),
            Question("overdose",
                _("In the past month, did you stop breathing, could no one wake you, or did you get naloxone (Narcan)?"),
                _("an overdose in the past month"),
                _("Tell us if you may have had an overdose in the past month."),
                {"no": _("No"), "not_sure": _("I’m not sure"), "yes": _("Yes")},
                hint=_("Naloxone is a spray or shot that wakes a person who took too much."),
                subject="use",
            ),
            Question("self_harm",
                _("Have you thought about ending your life?"),
                _("thoughts of ending your life"),
                _("Tell us if you have thought about ending your life."),
                {
                    "no": _("No"),
                    "past": _("Not this month, but before"),
                    "rather_not_say": _("I’d rather not say"),
                    "thoughts": _("Yes, this month, with no plan"),
                    "attempt": _("I tried in the past three months"),
                    "plan": _("I have a plan, or I might act on it"),
                },
                hint=_("Many people have thoughts like these. There is help, and you can call or text 988 at any time. If two are true, choose the last true one."),
                help_lines={"past": ("988",)},
            ),
            Question("violence",
                _("Have you thought about hurting someone else?"),
                _("thoughts of hurting someone"),
                _("Tell us if you have thought about hurting someone else."),
                {
                    "no": _("No"),
                    "rather_not_say": _("I’d rather not say"),
                    "thoughts": _("Yes, but I would not do it"),
                    "might_act": _("Yes, and I might act on it"),
                },
                hint=_("You can call or text 988 about this, too."),
                help_lines={"rather_not_say": ("988",)},
            ),
            Question("home_safety",
                _("Do you feel safe where you live?"),
                _("feeling safe where you live"),
                _("Tell us if you feel safe where you live."),
                {
                    "safe": _("Yes, I feel safe"),
                    "other_place": _("No, but I have a safe place to go"),
                    "rather_not_say": _("I’d rather not say"),
                    "nowhere_else": _("No, and I have nowhere else to go"),
                    "danger": _("I am in danger right now"),
                },
                hint=_("Think of people who hurt or scare you, as well as the place. If two are true, choose the last true one."),
                help_lines={"other_place": ("domestic_violence",), "nowhere_else": ("211",), "danger": ("911",)},
            ),
        ),
    ),
    Section("job", "life",
        _("Your job or school"),
        _("We ask because some programs let you keep working, and some don’t."),
        (
            Question("job",
                _("Do you have a job or school that you can’t leave right now?"),
                _("your job or school"),
                _("Tell us about your job or school."),
                {
                    "none": _("I have neither"),
                    "can_leave": _("Yes, and I could take some weeks off"),
                    "not_sure": _("I’m not sure"),
                    "cannot_leave": _("Yes, and I can’t leave it"),
                },
                hint=_("Think about the next month or two."),
                circumstance=True,
            ),
            Question("attendance",
                _("Could you come to a program for at least nine hours a week?"),
                _("coming to a program each week"),
                _("Tell us if you could come to a program."),
                {
                    "yes": _("Yes"),
                    "maybe": _("Maybe. Rides, child care or shifts could get in the way"),
                    "no": _("No"),
                },
                hint=_("For example, three evenings of three hours. Some programs meet by video."),
                circumstance=True,
            ),
        ),
        together=True,
    ),
    Section("family", "life",
        _("Your family"),
        _("We ask because some people can’t be away from home, and a program has to fit that."),
        (
            Question("caregiving",
                _("Does anyone need you for care each day, such as a child or a parent?"),
                _("people who need your care"),
                _("Tell us if anyone needs you for care each day."),
                {
                    "nobody": _("No one"),
                    "shared": _("Yes, and someone can step in for me"),
                    "not_sure": _("I’m not sure"),
                    "only_me": _("Yes, and I’m the only one"),
                },
                circumstance=True,
            ),
            Question("provider",
                _("Does your household depend on your income?"),
                _("your income"),
                _("Tell us if your household depends on your income."),
                {"no": _("No"), "partly": _("Partly"), "mostly": _("Mostly, or only on mine")},
                circumstance=True,
            ),
        ),
        together=True,
    ),
    Section("support", "people",
        _("People and home"),
        _("We ask because the people around you can help you stop or make it harder. So can your home."),
        (
            Question("supporters",
                _("Who can help you stay away from alcohol and drugs?"),
                _("who can help you"),
                _("Tell us who can help you."),
                {
                    "several": _("A few people I can count on"),
                    "one_or_two": _("One or two people"),
                    "not_sure": _("I’m not sure"),
                    "nobody": _("No one right now"),
                },
                hint=_("Family, friends, a sponsor, a group, or a faith leader. Each of them counts."),
                circumstance=True,
                offered=True,
            ),
            Question("home",
                _("Where will you live for the next few weeks?"),
                _("where you will live"),
                _("Tell us where you will live."),
                {
                    "supportive": _("With people who don’t drink or use, or who help me"),
                    "alone": _("Alone"),
                    "others_use": _("With people who drink or use"),
                    "no_place": _("I don’t have a steady place"),
                },
                hint=IF_SEVERAL,
                circumstance=True,
                offered=True,
                help_lines={"no_place": ("211",)},
            ),
        ),
        together=True,
    ),
    Section("stopping", "use",
        _("Stopping"),
        _("We ask because stopping can make some people very sick. A doctor can make it safer."),
        (
            Question("alcohol_or_pills",
                _("When you cut down or stop alcohol, or calming or sleeping drugs, how do you feel?"),
                _("stopping alcohol or calming drugs"),
                _("Tell us how you feel when you stop alcohol or calming drugs."),
                {
                    "unused": _("I don’t use these, and didn’t in the past month"),
                    "fine": _("Fine"),
                    "shaky": _("A little shaky or sweaty"),
                    "not_sure": _("I’m not sure, or I never go without"),
                    "more": _("I need more to feel okay"),
                    "sick": _("Quite sick"),
                },
                hint=_("Calming drugs are, for example, Xanax, GHB or gabapentin. Please don’t stop alcohol or these all at once before you have talked with a doctor: that can cause a seizure. If two are true, choose the last true one."),
            ),
            Question("past_withdrawal",
                _("Has stopping alcohol or calming drugs ever made you very sick?"),
                _("times that stopping made you sick"),
                _("Tell us if stopping has ever made you very sick."),
                {
                    "no": _("No"),
                    "rough": _("I felt sick but got through it"),
                    "not_sure": _("I’m not sure"),
                    "risk": _("Not yet, but I use both alcohol and calming drugs, or I have epilepsy"),
                    "severe": _("Yes: a seizure, seeing things, or a hospital stay"),
                },
                hint=IF_SEVERAL,
            ),
            Question("opioids",
                _("When you stop heroin, fentanyl, pain pills or kratom, how do you feel?"),
                _("stopping heroin, fentanyl, pain pills or kratom"),
                _("Tell us how you feel when you stop heroin, fentanyl, pain pills or kratom."),
                {
                    "unused": _("I don’t use these, and didn’t in the past month"),
                    "fine": _("Fine"),
                    "sick": _("A little sick"),
                    "not_sure": _("I’m not sure"),
                    "very_sick": _("So sick that I use again"),
                },
            ),
        ),
    ),
    Section("care", "care",
        _("Health and care"),
        _("We ask because some health needs call for a nurse or doctor close by. It is fine to say you’re not sure."),
        (
            Question("constant_care",
                _("Do you need someone with you, day and night, to stay safe or to keep from using?"),
                _("having someone with you"),
                _("Tell us if you need someone with you."),
                {
                    "no": _("No"),
                    "sometimes": _("Some days or nights"),
                    "not_sure": _("I’m not sure"),
                    "always": _("Yes, day and night"),
                },
            ),
            Question("health",
                _("Do you have a health problem that needs care?"),
                _("your health"),
                _("Tell us if you have a health problem that needs care."),
                {
                    "steady": _("No, or it is under control"),
                    "often": _("I see someone often for it"),
                    "not_sure": _("I’m not sure"),
                    "most_days": _("I need a nurse or doctor most days"),
                },
                hint=IF_SEVERAL,
            ),
            Question("mind",
                _("In the past two weeks, has your mind felt out of control?"),
                _("feeling out of control"),
                _("Tell us if your mind has felt out of control."),
                {
                    "no": _("No"),
                    "manageable": _("A little, but I can manage"),
                    "rather_not_say": _("I’d rather not say"),
                    "not_coping": _("I can’t look after myself"),
                    "yes": _("I hear or see things, or feel that people are after me"),
                },
                hint=IF_SEVERAL,
                help_lines={"manageable": ("988",)},
                subject="safety",
            ),
            Question("pregnancy",
                _("Are you pregnant, or could you be?"),
                _("being pregnant"),
                _("Tell us if you are or could be pregnant."),
                {
                    "no": _("No, or this doesn’t apply"),
                    "maybe": _("Maybe, or I’d rather not say"),
                    "yes": _("Yes"),
                },
                hint=_("You don’t have to say. The middle answer leads to the same advice."),
                help_lines={"maybe": ("maternal",)},
            ),
            Question("past_treatment",
                _("Have you had treatment for alcohol or drugs before?"),
                _("treatment you had before"),
                _("Tell us if you have had treatment before."),
                {
                    "none": _("No"),
                    "helped": _("Yes, and it helped"),
                    "returned": _("Yes, and I went back to using"),
                    "many_times": _("Many times"),
                    "not_enough": _("In the past year a program was not enough, and I have not finished one since"),
                },
                hint=IF_SEVERAL,
                subject="treatment",
            ),
        ),
    ),
)
# fmt: on


def _pages_of(section: Section) -> list[Page]:
    if section.together:
        return [Page(section.slug, section, section.questions)]
    return [Page(question.key, section, (question,)) for question in section.questions]


PAGES = tuple(page for section in SECTIONS for page in _pages_of(section))
PAGE_BY_SLUG = {page.slug: page for page in PAGES}
QUESTIONS = {question.key: question for section in SECTIONS for question in section.questions}
PAGE_OF = {question.key: page for page in PAGES for question in page.questions}

BY_SUBJECT = {
    subject: [
        each.key for section in SECTIONS for each in section.questions if (each.subject or section.subject) == subject
    ]
    for subject in SUBJECTS
}

if (
    len(PAGE_BY_SLUG) != len(PAGES)
    or sum(map(len, BY_SUBJECT.values())) != len(QUESTIONS)
    or len(QUESTIONS) != sum(len(section.questions) for section in SECTIONS)
):
    raise ValueError("two pages share a slug, two questions share a key, or one is of no subject")

UNSURE = ("not_sure", "rather_not_say")  # answers under these names are never shown as a change that life could make


def first_gap(answers: Mapping[str, str]) -> Page | None:
    """Return the first page with a question that `answers` leaves open; None if all are answered."""
    return next((page for page in PAGES if not page.is_answered(answers)), None)


def known(answers: Mapping[str, str]) -> dict[str, str]:
    """Return those of `answers` whose question and option exist."""
    return {key: value for key, value in answers.items() if key in QUESTIONS and value in QUESTIONS[key].options}


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
