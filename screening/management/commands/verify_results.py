"""Recomputes every stored result from its stored answers and the frozen rules of its version."""

from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from screening.management.streaming import every_submission
from screening.models import Review, Submission
from screening.rules import versions
from screening.rules.ruleset import LEVELS, Reason, Recommendation


class Command(BaseCommand):
    help = (
        "Checks that each stored result is what the rules of its version make of its answers, and that no result and "
        "no review was changed since. Writes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        agree = differ = unknown = unanswered = 0
        for submission in every_submission(self):
            answers = submission.readable_answers
            try:
                rules = versions.released(submission.rules_version)
            except versions.UnusableRules as error:
                unknown += 1
                self.stdout.write(f"{submission}: {error}")
                continue
            if lacking := rules.unanswered(answers):
                unanswered += 1
                self.stdout.write(f"{submission}: no answer that rules {rules.version} know to {', '.join(lacking)}")
                continue
            mismatches = _mismatches(submission, rules.recommend(answers))
            if not submission.is_sealed:
                mismatches.append("it is not as it was saved: its seal does not fit")
            if mismatches:
                differ += 1
                self.stdout.write(f"{submission}: " + "; ".join(mismatches))
            else:
                agree += 1
        reviews = [review for review in Review.objects.select_related("submission").iterator() if not review.is_sealed]
        for review in reviews:
            self.stdout.write(f"{review.submission}: a review was changed after it was recorded")
        summary = (
            f"{agree + differ + unknown + unanswered:,} checked: {agree:,} agree, {differ:,} differ, "
            f"{unknown:,} of unknown rules, {unanswered:,} with answers that their rules don't know, "
            f"{len(reviews):,} reviews changed."
        )
        if differ or unknown or unanswered or reviews:
            raise CommandError(summary)
        self.stdout.write(summary)


def _mismatches(submission: Submission, expected: Recommendation) -> list[str]:
    stored = submission.readable_recommendation()
    if stored is None:
        return ["the stored result can't be read"]
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
