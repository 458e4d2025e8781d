"""A clock that is wrong must not erase what people trusted to it: what is told by the times in the database."""

from datetime import timedelta

from django.utils import timezone

from screening.models import ErasureCount, Submission

JUMP = timedelta(days=3)  # since the last run, after which the clock may be wrong, or the site was off


class ClockJumped(Exception):
    """More time seems to have passed than did; says in words what to do."""


def refuse_jump() -> None:
    """Raise ClockJumped if the last run is longer ago than JUMP; without a run, if the newest submission is."""
    newest = Submission.objects.filter(received_at__lte=timezone.now()).order_by("-received_at")
    last = ErasureCount.last_run() or newest.values_list("received_at", flat=True).first()
    if last and timezone.now() - last > JUMP:
        raise ClockJumped(
            f"The clock says {timezone.now():%Y-%m-%d}; the last run was on {last:%Y-%m-%d}. Nothing is erased and no "
            "account is closed, for the clock may be wrong. If it is right: manage.py forget_expired --clock-is-right"
        )


def has_jumped() -> bool:
    try:
        refuse_jump()
    except ClockJumped:
        return True
    return False
