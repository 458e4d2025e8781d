"""Export: submissions as a CSV file, or as FHIR, without contact details, what staff wrote, or test data."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, CharField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from screening import audit, fhir, reference_numbers, rules
from screening.center import facts
from screening.explanation import LEVEL_WORDS
from screening.models import URGENCIES, Action, Channel, Outcome, Program, Review, Status, Urgency, result_visible_to
from screening.models.staff import JUDGEMENTS
from screening.questionnaire import QUESTIONS

HIDDEN = "hidden"
HIDDEN_WORDS = _("From who exported, until they have judged for themselves")

PURPOSES = {
    "quality": _("To look at the quality of our own work"),
    "report": _("To report to a funder or an authority that may ask for it"),
    "move": _("To move to another system"),
    "research": _("For research that was approved"),
}
FORMATS = {
    "csv": _("CSV, for a spreadsheet: answers, results and what became of them"),
    "fhir": _("FHIR R4, for another system: the answers alone, one resource a line"),
}


class Purpose(forms.Form):
    format = forms.ChoiceField(
        label=_("Format"), choices=FORMATS.items(), widget=forms.RadioSelect, initial="csv", required=False
    )
    purpose = forms.ChoiceField(
        label=_("What it is for"),
        choices=PURPOSES.items(),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what it is for.")},
    )
    confirm = forms.BooleanField(
        label=_("I need it for this. Only those who need the file can read it, and I delete it when it is used."),
        error_messages={"required": _("Tick the box. Without it nothing is exported.")},
    )

    def clean(self) -> None:
        if not facts().redisclosure:
            raise forms.ValidationError(
                _("Nothing is exported until a manager has written the notice on redisclosure, under “The center”.")
            )


# The columns that tell the result: hidden from who exports while the result is.
RESULT = frozenset({"program", "close_call", "need", "support", "duties", "rules", "outcome", "judged"})


def _result(name: str) -> Callable[[Any], Any]:
    """Return a reader for a field of the result; it reads "" if the stored result is damaged."""
    return lambda row: getattr(row.result_read, name, "")


def _rules(row: Any) -> str:
    recommendation = row.result_read
    return " ".join(dict.fromkeys(reason.key for reason in recommendation.reasons)) if recommendation else ""


def _answer(key: str) -> Callable[[Any], Any]:
    return lambda row: row.answers_read.get(key, "")


def _yes(value: Any) -> str:
    return "yes" if value else "no"


YES_NO = {"yes": _("Yes"), "no": _("No")}
PROGRAMS = {str(value): label for value, label in Program.choices}

# name -> (what it means, the values that it may have in words, how to read it from a row)
# fmt: off
COLUMNS: dict[str, tuple[Any, Mapping[str, Any], Callable[[Any], Any]]] = {
    "reference": (_("How staff and the person speak of it."), {}, lambda row: reference_numbers.formatted(row.reference)),
    "received": (_("When it was saved, in the center’s time zone: year-month-dayThour:minute; for research the day alone."), {}, lambda row: timezone.localtime(row.received_at).strftime("%Y-%m-%dT%H:%M")),
    "channel": (_("How the answers came."), dict(Channel.choices), lambda row: row.channel),
    "urgency": (_("How soon a person must be spoken to."), {URGENCIES[level]: label for level, label in Urgency.choices}, lambda row: URGENCIES[row.urgency]),
    "program": (_("What the rules recommend."), PROGRAMS, _result("program")),
    "close_call": (_("Whether both programs could fit."), YES_NO, lambda row: _yes(row.close_call)),
    "need": (_("How much care is needed."), LEVEL_WORDS["need"], _result("need")),
    "support": (_("How much support there is."), LEVEL_WORDS["support"], _result("support")),
    "duties": (_("Whether work or family can wait."), LEVEL_WORDS["duties"], _result("duties")),
    "rules": (_("The rules that gave a reason, space-separated."), {rule.key: rule.text for rule in rules.CURRENT.rules}, _rules),
    "rules_version": (_("The version of the rules."), {}, lambda row: row.rules_version),
    "language": (_("The language that it was answered in."), {}, lambda row: row.language),
    "status": (_("How far staff are."), dict(Status.choices), lambda row: row.status),
    "outcome": (_("How the case ended; empty while it is open."), dict(Outcome.choices), lambda row: row.outcome),
    "wants_call": (_("Whether a request for a call is kept."), YES_NO, lambda row: _yes(row.wants_call)),
    "judged": (_("The program of the latest review; empty without one."), dict(JUDGEMENTS), lambda row: row.judged),
    **{key: (question.text, question.options, _answer(key)) for key, question in QUESTIONS.items()},
    "redisclosure": (_("What whoever receives this must know, in each row."), {}, lambda row: facts().redisclosure),
}
# fmt: on


# What these read.
READ = ["reference", "received_at", "channel", "urgency", "program", "close_call", "rules_version", "language"]
READ += ["status", "outcome", "wants_call", "answers", "result"]


def dictionary() -> Iterator[list[str]]:
    """Yield the data dictionary: what each column and each of its values means."""
    yield ["column", "meaning", "value", "value in words"]
    for name, (meaning, values, _read) in COLUMNS.items():
        hidden = {HIDDEN: HIDDEN_WORDS} if name in RESULT else {}
        for value, label in ({**values, **hidden} or {"": ""}).items():
            yield [name, gettext(str(meaning)), value, gettext(str(label)) if label else ""]


def table(rows: QuerySet[Any], staff: Any, purpose: str) -> Iterator[list[Any]]:
    """Yield the column names, then a line for each submission as this member of staff may see it.

    For research, whose readers know no person, without the reference number and the time of day.
    """
    columns = {name: read for name, (_meaning, _values, read) in COLUMNS.items()}
    if purpose == "research":
        del columns["reference"]
        columns["received"] = lambda row: timezone.localdate(row.received_at).isoformat()
    yield list(columns)
    latest = Review.objects.filter(submission=OuterRef("pk")).order_by("-recorded_at", "-pk").values("program")[:1]
    judged = Coalesce(Subquery(latest), Value(""), output_field=CharField())
    shown = ExpressionWrapper(result_visible_to(staff) or Q(pk__gt=0), BooleanField())
    for row in rows.only(*READ).annotate(judged=judged, shown=shown).iterator(chunk_size=500):
        hidden = frozenset() if row.shown else RESULT
        row.result_read, row.answers_read = row.readable_recommendation(), row.readable_answers  # for all columns
        yield [HIDDEN if name in hidden else read(row) for name, read in columns.items()]


def safe(cell: Any) -> str:
    """Return the cell as text that no spreadsheet takes for a formula."""
    text = str(cell)
    if text[:1].isalnum():  # as nearly all are
        return text
    return f"'{text}" if text.lstrip()[:1] in tuple("=+-@|%＝＋－＠") or text[:1] in tuple("\t\r\n") else text


class _Echo:
    def write(self, line: str) -> str:
        return line


def _file(lines: Iterable[str], kind: str, name: str, ending: str) -> StreamingHttpResponse:
    """Return a file that is streamed, so that its length does not matter."""
    response = StreamingHttpResponse(lines, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}-{timezone.localdate():%Y-%m-%d}.{ending}"'
    return response


def as_csv(lines: Iterator[list[Any]], name: str) -> StreamingHttpResponse:
    writer = csv.writer(_Echo())
    return _file((writer.writerow(map(safe, line)) for line in lines), "text/csv; charset=utf-8", name, "csv")


def as_fhir(rows: QuerySet[Any], purpose: str) -> StreamingHttpResponse:
    """Return the answers as NDJSON: a FHIR resource a line, in the order of the list."""
    rows = rows.only("reference", "received_at", "rules_version", "language", "answers")
    resources = (fhir.response(row, research=purpose == "research") for row in rows.iterator(chunk_size=500))
    lines = (json.dumps(resource, separators=(",", ":")) + "\r\n" for resource in resources)
    return _file(lines, "application/fhir+ndjson", "submissions", "ndjson")


def page(admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Export the filtered list as a file, once its purpose is stated."""
    if not request.user.has_perms(("screening.view_submission", "screening.export_submission")):
        raise PermissionDenied
    try:
        rows = admin.get_changelist_instance(request).queryset.filter(is_test=False)
    except IncorrectLookupParameters:
        return redirect(admin.LIST)
    form = Purpose(request.POST if request.method == "POST" else None)
    count, filters = rows.count(), admin.filters_used(request)
    if form.is_bound and form.is_valid():
        purpose, kind = form.cleaned_data["purpose"], form.cleaned_data["format"] or "csv"
        audit.record(Action.EXPORTED, request.user, count=count, format=kind, purpose=purpose, filters=filters)
        if kind == "fhir":
            return as_fhir(rows, purpose)
        return as_csv(table(rows, request.user, purpose), "submissions")
    audit.record(Action.LISTED, request.user, list=admin.opts.model_name, filters=filters)
    context = admin.admin_site.each_context(request) | {
        "title": gettext("Export"),
        "form": form,
        "count": count,
        "opts": admin.opts,
    }
    status = 422 if form.is_bound else 200
    return TemplateResponse(request, "admin/screening/submission/export.html", context, status=status)


def columns(admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Return the data dictionary of the export."""
    if not request.user.has_perm("screening.export_submission"):
        raise PermissionDenied
    return as_csv(dictionary(), "columns")
