"""The tables of the audit log: its entries, the chain through them, and the chain's sealed end."""

import hashlib
import hmac
import json
import threading
from datetime import UTC, datetime
from secrets import randbits
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.encryption import derive_key, seals


class Action(models.TextChoices):
    SIGNED_IN = "signed_in", _("Signed in")
    SIGNED_OUT = "signed_out", _("Signed out")
    NOT_SIGNED_IN = "not_signed_in", _("Wrong password or code")
    LOCKED_OUT = "locked_out", _("Locked out for a time")
    CODES = "codes", _("Set up the second factor")
    FRONT_PAGE = "front_page", _("Opened the front page")
    LISTED = "listed", _("Opened a list")
    OPENED = "opened", _("Opened")
    REVEALED = "revealed", _("Viewed contact details")
    PRINTED = "printed", _("Opened the print view")
    CHANGED = "changed", _("Changed")
    NOTED = "noted", _("Added a note")
    REVIEWED = "reviewed", _("Added a review")
    UNSAFE = "unsafe", _("Reported the result as unsafe")
    UNSAFE_READ = "unsafe_read", _("Went through a result reported as unsafe")
    TRIED = "tried", _("Tried to reach the person")
    REPLIED = "replied", _("Left an answer at the code")
    STRUCK_OUT = "struck_out", _("Struck out an entry")
    ASKED = "asked", _("Asked for a call")
    ASKED_ANEW = "asked_anew", _("Changed how to reach them")
    WITHDRAWN = "withdrawn", _("Withdrew the call request")
    EXPORTED = "exported", _("Exported")
    COMPARED = "compared", _("Opened “How we are doing”")
    REPLAYED = "replayed", _("Asked other rules about what is on file")  # by earlier versions
    ASSISTED = "assisted", _("Saved a screening with someone")
    CENTER = "center", _("Changed the facts of the center")
    READ_LOG = "read_log", _("Read the log")
    ACCOUNT = "account", _("Accounts")
    REFUSED = "refused", _("Was refused")
    DAMAGE = "damage", _("Damage to this log was accepted")


MOST_DETAIL = 4500  # characters: an old and a new text of two thousand each
CHANCE_BITS = 10  # of an entry's number; the rest is its time
_lock, _newest = threading.Lock(), [0]


def number_at(moment: datetime) -> int:
    """Return the lowest number that an entry of this time can have: microseconds since 1970, and room for chance."""
    return int(moment.timestamp() * 1_000_000) << CHANCE_BITS


def new_number(moment: datetime) -> int:
    """Draw the number of an entry: no two deeds wait for one another to get theirs."""
    with _lock:  # of the same microsecond in one process, the later one is higher
        first, newest = number_at(moment), _newest[0]
        _newest[0] = newest + 1 if newest >> CHANCE_BITS == first >> CHANCE_BITS else first + randbits(CHANCE_BITS - 1)
        return _newest[0]


def log_keys() -> dict[str, bytes]:
    """Return the name and the bytes of the log's key under each of DATA_KEYS, the newest first."""
    keys = [derive_key(secret, "log") for secret in settings.DATA_KEYS]
    return {hashlib.sha256(key).hexdigest()[:8]: key for key in keys}


class LogLines(models.QuerySet["LogLine"]):
    def about(self, reference: str) -> "LogLines":
        """Return the entries about a case."""
        # SQLite uses an index with a condition only where the query says it too.
        return self.filter(~models.Q(reference=""), reference=reference)


class LogLine(models.Model):
    """One audit entry. `actor` is the account's name at that time; accounts may go, entries stay."""

    # See number_at; entries of earlier versions have 1, 2, 3 ...
    number = models.PositiveBigIntegerField(primary_key=True)
    timestamp = models.DateTimeField(_("when"), db_column="at")
    account = models.BigIntegerField(null=True)
    actor = models.CharField(_("who"), max_length=150, blank=True, db_column="who")
    action = models.CharField(_("what"), max_length=16, choices=Action, db_column="what")
    reference = models.CharField(_("reference"), max_length=8, blank=True)
    detail = models.CharField(_("more"), max_length=MOST_DETAIL, blank=True)  # "key=value; key=value", in no language
    after = models.CharField(max_length=85, null=True)  # the end of the chain when it was written; NULL in earlier ones
    key = models.CharField(max_length=8)  # the name of the key of the seal
    seal = models.CharField(max_length=64)

    objects = LogLines.as_manager()

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

    @property
    def content(self) -> str:
        moment = self.timestamp.astimezone(UTC).isoformat()
        said = [self.number, moment, self.account, self.actor, self.action, self.reference, self.detail]
        return json.dumps(said if self.after is None else [*said, self.after])

    def sealed(self) -> "LogLine":
        """Seal this entry under the newest of DATA_KEYS."""
        self.key, key = next(iter(log_keys().items()))
        self.seal = hmac.digest(key, self.content.encode(), "sha256").hex()
        return self

    def is_sealed(self, keys: dict[str, bytes]) -> bool:
        """Whether one of these keys sealed exactly this entry."""
        key = keys.get(self.key)
        return key is not None and hmac.compare_digest(
            self.seal, hmac.digest(key, self.content.encode(), "sha256").hex()
        )


class LogLink(models.Model):
    """The place of an entry in the chain. Links are added by `audit.chain`, some seconds after their entries."""

    position = models.PositiveBigIntegerField(primary_key=True)
    line: Any = models.OneToOneField(  # NULL only in a join, if somebody has deleted the entry
        LogLine, models.DO_NOTHING, related_name="link", db_constraint=False, null=True
    )
    accepted = models.BooleanField(default=False)  # by the owner, though no key of ours has sealed the entry
    hash = models.CharField(max_length=64)  # of the link before, and of the entry with its seal

    class Meta:
        verbose_name = verbose_name_plural = _("chain of the log")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.position)

    def chained_hash(self, previous: str) -> str:
        """Hash the entry and the link before; 64 hex digits."""
        content = [previous, self.position, self.accepted, self.line.content, self.line.key, self.line.seal]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


class LogHead(models.Model):
    """The one row that says where the chain ends. A migration makes it; nothing else may."""

    position = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("end of the log")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"

    def valid_seals(self) -> list[str]:
        """The seal under each of DATA_KEYS, the newest first."""
        return seals("log", str(self))

    @property
    def is_sealed(self) -> bool:
        return self.seal in self.valid_seals()
