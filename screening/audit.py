"""The audit log of the desk: who did what, when, on which submission. Entries hold no answers and are never changed.

Each entry carries the hash of the one before, and the last one is sealed under DATA_KEYS: the database cannot be
changed unnoticed without the keys (docs/decisions/0012).
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.encryption import derive_key


class Action(models.TextChoices):
    SIGNED_IN = "signed_in", _("Signed in")
    SIGNED_OUT = "signed_out", _("Signed out")
    NOT_SIGNED_IN = "not_signed_in", _("Wrong password or code")
    LOCKED_OUT = "locked_out", _("Locked out for a time")
    CODES = "codes", _("Set up the second factor")
    FRONT_PAGE = "front_page", _("Opened the front page")
    LISTED = "listed", _("Opened a list")
    OPENED = "opened", _("Opened")
    REVEALED = "revealed", _("Uncovered how to reach the person")
    PRINTED = "printed", _("Opened the print view")
    CHANGED = "changed", _("Changed")
    NOTED = "noted", _("Added a note")
    REVIEWED = "reviewed", _("Added a review")
    WITHDRAWN = "withdrawn", _("Took back the request for a call")
    EXPORTED = "exported", _("Exported")
    COMPARED = "compared", _("Opened the agreement page")
    REPLAYED = "replayed", _("Asked other rules about what is on file")
    READ_LOG = "read_log", _("Read the log")
    ACCOUNT = "account", _("Accounts")
    REFUSED = "refused", _("Was refused")
    DAMAGE = "damage", _("Damage to this log was accepted")


class LogLine(models.Model):
    """One audit entry. `actor` is the account's name at that time; accounts may go, entries stay."""

    number = models.PositiveBigIntegerField(_("number"), primary_key=True)
    timestamp = models.DateTimeField(_("when"), db_column="at")
    account = models.BigIntegerField(null=True)
    actor = models.CharField(_("who"), max_length=150, blank=True, db_column="who")
    action = models.CharField(_("what"), max_length=16, choices=Action, db_column="what")
    reference = models.CharField(_("reference"), max_length=8, blank=True)
    detail = models.CharField(_("more"), max_length=200, blank=True)  # "key=value; key=value", in no language
    hash = models.CharField(max_length=64)  # of the entry before and of this one

    class Meta:
        verbose_name = _("line of the log")
        verbose_name_plural = _("lines of the log")
        default_permissions = ("view",)
        ordering = ("-number",)
        indexes = (
            models.Index(fields=("reference", "-number"), name="log_reference", condition=~models.Q(reference="")),
            models.Index(fields=("action", "-number"), name="log_what"),
            models.Index(fields=("actor", "-number"), name="log_who"),
        )

    def __str__(self) -> str:
        return str(self.number)

    @property
    def details(self) -> dict[str, str]:
        """What `record` was given; empty for an entry from before details had keys."""
        pairs = [part.partition("=") for part in self.detail.split("; ")]
        return {key: value for key, _equals, value in pairs} if all(equals for _key, equals, _value in pairs) else {}

    def chained_hash(self, previous: str) -> str:
        """Hash this entry and the hash of the one before; 64 hex digits."""
        content = [
            self.number,
            self.timestamp.astimezone(UTC).isoformat(),
            self.account,
            self.actor,
            self.action,
            self.reference,
            self.detail,
        ]
        return hashlib.sha256(json.dumps([previous, *content]).encode()).hexdigest()


class LogHead(models.Model):
    """The one row that says where the log ends."""

    number = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("end of the log")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    def valid_seals(self) -> list[str]:
        """The seal under each of DATA_KEYS, the newest first."""
        return [hmac.digest(derive_key(key, "log"), str(self).encode(), "sha256").hex() for key in settings.DATA_KEYS]

    @property
    def is_sealed(self) -> bool:
        return any(hmac.compare_digest(self.seal, seal) for seal in self.valid_seals())


def _locked_head() -> LogHead:
    """Lock the end of the log until the transaction ends, so that entries are written one after another."""
    heads = LogHead.objects.select_for_update()
    return heads.filter(pk=1).first() or heads.get(
        pk=LogHead.objects.get_or_create(pk=1, defaults=_initial_head())[0].pk
    )


def _initial_head() -> dict[str, str]:
    """The end of a log without entries. It gets no seal if there are entries, or cases that staff have opened: then
    somebody has deleted the end."""
    opened = apps.get_model("screening.Submission").objects.exclude(opened_at=None)
    return {"seal": "" if LogLine.objects.exists() or opened.exists() else LogHead().valid_seals()[0]}


def record(action: Action, actor: Any = None, reference: str = "", **details: object) -> LogLine:
    """Add an entry in the transaction of the action itself: neither exists without the other.

    `actor` is an account, or a name for what has none. `details` are keys and values, never translated words; at most
    200 characters are kept. Raises a DatabaseError if the entry can't be written.
    """
    account = getattr(actor, "pk", None)
    name = actor if isinstance(actor, str) else actor.get_username() if account else ""
    detail = "; ".join(f"{key}={str(value).replace(';', ',')}" for key, value in details.items())
    with transaction.atomic():
        head = _locked_head()
        # An end that was tampered with stays without a seal, or the next entry would make it good.
        was_sealed = head.is_sealed
        last = LogLine.objects.values_list("number", flat=True).first() or 0
        line = LogLine(
            number=max(head.number, last) + 1,  # they differ only if somebody has tampered
            timestamp=timezone.now(),
            account=account,
            actor=name[:150],
            action=action,
            reference=reference,
            detail=detail[:200],
        )
        line.hash = line.chained_hash(head.hash)
        line.save(force_insert=True)
        head.number, head.hash = line.number, line.hash
        head.seal = head.valid_seals()[0] if was_sealed else ""
        head.save()
    return line


def problems(expected: tuple[int, str] | None = None) -> Iterator[str]:
    """Check the whole log; yield a sentence for each problem.

    `expected`, the number and hash of an entry as noted elsewhere, reveals even a database that was put back to an
    earlier state as a whole.
    """
    head = LogHead.objects.filter(pk=1).first() or LogHead(**_initial_head())
    if not head.is_sealed:
        yield "The seal at the end of the log does not fit. The end was changed, or the key is missing from DATA_KEYS."
    number, previous = 0, ""
    for line in LogLine.objects.filter(number__lte=head.number).order_by("number").iterator(chunk_size=2000):
        if line.number != number + 1:
            yield f"Lines {number + 1} to {line.number - 1} are missing."
        elif line.hash != line.chained_hash(previous):
            yield f"Line {line.number} is not as it was written."
        if expected and line.number == expected[0] and line.hash != expected[1]:
            yield f"Line {line.number} differs from the one that was noted."
        number, previous = line.number, line.hash
    if (number, previous) != (head.number, head.hash):
        yield f"The log ends at line {number}, and should end at {head.number}."
    if LogLine.objects.filter(number__gt=LogHead.objects.filter(pk=1).values("number")).exists():
        yield "There are lines after the end of the log."
    if expected and expected[0] > head.number:
        yield f"Line {expected[0]}, which was noted, is missing."
    if missing := missing_triggers():
        yield f"The database no longer refuses to change lines: {', '.join(missing)} is missing."


def is_intact() -> bool:
    """Whether the seal and the triggers are in place; quick, however long the log is."""
    return (LogHead.objects.filter(pk=1).first() or LogHead(**_initial_head())).is_sealed and not missing_triggers()


def reseal() -> str:
    """Seal the end of the log under the newest of DATA_KEYS: "moved", "there", or "lost" if no key fits."""
    with transaction.atomic():
        head = _locked_head()
        newest, *_older = head.valid_seals()
        if head.seal == newest:
            return "there"
        if not head.is_sealed:
            return "lost"
        head.seal = newest
        head.save()
    return "moved"


def accept_damage(actor: str) -> LogLine:
    """Continue from the entries that exist, with one that says so."""
    with transaction.atomic():
        head = _locked_head()
        last = LogLine.objects.order_by("-number").first()
        head.number, head.hash = (last.number, last.hash) if last else (0, "")
        head.seal = head.valid_seals()[0]
        head.save()
        return record(Action.DAMAGE, actor)


def last_entry() -> str:
    """The number and the hash of the last entry, as "number:hash"."""
    return str(LogHead.objects.filter(pk=1).first() or LogHead())


def opened_at(reference: str) -> list[datetime]:
    """When staff opened a submission, the first time first."""
    lines = LogLine.objects.filter(reference=reference, action__in=(Action.OPENED, Action.PRINTED))
    return list(lines.order_by("number").values_list("timestamp", flat=True))


# The database itself refuses to change or delete an entry, whoever asks. A database that was made with an earlier
# version has these triggers under these names.
TRIGGERS: dict[str, dict[str, str]] = {
    "sqlite": {
        f"log_keeps_{verb.lower()}": f"CREATE TRIGGER log_keeps_{verb.lower()} BEFORE {verb} ON screening_logline "
        "BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END"
        for verb in ("UPDATE", "DELETE")
    },
    "postgresql": {
        f"log_keeps_{verb.lower()}": f"CREATE TRIGGER log_keeps_{verb.lower()} BEFORE {verb} ON screening_logline "
        "FOR EACH STATEMENT EXECUTE FUNCTION log_is_kept()"
        for verb in ("UPDATE", "DELETE", "TRUNCATE")
    },
}
TRIGGER_FUNCTION = (
    "CREATE OR REPLACE FUNCTION log_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the log is only added to'; END $$"
)


def create_triggers() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(TRIGGER_FUNCTION)
        for statement in TRIGGERS[connection.vendor].values():
            cursor.execute(statement)


def drop_triggers() -> None:
    on = " ON screening_logline" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in TRIGGERS[connection.vendor]:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing_triggers() -> list[str]:
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'screening_logline'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'screening_logline'::regclass AND tgenabled = 'O'",
    }
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        present = {name for (name,) in cursor.fetchall()}
    return sorted(set(TRIGGERS[connection.vendor]) - present)
