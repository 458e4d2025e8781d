"""Which program fits a complete set of answers, how urgent a call is, and why.

Nothing in this package needs Django: words are English, and are translated where they are shown. Of the project it
imports the questionnaire alone. Not clinically validated.
"""

from collections.abc import Iterable, Mapping

from screening.questionnaire import QUESTIONS, require_complete
from screening.rules import versions, what_if
from screening.rules.current import CURRENT, VERSIONS, Approval, Version
from screening.rules.ruleset import Recommendation
from screening.rules.what_if import Change

__all__ = ["CURRENT", "VERSIONS", "approval_of", "needs_help_now", "recommend", "what_would_change"]


def refuse_other_approvals(released: Iterable[Version]) -> None:
    """Raise a ValueError if somebody approved another file of a version than the one that is frozen."""
    for version in released:
        if version.approval and version.approval.sha256 != versions.frozen_hashes().get(version.version):
            raise ValueError(f"rules {version.version}: {version.approval.name} approved another file than is frozen")


refuse_other_approvals(VERSIONS)


def recommend(answers: Mapping[str, str]) -> Recommendation:
    """Return the recommendation for `answers` (question key -> option value; all questions, no others).

    Raise a ValueError that names every missing or unknown question or option.
    """
    try:
        recommendation = CURRENT.recommend(answers)
    except (ValueError, TypeError):  # what can't be hashed is no option either
        require_complete(answers)
        raise
    if len(answers) > len(QUESTIONS):
        require_complete(answers)  # it names those that are none of ours
    return recommendation


def what_would_change(answers: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the single other answers that may be shown as a change (see what_if.py).

    Raise a ValueError as `recommend` does.
    """
    require_complete(answers)
    return what_if.what_would_change(CURRENT, answers)


def needs_help_now(answers: Mapping[str, str], questions: set[str]) -> bool:
    """Return whether an answer to one of `questions` means that help must come before all else."""
    return any(rule.urgency == "now" and questions & rule.when.keys() for rule in CURRENT.applying(answers))


def approval_of(version: str) -> Approval | None:
    """Return who approved a version of the rules; None if nobody did yet, or it is unknown."""
    return next((each.approval for each in VERSIONS if each.version == version), None)
