"""A case on the desk: what staff set and what they add, without overwriting what a colleague did meanwhile."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.db.models import TextField
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext, gettext_lazy as _

from screening import audit
from screening.center import facts
from screening.desk.audit_log import detail_in_words
from screening.explanation import answers_by_section, answers_by_subject, explain, rules_of
from screening.models import (
    URGENCIES,
    Action,
    Contact,
    LogLine,
    Note,
    Review,
    Status,
    Submission,
    Urgency,
    is_result_hidden,
)
from screening.spam import SIGNS

STAFF_FIELDS = ("status", "outcome", "assigned_to")  # the fields that staff set
ON_IT = timedelta(minutes=15)  # after opening a case, someone is taken to be working on it for so long

WHAT_TO_DO = {
    Urgency.NOW: _("Danger now. This comes before all other work: see that a person speaks with them at once."),
    Urgency.TODAY: _(
        "They need help today, for the reasons below. Make sure that they know whom to turn to, and can get there."
    ),
    Urgency.SOON: _("Speak with them in the next few days."),
    Urgency.NONE: _("No rush from what they answered."),
}


def case_for(submission: Submission, staff: Any) -> dict[str, Any]:
    """Return what the page of a case shows to this member of staff, above the fields that they set."""
    recommendation = submission.readable_recommendation()
    hidden = is_result_hidden(submission, staff)
    reasons = recommendation.reasons if recommendation else ()
    level = URGENCIES[submission.urgency]
    urgent = [reason for reason in reasons if (reason.dimension, reason.level) == ("urgency", level)]
    marked = {key for reason in (urgent if hidden else reasons) for key in reason.questions}
    answers = submission.readable_answers
    lines = list(LogLine.objects.filter(reference=submission.reference)[:100])
    sees_reviews = not hidden and staff.has_perm("screening.view_review")
    return {
        "submission": submission,
        "hidden": hidden,
        "to_do": WHAT_TO_DO[Urgency(submission.urgency)],
        "contact": Contact.objects.unexpired().filter(pk=submission.pk).first(),
        "may_reveal": staff.has_perm("screening.view_contact"),
        "urgent": urgent,
        "explanation": (
            explain(recommendation, answers, rules_of(recommendation)) if recommendation and not hidden else None
        ),
        "answers": answers_by_section(answers, marked),
        "subjects": answers_by_subject(answers),
        "signs": [SIGNS[key] for key in submission.spam_signs.split(",") if key in SIGNS],
        "reviews": submission.reviews.select_related("author") if sees_reviews else (),
        "notes": submission.notes.select_related("author") if staff.has_perm("screening.view_note") else (),
        "history": [(line, detail_in_words(line)) for line in lines],
        "withdrawn": next((line for line in lines if line.action == Action.WITHDRAWN), None),
    }


def ago(moment: datetime) -> str:
    """Put a time into words in its largest unit, like "2 hours ago"."""
    if timezone.now() - moment < timedelta(minutes=1):
        return gettext("just now")
    return gettext("%(time)s ago") % {"time": timesince(moment, depth=1)}


def others_on_it(submission: Submission, staff: Any) -> list[LogLine]:
    """Return the latest entry of everyone else who opened the case within ON_IT."""
    lines = LogLine.objects.filter(
        reference=submission.reference, action=Action.OPENED, timestamp__gt=timezone.now() - ON_IT
    ).exclude(account=staff.pk)
    return list({line.account: line for line in reversed(lines)}.values())


class CaseForm(forms.ModelForm):
    """Require an outcome if and only if the case is closed; refuse to overwrite what a colleague saved meanwhile."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)  # the version of the case that the page showed

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("seen") != self.instance.version:
            raise forms.ValidationError(self._changed_meanwhile(self.instance))
        closed = cleaned.get("status") == Status.CLOSED
        if closed and not cleaned.get("outcome"):
            self.add_error("outcome", _("How did it end? A closed case needs an outcome."))
        if not closed and cleaned.get("outcome") and "outcome" in self.changed_data:
            self.add_error("outcome", _("Only a closed case has an outcome. Set the status to closed, too."))
        elif not closed:
            cleaned["outcome"] = ""
        return cleaned

    def _changed_meanwhile(self, now: Submission) -> str:
        """Say what a colleague changed, and show that; what was typed here stays in its place."""
        data, news = cast(QueryDict, self.data).copy(), []
        for name, value in forms.model_to_dict(now, STAFF_FIELDS).items():
            field, current = self[name], "" if value is None else str(value)
            if current != self.data.get(field.html_initial_name, ""):
                news.append(f"{field.label}: {_in_words(now, name)}.")
            if name not in self.changed_data:
                data[field.html_name] = current
            data[field.html_initial_name] = current
        data[self["seen"].html_name] = str(now.version)
        self.data = data
        message = gettext(
            "%(who)s saved this case after you opened it. %(news)s Nothing of yours is saved yet, and nothing that you "
            "typed is lost. Please look, and save again."
        )
        who = now.touched_by or gettext("Someone")
        return message % {"who": who, "news": " ".join(news) or gettext("A note or a review was added.")}


def _in_words(case: Submission, name: str) -> str:
    display = getattr(case, f"get_{name}_display", None)
    return str(display() if display else getattr(case, name) or "") or gettext("nobody")


class NewRowsFormSet(forms.BaseInlineFormSet):
    """A formset of new rows only; the existing ones are shown in the case."""

    def initial_form_count(self) -> int:
        return 0


class AppendOnlyInline(admin.StackedInline):
    """Rows that staff add and nobody changes; each has its author and time."""

    extra = max_num = 1
    can_delete = False
    formset = NewRowsFormSet
    formfield_overrides = {TextField: {"widget": forms.Textarea(attrs={"rows": 4, "cols": 60})}}  # noqa: RUF012 - as Django has it
    action: ClassVar[Action]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Without the permission to change a submission, its page has no save button.
        may_save = request.user.has_perm("screening.change_submission")
        return may_save and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).none()

    def get_formset(self, request: HttpRequest, obj: Submission | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, absolute_max=1, **kwargs)  # however many a crafted form sends

    def add(self, request: HttpRequest, added: Any) -> None:
        """Save a row, with its audit entry."""
        added.author = request.user
        audit.record(self.action, request.user, added.submission.reference)
        added.save()


class NoteForm(forms.ModelForm):
    """A note in one's own words, one of the center's templates, or both."""

    template = forms.ChoiceField(label=_("Template"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chooser: Any = self.fields["template"]
        chooser.choices = [("", ""), *((line, line) for line in facts().note_templates.splitlines())]
        self.fields["text"].required = not self.data.get(self.add_prefix("template"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["text"] = "\n".join(filter(None, (cleaned.get("template"), cleaned.get("text"))))
        try:
            self.fields["text"].run_validators(cleaned["text"])  # both together are no longer than one may be
        except forms.ValidationError as error:
            self.add_error("text", error)
        return cleaned


class NoteInline(AppendOnlyInline):
    model = Note
    form = NoteForm
    action = Action.NOTED
    verbose_name = _("add a note (kept as written: it can't be changed later)")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("template", "text") if facts().note_templates else ("text",)


class ReviewForm(forms.ModelForm):
    """A review that differs from the rules requires a reason.

    While the result is hidden every review does: requiring one only from those that differ would reveal it.
    """

    hidden = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        program = cleaned.get("program")
        case = self.instance.submission
        self.instance.agrees = program == case.program
        if program and not cleaned.get("reason") and (self.hidden or not self.instance.agrees):
            why = _("Please say why.") if self.hidden else _("You differ from the rules. Please say why.")
            self.add_error("reason", why)
        return cleaned


class ReviewInline(AppendOnlyInline):
    model = Review
    form = ReviewForm
    action = Action.REVIEWED
    fields = ("program", "reason")
    verbose_name = _("add a review (kept as recorded: a later one is added, none is changed)")

    def get_formset(self, request: HttpRequest, obj: Submission | None = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.form.hidden = obj is not None and is_result_hidden(obj, request.user)
        return formset

    def add(self, request: HttpRequest, added: Any) -> None:
        added.blind = is_result_hidden(added.submission, request.user)
        super().add(request, added)
