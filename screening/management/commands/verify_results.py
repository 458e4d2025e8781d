"""Recomputes every stored result from its stored answers and the frozen rules of its version."""

from collections import Counter
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from screening.management.streaming import every_submission
from screening.models import Review, Submission
from screening.models.submission import as_stored
from screening.rules import versions
from screening.rules.ruleset import LEVELS, Reason, Recommendation


class Command(BaseCommand):
    help = (
        "Checks that each stored result is what the rules of its version make of its answers, and that no result and "
        "no review was changed since. Writes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        counts: Counter[str] = Counter()
        for submission in every_submission(self, *Submission.SEALED, "seal", "is_test"):
            kind, faults = _checked(submission)
            counts[kind] += 1
            if faults:
                self.stdout.write(f"{submission}: " + "; ".join(faults))
        for review in Review.objects.select_related("submission").iterator():
            if not review.is_sealed:
                counts["reviews"] += 1
                self.stdout.write(f"{review.submission}: a review was changed after it was recorded")
        summary = (
            f"{counts.total() - counts['reviews']:,} checked: {counts['agree']:,} agree, {counts['differ']:,} differ, "
            f"{counts['unknown']:,} of unknown rules, {counts['unanswered']:,} with answers that their rules don't "
            f"know, {counts['reviews']:,} reviews changed."
        )
        if counts.total() > counts["agree"]:
            raise CommandError(summary)
        self.stdout.write(summary)


def _checked(submission: Submission) -> tuple[str, list[str]]:
    """Return as what a row is counted, and what is wrong with it."""
    try:
        rules = versions.released(submission.rules_version)
    except versions.UnusableRules as error:
        return "unknown", [str(error)]
    answers = submission.readable_answers
    try:
        expected = rules.recommend(answers)
    except ValueError:
        lacking = ", ".join(rules.unanswered(answers))
        return "unanswered", [f"no answer that rules {rules.version} know to {lacking}"]
    mismatches = _mismatches(submission, expected)
    if not submission.is_sealed:
        mismatches.append("it is not as it was saved: its seal does not fit")
    return "differ" if mismatches else "agree", mismatches


def _mismatches(submission: Submission, expected: Recommendation) -> list[str]:
    if (submission.decision, submission.result) == (expected.decision, as_stored(expected)):
        return []
    stored = submission.readable_recommendation()  # in other words, if it was not in English
    if stored is None:
        return ["the stored result can't be read"]
    if stored == expected:
        return []
    mismatches = [
        f"{name} is {getattr(stored, name)}, rules {expected.rules_version} give {getattr(expected, name)}"
        for name in ("program", "close_call", "notices", *LEVELS)
        if getattr(stored, name) != getattr(expected, name)
    ]
    if _without_words(stored) != _without_words(expected):
        mismatches.append(f"the reasons are not those that rules {expected.rules_version} give")
    elif submission.language == "en" and stored.reasons != expected.reasons:
        mismatches.append(f"the words of the reasons are not those of rules {expected.rules_version}")
    return mismatches


def _without_words(recommendation: Recommendation) -> list[Reason]:
    """Return the reasons without their text, which is stored in the language of the person."""
    return [replace(reason, text="") for reason in recommendation.reasons]
