"""Explanation: a recommendation and the answers behind it, in words, for the result page and the desk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.utils.translation import gettext

from screening import rules
from screening.help_lines import HelpLine, help_lines_for
from screening.questionnaire import PAGES, QUESTIONS, _
from screening.rules import versions, what_if
from screening.rules.ruleset import DUTIES_DECIDE, LEVELS, Reason, Recommendation, RuleSet
from screening.rules.sources import SOURCES, Source

TITLES = {
    "need": _("How much care you need"),
    "support": _("Who and what holds you up"),
    "duties": _("What you can’t leave"),
    "urgency": _("How soon to talk with someone"),
}

SHORT_TITLES = {
    "need": _("Care you need"),
    "support": _("Support around you"),
    "duties": _("Work and family"),
    "urgency": _("Talk with someone"),
}

# dimension -> level -> (a word or two, a sentence)
LEVEL_WORDS = {
    "need": {
        "low": (_("Low"), _("Your need for care looks low.")),
        "some": (_("Some"), _("You need some care, and someone to check on you.")),
        "high": (_("High"), _("You need a lot of care, close by.")),
    },
    "support": {
        "strong": (_("Strong"), _("You have strong support around you.")),
        "some": (_("Some"), _("You have some support around you.")),
        "weak": (_("Weak"), _("You have little support around you right now.")),
    },
    "duties": {
        "flexible": (_("Flexible"), _("You may be able to step away for some weeks.")),
        "fixed": (_("Fixed"), _("You have work or family that can’t wait.")),
    },
    "urgency": {
        "none": (_("No rush"), _("Take the time you need.")),
        "soon": (_("Soon"), _("Please talk with our staff or a doctor in the next few days.")),
        "today": (_("Today"), _("Please talk to a doctor today.")),
        "now": (_("Now"), _("Please get help now.")),
    },
}

LIMITS = (
    _("It is a set of rules, made from public guidance. It is not a doctor, and it is not a diagnosis."),
    _("No study has tested yet how well these rules work."),
    _("It can’t see you. People who talk with you may find that something else fits better."),
    _("Your insurance may decide in its own way."),
    _(
        "There are ways in between: day programs at a hospital, a sober house along with an IOP, medicine, or a "
        "weekly visit."
    ),
)

# Notice -> the only program that it is shown with, or "" for all; its words are in public/result.html.
NOTICES = {"naloxone": "", "attendance": "iop"}
if unknown := {notice for question in QUESTIONS.values() for notice in question.notices.values()} - set(NOTICES):
    raise ValueError(f"the questionnaire names notices that are not here: {sorted(unknown)}")

PROGRAM_WORDS = {"iop": _("Home"), "inpatient": _("Stay"), DUTIES_DECIDE: _("Either")}


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
    sources: tuple[tuple[int, Source], ...]  # with their numbers in the page's list


@dataclass(frozen=True)
class Card:
    """One dimension: its level, the reasons for it, and the answers that speak against it."""

    dimension: str
    title: str
    level: str
    word: str
    sentence: str
    reasons: tuple[ExplainedReason, ...]
    at_rest: bool  # at its lowest level
    other_way: tuple[Answer, ...]  # if at rest: the answers behind it
    given_above: frozenset[str] = frozenset()  # the rules whose reason an earlier card has given

    @property
    def not_given_above(self) -> tuple[ExplainedReason, ...]:
        return tuple(reason for reason in self.reasons if reason.key not in self.given_above)


@dataclass(frozen=True)
class WhatIf:
    """What a single other answer would change, found by applying the rules again."""

    circumstances: tuple[Answer, ...]  # each alone leads to the other program
    health: tuple[Answer, ...]  # so do these, of safety and health; only from IOP
    withheld: bool  # a safety or health answer would too, but is never offered as a way out
    did_not_matter: tuple[str, ...]  # topics on which the result does not depend


@dataclass(frozen=True)
class Cell:
    """One cell of the grid."""

    kind: str  # "iop" | "inpatient" | "either"
    word: str
    here: bool


@dataclass(frozen=True)
class Explanation:
    """Everything that the result page says about one result."""

    recommendation: Recommendation
    cards: tuple[Card, ...]  # need, support, duties, and urgency where it is more than none
    call_first: tuple[ExplainedReason, ...]  # why a person should get help now or see a doctor today
    supports: tuple[str, ...]  # the grid's column heads
    grid: tuple[tuple[str, tuple[Cell, ...]], ...]  # (row head, cells)
    crisis_lines: tuple[HelpLine, ...]
    help_lines: tuple[HelpLine, ...]
    sources: tuple[tuple[int, Source], ...]
    notices: frozenset[str]  # keys in NOTICES
    duties_give_way: bool  # inpatient care for someone with fixed duties
    what_if: WhatIf | None  # None if the rules of this version are not available


def answer_in_words(key: str, value: str, marked: bool = False) -> Answer:
    """Put an answer into today's words; keep the key or value that the questionnaire no longer has."""
    question = QUESTIONS.get(key)
    if question is None:
        return Answer(key, key, key, value, marked)
    text = question.options.get(value)
    return Answer(key, gettext(question.text), gettext(question.topic), gettext(text) if text else value, marked)


def answers_by_page(answers: Mapping[str, str], marked: Iterable[str] = ()) -> list[tuple[str, str, list[Answer]]]:
    """Return (slug, title, answers in words) for each page that has any; questions no longer asked come last."""
    marks = set(marked)
    pages = [(page.slug, gettext(page.title), [question.key for question in page.questions]) for page in PAGES]
    pages.append(("", gettext("No longer asked"), [key for key in answers if key not in QUESTIONS]))
    return [
        (slug, title, [answer_in_words(key, answers[key], key in marks) for key in keys if key in answers])
        for slug, title, keys in pages
        if any(key in answers for key in keys)
    ]


def rules_of(recommendation: Recommendation) -> RuleSet | None:
    """Return the rules that gave a recommendation, in force or frozen; None for an unknown version."""
    if recommendation.rules_version == rules.CURRENT.version:
        return rules.CURRENT
    try:
        return versions.released(recommendation.rules_version)
    except versions.UnusableRules:
        return None


def level_words(recommendation: Recommendation) -> list[tuple[str, str, str]]:
    """Return (title, level, the level in a word or two) for each dimension."""
    levels = {dimension: getattr(recommendation, dimension) for dimension in LEVELS}
    return [
        (gettext(SHORT_TITLES[dimension]), level, gettext(LEVEL_WORDS[dimension][level][0]))
        for dimension, level in levels.items()
    ]


def grid_rows(
    ruleset: RuleSet, recommendation: Recommendation | None = None
) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    """Return the grid in words, one row for each level of need; the cell of a recommendation is marked."""
    rows = []
    for need in LEVELS["need"]:
        cells = []
        for support in LEVELS["support"]:
            program = ruleset.grid[need, support]
            here = recommendation is not None and (recommendation.need, recommendation.support) == (need, support)
            kind = "either" if program == DUTIES_DECIDE else program
            shown = recommendation.program if recommendation and here else program
            cells.append(Cell(kind, gettext(PROGRAM_WORDS[shown]), here))
        rows.append((gettext(LEVEL_WORDS["need"][need][0]), tuple(cells)))
    return tuple(rows)


def _sources(reason: Reason) -> list[Source]:
    return [SOURCES[source] for source in reason.sources if source in SOURCES]


def _card(
    dimension: str,
    recommendation: Recommendation,
    ruleset: RuleSet | None,
    answers: Mapping[str, str],
    numbers: Mapping[Source, int],
) -> Card:
    reasons = recommendation.reasons_for(dimension)
    read_here = {key for rule in (ruleset.rules if ruleset else ()) if dimension in rule.raises for key in rule.when}
    spoken = {key for reason in reasons for key in reason.questions}
    level = getattr(recommendation, dimension)
    word, sentence = LEVEL_WORDS[dimension][level]
    return Card(
        dimension,
        gettext(TITLES[dimension]),
        level,
        gettext(word),
        gettext(sentence),
        tuple(
            ExplainedReason(
                reason.key,
                reason.text,
                tuple(answer_in_words(key, answers[key]) for key in reason.questions if key in answers),
                tuple({numbers[source]: source for source in _sources(reason)}.items()),
            )
            for reason in reasons
        ),
        level == LEVELS[dimension][0],
        tuple(
            answer_in_words(key, answers[key])
            for key, question in QUESTIONS.items()
            if dimension != "urgency"  # the least answers are no argument against a call
            and key in read_here - spoken
            and answers.get(key) == next(iter(question.options))
        ),
    )


def _what_if(ruleset: RuleSet, answers: Mapping[str, str]) -> WhatIf | None:
    if ruleset.unanswered(answers):
        return None
    changes = what_if.counterfactuals(ruleset, answers)
    shown = what_if.offered(changes)
    answers_shown = {change.question: answer_in_words(change.question, change.value) for change in shown}
    irrelevant = what_if.called_irrelevant(ruleset, answers, changes)
    return WhatIf(
        tuple(answer for key, answer in answers_shown.items() if key in what_if.CIRCUMSTANCES),
        tuple(answer for key, answer in answers_shown.items() if key not in what_if.CIRCUMSTANCES),
        len({change.question for change in changes}) > len(shown),
        tuple(answer_in_words(key, answers[key]).topic for key in irrelevant),
    )


def notices_for(program: str, answers: Mapping[str, str]) -> frozenset[str]:
    """Return the notices that these answers bring to a result with this program."""
    brought = {notice for key, question in QUESTIONS.items() for notice in question.brought_by(answers.get(key))[1]}
    return frozenset(notice for notice in brought if NOTICES[notice] in ("", program))


def support_words() -> tuple[str, ...]:
    """Return the headings of the grid's columns."""
    return tuple(gettext(LEVEL_WORDS["support"][level][0]) for level in LEVELS["support"])


def explain(recommendation: Recommendation, answers: Mapping[str, str]) -> Explanation:
    """Explain a recommendation, whose reasons are translated already, in the language in use."""
    used = [source for reason in recommendation.reasons for source in _sources(reason)]
    numbers = {source: number for number, source in enumerate(dict.fromkeys(used), start=1)}
    ruleset = rules_of(recommendation)
    cards = [_card(dimension, recommendation, ruleset, answers, numbers) for dimension in LEVELS]
    urgency = cards[-1]
    urgent = recommendation.urgency in ("today", "now")
    top = {reason.key for reason in recommendation.reasons_for("urgency") if urgent and reason.level == urgency.level}
    call_first = tuple(reason for reason in urgency.reasons if reason.key in top)
    given = frozenset(top)
    for place, card in enumerate(cards):
        cards[place] = replace(card, given_above=given & {reason.key for reason in card.reasons})
        given |= {reason.key for reason in card.reasons}
    if urgency.at_rest:
        cards.pop()
    lines = help_lines_for(recommendation.urgency, answers)
    return Explanation(
        recommendation,
        cards=tuple(cards),
        call_first=call_first,
        supports=support_words(),
        grid=grid_rows(ruleset, recommendation) if ruleset else (),
        crisis_lines=tuple(line for line in lines if line.crisis),
        help_lines=tuple(line for line in lines if not line.crisis),
        sources=tuple((number, source) for source, number in numbers.items()),
        notices=notices_for(recommendation.program, answers),
        duties_give_way=(recommendation.program, recommendation.duties) == ("inpatient", "fixed"),
        what_if=_what_if(ruleset, answers) if ruleset else None,
    )
