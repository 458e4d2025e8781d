"""Results that staff found unsafe: reported on the case in one press, and gone through each month."""

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening import accounts, audit, notifications
from screening.models import Action, Notification, Submission, UnsafeResult, is_result_hidden
from screening.typed import typed


def report(request: HttpRequest, row: Submission, why: str) -> None:
    """Report the result of a locked case: an audit entry, and a mail to the clinical lead. Twice the same is once."""
    if why not in [each.reason for each in row.unsafe.filter(author=request.user.pk)]:
        UnsafeResult.objects.create(submission=row, reason=why, author_id=request.user.pk or 0)
        audit.record(Action.UNSAFE, request.user, row.reference)
        notifications.notify(row, Notification.Reason.UNSAFE)


def on_file() -> Any:
    """Return what was reported, of cases whose time is not up."""
    # Row by row: joined, SQLite would read all cases first.
    return UnsafeResult.objects.filter(Exists(Submission.objects.unexpired().filter(pk=OuterRef("submission"))))


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show what was reported, what nobody went through first; a press says that one was gone through."""
    number = typed(request.POST, "read", 18)
    if request.method == "POST" and number.isdecimal():
        with transaction.atomic():
            accounts.lock(request.user)
            found = on_file().select_for_update(of=("self",)).filter(pk=int(number), read_at=None).first()
            if found and not is_result_hidden(found.submission, request.user):
                found.read_by_id, found.read_at = request.user.pk, timezone.now()
                found.save(update_fields=("read_by", "read_at"))
                audit.record(Action.UNSAFE_READ, request.user, found.submission.reference)
        return redirect("admin:unsafe")
    audit.record(Action.LISTED, request.user, list="unsafe")
    rows = on_file().select_related("submission", "author", "read_by")
    shown = [(each, is_result_hidden(each.submission, request.user)) for each in rows]
    context |= {
        "title": _("Reported as unsafe"),
        "unread": [pair for pair in shown if not pair[0].read_at],
        "read": [pair for pair in shown if pair[0].read_at],
    }
    return TemplateResponse(request, "admin/unsafe.html", context)
