"""The desk where staff review. Answers and result are read here, never edited, added or deleted."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from screening.explanation import answers_by_page, explain
from screening.models import Contact, Note, Submission, kept_since
from screening.spam import SIGNS


class NoteInline(admin.TabularInline):
    """Notes are added, never changed: each carries its author and time."""

    model = Note
    extra = 1
    fields = ("text", "author", "written_at")
    readonly_fields = ("author", "written_at")
    verbose_name_plural = _("notes (kept as written: they can't be changed later)")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Without the right to change a submission, its page has no button to save a note with.
        may_save = request.user.has_perm("screening.change_submission")
        return may_save and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("author")


class WantsCallFilter(admin.SimpleListFilter):
    """Who asked for a call."""

    title = _("call")
    parameter_name = "call"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return (("yes", _("Wants a call")), ("no", _("Did not ask")))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(asked=self.value() == "yes") if self.value() in ("yes", "no") else queryset


# What the filters beside the list ask of the database. Nothing else can be asked by the address: not by a pattern, and
# not of answers, codes and contact details.
LOOKUPS = {f"{field}__exact" for field in ("urgency", "program", "close_call", "status")} | {
    "call",
    "received_at__gte",
    "received_at__lt",
    "spam_signs__isempty",
}


@admin.register(Submission)
class SubmissionAdmin(admin.ModelAdmin):
    """Open ones first, the most urgent on top, then the newest; staff set the status and add notes."""

    list_display = (
        "__str__",
        "urgency",
        "program",
        "close_call_mark",
        "wants_a_call",
        "received_at",
        "status",
        "signs",
    )
    list_filter = (
        "urgency",
        "program",
        "close_call",
        WantsCallFilter,
        "received_at",
        "status",
        ("spam_signs", admin.EmptyFieldListFilter),
    )
    list_per_page = 50
    inlines = (NoteInline,)
    fieldsets = (
        (None, {"fields": ("urgency", "program", "close_call_mark", "received_at", "signs", "status")}),
        (_("Asked for a call"), {"fields": ("how_to_reach",)}),
        (_("Result"), {"fields": ("result_seen",)}),
        (_("Answers"), {"fields": ("answers_in_words",)}),
        (_("Rules"), {"fields": ("rules_version", "language")}),
    )
    readonly_fields = (
        "urgency",
        "program",
        "close_call_mark",
        "received_at",
        "signs",
        "how_to_reach",
        "result_seen",
        "answers_in_words",
        "rules_version",
        "language",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        asked = Exists(Contact.objects.kept().filter(submission=OuterRef("pk")))
        return super().get_queryset(request).filter(received_at__gt=kept_since()).annotate(asked=asked)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page is about to be seen: the person may know when that was first so."""
        Submission.objects.filter(pk=kwargs["obj"].pk, opened_at=None).update(opened_at=timezone.now())
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("call"))
    def wants_a_call(self, submission: Any) -> str:
        return gettext("Wants a call") if submission.asked else ""

    @admin.display(description=_("maybe a machine"))
    def signs(self, submission: Submission) -> str:
        return "; ".join(str(SIGNS[key]) for key in submission.spam_signs.split(",") if key in SIGNS)

    @admin.display(description=_("How to reach them"))
    def how_to_reach(self, submission: Submission) -> str:
        contact = Contact.objects.kept().filter(pk=submission.pk).first()
        if contact is None:
            return gettext("They did not ask for a call.")
        return render_to_string("admin/screening/submission/contact.html", {"contact": contact})

    @admin.display(description=_("close call"), ordering="close_call")
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
        if field and db_field.name == "status":
            field.show_hidden_initial = True  # what the page showed, so that only a status that was changed is saved
        return field

    def save_model(self, request: HttpRequest, obj: Submission, form: ModelForm, change: bool) -> None:
        if "status" in form.changed_data:
            obj.status_at = timezone.now()
            obj.save(update_fields=["status", "status_at"])

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        for note in formset.save(commit=False):
            note.author = request.user
            note.save()
        formset.save_m2m()
