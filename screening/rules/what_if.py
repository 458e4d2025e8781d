"""What if: which other answers would change a result, and which did not matter, found by applying the rules again."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from screening.questionnaire import QUESTIONS, UNSURE
from screening.rules.ruleset import RuleSet, Told

CIRCUMSTANCES = tuple(key for key, question in QUESTIONS.items() if question.circumstance)
OFFERED = tuple(key for key, question in QUESTIONS.items() if question.offered)
HEADLINES = ("iop", "either", "inpatient")  # from less care to more


@dataclass(frozen=True)
class Change:
    """A counterfactual: one other answer, and the headline that it alone would lead to."""

    question: str
    value: str
    headline: str  # "iop" | "either" | "inpatient"


def what_would_change(rules: RuleSet, answers: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the single other answers that may be shown as a change: of home and supporters, none in an urgent result.

    Upward it is the mildest answer that leads to more care; downward the best that life could bring, not the least:
    nobody is told to move in with people who drink. To offer a safety or health answer would teach people to hide
    danger, and to offer work or family, to take them on.
    """
    now = rules.decide(answers).headline
    changes: dict[tuple[str, bool], Change] = {}
    for key in OFFERED if now in HEADLINES else ():
        for value in rules.options[key]:
            headline = rules.decide({**answers, key: value}).headline
            if headline in HEADLINES and headline != now and value not in UNSURE:
                upward = HEADLINES.index(headline) > HEADLINES.index(now)
                changes.setdefault((key, upward), Change(key, value, headline))
    return tuple(changes.values())


def what_did_not_matter(rules: RuleSet, answers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the circumstances of life on which nothing that is told depends, given the safety and health answers.

    A circumstance mattered if another of the same dimension is merely a substitute for it: of two duties that can't be
    left, either alone would have decided a close call. What the page gives as a reason is not returned either, except
    work and family: people ask about them.
    """
    reasons = rules.recommend(answers).reasons
    spoken = {key for reason in reasons if reason.dimension != "duties" for key in reason.questions}
    circumstances = [key for key in rules.options if key in CIRCUMSTANCES]

    @cache
    def told(*varied: str) -> dict[tuple[str, ...], Told]:
        return rules.told_by_each(answers, varied)

    def could_matter(key: str) -> bool:
        kin = [other for other in circumstances if other == key or rules.raised_by[other] & rules.raised_by[key]]
        place = kin.index(key)
        others: dict[tuple[str, ...], Told] = {}
        return any(
            others.setdefault((*values[:place], *values[place + 1 :]), said) != said
            for values, said in told(*kin).items()
        )

    return tuple(key for key in circumstances if key not in spoken and not could_matter(key))
