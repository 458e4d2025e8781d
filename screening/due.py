"""When a case is due: the time by which staff take its next step. Each open case has one, a closed one has none.

Urgent cases are due at once, others within a day. Without a way to reach its person, a case waits for them alone once
someone has opened it: at NO_TIME, in the queue "Later". Whoever asks for a call brings it back.
"""

from datetime import UTC, datetime, time, timedelta

from django.utils import timezone

NO_TIME = datetime(9000, 1, 1, tzinfo=UTC)
LONGEST, LONGEST_URGENT = timedelta(days=90), timedelta(days=1)  # that a case can be put off
TRIES = (timedelta(hours=4), timedelta(days=1), timedelta(days=3))  # from one attempt to reach the person to the next
EVENING, MORNING = time(17), time(9)  # of the center's day


def when_received(*, urgent: bool) -> datetime:
    return timezone.now() + timedelta(days=not urgent)


def next_try(attempts: int, *, urgent: bool) -> datetime:
    """Return when to try again after so many attempts."""
    wait = TRIES[min(attempts, len(TRIES)) - 1]
    return timezone.now() + min(wait, LONGEST_URGENT if urgent else LONGEST)


def at(day: int, hour: time) -> datetime:
    """Return an hour of today (0), tomorrow (1) or another day to come, in the center's time zone."""
    return timezone.make_aware(datetime.combine(timezone.localdate() + timedelta(days=day), hour))
