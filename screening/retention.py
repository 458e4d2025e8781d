"""Retention: erasing at a person's wish, and when the time is up. What remains is a count for each day."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from screening import clock, erased, rate_limits
from screening.models import Contact, ErasureCount, Submission, retention_cutoff
from screening.models.counts import SKEW

log = logging.getLogger(__name__)

BATCH = 200  # rows erased in one transaction, so that nobody who saves has to wait long


def erase(*submissions: Submission) -> None:
    """Erase answers, results, contact details and notes at once. A second call does nothing."""
    with transaction.atomic():
        if keys := Submission.objects.lock(*(submission.pk for submission in submissions)):
            erased.note(erased.CASE, [submission.reference for submission in submissions if submission.pk in keys])
            Submission.objects.filter(pk__in=keys).delete()
            ErasureCount.add(ErasureCount.Reason.ERASED, len(keys))
    transaction.on_commit(truncate_journal)


def expired() -> dict[str, QuerySet[Any]]:
    """Return the expired rows by reason."""
    return {
        ErasureCount.Reason.EXPIRED: Submission.objects.filter(received_at__lte=retention_cutoff()),
        ErasureCount.Reason.CONTACT: Contact.objects.expired(),
    }


def erase_expired(*, clock_is_right: bool = False) -> dict[str, int]:
    """Erase what is expired, a batch at a time; return how many rows by reason. Safe to run beside anything.

    Raise ClockJumped if the clock may be wrong: nothing is erased, and no run recorded that would set it right.
    """
    if not clock_is_right:
        clock.refuse_jump()
    _mend_times_to_come(clock_is_right=clock_is_right)
    counts = {}
    for reason, rows in expired().items():
        counts[reason] = sum(_erase_in_batches(reason, rows))
        ErasureCount.add(reason, 0)  # records the run, even if nothing was erased
    rate_limits.delete_old_windows()
    erased.forget_old()
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    transaction.on_commit(truncate_journal)
    return counts


def _mend_times_to_come(*, clock_is_right: bool) -> None:
    """Have what was written while the clock was ahead count from now on, or it would be kept for as much longer.

    If a run lies in the future too, the clock may be behind now: then all is left as it is, unless `clock_is_right`.
    """
    now = timezone.now()
    if not clock_is_right and ErasureCount.objects.filter(last_run_at__gt=now + SKEW).exists():
        log.error("a run lies in the future. If the clock is right now: manage.py forget_expired --clock-is-right")
        return
    for model, name in ((Submission, "received_at"), (Submission, "status_at"), (ErasureCount, "last_run_at")):
        if model.objects.filter(**{f"{name}__gt": now + SKEW}).update(**{name: now}):
            log.error("the clock was ahead: %s of %s lay in the future", name, model._meta.model_name)


def _erase_in_batches(reason: str, rows: QuerySet[Any]) -> Iterator[int]:
    """Yield the size of each batch, and 0 at the end."""
    while True:
        with transaction.atomic():
            batch = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
            Submission.objects.lock(*batch)
            # The condition is asked again when deleting: a case may have been reopened in between.
            _total, deleted = rows.filter(pk__in=batch).delete()
            if rows.model is Contact:  # cases that are expired are so in a backup, too
                without = Submission.objects.filter(pk__in=batch, contact=None)
                erased.note(erased.CONTACT, without.values_list("reference", flat=True))
                without.update(wants_call=False)
            count = deleted.get(rows.model._meta.label, 0)
            if count:
                ErasureCount.add(reason, count)
        yield count
        if not count:
            return


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
