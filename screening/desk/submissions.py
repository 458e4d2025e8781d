"""Submissions on the desk: the list, the case and its pages. Answers and result are never edited here."""

from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.forms import BaseModelFormSet, ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from screening import accounts, audit, reference_numbers, retention
from screening.desk import case, export, queues
from screening.desk.filters import LOOKUPS, MachineSigns, Received, SubmissionList, WorkFilter, YesOrNo
from screening.desk.model_admin import DeskModelAdmin
from screening.models import (
    WANTS_CALL,
    Action,
    Contact,
    Status,
    Submission,
    Urgency,
    result_visible_to,
    retention_cutoff,
)
from screening.typed import typed

LIST, CASE = "admin:screening_submission_changelist", "admin:screening_submission_change"


def _ago(moment: datetime) -> SafeString:
    """Render a time in its largest unit; the exact time is its title."""
    exact = date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, case.ago(moment))


@admin.register(Submission)
class SubmissionAdmin(DeskModelAdmin):
    """What needs a person first is on top; staff set status and outcome, assign cases, and add notes and reviews."""

    list_display = (
        "__str__",
        "urgency_mark",
        "program_shown",
        "close_call_mark",
        "channel",
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
        ("close_call", YesOrNo),
        ("wants_call", YesOrNo),
        ("received_at", Received),
        "status",
        "assigned_to",
        "touched_by",
        "channel",
        ("spam_signs", MachineSigns),
    )
    list_per_page = 50
    list_select_related = ("assigned_to", "touched_by")
    empty_value_display = _("nobody")  # of "assigned to" and "last touched by"
    search_fields = ("reference",)  # see get_search_results
    search_label = _("Reference")
    search_help_text = _("As the person reads it out; dashes and small letters are fine. Looks in all submissions.")
    form = case.CaseForm

    inlines = (case.ReviewInline, case.NoteInline)
    actions = ("assign_to_me", "begin", "wait")
    fieldsets = ((_("This case"), {"fields": ("status", "outcome", "assigned_to", "seen")}),)
    lookups = LOOKUPS
    list_title = _("Submissions")

    def get_urls(self) -> list[Any]:
        own: dict[str, tuple[Any, str]] = {
            "<int:object_id>/reveal/": (self.reveal, "reveal"),
            "<int:object_id>/withdraw/": (self.withdraw, "withdraw"),
            "<int:object_id>/print/": (self.print_view, "print"),
            "export/": (self.export_view, "export"),
            "export/columns.csv": (self.columns_view, "columns"),
        }
        views = [
            path(route, self.admin_site.admin_view(view), name=f"screening_submission_{name}")
            for route, (view, name) in own.items()
        ]
        return [*views, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        queue = queues.BY_KEY.get(typed(request.GET, "queue", 50))
        return super().changelist_view(request, {"title": queue.title if queue else self.list_title})

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave hidden results out of what is filtered by result: they can't be found out that way."""
        rows, kept = super().get_queryset(request), Q(received_at__gt=retention_cutoff())
        # Of two conditions on time, SQLite may use the index for the one that nearly all rows meet.
        rows = queues.beside_indexes(rows, kept) if "received_at__gte" in request.GET else rows.filter(kept)
        if {"program__exact", "close_call__exact"} & set(request.GET):
            rows = rows.filter(result_visible_to(request.user))
        return rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SubmissionList]:
        return SubmissionList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Search for a whole reference number only, which an index answers."""
        return (queryset.filter(reference=reference_numbers.parse(search_term)) if search_term else queryset), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Lock the row before a save reads it: until then nobody else changes it, and its person does not erase it."""
        row = super().get_object(request, object_id, from_field)
        if row and request.method == "POST":
            accounts.lock(request.user, *filter(str.isdecimal, [typed(request.POST, "assigned_to", 18)]))
            return Submission.objects.select_for_update().filter(pk=row.pk).first()
        return row

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Use our own message; Django's assumes that someone deleted the row."""
        self._say_gone(request)
        return redirect(LIST)

    def _say_gone(self, request: HttpRequest) -> None:
        message = _(
            "This submission is gone. It was erased by its person, or its time was up. Nothing about it is kept."
        )
        self.message_user(request, message, messages.WARNING)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Record that the case is opened, and show it as the database has it.

        The form has put what was typed into its own copy of the row, even if it was refused.
        """
        row = Submission.objects.select_related("assigned_to").get(pk=kwargs["obj"].pk)
        if request.method == "GET":
            for line in case.others_on_it(row, request.user):
                message = gettext("This case was opened by %(who)s, %(ago)s.")
                self.message_user(
                    request, message % {"who": line.actor, "ago": case.ago(line.timestamp)}, messages.WARNING
                )
        self._opened(request, row, Action.OPENED)
        context["case"] = case.case_for(row, request.user)
        context["title"] = gettext("Case %(reference)s") % {"reference": row}
        context["subtitle"] = None
        return super().render_change_form(request, context, *args, **kwargs)

    def _opened(self, request: HttpRequest, row: Submission, what: Action) -> None:
        with transaction.atomic():
            audit.record(what, request.user, row.reference)
            Submission.objects.filter(pk=row.pk, opened_at=None).update(opened_at=timezone.now())

    def _case(self, request: HttpRequest, object_id: int, permission: str) -> Submission | None:
        """Return the row of a page; None, with a message, if it is gone. Raise PermissionDenied if not permitted."""
        if not request.user.has_perms(("screening.view_submission", permission)):
            raise PermissionDenied
        row = self.get_queryset(request).filter(pk=object_id).first() if object_id < 2**63 else None
        if row is None:
            self._say_gone(request)
        return cast(Submission | None, row)

    def reveal(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show how to reach the person, on a page of its own, so that each look adds an audit entry."""
        row = self._case(request, object_id, "screening.view_contact")
        if row is None:
            return redirect(LIST)
        contact = Contact.objects.unexpired().filter(pk=row.pk).first()
        if request.method != "POST" or contact is None:
            if contact is None:
                self.message_user(request, gettext("The request for a call was taken back."), messages.WARNING)
            return redirect(CASE, row.pk)
        audit.record(Action.REVEALED, request.user, row.reference)
        context = self.admin_site.each_context(request) | {
            "title": gettext("How to reach %(reference)s") % {"reference": row},
            "submission": row,
            "contact": contact,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/screening/submission/reveal.html", context)

    def withdraw(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Withdraw the request for a call at the person's wish."""
        row = self._case(request, object_id, "screening.delete_contact")
        if row is None:
            return redirect(LIST)
        if request.method == "POST":
            with transaction.atomic():
                audit.record(Action.WITHDRAWN, request.user, row.reference)
                Contact.objects.withdraw(row.pk)
            transaction.on_commit(retention.truncate_journal)
            self.message_user(request, gettext("How to reach this person is erased."))
        return redirect(CASE, row.pk)

    def print_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show the case for paper, without contact details."""
        row = self._case(request, object_id, "screening.view_submission")
        if row is None:
            return redirect(LIST)
        self._opened(request, row, Action.PRINTED)
        context = self.admin_site.each_context(request) | {"case": case.case_for(row, request.user), "submission": row}
        return TemplateResponse(request, "admin/screening/submission/print.html", context)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Export the filtered list as a file, once its purpose is stated."""
        if not request.user.has_perms(("screening.view_submission", "screening.export_submission")):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).queryset.filter(is_test=False)
        except IncorrectLookupParameters:
            return redirect(LIST)
        form = export.Purpose(request.POST if request.method == "POST" else None)
        count = rows.count()
        if form.is_bound and form.is_valid():
            purpose = form.cleaned_data["purpose"]
            audit.record(
                Action.EXPORTED, request.user, count=count, purpose=purpose, filters=self.filters_used(request)
            )
            return export.as_csv(export.table(rows, request.user, purpose), "submissions")
        audit.record(Action.LISTED, request.user, list=self.opts.model_name, filters=self.filters_used(request))
        context = self.admin_site.each_context(request) | {
            "title": gettext("Export"),
            "form": form,
            "count": count,
            "opts": self.opts,
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/screening/submission/export.html", context, status=status)

    def columns_view(self, request: HttpRequest) -> HttpResponseBase:
        """Return the data dictionary of the export."""
        if not request.user.has_perm("screening.export_submission"):
            raise PermissionDenied
        return export.as_csv(export.dictionary(), "columns")

    @admin.display(description=_("urgency"))
    def urgency_mark(self, submission: Submission) -> SafeString:
        urgency = Urgency(submission.urgency)
        return format_html('<span class="urgency {}">{}</span>', urgency.name.lower(), urgency.label)

    @admin.display(description=_("call"), empty_value="")
    def wants_a_call(self, submission: Submission) -> str:
        return gettext("Wants a call") if submission.rank in WANTS_CALL else ""

    @admin.display(description=_("received"))
    def received(self, submission: Submission) -> SafeString:
        return _ago(submission.received_at)

    @admin.display(description=_("last touched by"), empty_value="")
    def last_touched(self, submission: Submission) -> SafeString | str:
        if submission.touched_at is None:
            return ""
        who = submission.touched_by or gettext("someone who has left")
        return format_html("{}, {}", who, _ago(submission.touched_at))

    @admin.display(description=_("program"))
    def program_shown(self, submission: Any) -> str:
        return str(submission.get_program_display()) if submission.shown else gettext("Judge it first")

    @admin.display(description=_("close call"), empty_value="")
    def close_call_mark(self, submission: Any) -> str:
        # A word, because the stock icon for "no" looks like an alarm.
        return gettext("Close call") if submission.shown and submission.close_call else ""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name in case.STAFF_FIELDS:
            field.show_hidden_initial = True  # what the page showed, so that only what was changed is saved
        if field and db_field.name == "assigned_to":
            chooser = cast(ModelChoiceField, field)
            chooser.queryset = User.objects.with_perm("screening.view_submission").filter(is_staff=True)
            for what in ("add", "change", "delete", "view"):  # accounts are made elsewhere
                setattr(chooser.widget, f"can_{what}_related", False)
        return field

    def save_model(self, request: HttpRequest, obj: Submission, form: ModelForm, change: bool) -> None:
        """Leave it to save_related, which knows whether anything was changed or added."""

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        changed = [name for name in case.STAFF_FIELDS if name in form.changed_data]
        if changed or any(formset.has_changed() for formset in formsets):
            self._save_change(request, form.instance, *changed)
        super().save_related(request, form, formsets, change)

    def response_change(self, request: HttpRequest, obj: Submission) -> HttpResponse:
        if str(obj.version) != typed(request.POST, "seen", 20):  # a valid form holds the version that it was read at
            return super().response_change(request, obj)
        self.message_user(request, _("Nothing was changed, so nothing was saved."), messages.INFO)
        return redirect(request.path) if "_continue" in request.POST else self.response_post_save_change(request, obj)

    def _save_change(self, request: HttpRequest, obj: Submission, *changed: str) -> None:
        """Save these fields, who changed the case, and an audit entry."""
        names = {*changed, "touched_by", "touched_at", "version"}
        if "status" in changed:
            obj.status_at = timezone.now()
            names |= {"status_at", "outcome"}
        obj.touched_by, obj.touched_at = cast(User, request.user), timezone.now()
        obj.version += 1
        if changed:  # the log does not hold how a case ended
            logged = {"status": obj.status, "assigned_to": obj.assigned_to or "", "outcome": "changed"}
            audit.record(Action.CHANGED, request.user, obj.reference, **{name: logged[name] for name in changed})
        obj.save(update_fields=names)

    def _set_on_each(self, request: HttpRequest, rows: Any, **values: Any) -> None:
        """Set the same values on each row, with an audit entry for each.

        Closed cases keep their status: a new one would delete how they ended.
        """
        count = closed = 0
        with transaction.atomic():
            accounts.lock(request.user)
            for row in rows.select_for_update(of=("self",)).order_by("pk"):
                if row.status == Status.CLOSED and "status" in values:
                    closed += 1
                    continue
                changed = [name for name, value in values.items() if getattr(row, name) != value]
                if changed:
                    for name in changed:
                        setattr(row, name, values[name])
                    self._save_change(request, row, *changed)
                    count += 1
        self.message_user(request, ngettext("%d case changed.", "%d cases changed.", count) % count)
        if closed:
            left = ngettext(
                "%d closed case was left as it is. To open one again, go to its page.",
                "%d closed cases were left as they are. To open one again, go to its page.",
                closed,
            )
            self.message_user(request, left % closed, messages.WARNING)

    @admin.action(description=_("Assign to me"), permissions=["change"])
    def assign_to_me(self, request: HttpRequest, rows: Any) -> None:
        self._set_on_each(request, rows, assigned_to=request.user)

    @admin.action(description=_("Set to: in progress"), permissions=["change"])
    def begin(self, request: HttpRequest, rows: Any) -> None:
        self._set_on_each(request, rows, status=Status.IN_PROGRESS)

    @admin.action(description=_("Set to: waiting for person"), permissions=["change"])
    def wait(self, request: HttpRequest, rows: Any) -> None:
        self._set_on_each(request, rows, status=Status.WAITING)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        inline = next(each for each in self.get_inline_instances(request) if each.model is formset.model)
        for added in formset.save(commit=False):
            cast(case.AppendOnlyInline, inline).add(request, added)
        formset.save_m2m()
