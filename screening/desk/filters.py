"""Filters of the list of submissions, each answered by an index."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from screening.desk import queues
from screening.desk.model_admin import DeskChangeList
from screening.models import RANKS, Submission, result_visible_to


class WorkFilter(admin.SimpleListFilter):
    """The queues of the front page."""

    title = _("work")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(queue.key, queue.title) for queue in queues.QUEUES]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        queue = queues.BY_KEY.get(self.value() or "")
        return queue.rows(queryset, request.user) if queue else queryset


class YesOrNo(admin.BooleanFieldListFilter):
    """Filter by a list of one value: SQLite uses no index for a bare boolean column."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        asked = [value == "1" for value in self.lookup_val or () if value in ("0", "1")]
        return queryset.filter(**{f"{self.field_path}__in": asked}) if self.lookup_val else queryset


class Received(admin.DateFieldListFilter):
    """Name all ranks, so that the database reads one range of the list's index for each instead of the whole index."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        asked: Any = self.used_parameters.values()
        times = [parse_datetime(text) for texts in asked for text in texts]
        if any(time is None or time.tzinfo is None or not 1900 < time.year < 9000 for time in times):
            raise IncorrectLookupParameters  # other years would overflow
        rows: Any = super().queryset(request, queryset)
        return rows.filter(rank__in=RANKS) if self.used_parameters else rows


class MachineSigns(admin.EmptyFieldListFilter):
    def choices(self, changelist: Any) -> Any:
        labels = (_("All"), _("No signs"), _("Some signs"))
        for label, choice in zip(labels, super().choices(changelist), strict=True):
            yield {**choice, "display": label}


class SubmissionList(DeskChangeList):
    """Each row on the page gets `shown`, whether its result is visible; only these few rows are asked about."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        blind = Submission.objects.filter(pk__in=[row.pk for row in rows if row.blind])
        shown = set(blind.filter(result_visible_to(request.user)).values_list("pk", flat=True))
        for row in rows:
            row.shown = not row.blind or row.pk in shown
        self.result_list = rows


# The lookups of the filters. The address can't ask for any other: no patterns, no answers, codes or contact details.
LOOKUPS = frozenset(
    f"{field}__exact" for field in ("urgency", "program", "close_call", "wants_call", "status", "channel")
) | {
    "queue",
    "received_at__gte",
    "received_at__lt",
    "spam_signs__isempty",
    *(f"{field}__{how}" for field in ("assigned_to", "touched_by") for how in ("id__exact", "isnull")),
}
