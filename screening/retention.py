"""Erasing: at a person's wish, and when the time is up. What remains is a count for each day."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from screening import rate_limits
from screening.models import Contact, Forgotten, Submission, kept_since

BATCH = 200  # rows that are gone in one go, so that nobody who is saving has to wait long


def erase(submission: Submission) -> None:
    """Answers, result, contact details and notes, at once. A second time does nothing."""
    with transaction.atomic():
        _total, deleted = Submission.objects.filter(pk=submission.pk).delete()
        if deleted:
            Forgotten.add(Forgotten.Why.ERASED, 1)
    transaction.on_commit(sweep)


def expired() -> dict[str, QuerySet[Any]]:
    """What has had its time, by the reason why."""
    return {
        Forgotten.Why.EXPIRED: Submission.objects.filter(received_at__lte=kept_since()),
        Forgotten.Why.CONTACT: Contact.objects.expired(),
    }


def forget_expired() -> dict[str, int]:
    """Erases what is expired, a few rows at a time, and says how much. It may run beside anything, and again."""
    counts = {}
    for why, rows in expired().items():
        counts[why] = sum(_batches(why, rows))
        Forgotten.add(why, 0)  # that it ran, even where there was nothing to do
    rate_limits.forget()
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    transaction.on_commit(sweep)
    return counts


def _batches(why: str, rows: QuerySet[Any]) -> Iterator[int]:
    while True:
        with transaction.atomic():
            batch = list(rows.values_list("pk", flat=True)[:BATCH])
            # The condition is asked again when deleting: a case may have been opened once more in between.
            _total, deleted = rows.filter(pk__in=batch).delete()
            if rows.model is Contact:
                Submission.objects.filter(pk__in=batch, contact=None).update(wants_call=False)
            count = deleted.get(rows.model._meta.label, 0)
            if count:
                Forgotten.add(why, count)
        yield count
        if not count:
            return


def last_run() -> datetime | None:
    """When forget_expired last came to its end."""
    row = Forgotten.objects.filter(why=Forgotten.Why.CONTACT).order_by("-last_at").first()
    return row.last_at if row else None


def sweep() -> None:
    """SQLite overwrites what is deleted, but its journal holds earlier pages until it is emptied.

    It can't be while someone is reading; the next time will do it then, within the hour (intake_site/server.py).
    """
    if connection.vendor != "sqlite":
        return
    with suppress(DatabaseError), connection.cursor() as cursor:
        usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("PRAGMA busy_timeout = 1000")  # those who are saving wait as long
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute(f"PRAGMA busy_timeout = {usual}")
