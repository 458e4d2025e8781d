"""What is kept when a person saves: their answers and the result they saw, frozen; and the notes that staff add."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, replace

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from screening import rules
from screening.ruleset import LEVELS, Reason, Recommendation

URGENCIES = LEVELS["urgency"]


class Urgency(models.IntegerChoices):
    """How soon a person must be spoken to; a number, so that the most urgent sorts first."""

    NONE = URGENCIES.index("none"), _("None")
    SOON = URGENCIES.index("soon"), _("Soon")
    TODAY = URGENCIES.index("today"), _("Today")
    NOW = URGENCIES.index("now"), _("Now")


class Program(models.TextChoices):
    IOP = "iop", _("IOP")
    INPATIENT = "inpatient", _("Inpatient")


class Status(models.TextChoices):
    NEW = "new", _("New")
    IN_PROGRESS = "in_progress", _("In progress")
    WAITING = "waiting", _("Waiting for person")
    CLOSED = "closed", _("Closed")


def in_words(recommendation: Recommendation) -> Recommendation:
    """The recommendation with its reasons in the language in use."""
    reasons = tuple(replace(reason, text=gettext(reason.text)) for reason in recommendation.reasons)
    return replace(recommendation, reasons=reasons)


class SubmissionManager(models.Manager["Submission"]):
    def submit(self, answers: Mapping[str, str], draft: uuid.UUID | None = None) -> "Submission":
        """Saves a complete set of answers with its result, once per draft: a second call returns the first one's row.

        Raises a ValueError where answers are missing or unknown.
        """
        recommendation = in_words(rules.recommend(answers))
        submission, _created = self.get_or_create(
            draft=draft or uuid.uuid4(),
            defaults={
                "answers": dict(answers),
                "program": recommendation.program,
                "urgency": URGENCIES.index(recommendation.urgency),
                "close_call": recommendation.close_call,
                "rules_version": recommendation.rules_version,
                "language": get_language() or settings.LANGUAGE_CODE,
                "result": {
                    "need": recommendation.need,
                    "support": recommendation.support,
                    "duties": recommendation.duties,
                    "reasons": [asdict(reason) for reason in recommendation.reasons],
                },
            },
        )
        return submission


class Submission(models.Model):
    """One saved screening. Answers and result are written once and never changed; staff set the status."""

    draft = models.UUIDField(unique=True, editable=False)
    received_at = models.DateTimeField(_("received"), default=timezone.now, editable=False)
    answers = models.JSONField(_("answers"))
    program = models.CharField(_("program"), max_length=16, choices=Program)
    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Urgency)
    close_call = models.BooleanField(_("close call"))
    rules_version = models.CharField(_("rules version"), max_length=16)
    language = models.CharField(_("language"), max_length=16)
    result = models.JSONField(_("result"))
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.NEW)
    is_test = models.BooleanField(_("test data"), default=False, editable=False)
    closed = models.GeneratedField(
        expression=models.ExpressionWrapper(Q(status=Status.CLOSED), output_field=models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    objects = SubmissionManager()

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        ordering = ("closed", "-urgency", "-received_at")  # open ones first, the most urgent on top, then the newest
        indexes = (models.Index(fields=("closed", "-urgency", "-received_at"), name="submission_queue"),)

    def __str__(self) -> str:
        words = gettext("Submission %(number)s (test)") if self.is_test else gettext("Submission %(number)s")
        return words % {"number": self.pk}

    @property
    def recommendation(self) -> Recommendation:
        """The result as the person saw it."""
        return Recommendation(
            program=self.program,
            urgency=URGENCIES[self.urgency],
            need=self.result["need"],
            support=self.result["support"],
            duties=self.result["duties"],
            close_call=self.close_call,
            reasons=tuple(
                Reason(**{**reason, "sources": tuple(reason["sources"]), "questions": tuple(reason["questions"])})
                for reason in self.result["reasons"]
            ),
            rules_version=self.rules_version,
        )

    def readable_recommendation(self) -> Recommendation | None:
        """The result as the person saw it; None where what is in the database is none."""
        try:
            return self.recommendation
        except (AttributeError, IndexError, KeyError, TypeError):
            return None


class Note(models.Model):
    """A remark that a member of staff adds to a submission; added, never changed."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="notes", verbose_name=_("submission"))
    text = models.TextField(_("note"), max_length=4000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    written_at = models.DateTimeField(_("written"), auto_now_add=True)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ("written_at",)

    def __str__(self) -> str:
        return gettext("Note %(number)s") % {"number": self.pk}
