"""Requests for a call, as their person makes them: one always brings its case back to the desk."""

from django.db import transaction

from screening import audit, notifications
from screening.models import Action, Contact, Notification


def store(contact: Contact) -> None:
    """Store a request in place of an earlier one, with a line in the history of its case, and tell the staff.

    Raise Submission.DoesNotExist if the submission was erased, or a DatabaseError.
    """
    with transaction.atomic():
        action = Action.ASKED_ANEW if Contact.objects.filter(pk=contact.submission_id).exists() else Action.ASKED
        contact.save()
        audit.record(action, reference=contact.submission.reference)
    notifications.notify(contact.submission, Notification.Reason.CALL)
