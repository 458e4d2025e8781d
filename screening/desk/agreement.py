"""Agreement between rules and staff, and how the desk's work goes, as a page."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, DateField, Min, QuerySet
from django.db.models.functions import TruncWeek
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from screening import audit
from screening.desk.kappa import Agreement
from screening.models import (
    Action,
    BlindPilot,
    Channel,
    LogLine,
    Program,
    Review,
    Submission,
    Urgency,
    result_visible_to,
)
from screening.models.staff import EITHER
from screening.rules.ruleset import Recommendation

FEWEST = 20  # cases below which nothing is shown
WEEKS = 13
POINTS_TO = {"need": Program.INPATIENT, "support": Program.INPATIENT, "duties": Program.IOP}  # a level that was raised
KINDS = {  # (whether the person answered alone, whether the review was blind) -> title
    (True, True): _("Blind: judged before the result was seen"),
    (True, False): _("The rest: judged with the result in view"),
    (False, False): _("Screened with staff: who screened has seen the result"),
}
FIRST_CONTACT = (  # within so many hours
    (1, _("within an hour")),
    (4, _("within 4 hours")),
    (24, _("within a day")),
    (72, _("within 3 days")),
    (None, _("later")),
)


@dataclass(frozen=True)
class Part:
    """The cases of one kind under one version of the rules."""

    title: Any
    agreement: Agreement
    either: int  # cases in which staff found that both programs fit, not in the table
    either_too: int  # of these, those in which the rules said so too
    wrong: list[tuple[str, str, int, int]]  # rule, its words, cases in which staff judged otherwise, cases it spoke in

    @property
    def shown(self) -> bool:
        return self.agreement.cases >= FEWEST

    @property
    def rows(self) -> list[tuple[Any, tuple[int, ...], int]]:
        """For each program of the rules: its name, a count for each program of staff, and the sum."""
        labels = [program.label for program in Program]
        return [(label, tuple(row), sum(row)) for label, row in zip(labels, self.agreement.table, strict=True)]

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


def counted_reviews(rows: QuerySet[Submission]) -> list[Review]:
    """Return one review for each case, as it was recorded: of a blind one the first blind one, else the latest."""
    reviews = Review.objects.filter(submission__in=rows).select_related("submission").order_by("recorded_at", "pk")
    chosen: dict[int, Review] = {}
    for review in reviews.iterator(chunk_size=2000):
        if not (review.is_sealed and review.submission.is_sealed):
            continue  # changed in the database: verify_results says which
        if review.submission.blind:
            if review.blind:
                chosen.setdefault(review.submission_id, review)
        else:
            chosen[review.submission_id] = review
    return list(chosen.values())


def spoke_for_it(recommendation: Recommendation) -> dict[str, str]:
    """Return the rules, with their reasons, that counted which points to the recommended program."""
    return {
        reason.key: reason.text
        for reason in recommendation.reasons
        if POINTS_TO.get(reason.dimension) == recommendation.program
        and reason.level == getattr(recommendation, reason.dimension)
    }


def part(title: Any, found: list[Review]) -> Part:
    either = [review.submission.close_call for review in found if review.program == EITHER]
    reviews = [review for review in found if review.program != EITHER]
    programs = list(Program.values)
    table = [[0] * len(programs) for _program in programs]
    reason_texts: dict[str, str] = {}
    spoke: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for review in reviews:
        said = review.submission.program
        if said not in programs:
            continue  # a damaged row
        table[programs.index(said)][programs.index(review.program)] += 1
        recommendation = review.submission.readable_recommendation()
        keys = spoke_for_it(recommendation) if recommendation else {}
        reason_texts |= keys
        spoke.update(keys.keys())
        wrong.update(keys.keys() if review.program != said else ())
    most = [(key, reason_texts[key], count, spoke[key]) for key, count in wrong.most_common(10)]
    return Part(title, Agreement(table), len(either), sum(either), most)


def versions(rows: QuerySet[Submission]) -> list[tuple[str, list[Part]]]:
    """Return for each version of the rules, the newest first, the cases of each kind."""
    by_version: dict[str, list[Review]] = {}
    for review in counted_reviews(rows):
        by_version.setdefault(review.submission.rules_version, []).append(review)
    return [
        (
            version,
            [
                part(
                    title, [each for each in reviews if kind == (each.submission.channel == Channel.ONLINE, each.blind)]
                )
                for kind, title in KINDS.items()
            ],
        )
        for version, reviews in sorted(by_version.items(), reverse=True)
    ]


def counts(rows: QuerySet[Submission], staff: Any) -> list[tuple[Any, list[tuple[Any, int]]]]:
    """Return tables of counts, each with its title; results still hidden from this reader are not counted."""
    since = timezone.now() - timedelta(weeks=WEEKS)
    rows = rows.filter(received_at__gt=since).order_by()
    week = TruncWeek("received_at", output_field=DateField())
    weeks = dict(rows.annotate(week=week).values_list("week").annotate(Count("pk")))
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    mondays = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    shown = dict(rows.filter(result_visible_to(staff)).values_list("program").annotate(Count("pk")))
    programs = [(each.label, shown.get(each.value, 0)) for each in Program]
    urgencies, channels = (dict(rows.values_list(name).annotate(Count("pk"))) for name in ("urgency", "channel"))
    return [
        (_("Received, by the week that begins on"), [(date_format(day), weeks.get(day, 0)) for day in mondays]),
        (_("Program, where you may see the result"), programs),
        (_("Urgency"), [(each.label, urgencies.get(each.value, 0)) for each in reversed(Urgency)]),
        (_("Channel"), [(each.label, channels.get(each.value, 0)) for each in Channel]),
        (_("From sending the answers until staff first looked up how to reach them"), first_contact(rows, since)),
    ]


def first_contact(rows: QuerySet[Submission], since: Any) -> list[tuple[Any, int]]:
    """Count the cases by the time until someone first revealed the contact details, from the audit log."""
    lines = LogLine.objects.filter(action=Action.REVEALED, timestamp__gt=since).order_by()
    first = dict(lines.values_list("reference").annotate(Min("timestamp")))
    found = dict.fromkeys((label for _hours, label in FIRST_CONTACT), 0)
    waiting = 0
    for reference, received, wants_call in rows.values_list("reference", "received_at", "wants_call").iterator():
        if reference in first:
            hours = (first[reference] - received).total_seconds() / 3600
            found[next(label for most, label in FIRST_CONTACT if most is None or hours <= most)] += 1
        elif wants_call:
            waiting += 1
    return [*found.items(), (_("not yet"), waiting)]


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show agreement and counts. Erased submissions are not counted, test data only if there is nothing else."""
    audit.record(Action.COMPARED, request.user)
    kept = Submission.objects.unexpired()
    real = kept.filter(is_test=False)
    invented = not real.exists()
    rows = kept if invented else real
    page_context = {
        "title": _("Agreement"),
        "versions": versions(rows),
        "counts": counts(rows, request.user),
        "pilot": sum(BlindPilot.objects.values_list("left", flat=True)),
        "invented": invented and rows.exists(),
        "fewest": ngettext("%d case", "%d cases", FEWEST) % FEWEST,
        "programs": [program.label for program in Program],
    }
    return TemplateResponse(request, "admin/agreement.html", context | page_context)
