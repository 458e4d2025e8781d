"""What staff do to many cases at once. Those that must be looked at one by one are left as they are, and named."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from screening import accounts, due
from screening.desk.case import save_change
from screening.models import URGENT, Status

# Cases whose status is never set on many at once: a closed one would forget how it ended.
ONE_BY_ONE = Q(urgency__in=URGENT) | Q(opened_at=None) | Q(status=Status.CLOSED)
LEFT = _("Urgent, closed, or opened by nobody, and left as they are. Open these one by one:")


@admin.action(description=_("Assign to me"), permissions=["change"])
def assign_to_me(of: Any, request: HttpRequest, rows: Any) -> None:
    others = Q(assigned_to__isnull=False) & ~Q(assigned_to=request.user)
    why = gettext("Assigned to a colleague, and left to them. To take one over, open it:")
    _set_on_each(of, request, rows, others, why, assigned_to=request.user)


@admin.action(description=_("Set to: in progress"), permissions=["change"])
def begin(of: Any, request: HttpRequest, rows: Any) -> HttpResponse | None:
    return _set_status(of, request, rows, Status.IN_PROGRESS, "begin")


@admin.action(description=_("Set to: waiting for person"), permissions=["change"])
def wait(of: Any, request: HttpRequest, rows: Any) -> HttpResponse | None:
    return _set_status(of, request, rows, Status.WAITING, "wait")


def _set_status(of: Any, request: HttpRequest, rows: Any, status: Status, action: str) -> HttpResponse | None:
    """Set it on each, after a page that names them."""
    left = rows.filter(ONE_BY_ONE)
    asked = rows.exclude(pk__in=left.values("pk"))
    if "confirm" in request.POST or not asked:
        _set_on_each(of, request, rows, ONE_BY_ONE, LEFT, status=status)
        return None
    context = {
        "title": gettext("Set the status of many cases"),
        "asked": asked,
        "left": left,
        "why": LEFT,
        "action": action,
        "words": status.label,
    }
    context |= of.admin_site.each_context(request)
    return TemplateResponse(request, "admin/screening/submission/confirm.html", context)


def _set_on_each(of: Any, request: HttpRequest, rows: Any, left: Q, why: Any, **values: Any) -> None:
    """Set the same values on each row, with an audit entry for each, but for those that are `left`: say which."""
    count, kept = 0, []
    with transaction.atomic():
        accounts.lock(request.user)
        rows = rows.select_for_update(of=("self",)).order_by("pk")
        left_out = set(rows.filter(left).values_list("pk", flat=True))
        for row in rows:
            changed = [name for name, value in values.items() if getattr(row, name) != value]
            if row.pk in left_out:
                kept.append(str(row))
            elif changed:
                for name in changed:
                    setattr(row, name, values[name])
                if row.status == Status.WAITING and "status" in changed:
                    row.due_at, changed = due.next_try(len(due.TRIES), urgent=row.is_urgent), [*changed, "due_at"]
                save_change(request, row, *changed)
                count += 1
    of.message_user(request, ngettext("%d case changed.", "%d cases changed.", count) % count)
    if kept:
        of.message_user(request, f"{why} {', '.join(kept)}", messages.WARNING)
