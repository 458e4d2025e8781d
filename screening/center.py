"""The facts of the center, as its managers told them at the desk, and the copy that pages read. The rules read none.

A copy is at most FRESH seconds old; while the database is down, it is the last one that was read.
"""

import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time as clock_time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from django.db import Error
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import get_language, gettext

from screening import rules
from screening.help_lines import HELP_LINES, tel
from screening.models import CenterFacts
from screening.questionnaire import QUESTIONS, _
from screening.rules.ruleset import Recommendation

log = logging.getLogger(__name__)

FRESH = 45.0  # seconds; the server reads a new copy more often, so that no page waits for it
CONFIRMED_FOR = timedelta(days=3)  # after which the next start of a service is no longer shown
AHEAD = 14  # days in which the next opening is looked for
LEAVE_URL = "https://www.weather.gov/"  # where "Leave now" leads, unless managers choose another page


@dataclass(frozen=True)
class Service:
    """What a center may offer; it bears on results by their program, a notice, or a question that gave a reason."""

    words: str
    bears_on: str  # keys, space-separated
    starts: bool = True  # one can wait for its next start

    def __post_init__(self) -> None:
        known = {"iop", "inpatient", "either", *QUESTIONS, *(notice.key for notice in rules.CURRENT.notices)}
        if unknown := set(self.bears_on.split()) - known:
            raise ValueError(f"{self.words}: there is no {min(unknown)!r} that it bears on")


SERVICES = {
    "iop": Service(_("Intensive outpatient program (IOP)"), "iop either"),
    "inpatient": Service(_("Inpatient program"), "inpatient either"),
    "detox": Service(_("Medical detox"), "dont_stop_alone detox"),
    "opioid_medicine": Service(_("Medicine for opioids"), "opioid_medicine", starts=False),
    "day_treatment": Service(_("Day treatment"), "either"),
    "children": Service(_("Room for children"), "caregiving", starts=False),
    "sober_house": Service(_("Sober house"), "sober_house"),
}
PARTS = {  # of a day: words, start and end
    "morning": (_("%(day)s in the morning"), clock_time(8), clock_time(12)),
    "afternoon": (_("%(day)s in the afternoon"), clock_time(12), clock_time(17)),
    "evening": (_("%(day)s after 5"), clock_time(17), clock_time(21)),
}
Opening = tuple[clock_time, clock_time]
TIME = re.compile(r" *(\d{1,2})(?:[:.]?(\d\d))? ?([ap])?(?:\.?m\.?)? *")
ANY_DASH = re.compile("[‐-―−]")
SPELLED = {"noon": "12 pm", "midnight": "24:00", " and ": ",", ";": ",", " to ": "-", "closed": ""}
LIKE_THIS = _("Write hours like 8:00-12:00, 1 pm-8 pm. For the whole day, write 0:00-24:00.")
WHICH_HALF = _("In the morning, or in the afternoon? Write it like 9 am-5 pm, or 9:00-17:00.")


def _clock(hour: int, minute: int, half: str) -> clock_time:
    if minute > 59 or not (1 <= hour <= 12 if half else hour <= 23):
        raise ValueError(LIKE_THIS)
    return clock_time(hour % 12 + 12 * (half == "p") if half else hour, minute)


def _opening(text: str) -> Opening:
    """Read "1 pm-8 pm" or "13:00-20:00"; in "1-8 pm" both are in the afternoon. What can be either is asked back."""
    matches = [TIME.fullmatch(part) for part in text.split("-")]
    times = [(int(match[1]), int(match[2] or 0), match[3] or "") for match in matches if match]
    if len(times) != len(matches) or len(times) != 2:
        raise ValueError(LIKE_THIS)
    start, end = times
    start = (12, 0, "a") if start == (24, 0, "") else start
    closes = clock_time.max if end in ((24, 0, ""), (12, 0, "a")) else _clock(*end)
    by_24 = any(match and (int(match[1]) > 12 or match[1].startswith("0")) for match in matches)
    if end[2] and not start[2] and _clock(*start[:2], end[2]) < closes:
        if end[2] == "p" and 7 <= start[0] <= 11:
            raise ValueError(WHICH_HALF)
        start = (*start[:2], end[2])
    if not by_24 and any(1 <= hour <= 6 and not half for hour, _minute, half in (start, end)):
        raise ValueError(WHICH_HALF)
    if closes <= (opens := _clock(*start)):
        raise ValueError(_("These hours end before they begin. Hours after midnight belong to the next day."))
    return opens, closes


def openings(text: str) -> tuple[Opening, ...]:
    """Return the times in text like "8:00-12:00, 1 pm-8 pm". Raise a ValueError that says in words what is wrong."""
    text = ANY_DASH.sub("-", text.lower())
    for spelled, written in SPELLED.items():
        text = text.replace(spelled, written)
    found = sorted(_opening(part) for part in text.split(",") if part.strip())
    if any(later[0] < earlier[1] for earlier, later in pairwise(found)):
        raise ValueError(_("Two of these hours overlap."))
    return tuple(found)


def hours_in_words(hours: Iterable[Opening]) -> str:
    """Return times as they were read, for whoever wrote them."""
    ends = [[_("midnight") if end == clock_time.max else time_format(end) for end in opening] for opening in hours]
    return "; ".join(" – ".join(map(str, opening)) for opening in ends)


@dataclass(frozen=True, eq=False)
class Facts:
    """All that was told, by field of the desk's form; what was not told reads as empty.

    Under `told_on` there is the day on which each was told.
    """

    told: Mapping[str, Any] = field(default_factory=dict)

    def fact(self, name: str) -> Any:
        """Return a fact by its field, in the language in use if there is one for each language."""
        return self.told.get(name) or self.told.get(f"{name}_{get_language()}") or ""

    def __getattr__(self, name: str) -> Any:
        """Return a fact, for templates and whoever knows its name: `center.phone`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self.fact(name)

    @property
    def href(self) -> str:
        return tel(self.phone)

    @cached_property
    def _hours(self) -> list[tuple[Opening, ...]]:
        return [openings(self.fact(f"hours_{weekday}")) for weekday in range(7)]

    def _on(self, day: date) -> tuple[Opening, ...]:
        return () if day.isoformat() in self.closed else self._hours[day.weekday()]

    @property
    def tells_hours(self) -> bool:
        return any(self._hours)

    @property
    def is_open(self) -> bool:
        """Whether someone answers the phone now; where no hours were told, someone may."""
        return bool(self.phone) and (not self.tells_hours or self._end() is not None)

    def _end(self) -> clock_time | None:
        """Return the end of the hours that it is now in."""
        now = timezone.localtime()
        return next((end for start, end in self._on(now.date()) if start <= now.time() < end), None)

    @property
    def closes_at(self) -> datetime | None:
        """Until when someone answers the phone today; None if nobody does now, or somebody does until midnight."""
        end = self._end()
        return (
            None if end in (None, clock_time.max) else timezone.make_aware(datetime.combine(timezone.localdate(), end))
        )

    @property
    def opens_at(self) -> datetime | None:
        """When the phone is answered again; None if not within AHEAD days, or no hours were told."""
        now = timezone.localtime()
        days = (now.date() + timedelta(days=days) for days in range(AHEAD + 1))
        starts = (datetime.combine(day, start, now.tzinfo) for day in days for start, _end in self._on(day))
        return next((start for start in starts if start > now), None)

    @property
    def first(self) -> dict[str, Any]:
        """Whom to call now: the center while someone answers there, else the national helpline."""
        line = HELP_LINES["samhsa"]
        ours = {"contact": self.phone, "href": self.href, "ours": True}
        return ours if self.is_open else {"contact": line.contact, "href": line.href, "ours": False}

    def call_windows(self) -> Iterator[tuple[str, str, datetime]]:
        """Yield (key, words, start) of the next times of day to be called in, within the hours if there are any."""
        now = timezone.localtime()
        for days in range(AHEAD):
            day = now.date() + timedelta(days)
            name = (gettext("today"), gettext("tomorrow"))[days] if days < 2 else date_format(day, gettext("l, N j"))
            for part, (words, starts, ends) in PARTS.items():
                hours = self._on(day) if self.tells_hours else ((starts, ends),)
                begins = [max(starts, opens) for opens, closes in hours if opens < ends and starts < closes]
                if begins and (at := datetime.combine(day, min(begins), now.tzinfo)) > now:
                    yield f"{day}-{part}", gettext(words) % {"day": name}, at

    def told_on(self, *starts: str) -> date | None:
        """Return the oldest day on which a fact was told whose field starts so; None if none was."""
        told_on = self.told.get("told_on", {}).items()
        days = [day for name, day in told_on if name.startswith(starts) and self.told.get(name) != ""]
        return date.fromisoformat(min(days)) if days else None

    @cached_property
    def services(self) -> list[str]:
        """What the center offers; empty if nothing was told of it."""
        return [key for key in SERVICES if self.fact(key)]

    def fits(self, recommendation: Recommendation) -> bool | None:
        """Return whether the center has a program that this result names; None if nothing was told of what it has."""
        decision = recommendation.decision
        named = {"iop", "inpatient"} if decision.close_call else {decision.program}
        return bool(named.intersection(self.services)) if self.services else None

    def lacking(self, recommendation: Recommendation) -> tuple[str, ...]:
        """Return what this result suggests, by its program or a notice, and the center does not have."""
        suggested = {recommendation.decision.program, *recommendation.notices}
        missing = [each for key, each in SERVICES.items() if self.services and not self.fact(key)]
        return tuple(service.words for service in missing if suggested & set(service.bears_on.split()))

    def beside(self, recommendation: Recommendation) -> dict[str, Any]:
        """Return what a page says of the center beside this result."""
        fits, offers = self.fits(recommendation), [*self.offers(recommendation)]
        told_on = self.told_on("cost", "payers", *(offer["key"] for offer in offers))
        lacking = self.lacking(recommendation)
        return {"fits": fits, "lacks": fits is False, "lacking": lacking, "offers": offers, "told_on": told_on}

    def offers(self, recommendation: Recommendation) -> Iterator[dict[str, Any]]:
        """Yield each service that bears on this result: whether the center has it, and what it told of it.

        Nothing where it told of none.
        """
        said = {recommendation.decision.program_headline, *recommendation.notices}
        said |= {question for reason in recommendation.reasons for question in reason.questions}
        for key, service in SERVICES.items():
            if self.services and said & set(service.bears_on.split()):
                yield self._offer(key, service)

    def _offer(self, key: str, service: Service) -> dict[str, Any]:
        starts, confirmed = (_day(self.fact(f"{key}_{name}")) for name in ("starts", "confirmed"))
        today = timezone.localdate()
        if not (starts and confirmed and starts >= today and timedelta() <= today - confirmed <= CONFIRMED_FOR):
            starts = None
        details = {name: self.fact(f"{key}_{name}") for name in ("when", "evening", "video")}
        there = {"key": key, "words": service.words, "has": bool(self.fact(key))}
        return there | details | {"starts": starts, "confirmed": confirmed}


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


_facts, _read_at = Facts(), -FRESH


def facts(*, ask: bool = True) -> Facts:
    """Return the facts as they were at most FRESH seconds ago; without `ask`, the copy that is there, at once."""
    return refresh() if ask and time.monotonic() - _read_at >= FRESH else _facts


def refresh() -> Facts:
    """Read the facts from the database; return the ones known before if it can't be asked."""
    global _facts, _read_at
    _read_at = time.monotonic()  # first: others go on with the earlier copy, and a failure is not tried again at once
    try:
        row = CenterFacts.objects.last()
        _facts = Facts(row.facts if row else {})
    except Error as error:
        log.error("the facts of the center could not be read: %s", type(error).__name__)
    return _facts
