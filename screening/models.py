"""What is kept: answers and result as a person saved them, how to reach them, the notes of staff; and what remains
when these are gone."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from secrets import SystemRandom, token_urlsafe
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Case, F, Q, When
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from screening import audit, codes, references, rules
from screening.fields import EncryptedTextField
from screening.ruleset import LEVELS, Reason, Recommendation

LogHead, LogLine = audit.LogHead, audit.LogLine  # Django looks for models here

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


class Outcome(models.TextChoices):
    """How a case ended."""

    IOP = "iop", _("Started an IOP")
    INPATIENT = "inpatient", _("Started inpatient care")
    ELSEWHERE = "elsewhere", _("Went elsewhere, or was sent on")
    DECLINED = "declined", _("Did not want to go on")
    NOT_REACHED = "not_reached", _("Could not be reached")
    NOT_MEANT = "not_meant", _("Not meant: a trial, a double, a machine")


# The order in which submissions need a person. Urgent ones come first, and of these who can be called; then who asked
# for a call; then who waits for nobody but themselves; closed ones last.
RANK = Case(
    When(status=Status.CLOSED, then=9),
    When(status=Status.WAITING, then=8),
    When(urgency=Urgency.NOW, wants_call=True, then=0),
    When(urgency=Urgency.NOW, then=1),
    When(urgency=Urgency.TODAY, wants_call=True, then=2),
    When(urgency=Urgency.TODAY, then=3),
    When(urgency=Urgency.SOON, wants_call=True, then=4),
    When(wants_call=True, then=5),
    When(urgency=Urgency.SOON, then=6),
    default=7,
)
URGENT, WANTS_CALL, OPEN = (0, 1, 2, 3), (0, 2, 4, 5), tuple(range(9))


def in_words(recommendation: Recommendation) -> Recommendation:
    """The recommendation with its reasons in the language in use."""
    reasons = tuple(replace(reason, text=gettext(reason.text)) for reason in recommendation.reasons)
    return replace(recommendation, reasons=reasons)


def kept_since() -> datetime:
    """What was received before this has had its time: nobody is shown it, and forget_expired takes it away."""
    return timezone.now() - timedelta(days=settings.RETENTION_DAYS)


class SubmissionManager(models.Manager["Submission"]):
    def kept(self) -> models.QuerySet["Submission"]:
        """Without those whose time is up, even where they are still there."""
        return self.filter(received_at__gt=kept_since())

    def with_codes(self, *of: str) -> models.QuerySet["Submission"]:
        """Those that were saved under these return codes, while they are kept."""
        return self.kept().filter(code__in=[seal for code in of for seal in codes.sealed(code)])

    def with_code(self, code: str) -> "Submission | None":
        return self.with_codes(code).first()

    def submit(self, answers: Mapping[str, str], code: str | None = None, *, spam_signs: str = "") -> "Submission":
        """Saves a complete set of answers with its result, once per return code: a second call returns the first row.

        Raises a ValueError where answers are missing or unknown.
        """
        code = code or codes.new()
        recommendation = in_words(rules.recommend(answers))
        if saved := self.with_code(code):  # under an older key, perhaps: the unique column sees only the newest
            return saved
        return self._insert(
            codes.sealed(code)[0],
            {
                "answers": dict(answers),
                "program": recommendation.program,
                "urgency": URGENCIES.index(recommendation.urgency),
                "close_call": recommendation.close_call,
                "rules_version": recommendation.rules_version,
                "spam_signs": spam_signs,
                "blind": SystemRandom().random() * 100 < settings.BLIND_PERCENT,
                "language": get_language() or settings.LANGUAGE_CODE,
                "result": {
                    "need": recommendation.need,
                    "support": recommendation.support,
                    "duties": recommendation.duties,
                    "reasons": [asdict(reason) for reason in recommendation.reasons],
                },
            },
        )

    def _insert(self, code: str, values: dict[str, Any]) -> "Submission":
        try:
            return self.get_or_create(code=code, defaults=values)[0]
        except IntegrityError:  # its reference is taken, which is rare, and not to be expected twice
            return self.get_or_create(code=code, defaults=values)[0]


def result_shown_to(staff: Any) -> Q:
    """Blind ones only after the judgement of whoever may record one: what they think must be their own."""
    if not staff.has_perm("screening.add_review"):
        return Q()
    return Q(blind=False) | Q(models.Exists(Review.objects.filter(submission=models.OuterRef("pk"), author=staff.pk)))


class Submission(models.Model):
    """One saved screening. Answers and result are written once and never changed; staff set the status."""

    code = models.CharField(max_length=96, unique=True, editable=False)  # the return code, sealed: see codes.py
    received_at = models.DateTimeField(_("received"), default=timezone.now, editable=False)
    answers = models.JSONField(_("answers"))
    program = models.CharField(_("program"), max_length=16, choices=Program)
    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Urgency)
    close_call = models.BooleanField(_("close call"))
    rules_version = models.CharField(_("rules version"), max_length=16)
    language = models.CharField(_("language"), max_length=16)
    result = models.JSONField(_("result"))
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.NEW)
    status_at = models.DateTimeField(_("status since"), default=timezone.now, editable=False)
    opened_at = models.DateTimeField(_("first opened"), null=True, editable=False)  # by staff; the person is told
    spam_signs = models.CharField(_("signs of a machine"), max_length=64, blank=True, editable=False)
    is_test = models.BooleanField(_("test data"), default=False, editable=False)
    reference = models.CharField(_("reference"), max_length=8, unique=True, default=references.new, editable=False)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, blank=True)
    wants_call = models.BooleanField(_("wants a call"), default=False, editable=False)  # as long as there is a Contact
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("assigned to"),
    )
    touched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        verbose_name=_("last touched by"),
    )
    touched_at = models.DateTimeField(_("last touched"), null=True, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)  # one more with each save by staff
    blind = models.BooleanField(default=False, editable=False)  # staff judge for themselves before they see the result
    rank = models.GeneratedField(expression=RANK, output_field=models.PositiveSmallIntegerField(), db_persist=True)

    objects = SubmissionManager()

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        default_permissions = ("view", "change")
        permissions = (
            ("export_submission", _("Can export submissions")),
            ("view_agreement", _("Can see how far staff and rules agree")),
            ("replay_rules", _("Can ask other rules about submissions")),
        )
        ordering = ("rank", "-received_at")
        # One for each filter of the list, in the order of the list; without them a page takes longer the more there is.
        indexes = (
            models.Index(fields=("rank", "-received_at"), name="submission_rank"),
            *(
                models.Index(fields=(field, "rank", "-received_at"), name=f"submission_{field}")
                for field in ("urgency", "program", "close_call", "wants_call", "status", "assigned_to", "touched_by")
            ),
            models.Index(fields=("rank", "-received_at"), name="submission_unread", condition=Q(opened_at=None)),
            models.Index(fields=("rank", "-received_at"), name="submission_signs", condition=~Q(spam_signs="")),
            models.Index(fields=("status", "status_at"), name="submission_status_since"),
        )

    def __str__(self) -> str:
        reference = references.shown(self.reference)
        return gettext("%(reference)s (test)") % {"reference": reference} if self.is_test else reference

    def hides_result_from(self, staff: Any) -> bool:
        return self.blind and not Submission.objects.filter(result_shown_to(staff), pk=self.pk).exists()

    @property
    def kept_until(self) -> datetime:
        return self.received_at + timedelta(days=settings.RETENTION_DAYS)

    @property
    def recommendation(self) -> Recommendation:
        """The result as the person saw it. Raises what a damaged one makes Python raise, or a ValueError."""
        found = Recommendation(
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
        stated = [(dimension, getattr(found, dimension)) for dimension in LEVELS]
        for dimension, level in (*stated, *((reason.dimension, reason.level) for reason in found.reasons)):
            if level not in LEVELS[dimension]:
                raise ValueError(f"no level of {dimension}: {level!r}")
        return found

    def readable_recommendation(self) -> Recommendation | None:
        """The result as the person saw it; None where what is in the database is none."""
        try:
            return self.recommendation
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return None

    @property
    def readable_answers(self) -> dict[str, str]:
        """The answers as the person gave them; none where what is in the database are none."""
        answers = self.answers if isinstance(self.answers, dict) else {}
        return {key: value for key, value in answers.items() if isinstance(value, str)}


class ContactManager(models.Manager["Contact"]):
    def _expired(self) -> Q:
        closed_since = timezone.now() - timedelta(days=settings.CONTACT_RETENTION_DAYS)
        return Q(submission__status=Status.CLOSED, submission__status_at__lte=closed_since)

    def kept(self) -> models.QuerySet["Contact"]:
        """Without those of cases that were closed long enough ago, even where they are still there."""
        return self.exclude(self._expired())

    def expired(self) -> models.QuerySet["Contact"]:
        return self.filter(self._expired())

    def withdraw(self, *of: int) -> None:
        """Takes away the requests for a call of these submissions."""
        with transaction.atomic():
            self.filter(pk__in=of).delete()
            Mail.objects.filter(submission__in=of, why=Mail.Why.CALL).delete()
            Submission.objects.filter(pk__in=of).update(wants_call=False)


class Contact(models.Model):
    """How to reach a person who asked for a call, and what they agreed to. A later one replaces an earlier."""

    submission = models.OneToOneField(
        Submission, models.CASCADE, related_name="contact", verbose_name=_("submission"), primary_key=True
    )
    asked_at = models.DateTimeField(_("asked"), default=timezone.now, editable=False)
    name = EncryptedTextField(_("name"), blank=True)
    phone = EncryptedTextField(_("phone"), blank=True)
    may_text = models.BooleanField(_("OK to text"))
    may_voicemail = models.BooleanField(_("OK to leave a voicemail"))
    email = EncryptedTextField(_("e-mail"), blank=True)
    best_time = EncryptedTextField(_("best time"), blank=True)
    to_others = EncryptedTextField(_("if someone else answers"), blank=True)
    consent = models.TextField(_("agreed to"))  # the very words that stood beside the box

    objects = ContactManager()

    class Meta:
        verbose_name = _("request for a call")
        verbose_name_plural = _("requests for a call")
        default_permissions = ("view", "delete")  # to uncover it, and to take it back when its person says so

    def __str__(self) -> str:
        return gettext("Request for a call %(number)s") % {"number": self.pk}

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            Submission.objects.filter(pk=self.pk).update(wants_call=True)


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


class Forgotten(models.Model):
    """How much was erased on a day, and why: all that remains of it."""

    class Why(models.TextChoices):
        ERASED = "erased", _("Erased by the person")
        EXPIRED = "expired", _("Time was up")
        CONTACT = "contact", _("Contact details, after the case was closed")

    day = models.DateField(_("day"))
    why = models.CharField(_("why"), max_length=16, choices=Why)
    count = models.PositiveIntegerField(_("how many"), default=0)
    last_at = models.DateTimeField(_("last at"), default=timezone.now)  # of a run that found nothing, too

    class Meta:
        default_permissions = ()
        verbose_name = _("count of what was erased")
        verbose_name_plural = _("counts of what was erased")
        constraints = (models.UniqueConstraint(fields=("day", "why"), name="one_count_a_day"),)

    def __str__(self) -> str:
        return f"{self.day} {self.why}"

    @classmethod
    def add(cls, why: str, count: int) -> None:
        row, _created = cls.objects.get_or_create(day=timezone.localdate(), why=why)
        cls.objects.filter(pk=row.pk).update(count=F("count") + count, last_at=timezone.now())


class CountedHour(models.Model):
    """An hour in which tries are counted. What its marks of addresses are made with goes with it; see limits.py."""

    begins = models.DateTimeField(primary_key=True)
    secret = models.CharField(max_length=64, default=token_urlsafe)

    class Meta:
        default_permissions = ()
        verbose_name = verbose_name_plural = _("counted hours")

    def __str__(self) -> str:
        return f"{self.begins:%Y-%m-%d %H}"


class Attempts(models.Model):
    """How often something was tried from one place within an hour; see limits.py."""

    what = models.CharField(max_length=16)
    place = models.CharField(max_length=32)  # a keyed hash of the address, of use in this hour; "" for all together
    hour = models.ForeignKey(CountedHour, models.CASCADE)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        verbose_name = verbose_name_plural = _("attempts")
        constraints = (models.UniqueConstraint(fields=("what", "place", "hour"), name="one_count_an_hour"),)

    def __str__(self) -> str:
        return f"{self.what} {self.hour_id:%Y-%m-%d %H}"
