"""Contact details of a person who asked for a call."""

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from screening import due, erased
from screening.encryption import lookup_texts
from screening.fields import EncryptedTextField
from screening.models.staff import Notification
from screening.models.submission import URGENT, Status, Submission

FINGERPRINT = "phone number"  # the use of its key


class ContactManager(models.Manager["Contact"]):
    def _expired(self) -> Q:
        closed_since = timezone.now() - timedelta(days=settings.CONTACT_RETENTION_DAYS)
        return Q(submission__status=Status.CLOSED, submission__status_at__lte=closed_since)

    def unexpired(self) -> models.QuerySet["Contact"]:
        """Leave out those whose case was closed longer ago than they are kept, even if they are not erased yet."""
        return self.exclude(self._expired())

    def expired(self) -> models.QuerySet["Contact"]:
        return self.filter(self._expired())

    def withdraw(self, *of: int) -> None:
        """Delete the requests for a call of these submissions, and their notifications."""
        with transaction.atomic():
            Submission.objects.lock(*of)
            cases = Submission.objects.filter(pk__in=of)
            erased.note(erased.CONTACT, cases.values_list("reference", flat=True))
            self.filter(pk__in=of).delete()
            Notification.objects.filter(submission__in=of, reason=Notification.Reason.CALL).delete()
            cases.update(wants_call=False, version=F("version") + 1, touched_by=None, touched_at=timezone.now())
            cases.filter(due_at__isnull=False, opened_at__isnull=False).update(due_at=due.NO_TIME)


def fingerprints(phone: str) -> list[str]:
    """Encrypt the last ten digits of a phone number so that they can be looked up; one for each of DATA_KEYS, or ""."""
    number = re.split("ext|x", unicodedata.normalize("NFKC", phone.lower()))[0]  # without an extension
    digits = re.sub(r"\D", "", number)[-10:]
    return lookup_texts(FINGERPRINT, digits.encode()) if len(digits) == 10 else [""]


class Contact(models.Model):
    """A request for a call: how to reach the person, and what they agreed to. A later one replaces an earlier one."""

    submission = models.OneToOneField(
        Submission, models.CASCADE, related_name="contact", verbose_name=_("submission"), primary_key=True
    )
    asked_at = models.DateTimeField(_("asked"), default=timezone.now, editable=False)
    waiting_since = models.DateTimeField(default=timezone.now, editable=False)  # the first request that nobody answered
    name = EncryptedTextField(_("name"), blank=True)
    phone = EncryptedTextField(_("phone"), blank=True)
    may_text = models.BooleanField(_("OK to text"))
    may_voicemail = models.BooleanField(_("OK to leave a voicemail"))
    email = EncryptedTextField(_("e-mail"), blank=True)
    best_time = EncryptedTextField(_("best time"), blank=True)
    to_others = EncryptedTextField(_("if someone else answers"), blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, db_index=True, editable=False)  # of the phone
    consent = models.TextField(_("agreed to"))  # the words beside the box that was ticked

    wished_at: datetime | None = None  # the time that a person chose; not stored, but as the time when the case is due
    objects = ContactManager()

    class Meta:
        verbose_name = _("request for a call")
        verbose_name_plural = _("requests for a call")
        default_permissions = ("view", "delete")  # to reveal it, and to withdraw it at the person's wish

    def __str__(self) -> str:
        return gettext("Request for a call %(number)s") % {"number": self.pk}

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store it in place of an earlier one. Its case is open then, and due now or at the time wished.

        Raise Submission.DoesNotExist if the submission was erased.
        """
        with transaction.atomic():
            if not Submission.objects.lock(self.pk):
                raise Submission.DoesNotExist
            self.fingerprint = fingerprints(self.phone)[0]
            super().save(*args, **kwargs)
            case, now = Submission.objects.filter(pk=self.pk), timezone.now()
            case.get().count_outcome(-1)
            at = self.wished_at if self.wished_at and self.submission.urgency not in URGENT else now
            done = case.exclude(status__in=(Status.NEW, Status.IN_PROGRESS))
            done.update(status=Status.IN_PROGRESS, status_at=now, outcome="", due_at=at)
            case.update(wants_call=True, due_at=at, version=F("version") + 1, touched_by=None, touched_at=now)

    @property
    def href(self) -> str:
        """The tel: address of the phone, however it is spelled; US numbers may lack their 1."""
        digits = re.sub(r"\D", "", self.phone)
        return f"tel:+1{digits}" if len(digits) == 10 else f"tel:+{digits}"
