"""What staff add to a submission, and that they are to be told of one."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from screening.fields import EncryptedTextField
from screening.models.submission import Program, Submission


class Note(models.Model):
    """A remark that a member of staff adds to a submission; added, never changed."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="notes", verbose_name=_("submission"))
    text = EncryptedTextField(_("note"), max_length=4000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    written_at = models.DateTimeField(_("written"), auto_now_add=True)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        default_permissions = ("view", "add")
        ordering = ("written_at",)

    def __str__(self) -> str:
        return gettext("Note %(number)s") % {"number": self.pk}


class Review(models.Model):
    """What a member of staff judges right; added, never changed. The latest counts, the earlier ones stay."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="reviews", verbose_name=_("submission"))
    program = models.CharField(_("program that you judge right"), max_length=16, choices=Program)
    agrees = models.BooleanField(_("agrees with the rules"), editable=False)
    blind = models.BooleanField(_("recorded before seeing the result"), default=False, editable=False)
    reason = EncryptedTextField(_("reason"), max_length=4000, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        default_permissions = ("view", "add")
        ordering = ("recorded_at",)

    def __str__(self) -> str:
        return gettext("Review %(number)s") % {"number": self.pk}


class Mail(models.Model):
    """That staff are to be told of a submission by mail; see telling.py."""

    class Why(models.TextChoices):
        URGENT = "urgent", _("Urgent")
        CALL = "call", _("Wants a call")

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="+")
    why = models.CharField(max_length=8, choices=Why)
    made_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("mail to staff")
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("submission", "why"), name="told_once"),)
        indexes = (models.Index(fields=("next_at",), name="mail_unsent", condition=Q(sent_at=None)),)

    def __str__(self) -> str:
        return f"{self.submission_id} {self.why}"


def result_shown_to(staff: Any) -> Q:
    """Blind ones only after the judgement of whoever may record one: what they think must be their own."""
    if not staff.has_perm("screening.add_review"):
        return Q()
    return Q(blind=False) | Q(Exists(Review.objects.filter(submission=OuterRef("pk"), author=staff.pk)))


def hides_result(submission: Submission, staff: Any) -> bool:
    """Whether this member of staff has still to judge it before they see the result."""
    return submission.blind and not Submission.objects.filter(result_shown_to(staff), pk=submission.pk).exists()
