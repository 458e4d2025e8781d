"""The worksheet: how to work out a result on paper, as data that the page prints."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import ascii_uppercase

from screening.questionnaire import QUESTIONS
from screening.rules.ruleset import LEVELS, Rule, RuleSet, implies


@dataclass(frozen=True)
class Ticks:
    """A question on the form by its number, and the letters of the answers that count."""

    number: int
    topic: str
    letters: tuple[str, ...]


Lines = tuple[tuple[Ticks, ...], ...]  # all ticks of any one line must be there


@dataclass(frozen=True)
class Sheet:
    """For each dimension its steps from the highest level down: the first whose lines hold gives the level, or none."""

    steps: Mapping[str, tuple[tuple[str, Lines], ...]]  # dimension -> (level, lines)
    notices: Mapping[str, Lines]  # notice -> lines, any of which brings it


NUMBERS = {key: number for number, key in enumerate(QUESTIONS, start=1)}


def letters(key: str) -> str:
    """Return the letters of a question's options on the form."""
    return ascii_uppercase[: len(QUESTIONS[key].options)]


def sheet(rules: RuleSet) -> Sheet:
    """Return the worksheet of these rules."""
    return Sheet(
        {
            dimension: tuple(
                (level, _lines(rules, [rule for rule in rules.rules if rule.raises.get(dimension) == level]))
                for level in reversed(order[1:])
            )
            for dimension, order in LEVELS.items()
        },
        {
            notice.key: _lines(rules, [rule for rule in rules.rules if notice.key in rule.notices.split()])
            for notice in rules.notices
        },
    )


def _lines(rules: RuleSet, raising: Iterable[Rule]) -> Lines:
    """Return a line for each of these rules, without those implied by another line."""
    kept: list[dict[str, int]] = []
    for rule in raising:
        least = rules.least[rule.key]
        if not any(implies(least, other) for other in kept):
            kept = [*(other for other in kept if not implies(other, least)), least]
    kept.sort(key=lambda least: (len(least), *sorted(NUMBERS[key] for key in least)))
    return tuple(
        tuple(
            Ticks(NUMBERS[key], QUESTIONS[key].topic, tuple(letters(key)[rank:]))
            for key, rank in sorted(least.items(), key=lambda item: NUMBERS[item[0]])
        )
        for least in kept
    )
