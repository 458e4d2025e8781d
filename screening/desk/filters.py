"""Filters of the list of cases, each answered by an index."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from screening.desk import queues
from screening.desk.model_admin import DeskChangeList
from screening.models import Submission, Try, result_visible_to


class WorkFilter(admin.SimpleListFilter):
    """The queues of the front page."""

    title = _("queues")
    template = "admin/tabs.html"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(queue.key, queue.title) for queue in queues.QUEUES]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        queue = queues.BY_KEY.get(self.value() or "")
        return queue.rows(queryset, request.user) if queue else queryset


class Received(admin.DateFieldListFilter):
    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        asked: Any = self.used_parameters.values()
        times = [parse_datetime(text) for texts in asked for text in texts]
        if any(time is None or time.tzinfo is None or not 1900 < time.year < 9000 for time in times):
            raise IncorrectLookupParameters  # other years would overflow
        return super().queryset(request, queryset)


class CaseList(DeskChangeList):
    """Each row on the page gets `shown`, whether its result is visible, and its attempts as `tried`.

    Only these few rows are asked about, also for their colleagues: joined, SQLite would sort all that one of them has.
    """

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        attempts = Prefetch("tries", Try.objects.filter(struck_at=None), to_attr="tried")
        prefetch_related_objects(rows, "assigned_to", attempts)
        blind = Submission.objects.filter(pk__in=[row.pk for row in rows if row.blind])
        shown = set(blind.filter(result_visible_to(request.user)).values_list("pk", flat=True))
        for row in rows:
            row.shown = not row.blind or row.pk in shown
        self.result_list = rows


# The lookups of the filters. The address can't ask for any other: no patterns, no answers, codes or contact details.
LOOKUPS = frozenset(("queue", "status__exact", "channel__exact", "received_at__gte", "received_at__lt")) | {
    "assigned_to__id__exact",
    "assigned_to__isnull",
}
