"""Submissions: the answers and the result as the person saw them, and the status of the case."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_lazy as _

from screening import due, reference_numbers, return_codes, rules
from screening.fields import EncryptedJSONField
from screening.models.counts import Count
from screening.models.keys import Canary, SealedModel
from screening.rules.replay import StoredResult
from screening.rules.ruleset import LEVELS, Decision, Reason, Recommendation

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


PROGRAMS, URGENCY_OF = frozenset(Program.values), dict(enumerate(URGENCIES))


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
    NOT_MEANT = "not_meant", _("Test, duplicate or spam")


class Channel(models.TextChoices):
    """How the answers came: by the person alone, or with staff."""

    ONLINE = "online", _("Online")
    PHONE = "phone", _("By phone")
    IN_PERSON = "in_person", _("In person")
    PAPER = "paper", _("On paper")


# The one order of open cases: the most urgent first; of these the latest, and of the rest the longest wait.
ORDER = ("-urgency", "due_at", "received_at")
URGENT = (Urgency.TODAY, Urgency.NOW)


def as_stored(recommendation: Recommendation) -> dict[str, Any]:
    """Return what the column `result` holds of a recommendation; the rest has columns of its own."""
    return {
        "need": recommendation.need,
        "support": recommendation.support,
        "duties": recommendation.duties,
        "reasons": [
            {**vars(reason), "sources": list(reason.sources), "questions": list(reason.questions)}
            for reason in recommendation.reasons
        ],
        "notices": list(recommendation.notices),
    }


def in_words(recommendation: Recommendation) -> Recommendation:
    """Translate the reasons of a recommendation into the language in use."""
    reasons = tuple(replace(reason, text=gettext(reason.text)) for reason in recommendation.reasons)
    return replace(recommendation, reasons=reasons)


def retention_cutoff() -> datetime:
    """Return the time before which a submission is expired: shown to nobody, and erased by the next run."""
    return timezone.now() - timedelta(days=settings.RETENTION_DAYS)


class BlindPilot(models.Model):
    """How many of the next submissions are blind: one row, or none."""

    left = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        verbose_name = verbose_name_plural = _("blind pilot")

    def __str__(self) -> str:
        return str(self.left)


def _is_drawn_blind() -> bool:
    """Whether the next submission is blind: it is counted in a pilot, or drawn by chance."""
    with connection.cursor() as cursor:
        cursor.execute('UPDATE screening_blindpilot SET "left" = "left" - 1 WHERE "left" > 0')
        in_pilot = cursor.rowcount > 0
    return in_pilot or SystemRandom().random() * 100 < settings.BLIND_PERCENT


class SubmissionManager(models.Manager["Submission"]):
    def unexpired(self) -> models.QuerySet["Submission"]:
        """Leave out those whose time is up, even if they are not erased yet."""
        # As a range, SQLite would look for these first, and sort what it found.
        return self.exclude(received_at__lte=retention_cutoff())

    def with_codes(self, *codes: str, expired: bool = False) -> dict[str, "Submission"]:
        """Return code -> the submission that was saved under it; those whose time is up only if `expired`.

        Raise a DatabaseError if one is missing and DATA_KEYS are wrong: it may be kept, and can't be found.
        """
        code_of = {stored: code for code in codes for stored in return_codes.encrypted_hashes(code)}
        if len(codes) > 1 and self._has_none_of([*code_of]):  # those that a draft may have got: mostly none is there
            return {}
        rows = (self if expired else self.unexpired()).filter(code__in=code_of)
        found = {code_of[row.code]: row for row in rows}
        if len(found) < len(codes) and Canary.is_dead():
            raise DatabaseError("DATA_KEYS does not open what is stored")
        return found

    def _has_none_of(self, stored: list[str]) -> bool:
        """Return whether no row is under these codes, and DATA_KEYS open what is stored: one query tells both."""
        query = "SELECT code FROM screening_submission WHERE code IN ({}) UNION ALL SELECT text FROM screening_canary"
        with connection.cursor() as cursor:
            cursor.execute(query.format(", ".join(["%s"] * len(stored))), stored)
            texts = {text for (text,) in cursor.fetchall()}
        return texts.isdisjoint(stored) and all(map(Canary.is_opened, texts))

    def with_code(self, code: str) -> "Submission | None":
        return self.with_codes(code).get(code)

    def lock(self, *keys: int) -> list[int]:
        """Lock these rows, before what hangs on them, the lowest key first; return the keys of those that exist."""
        return list(self.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk", flat=True))

    def submit(self, answers: Mapping[str, str], code: str | None = None, **more: Any) -> "Submission":
        """Save a set of answers as `insert` does, once per return code: a second call returns the first row."""
        code = code or return_codes.generate()

        def once() -> Submission:
            with transaction.atomic():
                # It may be there under an older key, which the unique column does not see.
                return self.with_code(code) or self.insert(answers, code, **more)

        try:
            return once()
        except IntegrityError:  # another was first, or its reference number is taken
            return once()

    def insert(
        self, answers: Mapping[str, str], code: str, *, spam_signs: str = "", channel: Channel = Channel.ONLINE
    ) -> "Submission":
        """Save a complete set of answers with its result, under a code that is not there yet.

        Only what came online may be blind: whoever screened with the person has seen the result. Raise a ValueError
        if answers are missing or unknown; an IntegrityError if the code is there, or the reference number that is
        drawn: then nothing was saved.
        """
        row = Submission.of(answers, code, spam_signs=spam_signs, channel=channel)
        with transaction.atomic(savepoint=False):
            row.blind = channel == Channel.ONLINE and _is_drawn_blind()
            row.save(force_insert=True)
            Count.add(Count.What.SAVED, row.channel, is_test=row.is_test)
        return row


class Submission(SealedModel):
    """One saved screening. Answers and result are written once and never changed; staff set the status."""

    SEALED = (
        "reference",
        "answers",
        "result",
        "program",
        "urgency",
        "close_call",
        "rules_version",
        "language",
        "blind",
    )
    code = models.CharField(max_length=96, unique=True, editable=False)  # the encrypted hash of the return code
    claimed = models.BooleanField(default=False, db_default=False, editable=False)  # its code has reached a browser
    received_at = models.DateTimeField(_("received"), default=timezone.now, editable=False)
    answers: Any = EncryptedJSONField(_("answers"))
    program = models.CharField(_("program"), max_length=16, choices=Program)
    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Urgency)
    close_call = models.BooleanField(_("close call"))
    rules_version = models.CharField(_("rules version"), max_length=16)
    channel = models.CharField(
        _("channel"), max_length=16, choices=Channel, default=Channel.ONLINE, db_default="online"
    )
    language = models.CharField(_("language"), max_length=16)
    result: Any = EncryptedJSONField(_("result"))
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.NEW)
    status_at = models.DateTimeField(_("status since"), default=timezone.now, editable=False)
    opened_at = models.DateTimeField(_("first opened"), null=True, editable=False)  # by staff; shown to the person
    spam_signs = models.CharField(_("suspected spam"), max_length=64, blank=True, editable=False)
    is_test = models.BooleanField(_("test data"), default=False, editable=False)
    reference = models.CharField(
        _("reference"), max_length=8, unique=True, default=reference_numbers.generate, editable=False
    )
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, blank=True)
    wants_call = models.BooleanField(_("wants a call"), default=False, editable=False)  # while there is a Contact
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("assigned to"),
    )
    newly_assigned = models.BooleanField(default=False, db_default=False, editable=False)  # and unopened by them
    touched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        verbose_name=_("last change by"),
    )
    touched_at = models.DateTimeField(_("last change"), null=True, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)  # increased by each save of staff
    blind = models.BooleanField(default=False, editable=False)  # staff review it before they see the result
    due_at = models.DateTimeField(_("due"), null=True, editable=False)  # see due.py; only a closed case has none

    objects = SubmissionManager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        default_permissions = ("view", "add", "change")
        permissions = (
            ("export_submission", _("Can export cases")),
            ("view_agreement", _("Can see how far staff and rules agree")),
        )
        ordering = ("-received_at",)
        constraints = (
            models.CheckConstraint(
                name="open_case_is_due",
                condition=Q(status=Status.CLOSED, due_at=None) | (~Q(status=Status.CLOSED) & Q(due_at__isnull=False)),
            ),
        )
        # Without them a page of the list slows down as the table grows: first one for each filter, then for the queues.
        indexes = (
            models.Index(fields=("-received_at",), name="submission_received"),
            *(
                models.Index(fields=(field, "-received_at"), name=f"submission_{field}")
                for field in ("status", "assigned_to", "channel")
            ),
            models.Index(fields=ORDER, name="submission_open", condition=Q(due_at__isnull=False)),
            *(
                models.Index(fields=(field, *ORDER), name=f"open_{field}", condition=Q(due_at__isnull=False))
                for field in ("assigned_to", "wants_call", "close_call")
            ),
            models.Index(fields=("assigned_to", *ORDER), name="newly_assigned", condition=Q(newly_assigned=True)),
            models.Index(fields=ORDER, name="open_unread", condition=Q(due_at__isnull=False, opened_at=None)),
        )

    def __str__(self) -> str:
        reference = reference_numbers.formatted(self.reference)
        return gettext("%(reference)s (test)") % {"reference": reference} if self.is_test else reference

    @classmethod
    def of(cls, answers: Mapping[str, str], code: str, **more: Any) -> "Submission":
        """Return a complete set of answers with its result, not saved yet. Raise a ValueError as `insert` does."""
        recommendation = in_words(rules.recommend(answers))
        encrypted: dict[str, Any] = {"answers": dict(answers), "result": as_stored(recommendation)}
        return cls(
            code=return_codes.encrypted_hashes(code)[0],
            program=recommendation.program,
            urgency=URGENCIES.index(recommendation.urgency),
            due_at=due.when_received(urgent=recommendation.decision.help_first),
            close_call=recommendation.close_call,
            rules_version=recommendation.rules_version,
            language=get_language() or settings.LANGUAGE_CODE,
            **encrypted,
            **more,
        )

    def count_outcome(self, number: int) -> None:
        """Count how this case has ended, if it has, in the week that it did; -1 takes it back."""
        if self.outcome:
            key = f"{self.program}/{self.outcome}"
            Count.add(Count.What.OUTCOME, key, number, self.status_at, is_test=self.is_test)

    @property
    def is_urgent(self) -> bool:
        return self.urgency in URGENT

    @property
    def expires_at(self) -> datetime:
        return self.received_at + timedelta(days=settings.RETENTION_DAYS)

    @property
    def recommendation(self) -> Recommendation:
        """The result as the person saw it. If damaged, raise one of the errors that readable_recommendation catches."""
        recommendation = Recommendation(
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
            notices=tuple(self.result.get("notices", ())),  # before 2026.2 there were none
        )
        if self.program not in PROGRAMS:
            raise ValueError(f"no program: {self.program!r}")
        stated = [(dimension, getattr(recommendation, dimension)) for dimension in LEVELS]
        for dimension, level in (*stated, *((reason.dimension, reason.level) for reason in recommendation.reasons)):
            if level not in LEVELS[dimension]:
                raise ValueError(f"no level of {dimension}: {level!r}")
        return recommendation

    @property
    def stored_result(self) -> StoredResult:
        """What a replay needs of this row: not its reasons."""
        return StoredResult(self.rules_version, self.decision, self.readable_answers)

    @property
    def decision(self) -> Decision | None:
        """What was recommended, by the columns alone; None if they hold what no rules say."""
        known = self.program in PROGRAMS and self.urgency in URGENCY_OF
        return Decision(self.program, self.close_call, URGENCY_OF[self.urgency]) if known else None

    def readable_recommendation(self) -> Recommendation | None:
        """Return the result as the person saw it; None if the stored one is damaged."""
        try:
            return self.recommendation
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return None

    @property
    def readable_answers(self) -> dict[str, str]:
        """The answers as the person gave them; empty if the stored ones are damaged."""
        answers = self.answers if isinstance(self.answers, dict) else {}
        return {key: value for key, value in answers.items() if isinstance(value, str)}
