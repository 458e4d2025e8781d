"""Mail to staff that someone needs them: neutral words and a link, nothing of the person."""

import logging
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import DatabaseError, transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django_tasks import task

from screening.models import Mail, Submission

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 60, 6 * 3600  # seconds until it is tried again; each time twice as long
LATE = 600  # seconds after which a mail that nobody took up is late


def tell(submission: Submission, why: str) -> None:
    """Once for each submission and reason, as soon as it is saved. Never fails what it tells of."""
    if not settings.STAFF_MAIL_TO:
        return
    try:
        mail, new = Mail.objects.get_or_create(submission=submission, why=why)
    except DatabaseError as error:
        log.error("staff could not be told: %s", type(error).__name__)
        return
    if new:
        transaction.on_commit(partial(_queue, mail.pk))


def tell_again() -> int:
    """What was not sent, and is due once more. How many there were."""
    due = list(_left().filter(next_at__lte=timezone.now()).values_list("pk", flat=True)[:100])
    for pk in due:
        _queue(pk)
    return len(due)


def unsent() -> int:
    """Of how many submissions staff should have been told, and were not."""
    return _left().count()


def _left() -> QuerySet[Mail]:
    """Tried in vain, or never taken up: a worker that does not run, perhaps."""
    late = timezone.now() - timedelta(seconds=LATE)
    return Mail.objects.filter(Q(tries__gt=0) | Q(made_at__lt=late), sent_at=None)


def _queue(pk: int) -> None:
    try:
        send.enqueue(pk)
    except Exception as error:  # it stands on the front page, and is tried again
        log.error("mail to staff could not be queued: %s", type(error).__name__)


@task()
def send(pk: int) -> None:
    """Sends one, unless it was sent or its submission was erased. One that fails is tried again, later and later."""
    now = timezone.now()
    mail = Mail.objects.filter(pk=pk, sent_at=None, next_at__lte=now).select_related("submission").first()
    if mail is None:
        return
    wait = timedelta(seconds=min(FIRST_WAIT * 2**mail.tries, LONGEST_WAIT))
    row = Mail.objects.filter(pk=pk, sent_at=None)
    if not row.filter(next_at=mail.next_at).update(tries=F("tries") + 1, next_at=now + wait):
        return  # someone else is at it
    try:
        _message(mail).send()
    except Exception as error:  # whatever it is: it stands on the front page
        log.error("mail to staff could not be sent: %s", type(error).__name__)
    else:
        row.update(sent_at=timezone.now())


def _message(mail: Mail) -> EmailMessage:
    page = reverse("admin:screening_submission_change", args=[mail.submission_id])
    words: dict[str, Any] = {
        Mail.Why.URGENT: gettext("Something new on the desk should be looked at today."),
        Mail.Why.CALL: gettext("Someone on the desk waits to hear from you."),
    }
    text = f"{words[mail.why]}\n\n{settings.SITE_URL}{page}\n"
    return EmailMessage(gettext("New on the desk"), text, to=[], bcc=settings.STAFF_MAIL_TO)
