"""The work on the desk, as queues: each is a condition on submissions that an index answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.models import OPEN, URGENT, WANTS_CALL, Submission, result_shown_to

MOST = 100  # a queue is counted no further: more is "many" to whoever works on it


@dataclass(frozen=True)
class Queue:
    """`condition` takes the member of staff who looks."""

    key: str
    title: Any
    hint: Any
    condition: Callable[[Any], Q]


def _overdue(staff: Any) -> Q:
    late = Q()
    for status, days in settings.OVERDUE_DAYS.items():
        late |= Q(status=status, status_at__lte=timezone.now() - timedelta(days=days))
    return late


QUEUES: tuple[Queue, ...] = (
    Queue(
        "call_today",
        _("Call today"),
        _("Urgent: danger now, or a doctor needed today."),
        lambda staff: Q(rank__in=URGENT),
    ),
    Queue(
        "wants_call", _("Wants a call"), _("Asked to be called, and was not yet."), lambda staff: Q(rank__in=WANTS_CALL)
    ),
    Queue("unread", _("Unread"), _("Opened by nobody so far."), lambda staff: Q(opened_at=None, rank__in=OPEN)),
    Queue(
        "close_calls",
        _("Close calls"),
        _("Both programs could fit: staff decide."),
        lambda staff: Q(close_call=True, rank__in=OPEN) & result_shown_to(staff),
    ),
    Queue("mine", _("Mine"), _("Assigned to you."), lambda staff: Q(assigned_to=staff.pk, rank__in=OPEN)),
    Queue("overdue", _("Overdue"), _("For too long in one status."), _overdue),
)
BY_KEY = {queue.key: queue for queue in QUEUES}


def counted(staff: Any, rows: QuerySet[Submission]) -> Iterable[tuple[Queue, int]]:
    """Each queue with how many are in it, MOST at most."""
    return [(queue, rows.filter(queue.condition(staff)).order_by()[:MOST].count()) for queue in QUEUES]
