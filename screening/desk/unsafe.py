"""Results that staff found unsafe: reported on the case in one press, and gone through each month."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from screening import accounts, audit, notifications
from screening.models import Action, Notification, Submission, UnsafeResult, is_result_hidden
from screening.typed import typed

LONGEST = UnsafeResult._meta.get_field("reason").max_length or 0


def report(admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """Report the result of a case, with a line of why: an audit entry, and a mail to the clinical lead."""
    row = admin.case(request, object_id, "screening.change_submission")
    if row is None:
        return redirect(admin.LIST)
    why = typed(request.POST, "unsafe-reason", LONGEST).strip()
    if request.method != "POST" or is_result_hidden(row, request.user):
        return redirect(admin.CASE, row.pk)
    if not why:
        message = gettext("Say in a line what was unsafe, then press the button again. Nothing was reported.")
        admin.message_user(request, message, messages.ERROR)
        return redirect(admin.CASE, row.pk)
    with transaction.atomic():
        accounts.lock(request.user)
        if not Submission.objects.lock(row.pk):
            admin.say_gone(request)
            return redirect(admin.LIST)
        if why not in [each.reason for each in row.unsafe.filter(author=request.user)]:  # pressed twice
            UnsafeResult.objects.create(submission=row, reason=why, author_id=request.user.pk or 0)
            audit.record(Action.UNSAFE, request.user, row.reference)
            notifications.notify(row, Notification.Reason.UNSAFE)
    admin.message_user(request, gettext("Reported. The clinical lead is told, and goes through it."))
    return redirect(admin.CASE, row.pk)


def on_file() -> Any:
    """Return what was reported, of cases whose time is not up."""
    return UnsafeResult.objects.filter(submission__in=Submission.objects.unexpired())


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show what was reported, what nobody went through first; a press says that one was gone through."""
    number = typed(request.POST, "read", 18)
    if request.method == "POST" and number.isdecimal():
        with transaction.atomic():
            accounts.lock(request.user)
            found = on_file().filter(pk=int(number), read_at=None).first()
            if found and UnsafeResult.objects.filter(pk=found.pk, read_at=None).update(
                read_by=request.user.pk, read_at=timezone.now()
            ):
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
