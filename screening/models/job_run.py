"""When jobs that the site depends on were last done: those of a timer of the machine, and those once a day."""

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.models.counts import SKEW


class JobRun(models.Model):
    """The last time that a job was done."""

    class Job(models.TextChoices):
        BACKUP = "backup", _("Backup, verified")
        VERIFY_LOG = "verify_log", _("The audit log, verified")
        PROBLEMS = "problems", _("Mail about problems")

    job = models.CharField(max_length=16, primary_key=True, choices=Job)
    finished_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name = verbose_name_plural = _("runs of jobs")

    def __str__(self) -> str:
        return f"{self.job} {self.finished_at:%Y-%m-%d %H:%M}"

    @classmethod
    def finished(cls, job: Job) -> None:
        cls.objects.update_or_create(job=job, defaults={"finished_at": timezone.now()})

    @classmethod
    def last(cls, job: Job) -> datetime | None:
        """When it was last done; a time to come, of a clock that was ahead, does not count."""
        runs = cls.objects.filter(job=job, finished_at__lte=timezone.now() + SKEW)
        return runs.values_list("finished_at", flat=True).first()

    @classmethod
    def begin(cls, job: Job, every: timedelta) -> bool:
        """Whether a job is to be done now, by whoever asks first: with that it counts as done."""
        now = timezone.now()
        JobRun.objects.bulk_create([JobRun(job=job, finished_at=now - every)], ignore_conflicts=True)
        # A time to come was written while the clock was ahead.
        recent = models.Q(finished_at__gt=now - every, finished_at__lte=now)
        return bool(cls.objects.filter(job=job).exclude(recent).update(finished_at=now))
