"""Queues: the work on the desk, each a condition on open cases that an index answers. Every open case is in one.

Together "Due now" and "Later" hold them all.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.due import NO_TIME
from screening.models import ORDER, URGENT, Submission, Urgency, result_visible_to

MOST = 100  # a queue is counted up to here; more is "many"
OPEN = Q(due_at__isnull=False)
EVERY = Q(urgency__in=Urgency.values)  # named, so that the index is read in one short range for each


@dataclass(frozen=True)
class Queue:
    """`condition` takes the member of staff; `empty` says what it means that nothing is in it."""

    key: str
    title: Any
    hint: Any
    empty: Any
    condition: Callable[[Any], Q]

    def rows(self, rows: QuerySet[Submission], staff: Any) -> QuerySet[Submission]:
        """Return the rows in the queue."""
        return rows.filter(OPEN, self.condition(staff))

    def count(self, rows: QuerySet[Submission], staff: Any) -> int:
        """Count the rows in the queue, up to MOST; in their order, or PostgreSQL would not use the index."""
        return self.rows(rows, staff).order_by(*ORDER)[:MOST].count()


# fmt: off
QUEUES: tuple[Queue, ...] = (
    Queue("due", _("Due now"), _("The most urgent first, and of these the latest."), _("Nothing is due. Look again in a while."),
        lambda staff: EVERY & Q(due_at__lte=timezone.now())),
    Queue("urgent", _("Urgent, can be called"), _("Danger now, or help needed today, and they asked for a call."), _("No open case is urgent and can be called."),
        lambda staff: Q(urgency__in=URGENT, wants_call=True, due_at__lt=NO_TIME)),
    Queue("nobody_to_reach", _("Urgent, nobody to reach"), _("They left no number. Leave an answer at their code. If they call: ask for the reference, and if they are safe."), _("Nobody who is urgent left without a number."),
        lambda staff: Q(urgency__in=URGENT) & (Q(wants_call=False) | Q(due_at=NO_TIME))),
    Queue("unread", _("New, unread"), _("Opened by nobody so far."), _("Every open case was opened by someone."),
        lambda staff: Q(opened_at=None)),
    # A list of one value: SQLite uses no index for a bare boolean column.
    Queue("either", _("Either program fits"), _("Staff decide, with the person."), _("No open case could be either program."),
        lambda staff: Q(close_call__in=[True]) & result_visible_to(staff)),
    Queue("mine", _("Mine"), _("Assigned to you."), _("Nothing is assigned to you."),
        lambda staff: Q(assigned_to=staff.pk)),
    Queue("later", _("Later"), _("Put off, or waiting for the person alone."), _("Nothing waits for later."),
        lambda staff: EVERY & Q(due_at__gt=timezone.now())),
)
# fmt: on
BY_KEY = {queue.key: queue for queue in QUEUES}


def counted(staff: Any, rows: QuerySet[Submission]) -> Iterable[tuple[Queue, int]]:
    """Return each queue with its count, up to MOST."""
    return [(queue, queue.count(rows, staff)) for queue in QUEUES]
