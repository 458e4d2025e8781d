"""What remains when something is erased, and how often something was tried: numbers alone."""

from secrets import token_urlsafe

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Forgotten(models.Model):
    """How much was erased on a day, and why: all that remains of it."""

    class Why(models.TextChoices):
        ERASED = "erased", _("Erased by the person")
        EXPIRED = "expired", _("Time was up")
        CONTACT = "contact", _("Contact details, after the case was closed")

    day = models.DateField(_("day"))
    why = models.CharField(_("why"), max_length=16, choices=Why)
    count = models.PositiveIntegerField(_("how many"), default=0)
    last_at = models.DateTimeField(_("last at"), default=timezone.now)  # of a run that found nothing, too

    class Meta:
        default_permissions = ()
        verbose_name = _("count of what was erased")
        verbose_name_plural = _("counts of what was erased")
        constraints = (models.UniqueConstraint(fields=("day", "why"), name="one_count_a_day"),)

    def __str__(self) -> str:
        return f"{self.day} {self.why}"

    @classmethod
    def add(cls, why: str, count: int) -> None:
        row, _created = cls.objects.get_or_create(day=timezone.localdate(), why=why)
        cls.objects.filter(pk=row.pk).update(count=F("count") + count, last_at=timezone.now())


class CountedHour(models.Model):
    """An hour in which tries are counted. What its marks of addresses are made with goes with it; see limits.py."""

    begins = models.DateTimeField(primary_key=True)
    secret = models.CharField(max_length=64, default=token_urlsafe)

    class Meta:
        default_permissions = ()
        verbose_name = verbose_name_plural = _("counted hours")

    def __str__(self) -> str:
        return f"{self.begins:%Y-%m-%d %H}"


class Attempts(models.Model):
    """How often something was tried from one place within an hour; see limits.py."""

    what = models.CharField(max_length=16)
    place = models.CharField(max_length=32)  # a keyed hash of the address, of use in this hour; "" for all together
    hour = models.ForeignKey(CountedHour, models.CASCADE)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        verbose_name = verbose_name_plural = _("attempts")
        constraints = (models.UniqueConstraint(fields=("what", "place", "hour"), name="one_count_an_hour"),)

    def __str__(self) -> str:
        return f"{self.what} {self.hour_id:%Y-%m-%d %H}"
