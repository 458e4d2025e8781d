"""Submissions on the desk: the list, the case and its pages. Answers and result are never edited here."""

from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.forms import BaseModelFormSet, ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from screening import accounts, audit, due, reference_numbers, replies, return_codes
from screening.desk import bulk, case, export, queues, reach, sessions, unsafe
from screening.desk.filters import LOOKUPS, CaseList, Received, WorkFilter
from screening.desk.model_admin import DeskModelAdmin, without
from screening.desk.times import ago, due_in_words, elapsed
from screening.models import (
    ORDER,
    Action,
    Channel,
    Contact,
    Submission,
    is_result_hidden,
)
from screening.models.contact import fingerprints
from screening.typed import typed

ONLY_CONTACT = _("By phone, colleagues with the role “contact” can search. You can search by the reference.")
RETURN_CODE = _("This is a return code. It opens a page of its person alone. Ask them for the reference, or the phone.")


@admin.register(Submission)
class SubmissionAdmin(DeskModelAdmin):
    """What needs a person first is on top; staff set status, next step and outcome, assign cases, and add to them.

    A save takes this path: `changeform_view` makes a review of the button that agrees; `get_object` locks the row;
    `CaseForm` refuses a page that a colleague has overtaken, and says what is changed and when the case is due;
    `save_related` saves that with its audit entry, then notes and reviews with theirs (`save_formset`), then an attempt
    (`reach.record`); `response_change` and `response_post_save_change` lead on.
    """

    LIST, CASE = "admin:screening_submission_changelist", "admin:screening_submission_change"
    list_display = (
        "__str__",
        "urgency_mark",
        "due",
        "wants_a_call",
        "tried",
        "program_shown",
        "status_shown",
        "assignee",
        "received",
    )
    list_filter = (WorkFilter, "status", "assigned_to", "channel", ("received_at", Received))
    list_per_page = 50
    empty_value_display = _("nobody")  # of "assigned to"
    search_fields = ("reference",)  # see get_search_results
    search_label = _("Reference or phone")
    search_help_text = _("In full, as the person says it; dashes and small letters are fine. Looks in all cases.")
    form = case.CaseForm

    inlines = (case.NoteInline, case.ReviewInline)
    actions = (bulk.assign_to_me, bulk.begin, bulk.wait)
    fieldsets = (
        (_("Update this case"), {"fields": ("status", "outcome", "next_step", "next_at", "assigned_to", "seen")}),
    )
    lookups = LOOKUPS
    list_title = _("All cases, the newest first")

    def get_urls(self) -> list[Any]:
        own: dict[str, tuple[str, Any]] = {
            "reveal": ("<int:object_id>/reveal/", reach.reveal),
            "attempt": ("<int:object_id>/attempt/", reach.attempt),
            "strike_out": ("<int:object_id>/strike-out/", reach.strike_out),
            "withdraw": ("<int:object_id>/withdraw/", reach.withdraw),
            "print": ("<int:object_id>/print/", SubmissionAdmin.print_view),
            "export": ("export/", export.page),
            "columns": ("export/columns.csv", export.columns),
        }
        views = [
            path(route, self.admin_site.admin_view(partial(view, self)), name=f"screening_submission_{name}")
            for name, (route, view) in own.items()
        ]
        return [*views, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        queue = queues.BY_KEY.get(typed(request.GET, "queue", 50))
        context = {"title": queue.title, "hint": queue.hint, "empty": queue.empty} if queue else {}
        response: Any = super().changelist_view(request, context)
        if sought := typed(request.GET, "q", 256):
            if return_codes.parse(sought):
                self.message_user(request, RETURN_CODE, messages.WARNING)
            elif not reference_numbers.parse(sought) and not request.user.has_perm("screening.view_contact"):
                self.message_user(request, ONLY_CONTACT, messages.WARNING)
            found = getattr(response, "context_data", {}).get("cl")
            if found and found.result_count == 1:
                return redirect(self.CASE, found.result_list[0].pk)
        return cast(HttpResponse, response)

    def get_queryset(self, request: HttpRequest) -> Any:
        return Submission.objects.unexpired()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order a queue as the work is done; any other list begins with the newest."""
        # An index ends in the key, rising; of Django's own ending, falling, SQLite would sort all rows.
        return (*ORDER, "pk") if typed(request.GET, "queue", 50) in queues.BY_KEY else ("-received_at",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CaseList]:
        return CaseList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Search for a whole reference number, or a phone number by its fingerprint; an index answers both."""
        if not search_term:
            return queryset, False
        if reference := reference_numbers.parse(search_term):
            return queryset.filter(reference=reference), False
        marks = [*filter(None, fingerprints(search_term))] if request.user.has_perm("screening.view_contact") else []
        found = [*Contact.objects.unexpired().filter(fingerprint__in=marks).values_list("pk", flat=True)]
        return queryset.filter(pk__in=found), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Lock the row before a save reads it: until then nobody else changes it, and its person does not erase it."""
        row = super().get_object(request, object_id, from_field)
        if row and request.method == "POST":
            accounts.lock(request.user, *filter(str.isdecimal, [typed(request.POST, "assigned_to", 18)]))
            return Submission.objects.select_for_update().filter(pk=row.pk).first()
        return row

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Use our own message; Django's assumes that someone deleted the row."""
        self.say_gone(request)
        return redirect(self.LIST)

    def say_gone(self, request: HttpRequest) -> None:
        message = _("This case is gone. It was erased by its person, or its time was up. Nothing about it is kept.")
        self.message_user(request, message, messages.WARNING)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Record that the case is opened, and show it as the database has it.

        The form has put what was typed into its own copy of the row, even if it was refused.
        """
        row = Submission.objects.select_related("assigned_to").get(pk=kwargs["obj"].pk)
        if request.method == "GET":
            for who, opened_at in case.others_on_it(row, request.user):
                message = gettext("This case was opened by %(who)s, %(ago)s.")
                self.message_user(request, message % {"who": who, "ago": ago(opened_at)}, messages.WARNING)
        self._opened(request, row, Action.OPENED)
        context["case"] = case.case_for(row, request.user)
        context["title"] = gettext("Case %(reference)s") % {"reference": row}
        context["subtitle"] = None
        given_back = sessions.given_back(request)
        inlines = [form for inline in context["inline_admin_formsets"] for form in inline.formset.forms]
        for form in (context["adminform"].form, *inlines) if given_back else ():
            found = {name: given_back.get(form.add_prefix(name), "") for name in form.fields}
            form.initial |= {name: value for name, value in found.items() if value}
        attempt = typed(request.POST, "_tried", 16)  # of a save that was refused: it goes with the next
        context["attempt"] = {key: words for key, words in context["case"]["results"] if key == attempt}
        return super().render_change_form(request, context, *args, **kwargs)

    def _opened(self, request: HttpRequest, row: Submission, what: Action) -> None:
        """Record it; a case that was opened, and whose person nobody can reach, waits for them alone."""
        with transaction.atomic():
            audit.record(what, request.user, row.reference)
            unopened = Submission.objects.filter(pk=row.pk, opened_at=None)
            unopened.filter(wants_call=False, due_at__isnull=False).update(due_at=due.NO_TIME)
            unopened.update(opened_at=timezone.now())
            mine = Submission.objects.filter(pk=row.pk, assigned_to=request.user.pk, newly_assigned=True)
            mine.update(newly_assigned=False)

    def case(self, request: HttpRequest, object_id: int, permission: str) -> Submission | None:
        """Return the row of a page; None, with a message, if it is gone. Raise PermissionDenied if not permitted."""
        if not request.user.has_perms(("screening.view_submission", permission)):
            raise PermissionDenied
        row = self.get_queryset(request).filter(pk=object_id).first() if object_id < 2**63 else None
        if row is None:
            self.say_gone(request)
        return cast(Submission | None, row)

    def print_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show the case for paper, without contact details."""
        row = self.case(request, object_id, "screening.view_submission")
        if row is None:
            return redirect(self.LIST)
        self._opened(request, row, Action.PRINTED)
        context = self.admin_site.each_context(request) | {"case": case.case_for(row, request.user), "submission": row}
        return TemplateResponse(request, "admin/screening/submission/print.html", context)

    @admin.display(description=_("urgency"))
    def urgency_mark(self, submission: Submission) -> SafeString:
        return case.urgency_mark(submission)

    @admin.display(description=_("due"), empty_value="")
    def due(self, submission: Submission) -> SafeString | str:
        return due_in_words(submission)

    @admin.display(description=_("call"), empty_value="")
    def wants_a_call(self, submission: Submission) -> SafeString | str:
        return format_html('<span class="chip">{}</span>', gettext("Wants a call")) if submission.wants_call else ""

    @admin.display(description=_("tried"), empty_value="")
    def tried(self, submission: Any) -> SafeString | str:
        if not submission.tried:
            return ""
        last = submission.tried[-1]
        return format_html(
            "{}×: {}, {}", len(submission.tried), last.get_result_display().lower(), elapsed(last.made_at)
        )

    @admin.display(description=_("status"))
    def status_shown(self, submission: Submission) -> SafeString:
        return format_html('<span class="chip {}">{}</span>', submission.status, submission.get_status_display())

    @admin.display(description=_("assigned to"))
    def assignee(self, submission: Submission) -> SafeString:
        words = '<span class="in-card">{}</span> {}'
        return format_html(words, gettext("Assigned to:"), submission.assigned_to or gettext("nobody"))

    @admin.display(description=_("received"))
    def received(self, submission: Submission) -> SafeString:
        how = submission.get_channel_display() if submission.channel != Channel.ONLINE else ""
        mark = gettext("Suspected spam") if submission.spam_signs else ""
        return format_html("{} {} {}", elapsed(submission.received_at), how, mark)

    @admin.display(description=_("program"))
    def program_shown(self, submission: Any) -> str:
        if not submission.shown:
            return gettext("Review before seeing the result")
        return gettext("Either program fits") if submission.close_call else str(submission.get_program_display())

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        cast(Any, form).staff = request.user
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Submission | None = None) -> Any:
        """Leave out how a case ended while its result is hidden."""
        left_out = {"outcome"} if obj and obj.outcome and is_result_hidden(obj, request.user) else set()
        ((title, options),) = self.fieldsets
        return ((title, {"fields": [name for name in options["fields"] if name not in left_out]}),)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name in case.STAFF_FIELDS:
            field.show_hidden_initial = True  # what the page showed, so that only what was changed is saved
        if field and db_field.name == "assigned_to":
            chooser = cast(ModelChoiceField, field)
            able = User.objects.with_perm("screening.view_submission").filter(is_staff=True)
            chooser.queryset = User.objects.filter(Q(pk__in=able.values("pk")) | Q(pk=self._assignee(request)))
            for what in ("add", "change", "delete", "view"):  # accounts are made elsewhere
                setattr(chooser.widget, f"can_{what}_related", False)
        return field

    def _assignee(self, request: HttpRequest) -> int | None:
        """Return whom the case of the page is assigned to: someone who has lost the right to it stays until changed."""
        match = request.resolver_match
        key = str(match.kwargs.get("object_id", "")) if match else ""
        row = Submission.objects.filter(pk=key).first() if key.isdecimal() and len(key) < 16 else None
        return row.assigned_to_id if row else None

    def save_model(self, request: HttpRequest, obj: Submission, form: ModelForm, change: bool) -> None:
        """Leave it to save_related, which knows whether anything was changed or added."""

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        changed = cast(case.CaseForm, form).changes
        hidden = is_result_hidden(form.instance, request.user)
        is_unsafe, reply = "_unsafe" in request.POST and not hidden, "" if hidden else form.cleaned_data["reply"]
        if changed or is_unsafe or reply or any(formset.has_changed() for formset in formsets):
            case.save_change(request, form.instance, *changed)
        super().save_related(request, form, formsets, change)
        if (result := typed(request.POST, "_tried", 16)) and request.user.has_perm("screening.view_contact"):
            reach.record(request, form.instance, result, keep_due="due_at" in changed)
        if reply:
            replies.leave(form.instance, reply, request.user)
        if is_unsafe:
            unsafe.report(request, form.instance, form.cleaned_data["unsafe_reason"])
            self.message_user(request, _("Reported. The clinical lead is told, and goes through it."))

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kw: Any) -> Any:
        """Take the button that agrees with the rules as a review that says the same."""
        key = object_id if "_agree" in request.POST and (object_id or "").isdecimal() else None
        row = self.get_queryset(request).filter(pk=key).first() if key else None
        if row and not is_result_hidden(row, request.user):
            post: Any = without(request.POST)
            said, chosen = case.as_the_rules(row)[0], typed(post, "reviews-0-program", 16)
            post["reviews-0-program"] = said if chosen in ("", said) else case.BOTH
            cast(Any, request).POST = post
        return super().changeform_view(request, object_id, *args, **kw)

    def response_post_save_change(self, request: HttpRequest, obj: Submission) -> Any:
        """Go on to the next case that is due, if that was asked for and there is one."""
        rows = queues.BY_KEY["due"].rows(self.get_queryset(request), request.user)
        just_now = timezone.now() - case.ON_IT  # what they have worked on is not the next again
        rows = rows.exclude(touched_by=request.user.pk, touched_at__gt=just_now)
        following = rows.exclude(pk=obj.pk).order_by(*ORDER).first() if "_next" in request.POST else None
        return redirect(self.CASE, following.pk) if following else super().response_post_save_change(request, obj)

    def response_change(self, request: HttpRequest, obj: Submission) -> HttpResponse:
        if str(obj.version) != typed(request.POST, "seen", 20):  # a valid form holds the version that it was read at
            return super().response_change(request, obj)
        self.message_user(request, _("Nothing was changed, so nothing was saved."), messages.INFO)
        return redirect(request.path) if "_continue" in request.POST else self.response_post_save_change(request, obj)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        inline = next(each for each in self.get_inline_instances(request) if each.model is formset.model)
        for added in formset.save(commit=False):
            cast(case.AppendOnlyInline, inline).add(request, added)
        formset.save_m2m()
