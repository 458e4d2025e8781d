"""How to reach the person of a case: shown on a page of its own, tried, and withdrawn at their wish."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext

from screening import accounts, audit, due, retention
from screening.models import Action, Contact, Count, Status, Submission, Try
from screening.models.counts import band
from screening.typed import typed

TWICE = timedelta(seconds=30)  # in which a second press of the same button is the same attempt
NO_MORE = (Try.Result.WRONG_NUMBER, Try.Result.ASKED_NOT)  # after these, only the person can bring the case back


def reveal(admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """Show how to reach the person; each look adds an audit entry."""
    row = admin.case(request, object_id, "screening.view_contact")
    if row is None:
        return redirect(admin.LIST)
    contact = Contact.objects.unexpired().filter(pk=row.pk).first()
    if request.method != "POST" or contact is None:
        if contact is None:
            admin.message_user(request, gettext("The call request was withdrawn."), messages.WARNING)
        return redirect(admin.CASE, row.pk)
    audit.record(Action.REVEALED, request.user, row.reference)
    context = admin.admin_site.each_context(request) | {
        "title": gettext("How to reach %(reference)s") % {"reference": row},
        "submission": row,
        "contact": contact,
        "case": {"contact": contact, "due": row.due_at, **tries_of(row, contact, request.user)},
        "opts": admin.opts,
    }
    return TemplateResponse(request, "admin/screening/submission/reveal.html", context)


def withdraw(admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """Withdraw the request for a call at the person's wish."""
    row = admin.case(request, object_id, "screening.delete_contact")
    if row is None:
        return redirect(admin.LIST)
    if request.method == "POST":
        with transaction.atomic():
            audit.record(Action.WITHDRAWN, request.user, row.reference)
            Contact.objects.withdraw(row.pk)
        transaction.on_commit(retention.truncate_journal)
        admin.message_user(request, gettext("How to reach this person is erased."))
    return redirect(admin.CASE, row.pk)


def results_for(contact: Contact | None) -> list[tuple[str, str]]:
    """Return the results that an attempt may have: no voicemail where the person does not want one."""
    unwanted = {Try.Result.VOICEMAIL} if contact and not contact.may_voicemail else set()
    return [(result.value, str(result.label)) for result in Try.Result if result not in unwanted]


def _in_vain(tries: list[Try]) -> int:
    """Count the attempts since the person was last reached."""
    valid = [each.result for each in tries if not each.struck_at]
    return len(valid) - max((place for place, result in enumerate(valid, 1) if result == Try.Result.REACHED), default=0)


def tries_of(row: Submission, contact: Contact | None, staff: Any) -> dict[str, Any]:
    """Return what a page shows of the attempts, and those that this member of staff may add."""
    tries = [*row.tries.select_related("author")]
    last = next((each for each in reversed(tries) if not each.struck_at), None)
    asked_since = bool(contact and last and contact.asked_at > last.made_at)
    return {
        "stop": last.get_result_display() if last and last.result in NO_MORE and not asked_since else "",
        "tries": tries,
        "ask_to_close": row.due_at and _in_vain(tries) >= len(due.TRIES),
        "results": results_for(contact) if staff.has_perm("screening.view_contact") else (),
    }


def _next_try(row: Submission, result: str) -> datetime:
    """Return when the case is due after this attempt."""
    if result in NO_MORE:
        return due.NO_TIME
    if result == Try.Result.REACHED:
        return due.next_try(2, urgent=row.is_urgent)
    return due.next_try(_in_vain([*row.tries.all()]), urgent=row.is_urgent)


def _count(row: Submission, attempt: Try, number: int) -> None:
    """Count an attempt and the waits that it ended; -1 takes back just that."""
    what = Count.What
    found = {what.TRIED: attempt.result, what.FIRST_TRY: attempt.counted_first, what.REACHED: attempt.counted_reached}
    for each, key in found.items():
        if key:
            Count.add(each, key, number, attempt.made_at, is_test=row.is_test)


def record(request: HttpRequest, row: Submission, result: str, *, keep_due: bool = False) -> None:
    """Record an attempt on a locked case, and when the next is due, unless that was chosen or the case is closed."""
    contact = Contact.objects.unexpired().filter(pk=row.pk).first()
    same = row.tries.filter(result=result, author=request.user.pk, made_at__gt=timezone.now() - TWICE, struck_at=None)
    if result not in dict(results_for(contact)) or same.exists():
        return
    made = Try(submission=row, result=result, author_id=request.user.pk or 0)
    if contact:
        since = row.tries.filter(struck_at=None, made_at__gte=contact.waiting_since)
        waited = band(contact.waiting_since, made.made_at)
        made.counted_first = "" if since.exists() else waited
        reached = since.filter(result=Try.Result.REACHED)
        made.counted_reached = waited if result == Try.Result.REACHED and not reached.exists() else ""
    made.save()
    _count(row, made, 1)
    audit.record(Action.TRIED, request.user, row.reference, result=result)
    row.due_at = _next_try(row, result) if row.due_at and not keep_due else row.due_at
    row.status = Status.IN_PROGRESS if row.status == Status.NEW else row.status
    row.opened_at, row.version = row.opened_at or timezone.now(), row.version + 1
    row.touched_by_id, row.touched_at = request.user.pk, timezone.now()
    row.save(update_fields=("due_at", "status", "opened_at", "version", "touched_by", "touched_at"))


def attempt(admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """Record an attempt from beside the number; one from the case comes with the rest of its form."""
    row = admin.case(request, object_id, "screening.view_contact")
    if row is None:
        return redirect(admin.LIST)
    if request.method == "POST":
        with transaction.atomic():
            accounts.lock(request.user)
            if not Submission.objects.lock(row.pk):
                admin.say_gone(request)
                return redirect(admin.LIST)
            row.refresh_from_db()
            result = typed(request.POST, "result", 16)
            if row.due_at:
                record(request, row, result)
            if not row.due_at or result not in dict(results_for(Contact.objects.filter(pk=row.pk).first())):
                message = gettext("Nothing was recorded: the case is closed by now, or the person does not want this.")
                admin.message_user(request, message, messages.WARNING)
    return redirect(admin.CASE, row.pk)


def strike_out(admin: Any, request: HttpRequest, object_id: int) -> HttpResponse:
    """Strike out one's own attempt, note or answer at the code: it stays to be seen as struck out.

    A case that only this attempt had put away for good is due.
    """
    row = admin.case(request, object_id, "screening.change_submission")
    if row is None:
        return redirect(admin.LIST)
    kind, _slash, number = typed(request.POST, "entry", 18).partition("/")
    entries: Any = {"try": row.tries, "note": row.notes, "reply": row.replies}.get(kind, row.notes.none())
    mine = entries.filter(pk=int(number) if number.isdecimal() else 0, author=request.user, struck_at=None)
    with transaction.atomic():
        accounts.lock(request.user)
        Submission.objects.lock(row.pk)
        struck = mine.first() if request.method == "POST" else None
        put_away = isinstance(struck, Try) and struck.result in NO_MORE
        if struck:
            mine.update(struck_at=timezone.now())
            audit.record(Action.STRUCK_OUT, request.user, row.reference)
            if isinstance(struck, Try):
                _count(row, struck, -1)
            if put_away and not row.tries.filter(result__in=NO_MORE, struck_at=None).exists():
                waits = Submission.objects.filter(pk=row.pk, due_at=due.NO_TIME, wants_call=True)
                waits.update(due_at=timezone.now(), version=F("version") + 1)
    return redirect(admin.CASE, row.pk)
