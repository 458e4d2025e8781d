"""Which program fits a complete set of answers, how urgent a call is, and why.

Nothing in this package needs Django: words are English, and are translated where they are shown. Of the project it
imports the questionnaire alone. Not clinically validated.
"""

from collections.abc import Mapping

from screening.questionnaire import require_complete
from screening.rules.current import CURRENT, VERSIONS
from screening.rules.ruleset import Recommendation
from screening.rules.what_if import Change, counterfactuals, offered

__all__ = ["CURRENT", "VERSIONS", "needs_help_now", "recommend", "what_would_change"]


def recommend(answers: Mapping[str, str]) -> Recommendation:
    """Return the recommendation for `answers` (question key -> option value; all questions, no others).

    Raise a ValueError that names every missing or unknown question or option.
    """
    require_complete(answers)
    return CURRENT.recommend(answers)


def what_would_change(answers: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the single other answers that may be shown as leading to the other program.

    From IOP: every such answer, the mildest for each question. From inpatient: circumstances of life only, never a
    safety or health answer. Raise a ValueError as `recommend` does.
    """
    require_complete(answers)
    return offered(counterfactuals(CURRENT, answers))


def needs_help_now(answers: Mapping[str, str], questions: set[str]) -> bool:
    """Return whether an answer to one of `questions` means that help must come before all else."""
    return any(rule.urgency == "now" and questions & rule.when.keys() for rule in CURRENT.applying(answers))
