"""Numbers alone: what remains of what was erased, and how often something was attempted."""

from datetime import date, datetime, timedelta
from secrets import token_urlsafe

from django.db import models, transaction
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


def week_of(moment: datetime | None = None) -> date:
    """Return the Monday of the week that a time is in, or now, in the center's time zone."""
    day = timezone.localdate(moment)
    return day - timedelta(days=day.weekday())


HOURS = (1, 2, 3, 4, 5, 6, 8, 12, 18, 24, 36, 48, 72, 96, 168)  # ends of the bands that a time is counted in


def band(start: datetime, end: datetime) -> str:
    """Return the key of the band of a time: the hours that it ends with, or "later"."""
    hours = (end - start).total_seconds() / 3600
    return next((str(most) for most in HOURS if hours <= most), "later")


class Count(models.Model):
    """A part of how often something happened in a week: the sum of its rows. They outlive what they count.

    A row is only ever added, with the deed itself, so that no two people wait for one another; `fold` makes one of
    many. A deed that is taken back is a row below zero, in the week of the deed.
    """

    class What(models.TextChoices):
        """What is counted, and by what."""

        BEGUN = "begun", _("Page begun")  # by page
        DONE = "done", _("Page answered")  # by page
        VIEWED = "viewed", _("Saw the result without saving")
        SAVED = "saved", _("Saved")  # by channel
        SOURCE = "source", _("Came from")  # by word of the center's list
        ASKED = "asked", _("Asked for a call")
        TRIED = "tried", _("Attempts")  # by result
        FIRST_TRY = "first_try", _("From the request to the first attempt")  # by hours, see HOURS
        REACHED = "reached", _("From the request until reached")  # by hours
        OUTCOME = "outcome", _("Outcome")  # by "recommended program/outcome"
        JUDGED = "judged", _("Agreement")  # by "version/kind/rules/staff"

    week = models.DateField(_("week that begins on"), default=week_of)
    what = models.CharField(_("what"), max_length=16, choices=What)
    key = models.CharField(_("of which kind"), max_length=64, blank=True)
    number = models.IntegerField(_("how many"))
    is_test = models.BooleanField(default=False)

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("count")
        verbose_name_plural = _("counts")

    def __str__(self) -> str:
        return f"{self.week} {self.what} {self.key}"

    @classmethod
    def add(cls, what: What, key: str = "", number: int = 1, at: datetime | None = None, *, is_test: bool) -> None:
        """Count something that happens now, or at that time, in the transaction of the deed."""
        cls.objects.create(week=week_of(at), what=what, key=key, number=number, is_test=is_test)

    @classmethod
    def fold(cls) -> None:
        """Put one row in place of all that count the same: neither their order nor their times are kept."""
        kinds = cls.objects.values("week", "what", "key", "is_test").order_by()
        for kind in kinds.annotate(rows=models.Count("pk")).filter(rows__gt=1):
            kind.pop("rows")
            with transaction.atomic():
                parts = dict(cls.objects.filter(**kind).select_for_update(skip_locked=True).values_list("pk", "number"))
                if len(parts) > 1:  # else another process is at it
                    cls.objects.filter(pk__in=parts).delete()
                    cls.objects.create(**kind, number=sum(parts.values()))


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
