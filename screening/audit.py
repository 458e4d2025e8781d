"""The desk's log: who did what, when, on which reference. It holds no answers, and lines are only ever added.

Each line carries the hash of the one before, and the last one is sealed under DATA_KEYS. So whoever changes the
database without the keys can't do it unseen (docs/decisions/0012).
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

from screening.encryption import draw


class What(models.TextChoices):
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
    """One line. `who` is the account's name at that time; accounts may go, lines stay."""

    number = models.PositiveBigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("when"))
    account = models.BigIntegerField(null=True)
    who = models.CharField(_("who"), max_length=150, blank=True)
    what = models.CharField(_("what"), max_length=16, choices=What)
    reference = models.CharField(_("reference"), max_length=8, blank=True)
    detail = models.CharField(_("more"), max_length=200, blank=True)
    hash = models.CharField(max_length=64)  # of the line before and of this one

    class Meta:
        verbose_name = _("line of the log")
        verbose_name_plural = _("lines of the log")
        default_permissions = ("view",)
        ordering = ("-number",)
        indexes = (
            models.Index(fields=("reference", "-number"), name="log_reference", condition=~models.Q(reference="")),
            models.Index(fields=("what", "-number"), name="log_what"),
            models.Index(fields=("who", "-number"), name="log_who"),
        )

    def __str__(self) -> str:
        return str(self.number)

    def chained(self, before: str) -> str:
        content = [
            self.number,
            self.at.astimezone(UTC).isoformat(),
            self.account,
            self.who,
            self.what,
            self.reference,
            self.detail,
        ]
        return hashlib.sha256(json.dumps([before, *content]).encode()).hexdigest()


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

    def seals(self) -> list[str]:
        """What the seal may be, under each of DATA_KEYS; the newest first."""
        return [hmac.digest(draw(key, "log"), str(self).encode(), "sha256").hex() for key in settings.DATA_KEYS]

    @property
    def sound(self) -> bool:
        return any(hmac.compare_digest(self.seal, seal) for seal in self.seals())


def _head() -> LogHead:
    """Locked until the transaction ends, so that lines are written one after another."""
    heads = LogHead.objects.select_for_update()
    return heads.filter(pk=1).first() or heads.get(pk=LogHead.objects.get_or_create(pk=1, defaults=_new())[0].pk)


def _new() -> dict[str, str]:
    """The end of a log without lines. Where there are some, or there was once something to write down, somebody has
    taken the end away: it gets no seal."""
    opened = apps.get_model("screening.Submission").objects.exclude(opened_at=None)
    return {"seal": "" if LogLine.objects.exists() or opened.exists() else LogHead().seals()[0]}


def record(what: What, by: Any = None, reference: str = "", detail: str = "") -> LogLine:
    """Adds a line, in the transaction of what it tells of: neither is there without the other.

    `by` is an account, or a name for what has none. Raises a DatabaseError where the line can't be written.
    """
    account = getattr(by, "pk", None)
    name = by if isinstance(by, str) else by.get_username() if account else ""
    with transaction.atomic():
        head = _head()
        # An end that was tampered with stays without a seal, or the next line would make it good.
        sound = head.sound
        last = LogLine.objects.values_list("number", flat=True).first() or 0
        line = LogLine(
            number=max(head.number, last) + 1,  # they differ only where somebody has tampered
            at=timezone.now(),
            account=account,
            who=name[:150],
            what=what,
            reference=reference,
            detail=detail[:200],
        )
        line.hash = line.chained(head.hash)
        line.save(force_insert=True)
        head.number, head.hash = line.number, line.hash
        head.seal = head.seals()[0] if sound else ""
        head.save()
    return line


def faults(expected: tuple[int, str] | None = None) -> Iterator[str]:
    """What is wrong with the log, a line for each; nothing when it is as it was written.

    `expected`, the number and hash of a line as noted elsewhere, shows even a database that was put back to an
    earlier state as a whole.
    """
    head = LogHead.objects.filter(pk=1).first() or LogHead(**_new())
    if not head.sound:
        yield "The seal at the end of the log does not fit. The end was changed, or the key is missing from DATA_KEYS."
    number, before = 0, ""
    for line in LogLine.objects.filter(number__lte=head.number).order_by("number").iterator(chunk_size=2000):
        if line.number != number + 1:
            yield f"Lines {number + 1} to {line.number - 1} are missing."
        elif line.hash != line.chained(before):
            yield f"Line {line.number} is not as it was written."
        if expected and line.number == expected[0] and line.hash != expected[1]:
            yield f"Line {line.number} is another one than the one that was noted."
        number, before = line.number, line.hash
    if (number, before) != (head.number, head.hash):
        yield f"The log ends at line {number}, and should at {head.number}."
    if LogLine.objects.filter(number__gt=LogHead.objects.filter(pk=1).values("number")).exists():
        yield "There are lines after the end of the log."
    if expected and expected[0] > head.number:
        yield f"Line {expected[0]}, which was noted, is missing."
    if missing := guards_missing():
        yield f"The database no longer refuses to change lines: {', '.join(missing)} is missing."


def is_sound() -> bool:
    """Whether the end of the log and the guards of the database are in place; quick, however long the log is."""
    return (LogHead.objects.filter(pk=1).first() or LogHead(**_new())).sound and not guards_missing()


def reseal() -> str:
    """Seals the end of the log under the newest of DATA_KEYS: "moved", "there", or "lost" where no key fits."""
    with transaction.atomic():
        head = _head()
        newest, *_older = head.seals()
        if head.seal == newest:
            return "there"
        if not head.sound:
            return "lost"
        head.seal = newest
        head.save()
    return "moved"


def accept_damage(by: str) -> LogLine:
    """Goes on from what is there, with a line that says so."""
    with transaction.atomic():
        head = _head()
        last = LogLine.objects.order_by("-number").first()
        head.number, head.hash = (last.number, last.hash) if last else (0, "")
        head.seal = head.seals()[0]
        head.save()
        return record(What.DAMAGE, by)


def end() -> str:
    """The number and the hash of the last line."""
    return str(LogHead.objects.filter(pk=1).first() or LogHead())


def openings(reference: str) -> list[datetime]:
    """When a submission was opened by staff, the first time first."""
    lines = LogLine.objects.filter(reference=reference, what__in=(What.OPENED, What.PRINTED))
    return list(lines.order_by("number").values_list("at", flat=True))


# The database itself refuses to change a line or to take one away, whoever asks.
GUARDS: dict[str, dict[str, str]] = {
    "sqlite": {
        f"log_keeps_{what.lower()}": f"CREATE TRIGGER log_keeps_{what.lower()} BEFORE {what} ON screening_logline "
        "BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END"
        for what in ("UPDATE", "DELETE")
    },
    "postgresql": {
        f"log_keeps_{what.lower()}": f"CREATE TRIGGER log_keeps_{what.lower()} BEFORE {what} ON screening_logline "
        "FOR EACH STATEMENT EXECUTE FUNCTION log_is_kept()"
        for what in ("UPDATE", "DELETE", "TRUNCATE")
    },
}
FUNCTION = (
    "CREATE OR REPLACE FUNCTION log_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the log is only added to'; END $$"
)


def guard() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(FUNCTION)
        for statement in GUARDS[connection.vendor].values():
            cursor.execute(statement)


def unguard() -> None:
    on = " ON screening_logline" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in GUARDS[connection.vendor]:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def guards_missing() -> list[str]:
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'screening_logline'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'screening_logline'::regclass AND tgenabled = 'O'",
    }
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        found = {name for (name,) in cursor.fetchall()}
    return sorted(set(GUARDS[connection.vendor]) - found)
