"""Queues: the work on the desk, each a condition on submissions that an index answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.db.models import Case, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.models import OPEN, URGENT, WANTS_CALL, Submission, result_visible_to

FEW = 2000
MOST = 100  # a queue is counted up to here; more is "many"


@dataclass(frozen=True)
class Queue:
    """`condition` takes the member of staff. If it alone is slow, `find` returns up to so many keys by an index."""

    key: str
    title: Any
    hint: Any
    condition: Callable[[Any], Q]
    find: Callable[[QuerySet[Submission], int], list[int]] | None = None

    def rows(self, rows: QuerySet[Submission], staff: Any) -> QuerySet[Submission]:
        """Return the rows in the queue."""
        if not self.find:
            return rows.filter(self.condition(staff))
        few = self.find(rows, FEW + 1)
        if len(few) <= FEW:
            return rows.filter(pk__in=few)
        # Sorting so many would take long; in the list's order the first page is found soon.
        return beside_indexes(rows.filter(rank__in=OPEN), self.condition(staff))

    def count(self, rows: QuerySet[Submission], staff: Any) -> int:
        """Count the rows in the queue, up to MOST; in the list's order, or PostgreSQL would not use the index."""
        return len(self.find(rows, MOST)) if self.find else rows.filter(self.condition(staff))[:MOST].count()


def _late() -> list[Q]:
    """A condition for each status, which an index answers."""
    now = timezone.now()
    return [
        Q(status=status, status_at__lte=now - timedelta(days=days)) for status, days in settings.OVERDUE_DAYS.items()
    ]


def beside_indexes(rows: QuerySet[Submission], condition: Q) -> QuerySet[Submission]:
    """Filter by an expression that no index answers, so that the database uses another index."""
    return rows.filter(Case(When(condition, then=Value(True)), default=Value(False)))


def _overdue(rows: QuerySet[Submission], most: int) -> list[int]:
    keys: list[int] = []
    for late in _late():
        in_time = rows.filter(late).order_by("status", "status_at")
        keys += in_time.values_list("pk", flat=True)[: most - len(keys)]
    return keys


# fmt: off
QUEUES: tuple[Queue, ...] = (
    Queue("call_today", _("Urgent, can be called"), _("Danger now, or help needed today, and they asked for a call."),
        lambda staff: Q(rank__in=set(URGENT) & set(WANTS_CALL))),
    Queue("nobody_to_reach", _("Urgent, nobody to reach"), _("They left no number. Be ready when they call: ask for the reference."),
        lambda staff: Q(rank__in=set(URGENT) - set(WANTS_CALL))),
    Queue("wants_call", _("Wants a call"), _("Asked to be called. Until set to waiting, or closed."), lambda staff: Q(rank__in=WANTS_CALL)),
    Queue("unread", _("Unread"), _("Opened by nobody so far."), lambda staff: Q(opened_at=None, rank__in=OPEN)),
    # A list of one value: SQLite uses no index for a bare boolean column.
    Queue("close_calls", _("Close calls"), _("Both programs could fit: staff decide."),
        lambda staff: Q(close_call__in=[True], rank__in=OPEN) & result_visible_to(staff)),
    Queue("mine", _("Mine"), _("Assigned to you."), lambda staff: Q(assigned_to=staff.pk, rank__in=OPEN)),
    Queue("overdue", _("Overdue"), _("For too long in one status."), lambda staff: reduce(or_, _late()), _overdue),
)
# fmt: on
BY_KEY = {queue.key: queue for queue in QUEUES}


def counted(staff: Any, rows: QuerySet[Submission]) -> Iterable[tuple[Queue, int]]:
    """Return each queue with its count, up to MOST."""
    return [(queue, queue.count(rows, staff)) for queue in QUEUES]
