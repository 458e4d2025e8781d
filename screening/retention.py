"""Retention: erasing at a person's wish, and when the time is up. What remains is a count for each day."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from screening import rate_limits
from screening.models import Contact, ErasureCount, Submission, retention_cutoff

BATCH = 200  # rows erased in one transaction, so that nobody who saves has to wait long


def erase(submission: Submission) -> None:
    """Erase answers, result, contact details and notes at once. A second call does nothing."""
    with transaction.atomic():
        _total, deleted = Submission.objects.filter(pk=submission.pk).delete()
        if deleted:
            ErasureCount.add(ErasureCount.Reason.ERASED, 1)
    transaction.on_commit(truncate_journal)


def expired() -> dict[str, QuerySet[Any]]:
    """Return the expired rows by reason."""
    return {
        ErasureCount.Reason.EXPIRED: Submission.objects.filter(received_at__lte=retention_cutoff()),
        ErasureCount.Reason.CONTACT: Contact.objects.expired(),
    }


def erase_expired() -> dict[str, int]:
    """Erase what is expired, a batch at a time; return how many rows by reason. Safe to run beside anything."""
    counts = {}
    for reason, rows in expired().items():
        counts[reason] = sum(_erase_in_batches(reason, rows))
        ErasureCount.add(reason, 0)  # records the run, even if nothing was erased
    rate_limits.delete_old_windows()
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    transaction.on_commit(truncate_journal)
    return counts


def _erase_in_batches(reason: str, rows: QuerySet[Any]) -> Iterator[int]:
    """Yield the size of each batch, and 0 at the end."""
    while True:
        with transaction.atomic():
            batch = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
            list(Submission.objects.select_for_update().filter(pk__in=batch).order_by("pk").values_list("pk"))
            # The condition is asked again when deleting: a case may have been reopened in between.
            _total, deleted = rows.filter(pk__in=batch).delete()
            if rows.model is Contact:
                Submission.objects.filter(pk__in=batch, contact=None).update(wants_call=False)
            count = deleted.get(rows.model._meta.label, 0)
            if count:
                ErasureCount.add(reason, count)
        yield count
        if not count:
            return


def last_run() -> datetime | None:
    """When `erase_expired` last finished."""
    row = ErasureCount.objects.filter(reason=ErasureCount.Reason.CONTACT).order_by("-last_run_at").first()
    return row.last_run_at if row else None


def truncate_journal() -> None:
    """Empty SQLite's write-ahead log, which holds earlier pages of what was erased.

    While someone is reading it can't be emptied; the server tries again within the hour (intake_site/server.py).
    """
    if connection.vendor != "sqlite":
        return
    with suppress(DatabaseError), connection.cursor() as cursor:
        usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("PRAGMA busy_timeout = 1000")  # whoever is saving waits as long
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute(f"PRAGMA busy_timeout = {usual}")
