"""The desk where staff review. Answers and result are read here, never edited, added or deleted."""

from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseModelFormSet, ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from screening import queues, references
from screening.case import DECIDED, CaseForm, NoteInline, ReviewInline
from screening.explanation import answers_by_page, explain
from screening.models import Contact, Status, Submission, Urgency, kept_since
from screening.spam import SIGNS


class WorkFilter(admin.SimpleListFilter):
    """The queues of the front page."""

    title = _("work")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(queue.key, queue.title) for queue in queues.QUEUES]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        queue = queues.BY_KEY.get(self.value() or "")
        return queryset.filter(queue.condition(request.user)) if queue else queryset


class FirstPages(Paginator):
    """Counts no further than anyone turns pages: counting a million rows takes longer than showing fifty."""

    MOST = 2000

    @cached_property
    def count(self) -> int:
        return cast(QuerySet[Submission], self.object_list).order_by()[: self.MOST].count()


# What the filters beside the list ask of the database. Nothing else can be asked by the address: not by a pattern, and
# not of answers, codes and contact details.
LOOKUPS = {f"{field}__exact" for field in ("urgency", "program", "close_call", "wants_call", "status")} | {
    "queue",
    "received_at__gte",
    "received_at__lt",
    "spam_signs__isempty",
    *(f"{field}__{how}" for field in ("assigned_to", "touched_by") for how in ("id__exact", "isnull")),
}


def _ago(moment: datetime) -> SafeString:
    """In its largest unit; the exact time is shown when pointed at."""
    since = timesince(moment, depth=1)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        date_format(timezone.localtime(moment), "DATETIME_FORMAT"),
        gettext("%(time)s ago") % {"time": since},
    )


@admin.register(Submission)
class SubmissionAdmin(admin.ModelAdmin):
    """What needs a person first is on top; staff set status and outcome, assign, and add notes."""

    list_display = (
        "__str__",
        "urgency_mark",
        "program",
        "close_call_mark",
        "received",
        "wants_a_call",
        "status",
        "assigned_to",
        "last_touched",
    )
    list_filter = (
        WorkFilter,
        "urgency",
        "program",
        "close_call",
        "wants_call",
        "received_at",
        "status",
        "assigned_to",
        "touched_by",
        ("spam_signs", admin.EmptyFieldListFilter),
    )
    list_per_page = 50
    sortable_by = ()  # one order, that the indexes follow
    list_select_related = ("assigned_to", "touched_by")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # a count for each filter would count everything
    empty_value_display = _("nobody")  # to assign to, or to have touched it
    paginator = FirstPages
    search_fields = ("reference",)  # see get_search_results
    search_help_text = _("A reference, as the person reads it out. Dashes and small letters are fine.")
    form = CaseForm

    class Media:
        css = {"all": ("screening/desk.css",)}  # noqa: RUF012 - as Django has it

    inlines = (ReviewInline, NoteInline)
    actions = ("assign_to_me", "begin", "wait")
    fieldsets = (
        (None, {"fields": ("urgency_mark", "program", "close_call_mark", "received_at", "signs", "last_touched")}),
        (_("Asked for a call"), {"fields": ("how_to_reach",)}),
        (_("This case"), {"fields": ("status", "outcome", "assigned_to", "seen")}),
        (_("Result"), {"fields": ("result_seen",)}),
        (_("Answers"), {"fields": ("answers_in_words",)}),
        (_("Rules"), {"fields": ("rules_version", "language")}),
    )
    readonly_fields = (
        "urgency_mark",
        "program",
        "close_call_mark",
        "received_at",
        "signs",
        "last_touched",
        "how_to_reach",
        "result_seen",
        "answers_in_words",
        "rules_version",
        "language",
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Submissions")} | (extra_context or {}))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(received_at__gt=kept_since())

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By the whole reference only, which an index answers."""
        return (queryset.filter(reference=references.read(search_term)) if search_term else queryset), False

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Django's own words guess that someone deleted it."""
        words = _("This submission is gone. It was erased by its person, or its time was up. Nothing about it is kept.")
        self.message_user(request, words, messages.WARNING)
        return redirect("admin:screening_submission_changelist")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page is about to be seen: the person may know when that was first so."""
        Submission.objects.filter(pk=kwargs["obj"].pk, opened_at=None).update(opened_at=timezone.now())
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("urgency"))
    def urgency_mark(self, submission: Submission) -> SafeString:
        urgency = Urgency(submission.urgency)
        return format_html('<span class="urgency {}">{}</span>', urgency.name.lower(), urgency.label)

    @admin.display(description=_("call"), empty_value="")
    def wants_a_call(self, submission: Submission) -> str:
        return gettext("Wants a call") if submission.wants_call else ""

    @admin.display(description=_("received"))
    def received(self, submission: Submission) -> SafeString:
        return _ago(submission.received_at)

    @admin.display(description=_("last touched by"), empty_value="")
    def last_touched(self, submission: Submission) -> SafeString | str:
        if submission.touched_at is None:
            return ""
        who = submission.touched_by or gettext("someone who has left")
        return format_html("{}, {}", who, _ago(submission.touched_at))

    @admin.display(description=_("maybe a machine"), empty_value="")
    def signs(self, submission: Submission) -> str:
        return "; ".join(str(SIGNS[key]) for key in submission.spam_signs.split(",") if key in SIGNS)

    @admin.display(description=_("How to reach them"))
    def how_to_reach(self, submission: Submission) -> str:
        contact = Contact.objects.kept().filter(pk=submission.pk).first()
        if contact is None:
            return gettext("They did not ask for a call.")
        return render_to_string("admin/screening/submission/contact.html", {"contact": contact})

    @admin.display(description=_("close call"), empty_value="")
    def close_call_mark(self, submission: Submission) -> str:
        # A word where it counts; the stock icon for "no" looks like an alarm.
        return gettext("Close call") if submission.close_call else ""

    @admin.display(description=_("As the person saw it"))
    def result_seen(self, submission: Submission) -> SafeString:
        recommendation = submission.readable_recommendation()
        if recommendation is None:
            return format_html("{}", gettext("The stored result can't be read. manage.py verify_results says more."))
        explanation = explain(recommendation, submission.readable_answers)
        return render_to_string("admin/screening/submission/result.html", {"explanation": explanation})

    @admin.display(description=_("In words"))
    def answers_in_words(self, submission: Submission) -> SafeString:
        recommendation = submission.readable_recommendation()
        marked = {key for reason in (recommendation.reasons if recommendation else ()) for key in reason.questions}
        pages = answers_by_page(submission.readable_answers, marked)
        return render_to_string("admin/screening/submission/answers.html", {"pages": pages})

    def get_fieldsets(self, request: HttpRequest, obj: Submission | None = None) -> Any:
        """Without how to reach the person, for whom that is not meant."""
        parts = super().get_fieldsets(request, obj)
        if request.user.has_perm("screening.view_contact"):
            return parts
        return [part for part in parts if "how_to_reach" not in part[1]["fields"]]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup in LOOKUPS and "\0" not in str(value)  # PostgreSQL fails on it

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Submission | None = None) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name in DECIDED:
            field.show_hidden_initial = True  # what the page showed, so that only what was changed is saved
        if field and db_field.name == "assigned_to":
            chooser = cast(ModelChoiceField, field)
            chooser.queryset = User.objects.filter(is_staff=True, is_active=True)
            for what in ("add", "change", "delete", "view"):  # accounts are made elsewhere
                setattr(chooser.widget, f"can_{what}_related", False)
        return field

    def save_model(self, request: HttpRequest, obj: Submission, form: ModelForm, change: bool) -> None:
        self._touch(request, obj, *(name for name in DECIDED if name in form.changed_data))

    def _touch(self, request: HttpRequest, obj: Submission, *changed: str) -> None:
        """Saves what was changed, and that it was."""
        names = {*changed, "touched_by", "touched_at", "version"}
        if "status" in changed:
            obj.status_at = timezone.now()
            names |= {"status_at", "outcome"}
        obj.touched_by, obj.touched_at = cast(User, request.user), timezone.now()
        obj.version += 1
        obj.save(update_fields=names)

    def _each(self, request: HttpRequest, rows: Any, **values: Any) -> None:
        """Sets the same on each of the rows, and logs each."""
        count = 0
        with transaction.atomic():
            for row in rows.select_for_update(of=("self",)).order_by("pk"):
                changed = [name for name, value in values.items() if getattr(row, name) != value]
                if changed:
                    for name in changed:
                        setattr(row, name, values[name])
                    row.outcome = row.outcome if row.status == Status.CLOSED else ""
                    self._touch(request, row, *changed)
                    self.log_change(request, row, [{"changed": {"fields": changed}}])
                    count += 1
        self.message_user(request, ngettext("%d case changed.", "%d cases changed.", count) % count)

    @admin.action(description=_("Assign to me"), permissions=["change"])
    def assign_to_me(self, request: HttpRequest, rows: Any) -> None:
        self._each(request, rows, assigned_to=request.user)

    @admin.action(description=_("Set to: in progress"), permissions=["change"])
    def begin(self, request: HttpRequest, rows: Any) -> None:
        self._each(request, rows, status=Status.IN_PROGRESS)

    @admin.action(description=_("Set to: waiting for person"), permissions=["change"])
    def wait(self, request: HttpRequest, rows: Any) -> None:
        self._each(request, rows, status=Status.WAITING)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        for added in formset.save(commit=False):
            added.author = request.user
            added.save()
        formset.save_m2m()
