"""Backups: every row in one encrypted file, of either database, and back from it into either.

A backup needs no program of the database, and is encrypted under a key derived from DATA_KEYS: without these nothing in
it could be used anyway. After a first line that says what it is come the name of the key, random bytes, and frames,
each sealed with its place and whether it is the last: none can be changed, left out or put elsewhere. Inside are lines
of JSON: a head; then for each table its name and columns, its rows, and null.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from screening import accounts, audit_triggers, erased
from screening.encryption import derive_key, seals
from screening.models import Canary, Contact, JobRun, LogLine, RateLimitCount, RateLimitWindow, Submission
from screening.models.keys import broken_seals

FIRST_LINE = b"program-fit backup 1\n"
NAME, RANDOM, LENGTH = 4, 16, 4  # bytes: of the key's name, of what makes this backup unlike others, before each frame
FRAME = 1 << 20  # bytes of a frame; what is encrypted already could hardly be compressed
MOST = 16 * FRAME  # bytes of one with the longest row
ROWS = 500  # written to the database at a time
UNCOMMITTED = timedelta(minutes=1)  # within which what is on the list is committed, or is not
LEFT_OUT = (Session, RateLimitWindow, RateLimitCount, JobRun)  # of no use at another time


Progress = Callable[[int], None]  # told how many rows there were so far


class Unusable(Exception):
    """What is wrong with a backup, or with where it should go, and what to do."""


CUT_OFF = "The backup ends too early: it was cut off. Take another one."
DAMAGED = "The backup is damaged. Take another one."


@dataclass
class Restored:
    made_at: datetime
    rows: dict[str, int] = field(default_factory=dict)  # table -> how many the backup holds
    erased_again: int = 0
    broken_seals: int = 0


def _kept() -> list[type[Model]]:
    """Return the models whose tables a backup holds."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if not model._meta.proxy and model not in LEFT_OUT]


def _migrations() -> list[list[str]]:
    """Return the last migration of each app, which this code brings a database to."""
    return sorted(map(list, MigrationLoader(None).graph.leaf_nodes()))


@contextmanager
def _snapshot() -> Iterator[None]:
    """Read everything as it is at one moment, and hinder nobody who writes meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN" + " ISOLATION LEVEL REPEATABLE READ READ ONLY" * (connection.vendor == "postgresql"))
        try:
            cursor.execute("SELECT text FROM screening_canary")  # the first that is read is what sets the moment
            yield
        finally:
            cursor.execute("ROLLBACK")


def _as_text(value: date) -> str:
    """Write a day, or a time in UTC; SQLite gives its times without a time zone."""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value.isoformat()


def _columns(model: type[Model]) -> list[str]:
    return [str(each.column) for each in model._meta.concrete_fields]


def _names(model: type[Model]) -> tuple[str, str]:
    """Return the table and its columns, for a statement."""
    quote = connection.ops.quote_name
    return quote(model._meta.db_table), ", ".join(map(quote, _columns(model)))


def contents(progress: Progress = lambda _rows: None) -> Iterator[str]:
    """Yield the lines of a backup; call `progress` with the number of rows, now and then."""
    count, begins = 0, datetime.now(UTC)  # before the moment that is read
    encode = json.JSONEncoder(default=_as_text, separators=(",", ":")).encode
    with _snapshot():
        yield encode({"made_at": begins, "migrations": _migrations()})
        for model in _kept():
            table, columns = _names(model)
            yield encode({"table": model._meta.db_table, "columns": _columns(model)})
            with connection.chunked_cursor() as cursor:
                cursor.execute(f"SELECT {columns} FROM {table}")  # noqa: S608 - our own names
                while rows := cursor.fetchmany(ROWS):
                    yield from map(encode, rows)
                    progress(count := count + len(rows))
            yield "null"


def _frames(lines: Iterable[str]) -> Iterator[tuple[bytes, bytes]]:
    """Yield each frame, with b"last" or b"more"."""
    frame, size = [], 0
    for line in lines:
        frame.append(line)
        size += len(line)
        if size >= FRAME:
            yield "\n".join([*frame, ""]).encode(), b"more"
            frame, size = [], 0
    yield "\n".join([*frame, ""]).encode(), b"last"


def _keys() -> dict[bytes, bytes]:
    """Return the name of the key under each of DATA_KEYS, and the key; the newest first."""
    keys = [derive_key(secret, "backup") for secret in settings.DATA_KEYS]
    return {hashlib.sha256(key).digest()[:NAME]: key for key in keys}


def _place(number: int, which: bytes) -> bytes:
    return b"%d %s" % (number, which)


def write(path: Path, progress: Progress) -> None:
    """Write a backup to this file, which must not exist. Raise an OSError or a DatabaseError."""
    name, key = next(iter(_keys().items()))
    random = os.urandom(RANDOM)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(FIRST_LINE + name + random)
        for number, (frame, which) in enumerate(_frames(contents(progress))):
            sealed = AESSIV(key).encrypt(frame, [random, _place(number, which)])
            file.write(len(sealed).to_bytes(LENGTH) + sealed)
        file.flush()
        os.fsync(file.fileno())


def opened(file: IO[bytes]) -> Iterator[Any]:
    """Yield what the lines of a backup say. Raise Unusable."""
    if file.read(len(FIRST_LINE)) != FIRST_LINE:
        raise Unusable("This is no backup of this program, or it was made by another version.")
    name, random, number, which = file.read(NAME), file.read(RANDOM), 0, b"more"
    if len(random) < RANDOM:
        raise Unusable(CUT_OFF)
    if name not in _keys():
        raise Unusable("This backup was made under other DATA_KEYS. Put the key of that time into DATA_KEYS, too.")
    box = AESSIV(_keys()[name])
    while which == b"more":
        length = int.from_bytes(start := file.read(LENGTH))
        if length > MOST:
            raise Unusable(DAMAGED)
        sealed = file.read(length)
        if len(start) < LENGTH or len(sealed) < length:
            raise Unusable(CUT_OFF)
        frame, which = _unsealed(box, sealed, random, number)
        yield from map(json.loads, frame.decode().splitlines())
        number += 1
    if file.read(1):
        raise Unusable(DAMAGED)


def _unsealed(box: AESSIV, sealed: bytes, random: bytes, number: int) -> tuple[bytes, bytes]:
    for which in (b"more", b"last"):
        try:
            return box.decrypt(sealed, [random, _place(number, which)]), which
        except (InvalidTag, ValueError):
            continue
    raise Unusable(DAMAGED)


def restore(path: Path, erasures: Path | None, progress: Progress) -> Restored:
    """Bring everything in a backup back into an empty database, but what is on the list of erasures since.

    Raise Unusable, an OSError, or a DatabaseError: then the database is as it was, but for its tables.
    """
    with path.open("rb") as file:
        lines = opened(file)
        head = next(lines)
        if head["migrations"] != _migrations():
            differing = [name for name in head["migrations"] if name not in _migrations()] or head["migrations"]
            raise Unusable(
                f"Another version of this program made this backup, with {'.'.join(differing[-1])}. Restore it with "
                "that version (CHANGELOG.md), then update."
            )
        _refuse_used()
        call_command("migrate", interactive=False, verbosity=0)
        done = Restored(datetime.fromisoformat(head["made_at"]))
        with transaction.atomic():
            _refuse_used()
            audit_triggers.drop()
            done.rows = _load(lines, progress)
            audit_triggers.create()
            if Canary.is_dead():
                raise Unusable("DATA_KEYS does not open what is in this backup. Put the key of that time into it, too.")
            done.erased_again = _erase_again(erasures, done.made_at) if erasures else 0
            done.broken_seals = broken_seals()
    return done


def _refuse_used() -> None:
    """Raise Unusable if someone has used this database."""
    if Submission._meta.db_table not in connection.introspection.table_names():
        return
    found = [(model.objects.count(), words) for model, words in ((Submission, "cases"), (User, "accounts"))]
    if any(count for count, _words in found) or LogLine.objects.exists():
        there = " and ".join(f"{count:,} {words}" for count, words in found)
        raise Unusable(
            f"This database is in use: it holds {there}. Nothing was changed. Restore into a new one: move the file "
            "away, or name another in DATABASE_URL."
        )


def _load(lines: Iterator[Any], progress: Progress) -> dict[str, int]:
    """Put the rows of a backup in place of what `migrate` made; return how many there are in each table."""
    by_table = {model._meta.db_table: model for model in _kept()}
    adapt, counts = {"DateTimeField": _moment, "DateField": _day}, dict[str, int]()
    with connection.cursor() as cursor:
        for model in reversed(_kept()):
            cursor.execute(f"DELETE FROM {_names(model)[0]}")  # noqa: S608
        for said in lines:
            model = by_table[said["table"]]
            table, columns = _names(model)
            if said["columns"] != _columns(model):
                raise Unusable(DAMAGED)
            kinds = [adapt.get(each.get_internal_type()) for each in model._meta.concrete_fields]
            statement = f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(kinds))})"  # noqa: S608
            rows, count = iter(lines.__next__, None), 0
            while some := list(islice(rows, ROWS)):
                cursor.executemany(statement, [_adapted(row, kinds) for row in some])
                count += len(some)
                progress(sum(counts.values()) + count)
            counts[model._meta.db_table] = count
        for statement in connection.ops.sequence_reset_sql(no_style(), _kept()):
            cursor.execute(statement)
    return counts


def _adapted(row: list[Any], kinds: list[Any]) -> list[Any]:
    return [value if kind is None or value is None else kind(value) for value, kind in zip(row, kinds, strict=True)]


def _moment(text: str) -> Any:
    return connection.ops.adapt_datetimefield_value(datetime.fromisoformat(text))


def _day(text: str) -> Any:
    return connection.ops.adapt_datefield_value(date.fromisoformat(text))


def _erase_again(erasures: Path, made_at: datetime) -> int:
    """Erase and close again what was since the backup was made; return how much that was.

    A reference number is never drawn again, so the list needs no time for cases: clocks of machines differ. Contact
    details may have been given anew before the backup, and an account may have been opened.
    """
    ever, since = {*erased.noted(erasures, 0)}, {*erased.noted(erasures, (made_at - UNCOMMITTED).timestamp())}
    count = 0
    for use, gone, rows, erase in (
        (erased.CASE, ever, Submission.objects.values_list("pk", "reference"), _erase_cases),
        (erased.CONTACT, since, Contact.objects.values_list("pk", "submission__reference"), Contact.objects.withdraw),
        (erased.ACCOUNT, since, User.objects.filter(is_active=True).values_list("pk", "username"), _close_accounts),
    ):
        found = [pk for pk, name in rows.iterator() if not gone.isdisjoint(seals(use, name))] if gone else []
        for start in range(0, len(found), ROWS):
            erase(*found[start : start + ROWS])
        count += len(found)
    return count


def _erase_cases(*keys: int) -> None:
    Submission.objects.filter(pk__in=keys).delete()


def _close_accounts(*keys: int) -> None:
    for account in User.objects.filter(pk__in=keys):
        accounts.close(account, "manage.py", "restored")
