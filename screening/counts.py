"""Counts of pages, kept in memory and added each minute: a page costs no query, and what a stop loses is lost."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from threading import Lock

from django.db import DatabaseError
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from screening.models.counts import HOURS, Count, week_of

LATELY = timedelta(days=90)
ENOUGH = 10  # requests that were answered, from which on a person is told how long it took
HOURS_IN_WORDS = {
    "1": _("an hour"),
    "24": _("a day"),
    "48": _("2 days"),
    "72": _("3 days"),
    "96": _("4 days"),
    "168": _("a week"),
}
log = logging.getLogger(__name__)

_lock = Lock()
_noted: Counter[tuple[date, str, str]] = Counter()


def note(what: Count.What, key: str = "") -> None:
    """Count one for this week."""
    with _lock:
        _noted[week_of(), what, key] += 1


def flush() -> None:
    """Add what was noted since the last time to the table; keep it for the next if that fails."""
    with _lock:
        noted = _noted.copy()
        _noted.clear()
    try:
        rows = [Count(week=week, what=what, key=key, number=number) for (week, what, key), number in noted.items()]
        Count.objects.bulk_create(rows)
    except DatabaseError as error:
        log.error("counts of pages could not be added: %s", type(error).__name__)
        with _lock:
            _noted.update(noted)


def by_week(since: date, *, is_test: bool = False) -> dict[tuple[date, str, str], int]:
    """Return (week, what, key) -> how often, of all weeks from this one on; nothing is below zero."""
    rows = Count.objects.filter(week__gte=since, is_test=is_test).values_list("week", "what", "key").order_by()
    return {(week, what, key): max(0, number) for week, what, key, number in rows.annotate(Sum("number"))}


def time_in_words(hours: str) -> str:
    """Return the end of a band of time in words."""
    return str(HOURS_IN_WORDS.get(hours) or gettext("%(hours)s hours") % {"hours": hours})


def within(bands: Mapping[str, int], share: float, asked: int = 0) -> str:
    """Return in what time that share of all who asked had their turn, in words; "" if not within a week."""
    needed, had = share * max(asked, sum(bands.values())), 0
    for hours in map(str, HOURS):
        had += bands.get(hours, 0)
        if had >= needed:
            return time_in_words(hours)
    return ""


def half_and_most(bands: Mapping[str, int], asked: int) -> tuple[str, str] | None:
    """Return in what time half of those who asked, and 9 of 10, had their turn; None if too few had it."""
    enough = sum(bands.values()) >= ENOUGH
    return (within(bands, 0.5, asked), within(bands, 0.9, asked)) if enough else None


def how_soon() -> dict[str, str]:
    """Return in what time half of those who asked lately, and 9 of 10, were called; {} if that is not known."""
    tried: Counter[str] = Counter()
    asked = 0
    try:
        for (_week, what, key), number in by_week(week_of(timezone.now() - LATELY)).items():
            tried[key] += number if what == Count.What.FIRST_TRY else 0
            asked += number if what == Count.What.ASKED else 0
    except DatabaseError as error:
        log.error("the counts of calls could not be read: %s", type(error).__name__)
    return dict(zip(("half", "most"), half_and_most(tried, asked) or (), strict=False))
