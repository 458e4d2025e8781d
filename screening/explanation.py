"""Explanation: a recommendation and the answers behind it, in words, for the result page and the desk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from django.utils.translation import get_language, gettext

from screening import rules
from screening.help_lines import HELP_LINES, HelpLine, help_lines_for, lines_of
from screening.questionnaire import BY_SUBJECT, QUESTIONS, SECTIONS, SUBJECTS, _
from screening.rules import versions, what_if
from screening.rules.ruleset import DUTIES_DECIDE, LEVELS, Reason, Recommendation, RuleSet
from screening.rules.sources import SOURCES, Source

HEADLINES = {
    "help_now": _("Please get help now"),
    "help_today": _("Please get help today"),
    "safe_place": _("Call for a safe place today"),  # help today, for that alone
    "iop": _("A program you go to from home may be a good place to start"),
    "inpatient": _("A program where you stay may be the safest place to start"),
    "either": _("Both could fit. Talk it over before you choose"),
}

LEANS = {
    "iop": _("You have work or family that can’t wait, so we suggest the one from home."),
    "inpatient": _("Because you may be able to step away for some weeks, we suggest the one where you stay."),
}

FIRST_CALLS = ("", "988", "domestic_violence")  # who to call first today: a doctor where no line can help

TITLES = {
    "need": _("Care you need"),
    "support": _("Support around you"),
    "duties": _("Your work and family"),
    "urgency": _("How soon to get help"),
}

LEVEL_WORDS = {
    "need": {"low": _("Low"), "some": _("Some"), "high": _("High")},
    "support": {"strong": _("Strong"), "some": _("Some"), "weak": _("Weak")},
    "duties": {"flexible": _("Flexible"), "fixed": _("Fixed")},
    "urgency": {"none": _("No rush"), "soon": _("Soon"), "today": _("Today"), "now": _("Now")},
}

LIMITS = (
    _("It is a set of rules, made from public guidance. It is not a doctor, and it is not a diagnosis."),
    _("No study has tested yet how well these rules work."),
    _("It can’t see you. People who talk with you may find that something else fits better."),
    _("Your insurance may decide in its own way."),
)

PROGRAM_WORDS = {"iop": _("Home"), "inpatient": _("Stay"), DUTIES_DECIDE: _("Both")}


@dataclass(frozen=True)
class Answer:
    """One answer in words; `marked` if it set a level or the urgency."""

    key: str
    question: str
    topic: str
    text: str
    marked: bool = False


@dataclass(frozen=True)
class ExplainedReason:
    """A reason in words, with the answers that set it and the sources of its rule."""

    key: str
    text: str
    answers: tuple[Answer, ...]
    sources: tuple[str, ...]  # their numbers in the page's list


@dataclass(frozen=True)
class ExplainedNotice:
    """A notice in words: its first sentence, and the others; `because` is said before it if nothing else says why."""

    because: str
    first: str
    others: str
    about_programs: bool


@dataclass(frozen=True)
class Card:
    """One dimension: its level, the reasons for it, and the answers that kept it lower."""

    dimension: str
    title: str
    word: str
    reasons: tuple[ExplainedReason, ...]
    kept_lower: tuple[Answer, ...]


@dataclass(frozen=True)
class Cell:
    """One cell of the grid."""

    kind: str  # "iop" | "inpatient" | "either"
    word: str
    here: bool


@dataclass(frozen=True)
class Explanation:
    """Everything that is said about one result."""

    recommendation: Recommendation
    headline: str
    program: str  # the headline without its urgency
    because: str  # the strongest reason for the program, or for the lean of a close call
    help_first: bool  # help now or today is the headline
    first_calls: tuple[str, ...]  # keys in FIRST_CALLS, in a result that needs help today
    first_aid: tuple[str, ...]  # what to do at once, before all else
    urgent: tuple[ExplainedReason, ...]  # why help comes first
    crisis_lines: tuple[HelpLine, ...]  # the first to call first
    help_lines: tuple[HelpLine, ...]
    notices: tuple[ExplainedNotice, ...]  # the most dangerous first
    waiting: tuple[ExplainedNotice, ...]  # those about programs, if help is needed now or there are more than three
    supports: tuple[str, ...]  # the grid's column heads
    grid: tuple[tuple[str, tuple[Cell, ...]], ...]  # (row head, cells); empty if the rules are not available
    cards: tuple[Card, ...]  # need, support, duties, and urgency where it has reasons of its own
    changes: tuple[tuple[str, tuple[Answer, ...]], ...]  # headline, and the answers that alone lead there
    did_not_matter: tuple[str, ...]  # topics on which the result does not depend
    also_ask: str  # "less", "medicine" before any program, "either", or ""
    duties_give_way: bool  # inpatient care for someone with fixed duties
    sources: tuple[tuple[str, Source], ...]


def answer_in_words(key: str, value: str, marked: bool = False) -> Answer:
    """Put an answer into today's words; keep the key or value that the questionnaire no longer has."""
    return _in_words(key, value, marked, get_language())


@lru_cache(maxsize=1024)
def _in_words(key: str, value: str, marked: bool, _language: str | None) -> Answer:
    question = QUESTIONS.get(key)
    if question is None:
        return Answer(key, key, key, value, marked)
    text = question.options.get(value)
    return Answer(key, gettext(question.text), gettext(question.topic), gettext(text) if text else value, marked)


def answers_by_section(answers: Mapping[str, str], marked: Iterable[str] = ()) -> list[tuple[str, str, list[Answer]]]:
    """Return (slug, title, answers in words) of each section that has any; questions no longer asked come last."""
    sections = [
        (section.slug, gettext(section.title), [each.key for each in section.questions]) for section in SECTIONS
    ]
    return _grouped(sections, answers, marked)


def answers_by_subject(answers: Mapping[str, str]) -> list[tuple[str, str, list[Answer]]]:
    """Return the same by subject, as an interview goes through them."""
    return _grouped([(key, gettext(SUBJECTS[key]), keys) for key, keys in BY_SUBJECT.items()], answers, ())


def _grouped(
    groups: list[tuple[str, str, list[str]]], answers: Mapping[str, str], marked: Iterable[str]
) -> list[tuple[str, str, list[Answer]]]:
    marks = set(marked)
    groups.append(("", gettext("No longer asked"), [key for key in answers if key not in QUESTIONS]))
    return [
        (slug, title, [answer_in_words(key, answers[key], key in marks) for key in keys if key in answers])
        for slug, title, keys in groups
        if any(key in answers for key in keys)
    ]


def rules_of(version: str) -> RuleSet | None:
    """Return the rules of a version, in force or frozen; None for an unknown one."""
    if version == rules.CURRENT.version:
        return rules.CURRENT
    try:
        return versions.released(version)
    except versions.UnusableRules:
        return None


def reworded(recommendation: Recommendation, language: str) -> Recommendation:
    """Return a result whose reasons were stored in that language in the one in use, by the words of its rules."""
    ruleset = rules_of(recommendation.rules_version) if language != get_language() else None
    words = {rule.key: gettext(rule.text) for rule in ruleset.rules} if ruleset else {}
    reasons = (replace(reason, text=words.get(reason.key, reason.text)) for reason in recommendation.reasons)
    return replace(recommendation, reasons=tuple(reasons))


def level_words(recommendation: Recommendation) -> list[tuple[str, str, str]]:
    """Return (title, level, the level in a word or two) for each dimension."""
    levels = [(dimension, getattr(recommendation, dimension)) for dimension in LEVELS]
    return [(gettext(TITLES[name]), level, gettext(LEVEL_WORDS[name][level])) for name, level in levels]


def grid_rows(
    ruleset: RuleSet, recommendation: Recommendation | None = None
) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    """Return the grid in words, one row for each level of need; the cell of a recommendation is marked."""
    here = recommendation and (recommendation.need, recommendation.support)
    cells = {
        place: Cell("either" if program == DUTIES_DECIDE else program, gettext(PROGRAM_WORDS[program]), place == here)
        for place, program in ruleset.grid.items()
    }
    heads = [(need, gettext(LEVEL_WORDS["need"][need])) for need in LEVELS["need"]]
    return tuple((head, tuple(cells[need, support] for support in LEVELS["support"])) for need, head in heads)


def support_words() -> tuple[str, ...]:
    """Return the headings of the grid's columns."""
    return tuple(gettext(word) for word in LEVEL_WORDS["support"].values())


def _strongest(recommendation: Recommendation) -> str:
    """Return the reason that did most for the program: for IOP strong support, for a stay the need for care."""
    if recommendation.close_call:
        return gettext(LEANS[recommendation.program])
    by_support = (recommendation.program, recommendation.support) == ("iop", "strong")
    return next((reason.text for reason in recommendation.reasons_for("support" if by_support else "need")), "")


def _also_ask(recommendation: Recommendation) -> str:
    """Return what to ask about beside the two programs; "" if nothing."""
    if recommendation.close_call:
        return "either"
    if (recommendation.program, recommendation.need) != ("iop", "low"):
        return ""
    return "medicine" if "opioid_medicine" in recommendation.notices else "less"


def _notices(recommendation: Recommendation, ruleset: RuleSet, answers: Mapping[str, str]) -> Iterable[ExplainedNotice]:
    applying = ruleset.applying(answers)
    for notice in ruleset.notices:
        if notice.key in recommendation.notices:
            bringing = [rule for rule in applying if notice.key in rule.notices.split()]
            silent = notice.about_programs and not all(rule.raises for rule in bringing)
            because = gettext(bringing[0].text) if silent else ""
            first, stop, others = gettext(notice.text).partition(". ")
            yield ExplainedNotice(because, first + stop, others, notice.about_programs)


def first_aid(ruleset: RuleSet, answers: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the rules say to do at once: those that raise nothing, and bring a notice that can't wait."""
    can_wait = {notice.key for notice in ruleset.notices if notice.about_programs}
    silent = [rule for rule in ruleset.applying(answers) if not rule.raises]
    return tuple(gettext(rule.text) for rule in silent if not can_wait.issuperset(rule.notices.split()))


def _kept_lower(ruleset: RuleSet, answers: Mapping[str, str]) -> dict[str, list[str]]:
    """Return dimension -> the questions with their least answer, whose worst would raise its level.

    Not for urgency: there they would be an argument against a call.
    """
    now, lower = ruleset.levels(answers), {dimension: list[str]() for dimension in LEVELS}
    for key, values in ruleset.options.items():
        if answers.get(key) == values[0]:
            worst = ruleset.levels({**answers, key: values[-1]})
            for dimension, order in LEVELS.items():
                if dimension != "urgency" and order.index(worst[dimension]) > order.index(now[dimension]):
                    lower[dimension].append(key)
    return lower


def _changes(ruleset: RuleSet, answers: Mapping[str, str]) -> Iterable[tuple[str, tuple[Answer, ...]]]:
    changes = what_if.what_would_change(ruleset, answers)
    for headline in what_if.HEADLINES:
        if there := [change for change in changes if change.headline == headline]:
            yield headline, tuple(answer_in_words(change.question, change.value) for change in there)


def urgent_reasons(recommendation: Recommendation) -> list[Reason]:
    """Return why help comes first; an empty list if it does not."""
    first = recommendation.decision.help_first
    reasons = recommendation.reasons_for("urgency") if first else ()
    return [reason for reason in reasons if reason.level == recommendation.urgency]


def lines_for(recommendation: Recommendation, answers: Mapping[str, str], *, crisis: bool) -> tuple[HelpLine, ...]:
    """Return the help lines to show with a result, the first to call first."""
    urgent = [key for reason in urgent_reasons(recommendation) for key in reason.questions]
    lines = help_lines_for(recommendation.urgency, answers, urgent)
    return tuple(line for line in lines if line.crisis == crisis)


def _first_calls(urgent: Iterable[Reason], answers: Mapping[str, str]) -> dict[str, None]:
    """Return the keys in FIRST_CALLS of those who can help with these reasons; a doctor where no line can."""
    calls: dict[str, None] = {}
    for reason in urgent:
        lines = [line for line in lines_of(answers, reason.questions) if HELP_LINES[line].crisis]
        calls[next((line for line in FIRST_CALLS if line in lines), "")] = None
    return calls


def explain(recommendation: Recommendation, answers: Mapping[str, str], ruleset: RuleSet | None) -> Explanation:
    """Explain a recommendation, whose reasons are translated already, by its own rules, in the language in use."""
    used = [SOURCES[key] for reason in recommendation.reasons for key in reason.sources if key in SOURCES]
    numbers = {source: str(number) for number, source in enumerate(dict.fromkeys(used), start=1)}  # quick to show

    def explained(reason: Reason) -> ExplainedReason:
        said = tuple(answer_in_words(key, answers[key]) for key in reason.questions if key in answers)
        cited = (numbers[SOURCES[key]] for key in reason.sources if key in SOURCES)
        return ExplainedReason(reason.key, reason.text, said, tuple(dict.fromkeys(cited)))

    complete = ruleset and not ruleset.unanswered(answers)
    unmoved = what_if.what_did_not_matter(ruleset, answers) if ruleset and complete else ()
    lower = _kept_lower(ruleset, answers) if ruleset else {}
    by_dimension = {dimension: recommendation.reasons_for(dimension) for dimension in LEVELS}
    said_elsewhere = {reason.key for reason in recommendation.reasons if reason.dimension != "urgency"}
    program, help_first = recommendation.decision.program_headline, recommendation.decision.help_first
    cards = []
    for dimension, reasons in by_dimension.items():
        level = getattr(recommendation, dimension)
        title, word, shown = gettext(TITLES[dimension]), gettext(LEVEL_WORDS[dimension][level]), list(reasons)
        if dimension == "urgency":
            shown = [reason for reason in reasons if reason.key not in said_elsewhere]
            if help_first:  # why it does stands above; these are milder
                title, word, shown = gettext("Tell them this, too"), "", [each for each in shown if each.level != level]
        if shown:
            held = [key for key in lower.get(dimension, ()) if key not in unmoved]
            kept_lower = tuple(answer_in_words(key, answers[key]) for key in held)
            cards.append(Card(dimension, title, word, tuple(map(explained, shown)), kept_lower))
    urgent = urgent_reasons(recommendation)
    calls = _first_calls(urgent, answers)
    safe_place = recommendation.urgency == "today" and [*calls] == ["domestic_violence"]
    notices = tuple(_notices(recommendation, ruleset, answers)) if ruleset else ()
    wait = recommendation.urgency == "now" or len(notices) > 3
    return Explanation(
        recommendation,
        headline=gettext(HEADLINES["safe_place" if safe_place else recommendation.headline]),
        program=gettext(HEADLINES[program]),
        because=_strongest(recommendation),
        help_first=help_first,
        first_calls=tuple(calls),
        first_aid=first_aid(ruleset, answers) if ruleset else (),
        urgent=tuple(map(explained, urgent)),
        crisis_lines=lines_for(recommendation, answers, crisis=True),
        help_lines=lines_for(recommendation, answers, crisis=False),
        notices=tuple(notice for notice in notices if not (wait and notice.about_programs)),
        waiting=tuple(notice for notice in notices if wait and notice.about_programs),
        supports=support_words(),
        grid=grid_rows(ruleset, recommendation) if ruleset else (),
        cards=tuple(cards),
        changes=tuple(_changes(ruleset, answers)) if ruleset and complete else (),
        did_not_matter=tuple(answer_in_words(key, answers[key]).topic for key in unmoved),
        also_ask=_also_ask(recommendation),
        duties_give_way=(program, recommendation.duties) == ("inpatient", "fixed"),
        sources=tuple((number, source) for source, number in numbers.items()),
    )
