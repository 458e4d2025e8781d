"""Requests for a call, as their person makes them: one always brings its case back to the desk."""

from django.db import transaction

from screening import audit, notifications
from screening.models import Action, Contact, Count, Notification, Submission


def store(contact: Contact) -> None:
    """Store a request in place of an earlier one, with a line in the history of its case, and tell the staff.

    Raise Submission.DoesNotExist if the submission was erased, or a DatabaseError.
    """
    with transaction.atomic():
        Submission.objects.lock(contact.submission_id)
        before = Contact.objects.filter(pk=contact.submission_id).first()
        tries = contact.submission.tries.filter(struck_at=None)
        if before and not tries.filter(made_at__gte=before.waiting_since).exists():
            contact.waiting_since = before.waiting_since
        else:
            Count.add(Count.What.ASKED, is_test=contact.submission.is_test)
        contact.save()
        action = Action.ASKED_ANEW if before else Action.ASKED
        audit.record(action, reference=contact.submission.reference)
    notifications.notify(contact.submission, Notification.Reason.CALL)
