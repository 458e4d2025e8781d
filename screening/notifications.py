"""Notifications to staff: neutral words and a link, nothing of the person.

The rows are an outbox: a page only adds one, and `send_due`, from a thread of the server, sends what is due.
"""

import logging
import time
from datetime import timedelta
from itertools import takewhile
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import DatabaseError, transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from screening import center
from screening.models import Contact, Notification, StaffMember, Submission

log = logging.getLogger(__name__)

FIRST_RETRY, LONGEST_RETRY = 60, 6 * 3600  # seconds until the next attempt; each time twice as long
OVERDUE = 600  # seconds after which one that nothing has tried to send is overdue
BATCH = 100  # sent in one run
PAGES: dict[str, str] = {Notification.Reason.PHONE: "admin:center"}  # others link to the front page
MANAGES = "auth.change_user"  # the permission of a manager
RUN = 60  # seconds after which a run begins no further sending; the rest stays due


def notify(submission: Submission, reason: str) -> None:
    """Add a notification: that a case is urgent, once; for every other reason anew each time.

    A failure never fails its reason.
    """
    if not _addresses(submission, reason):
        return
    try:
        with transaction.atomic():
            there = Submission.objects.lock(submission.pk)
            if there and (reason != Notification.Reason.CALL or Contact.objects.filter(pk=submission.pk).exists()):
                row, made = Notification.objects.get_or_create(submission=submission, reason=reason)
                if not made and reason != Notification.Reason.URGENT:
                    anew = Notification(pk=row.pk, submission=submission, reason=reason)
                    anew.save(force_update=True)
    except DatabaseError as error:
        log.error("a notification could not be stored: %s", type(error).__name__)


def _addresses(submission: Submission, reason: str) -> list[str]:
    """Return whom to tell: the clinical leads, whom a case is assigned to, or those whom the center names."""
    accounts = User.objects.filter(is_active=True).exclude(email="")
    if reason not in (Notification.Reason.URGENT, Notification.Reason.CALL) and not settings.EMAIL_HOST:
        return []
    if reason == Notification.Reason.ASSIGNED:
        wish = StaffMember.objects.filter(pk=submission.assigned_to_id, mail_when_assigned=True)
        told = accounts.filter(pk__in=wish.values("pk"))
    elif reason == Notification.Reason.UNSAFE:
        told = accounts.filter(groups__name="clinical lead")
    else:
        told = accounts.none()
    others = [] if reason == Notification.Reason.ASSIGNED else center.facts().mail_to.split()
    return [*told.values_list("email", flat=True)] or others


def managers() -> QuerySet[User]:
    """Return the open accounts that manage the center and its accounts."""
    return User.objects.with_perm(MANAGES)


def manager_addresses() -> list[str]:
    return [*managers().exclude(email="").values_list("email", flat=True)]


def notify_managers(reason: Notification.Reason, text: str, to: list[str] | None = None) -> None:
    """Add a mail to all managers, or those who were `to` be told; none without a mail server.

    It is added in the transaction of the change that it tells of.
    """
    addresses = manager_addresses() if to is None else to
    if addresses and settings.EMAIL_HOST:
        Notification.objects.create(reason=reason, to="\n".join(addresses), text=text)


def send_due() -> tuple[int, int]:
    """Send what is due; return how many were sent, and how many failed and will be tried again."""
    due, until = Notification.objects.filter(_is_due(), sent_at=None), time.monotonic() + RUN
    keys = list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:BATCH])
    results = [_send(pk) for pk in takewhile(lambda pk: time.monotonic() < until, keys)]
    return results.count(True), results.count(False)


def _is_due() -> Q:
    """A time further away than the longest pause was written while the clock was ahead."""
    now = timezone.now()
    return Q(next_attempt_at__lte=now) | Q(next_attempt_at__gt=now + timedelta(seconds=2 * LONGEST_RETRY))


def unsent() -> int:
    """Count the unsent notifications that have failed or are overdue."""
    overdue = timezone.now() - timedelta(seconds=OVERDUE)
    return Notification.objects.filter(Q(attempts__gt=0) | Q(created_at__lt=overdue), sent_at=None).count()


def _send(pk: int) -> bool | None:
    """Send one; True if it was sent, False if that failed, None if it is gone or another process has taken it."""
    now = timezone.now()
    notification = Notification.objects.filter(_is_due(), pk=pk, sent_at=None).first()
    if notification is None:
        return None
    delay = timedelta(seconds=min(FIRST_RETRY * 2**notification.attempts, LONGEST_RETRY))
    row = Notification.objects.filter(pk=pk, sent_at=None)
    # Whoever moves the time of the next attempt has taken it: no other process sends it too.
    taken = row.filter(next_attempt_at=notification.next_attempt_at)
    if not taken.update(next_attempt_at=now + delay):
        return None
    try:
        _message(notification).send()
    except Exception as error:  # whatever it is, the front page of the desk counts it
        row.update(attempts=F("attempts") + 1)
        log.error("a notification could not be sent: %s", type(error).__name__)
        return False
    row.delete() if notification.submission_id is None else row.update(sent_at=timezone.now())
    return True


def _message(notification: Notification) -> EmailMessage:
    if notification.submission_id is None:
        page = reverse(PAGES.get(notification.reason, "admin:index"))
        text = f"{notification.text}\n\n{settings.SITE_URL}{page}\n"
        return EmailMessage(notification.get_reason_display(), text, to=[], bcc=notification.to.split())
    case = cast(Submission, notification.submission)
    page = reverse("admin:screening_submission_change", args=[case.pk])
    sentences: dict[str, Any] = {
        Notification.Reason.URGENT: gettext("Something new on the desk should be looked at today."),
        Notification.Reason.CALL: gettext("Someone on the desk waits to hear from you."),
        Notification.Reason.ASSIGNED: gettext("A case was assigned to you."),
        Notification.Reason.UNSAFE: gettext("A colleague reported the result of a case as unsafe."),
    }
    text = f"{sentences[notification.reason]}\n\n{settings.SITE_URL}{page}\n"
    return EmailMessage(gettext("New on the desk"), text, to=[], bcc=_addresses(case, notification.reason))
