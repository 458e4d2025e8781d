"""What staff add to a submission, and the notifications they are owed."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from screening.fields import EncryptedTextField
from screening.models.keys import SealedModel
from screening.models.submission import Channel, Program, Submission


class Note(models.Model):
    """A remark on a submission: added by staff, never changed. Its author can strike it out."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="notes", verbose_name=_("submission"))
    text = EncryptedTextField(_("note"), max_length=4000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    written_at = models.DateTimeField(_("written"), auto_now_add=True)
    struck_at = models.DateTimeField(_("struck out"), null=True, editable=False)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        default_permissions = ("view", "add")
        ordering = ("written_at",)

    def __str__(self) -> str:
        return gettext("Note %(number)s") % {"number": self.pk}


EITHER = "either"
JUDGEMENTS = (*Program.choices, (EITHER, _("Either program fits")))


class Review(SealedModel):
    """A judgement of which program is right; added by staff, never changed. The latest one counts."""

    SEALED = ("submission_id", "program", "agrees", "blind", "reason", "author_id", "recorded_at")
    submission = models.ForeignKey(Submission, models.CASCADE, related_name="reviews", verbose_name=_("submission"))
    program = models.CharField(_("your recommendation"), max_length=16, choices=JUDGEMENTS)
    agrees = models.BooleanField(_("agrees with the rules"), editable=False)
    blind = models.BooleanField(_("recorded before seeing the result"), default=False, editable=False)
    reason = EncryptedTextField(_("reason"), max_length=4000, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    recorded_at = models.DateTimeField(_("recorded"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        default_permissions = ("view", "add")
        ordering = ("recorded_at",)

    def __str__(self) -> str:
        return gettext("Review %(number)s") % {"number": self.pk}

    @property
    def cell(self) -> str:
        """The key that it is counted under: version, how it was judged, what the rules said and what staff did."""
        case = self.submission
        alone = "seen" if case.channel == Channel.ONLINE else "assisted"
        rules = EITHER if self.program == EITHER and case.close_call else case.program
        return f"{case.rules_version}/{'blind' if self.blind else alone}/{rules}/{self.program}"


def which_counts(case: Submission, reviews: Sequence[Review]) -> Review | None:
    """Return by which of its reviews, in their order, a case counts: a blind one by the first blind, else the last."""
    reviews = [review for review in reviews if review.blind][:1] if case.blind else reviews
    return reviews[-1] if reviews else None


def counted_review(case: Submission) -> Review | None:
    """Return the review by which a case counts."""
    return which_counts(case, [*case.reviews.order_by("recorded_at", "pk")])


class UnsafeResult(models.Model):
    """What staff found unsafe in the result of a case. The clinical lead goes through them each month."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="unsafe", verbose_name=_("submission"))
    reason = EncryptedTextField(_("reason"), max_length=500)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    reported_at = models.DateTimeField(_("reported"), default=timezone.now)
    read_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("unsafe result")
        verbose_name_plural = _("unsafe results")
        default_permissions = ()
        ordering = ("-reported_at", "-pk")

    def __str__(self) -> str:
        return gettext("Unsafe result %(number)s") % {"number": self.pk}


class Try(models.Model):
    """One attempt to reach the person of a case: added by staff, never changed. Its author can strike it out."""

    class Result(models.TextChoices):
        REACHED = "reached", _("Reached")
        VOICEMAIL = "voicemail", _("Left a voicemail")
        NO_ANSWER = "no_answer", _("No answer")
        WRONG_NUMBER = "wrong_number", _("Wrong number")
        ASKED_NOT = "asked_not", _("Asked not to be called")

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="tries", verbose_name=_("submission"))
    result = models.CharField(_("result"), max_length=16, choices=Result)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    struck_at = models.DateTimeField(_("struck out"), null=True)
    counted_first = models.CharField(max_length=8, blank=True)  # the band of the wait that it ended, see counts.py
    counted_reached = models.CharField(max_length=8, blank=True)  # and of the wait until the person was reached

    class Meta:
        verbose_name = _("attempt to reach the person")
        verbose_name_plural = _("attempts to reach the person")
        default_permissions = ()
        ordering = ("made_at", "pk")

    def __str__(self) -> str:
        return gettext("Attempt %(number)s") % {"number": self.pk}


class Reply(models.Model):
    """A sentence that staff left at the code of a case (replies.py). Its author can strike it out."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="replies", verbose_name=_("submission"))
    sentence = models.CharField(_("sentence"), max_length=32)
    attempt = models.ForeignKey(Try, models.CASCADE, related_name="+", null=True)  # if the sentence speaks of one
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    left_at = models.DateTimeField(_("left"), default=timezone.now)
    struck_at = models.DateTimeField(_("struck out"), null=True)

    class Meta:
        verbose_name = _("answer at the code")
        verbose_name_plural = _("answers at the code")
        default_permissions = ()
        ordering = ("left_at", "pk")

    def __str__(self) -> str:
        return gettext("Answer %(number)s") % {"number": self.pk}

    @property
    def is_struck_out(self) -> bool:
        """Whether its person no longer finds it: one that speaks of an attempt goes with it."""
        return bool(self.struck_at or (self.attempt and self.attempt.struck_at))


class StaffMember(models.Model):
    """What the desk keeps of an account beside Django's own columns; without a row, both are False."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    password_is_temporary = models.BooleanField(default=False)  # a manager chose it
    mail_when_assigned = models.BooleanField(_("Mail me when a case is assigned to me"), default=False)

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("members of staff")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class AccountChange(models.Model):
    """What a manager did to an account that opens people's data to someone; another manager is to see it."""

    class Kind(models.TextChoices):
        ROLES = "roles", _("%(account)s was given: %(roles)s.")
        PASSWORD = "password", _("A new password was set for %(account)s.")
        SECOND_FACTOR = "second_factor", _("The second factor of %(account)s was reset.")
        NO_MANAGER = "no_manager", _("%(account)s no longer manages the accounts.")
        EMAIL = "email", _("The e-mail address of %(account)s was changed.")

    kind = models.CharField(max_length=16, choices=Kind)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    roles = models.CharField(max_length=100, blank=True)  # those that were given
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True)

    class Meta:
        verbose_name = _("change of an account")
        verbose_name_plural = _("changes of accounts")
        default_permissions = ()
        ordering = ("made_at",)

    def __str__(self) -> str:
        return self.get_kind_display() % {"account": self.account, "roles": self.roles}


class Notification(models.Model):
    """One e-mail owed to staff; at most one per submission and reason. See notifications.py.

    One without a submission has its own text. Some go to addresses of their own, others to those of the center.
    """

    class Reason(models.TextChoices):
        URGENT = "urgent", _("Urgent")
        CALL = "call", _("Wants a call")
        ASSIGNED = "assigned", _("Assigned to you")
        UNSAFE = "unsafe", _("Reported as unsafe")
        PHONE = "phone", _("The center’s phone was changed")
        ACCOUNT = "account", _("An account at the desk was changed")
        PROBLEMS = "problems", _("Problems with the site")

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="+", null=True)
    to = models.TextField(blank=True)  # addresses, one a line
    text = models.TextField(blank=True)
    reason = models.CharField(max_length=8, choices=Reason, db_column="why")
    created_at = models.DateTimeField(default=timezone.now, db_column="made_at")
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_column="tries")
    next_attempt_at = models.DateTimeField(default=timezone.now, db_column="next_at")

    class Meta:
        db_table = "screening_mail"
        verbose_name = _("notification to staff")
        verbose_name_plural = _("notifications to staff")
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("submission", "reason"), name="told_once"),)
        indexes = (models.Index(fields=("next_attempt_at",), name="mail_unsent", condition=Q(sent_at=None)),)

    def __str__(self) -> str:
        return f"{self.submission_id} {self.reason}"


def result_visible_to(staff: Any) -> Q:
    """The condition under which staff may see a result: a blind one only after their own review of it."""
    if not staff.has_perm("screening.add_review"):
        return Q()
    return Q(blind=False) | Q(Exists(Review.objects.filter(submission=OuterRef("pk"), author=staff.pk)))


def is_result_hidden(submission: Submission, staff: Any) -> bool:
    """Whether this member of staff has still to review the case before seeing its result."""
    return submission.blind and not Submission.objects.filter(result_visible_to(staff), pk=submission.pk).exists()
