"""What if: which other answers would change a result, and which did not matter, found by applying the rules again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from screening.questionnaire import QUESTIONS, UNSURE
from screening.rules.ruleset import PROGRAMS, RuleSet

# Only circumstances of life are ever offered as a way from inpatient to IOP: to offer a safety or health answer would
# teach people to hide danger.
if unknown := {question.needed_for for question in QUESTIONS.values()} - {"", *PROGRAMS}:
    raise ValueError(f"the questionnaire names unknown programs: {sorted(unknown)}")
CIRCUMSTANCES = tuple(key for key, question in QUESTIONS.items() if question.circumstance)


@dataclass(frozen=True)
class Change:
    """A counterfactual: one other answer, and the program that it alone would lead to."""

    question: str
    value: str
    program: str


def counterfactuals(rules: RuleSet, answers: Mapping[str, str]) -> tuple[Change, ...]:
    """Return every single other answer that leads to the other program; each question's mildest step first."""
    now = rules.decide(answers)[0]
    changes = []
    for key, values in rules.options.items():
        here = values.index(answers[key])
        for _steps, value in sorted((abs(rank - here), value) for rank, value in enumerate(values)):
            program = rules.decide({**answers, key: value})[0]
            if program != now:
                changes.append(Change(key, value, program))
    return tuple(changes)


def offered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes that may be shown to a person, one definite answer for each question.

    From IOP it is the mildest that leads to inpatient. From inpatient only circumstances of life are shown, never a
    safety or health answer, and the best that life could bring, not the least: nobody is told to move in with people
    who drink.
    """
    shown: dict[str, Change] = {}
    for change in changes:
        if change.value in UNSURE:
            continue
        if change.program == "inpatient":
            shown.setdefault(change.question, change)
        elif change.question in CIRCUMSTANCES:
            shown[change.question] = change
    return tuple(shown.values())


def what_did_not_matter(rules: RuleSet, answers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the circumstances of life on which the decision does not depend, given the safety and health answers.

    A circumstance mattered if another of the same dimension is merely a substitute for it: of two duties that can't be
    left, either alone would have decided a close call.
    """
    return tuple(key for key in rules.options if key in CIRCUMSTANCES and not _could_matter(rules, answers, key))


def _could_matter(rules: RuleSet, answers: Mapping[str, str], key: str) -> bool:
    dimensions = rules.raised_by(key)
    kin = [
        other
        for other in CIRCUMSTANCES
        if other in rules.options and other != key and rules.raised_by(other) & dimensions
    ]
    for values in product(*(rules.options[other] for other in kin)):
        given = {**answers, **dict(zip(kin, values, strict=True))}
        if len({rules.decide({**given, key: value}) for value in rules.options[key]}) > 1:
            return True
    return False


def called_irrelevant(rules: RuleSet, answers: Mapping[str, str], changes: Iterable[Change]) -> tuple[str, ...]:
    """Return what may be called irrelevant to the person; `changes` are the counterfactuals of these answers.

    What the page gives as a reason is not also called irrelevant, except work and family: people ask about them.
    """
    recommendation = rules.recommend(answers)
    left_out = {key for reason in recommendation.reasons if reason.dimension != "duties" for key in reason.questions}
    left_out |= {key for key, question in QUESTIONS.items() if question.same_subject in left_out}
    left_out |= {key for key, question in QUESTIONS.items() if question.needed_for == recommendation.program}
    if not tuple(changes):  # several answers give the result together, so none of them is irrelevant
        left_out |= {key for key in CIRCUMSTANCES if key in rules.options and rules.raised_by(key) != {"duties"}}
    return tuple(key for key in what_did_not_matter(rules, answers) if key not in left_out)
