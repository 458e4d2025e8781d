"""Numbers alone: what remains of what was erased, and how often something was attempted."""

from datetime import datetime, timedelta
from secrets import token_urlsafe

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

SKEW = timedelta(minutes=5)  # that clocks of two machines may differ


class ErasureCount(models.Model):
    """How many rows were erased on a day, by reason: all that remains of them."""

    class Reason(models.TextChoices):
        ERASED = "erased", _("Erased by the person")
        EXPIRED = "expired", _("Time was up")
        CONTACT = "contact", _("Contact details, after the case was closed")

    day = models.DateField(_("day"))
    reason = models.CharField(_("why"), max_length=16, choices=Reason, db_column="why")
    count = models.PositiveIntegerField(_("how many"), default=0)
    last_run_at = models.DateTimeField(_("last at"), default=timezone.now, db_column="last_at")  # empty runs count too

    class Meta:
        db_table = "screening_forgotten"
        default_permissions = ()
        verbose_name = _("count of what was erased")
        verbose_name_plural = _("counts of what was erased")
        constraints = (models.UniqueConstraint(fields=("day", "reason"), name="one_count_a_day"),)

    def __str__(self) -> str:
        return f"{self.day} {self.reason}"

    @classmethod
    def last_run(cls) -> datetime | None:
        """When retention last finished; a run in the future, of a clock that was ahead, does not count."""
        runs = cls.objects.filter(reason=cls.Reason.CONTACT, last_run_at__lte=timezone.now() + SKEW)
        return runs.order_by("-last_run_at").values_list("last_run_at", flat=True).first()

    @classmethod
    def add(cls, reason: str, count: int) -> None:
        """Add `count` to today's row, and note the time of the run."""
        row, _created = cls.objects.get_or_create(day=timezone.localdate(), reason=reason)
        cls.objects.filter(pk=row.pk).update(count=F("count") + count, last_run_at=timezone.now())


class RateLimitWindow(models.Model):
    """An hour of rate limiting. Its secret keys the hashes of addresses, and is deleted with it; see rate_limits.py."""

    starts_at = models.DateTimeField(primary_key=True, db_column="begins")
    secret = models.CharField(max_length=64, default=token_urlsafe)

    class Meta:
        db_table = "screening_countedhour"
        default_permissions = ()
        verbose_name = verbose_name_plural = _("rate limit windows")

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H}"


class RateLimitCount(models.Model):
    """The number of attempts of one client under one limit within a window; see rate_limits.py."""

    limit = models.CharField(max_length=16, db_column="what")
    client = models.CharField(max_length=32, db_column="place")  # a keyed hash of the address; "" for all clients
    window = models.ForeignKey(RateLimitWindow, models.CASCADE, db_column="hour_id")
    count = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "screening_attempts"
        default_permissions = ()
        verbose_name = verbose_name_plural = _("rate limit counts")
        constraints = (models.UniqueConstraint(fields=("limit", "client", "window"), name="one_count_an_hour"),)

    def __str__(self) -> str:
        return f"{self.limit} {self.window_id:%Y-%m-%d %H}"
