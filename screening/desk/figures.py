"""How we are doing: counts by week or month, which outlive what is erased, as a page and as a file.

No number under FEWEST is shown, for it could point to someone; all others are rounded, or the difference of two could.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from screening import audit
from screening.counts import by_week, half_and_most, time_in_words
from screening.desk.export import as_csv
from screening.desk.kappa import Agreement
from screening.explanation import reworded
from screening.models import Action, BlindPilot, Channel, Count, Outcome, Program, Review, Submission, Try
from screening.models.counts import HOURS, week_of
from screening.models.staff import EITHER, which_counts
from screening.questionnaire import PAGES
from screening.rules.ruleset import Recommendation
from screening.typed import typed

FEWEST = 5
PAIRS = 20  # judged cases below which no agreement is shown
WEEKS, MONTHS = 13, 24  # that are shown
LATEST = 1000  # reviews that are read for the rules behind what staff judged otherwise: each has to be decrypted
What = Count.What
POINTS_TO = {"need": Program.INPATIENT, "support": Program.INPATIENT, "duties": Program.IOP}  # a level that was raised
KINDS = {
    "blind": _("Blind: judged before the result was seen"),
    "seen": _("The rest: judged with the result in view"),
    "assisted": _("Screened with staff: who screened has seen the result"),
}
Counts = Counter[tuple[str, str]]  # (what, key) -> how often


@dataclass(frozen=True)
class Period:
    """A week, or the weeks that begin in a month."""

    starts: date
    counts: Counts

    def of(self, what: What) -> dict[str, int]:
        return {key: number for (each, key), number in self.counts.items() if each == what}

    def sum(self, what: What) -> int:
        return sum(self.of(what).values())


@dataclass(frozen=True)
class Table:
    """Counts with their words; a cell of None was too few to be shown."""

    title: Any
    columns: Sequence[Any]
    rows: list[tuple[Any, list[Any]]]

    @property
    def tells_nothing(self) -> bool:
        return not any(cell for _label, cells in self.rows for cell in cells)

    @property
    def most(self) -> int:
        """The number with the longest bar, where there is room for bars; else 0."""
        numbers = [cell for _label, cells in self.rows for cell in cells if isinstance(cell, int)]
        return max(numbers, default=0) if len(self.columns) < 3 else 0


def shown(number: int) -> int | None:
    """Return the number to the nearest FEWEST; None if it is less."""
    return FEWEST * round(number / FEWEST) if number >= FEWEST else None


def periods(by: str, *, is_test: bool) -> list[Period]:
    """Return the latest weeks or months since counting began, the newest first; one without counts is empty."""
    this_week = week_of()
    starts = [this_week - timedelta(weeks=back) for back in range(WEEKS)]
    if by == "month":
        months = [(this_week.year * 12 + this_week.month - 1 - back) for back in range(MONTHS)]
        starts = [date(month // 12, month % 12 + 1, 1) for month in months]
    found = {start: Period(start, Counter()) for start in starts}
    for (week, what, key), number in by_week(starts[-1], is_test=is_test).items():
        start = week.replace(day=1) if by == "month" else week
        if start in found:
            found[start].counts[what, key] += number
    began = max((place for place, each in enumerate(found.values()) if each.counts), default=0)
    return list(found.values())[: began + 1]


# fmt: off
FLOW: tuple[tuple[Any, Callable[[Period], int]], ...] = (  # by week or month
    (_("First page opened"), lambda each: each.of(What.BEGUN).get(PAGES[0].slug, 0)),
    (_("Answered all"), lambda each: each.of(What.DONE).get(PAGES[-1].slug, 0)),
    (_("Saw it without saving"), lambda each: each.sum(What.VIEWED)),
    (_("Saved"), lambda each: each.sum(What.SAVED)),
    (_("Asked for a call"), lambda each: each.sum(What.ASKED)),
    (_("Attempts"), lambda each: each.sum(What.TRIED)),
    (_("Reached"), lambda each: each.sum(What.REACHED)),
    (_("Cases closed"), lambda each: each.sum(What.OUTCOME)),
)
# fmt: on


def waited(period: Period, what: What) -> list[str | None]:
    """Return within what time half had their turn, and 9 of 10, in words; None if too few did."""
    times = half_and_most(period.of(what), period.sum(What.ASKED))
    return [time or gettext("more than a week") for time in times] if times else [None, None]


def by_period(several: list[Period], by: str) -> Iterator[Table]:
    """Yield what happened in each week or month, and how long people waited."""
    names = [date_format(each.starts, "F Y" if by == "month" else "DATE_FORMAT") for each in several]
    rows = [[shown(count(each)) for _words, count in FLOW] for each in several]
    yield Table(_("From the first page to a call"), [words for words, _count in FLOW], [*zip(names, rows, strict=True)])
    waits = [waited(each, What.FIRST_TRY) + waited(each, What.REACHED) for each in several]
    columns = (
        _("Half: tried within"),
        _("9 of 10: tried within"),
        _("Half: reached within"),
        _("9 of 10: reached within"),
    )
    yield Table(_("From the request for a call"), columns, [*zip(names, waits, strict=True)])


def in_all(several: list[Period]) -> Iterator[Table]:
    """Yield what is counted in all of them together, from the first page to how cases end."""
    together = Period(several[-1].starts, sum((each.counts for each in several), Counter()))

    def simple(title: Any, what: What, words: Mapping[str, Any]) -> Table:
        return Table(title, (_("How many"),), [(words[key], [shown(together.of(what).get(key, 0))]) for key in words])

    begun, done = together.of(What.BEGUN), together.of(What.DONE)
    pages = [
        (capfirst(gettext(page.questions[0].topic)), [shown(each.get(page.slug, 0)) for each in (begun, done)])
        for page in PAGES
    ]
    yield Table(_("Page by page"), (_("Opened"), _("Answered")), pages)
    yield simple(_("How the answers came"), What.SAVED, dict(Channel.choices))
    yield simple(_("Where visits came from"), What.SOURCE, {key: key for key in sorted(together.of(What.SOURCE))})
    yield simple(_("Attempts to reach a person"), What.TRIED, dict(Try.Result.choices))
    tried, reached = together.of(What.FIRST_TRY), together.of(What.REACHED)
    bands = {str(hours): gettext("up to %(time)s") % {"time": time_in_words(str(hours))} for hours in HOURS}
    bands["later"] = gettext("more than a week")
    spent = [(words, [shown(each.get(key, 0)) for each in (tried, reached)]) for key, words in bands.items()]
    yield Table(_("How long people waited"), (_("For the first attempt"), _("Until reached")), spent)
    ends = together.of(What.OUTCOME)
    outcomes = [
        (words, [shown(ends.get(f"{program}/{outcome}", 0)) for program in Program.values])
        for outcome, words in Outcome.choices
    ]
    programs = [gettext("Recommended: %(program)s") % {"program": label} for label in Program.labels]
    yield Table(_("How cases ended"), programs, outcomes)


@dataclass(frozen=True)
class Part:
    """The cases of one kind under one version of the rules."""

    title: Any
    agreement: Agreement
    either: int | None  # cases in which staff found that both programs fit, not in the table
    either_too: int | None  # of these, those in which the rules said so too

    @property
    def is_shown(self) -> bool:
        return self.agreement.cases >= PAIRS

    @property
    def table(self) -> Table:
        columns = [gettext("Staff: %(program)s") % {"program": label} for label in Program.labels]
        rows = [
            (gettext("Rules: %(program)s") % {"program": label}, [*map(shown, row)])
            for label, row in zip(Program.labels, self.agreement.table, strict=True)
        ]
        return Table(self.title, columns, rows)

    @property
    def cases(self) -> int | None:
        return shown(self.agreement.cases)

    @property
    def percent(self) -> str:
        return f"{self.agreement.observed:.0%}"

    @property
    def kappa(self) -> str:
        kappa, interval = self.agreement.kappa, self.agreement.interval
        if kappa is None:
            return gettext("can’t be worked out: both say the same of every case")
        if interval is None:
            return f"{kappa:.2f}"
        text = gettext("%(kappa)s (95 %% interval %(low)s to %(high)s)")
        return text % {"kappa": f"{kappa:.2f}", "low": f"{interval[0]:.2f}", "high": f"{interval[1]:.2f}"}


def agreement(*, is_test: bool) -> list[tuple[str, list[Part]]]:
    """Return for each version of the rules, the newest first, the judged cases of each kind, since the beginning."""
    cells: Counter[tuple[str, ...]] = Counter()
    for (_week, what, key), number in by_week(date.min, is_test=is_test).items():
        if what == What.JUDGED:
            cells[tuple(key.split("/"))] += number

    def part(version: str, kind: str) -> Part:
        table = [[cells[version, kind, rules, staff] for staff in Program.values] for rules in Program.values]
        either = [cells[version, kind, rules, EITHER] for rules in (*Program.values, EITHER)]
        return Part(KINDS[kind], Agreement(table), shown(sum(either)), shown(either[-1]))

    versions = sorted({version for version, *_rest in cells}, reverse=True)
    return [(version, [part(version, kind) for kind in KINDS]) for version in versions]


def counted_reviews(rows: QuerySet[Submission]) -> list[Review]:
    """Return one review, as it was recorded, for each of these cases that has one of their LATEST reviews.

    Of a blind one it is the first blind one, else the latest.
    """
    of_these = Review.objects.filter(Exists(rows.filter(pk=OuterRef("submission"))))
    latest = of_these.order_by("-pk").values_list("submission", flat=True)[:LATEST]
    reviews = Review.objects.filter(submission__in={*latest}).select_related("submission").order_by("recorded_at", "pk")
    of_case: defaultdict[int, list[Review]] = defaultdict(list)
    for review in reviews.iterator(chunk_size=2000):
        if review.is_sealed and review.submission.is_sealed:  # else changed in the database: verify_results says which
            of_case[review.submission_id].append(review)
    counted = (which_counts(each[0].submission, each) for each in of_case.values())
    return [review for review in counted if review]


def spoke_for_it(recommendation: Recommendation) -> dict[str, str]:
    """Return the rules, with their reasons, that counted which points to the recommended program."""
    return {
        reason.key: reason.text
        for reason in recommendation.reasons
        if POINTS_TO.get(reason.dimension) == recommendation.program
        and reason.level == getattr(recommendation, reason.dimension)
    }


def behind(reviews: list[Review]) -> list[tuple[str, str, int, int]]:
    """Return (rule, its words, cases in which staff judged otherwise, cases it spoke in), the most disputed first."""
    reason_texts: dict[str, str] = {}
    spoke: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for review in reviews:
        case = review.submission
        stored = case.readable_recommendation() if review.program != EITHER else None
        keys = spoke_for_it(reworded(stored, case.language)) if stored else {}
        reason_texts |= keys
        spoke.update(keys.keys())
        wrong.update(keys.keys() if review.program != review.submission.program else ())
    return [(key, reason_texts[key], count, spoke[key]) for key, count in wrong.most_common(10) if count >= FEWEST]


def lines(several: list[Period]) -> Iterator[list[Any]]:
    """Yield the file: a line for each period and each kind that was counted in any of them."""
    yield ["begins", "what", "kind", "number"]
    kinds = sorted({kind for each in several for kind in each.counts})
    for each in reversed(several):
        for what, key in kinds:
            number = shown(each.counts[what, key])
            yield [each.starts.isoformat(), what, key, f"under {FEWEST}" if number is None else number]


def asked(request: HttpRequest) -> tuple[str, bool, list[Period]]:
    """Return "week" or "month", as was asked for, whether the counts are invented, and the counts.

    Invented ones are shown while more of them were saved.
    """
    by = "week" if typed(request.GET, "by", 10) == "week" else "month"
    real, demo = periods(by, is_test=False), periods(by, is_test=True)
    invented = sum(each.sum(What.SAVED) for each in demo) > sum(each.sum(What.SAVED) for each in real)
    return by, invented, demo if invented else real


def file(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """Return the counts as CSV."""
    by, invented, several = asked(request)
    audit.record(Action.EXPORTED, request.user, list="figures")
    return as_csv(lines(several), f"{'invented-' if invented else ''}counts-by-{by}")


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponseBase:
    """Show the counts."""
    by, invented, several = asked(request)
    audit.record(Action.COMPARED, request.user)
    judges = request.user.has_perm("screening.view_agreement")
    cases = Submission.objects.unexpired().filter(is_test=invented)
    page_context = {
        "title": _("How we are doing"),
        "by": by,
        "by_period": by_period(several, by),
        "in_all": [table for table in in_all(several) if not table.tells_nothing],
        "since": several[-1].starts,
        "versions": agreement(is_test=invented),
        "behind": behind(counted_reviews(cases)) if judges else [],
        "judges": judges,
        "pilot": sum(BlindPilot.objects.values_list("left", flat=True)),
        "invented": invented,
        "fewest": FEWEST,
        "latest": f"{LATEST:,}",
        "pairs": ngettext("%d case", "%d cases", PAIRS) % PAIRS,
    }
    return TemplateResponse(request, "admin/figures.html", context | page_context)
