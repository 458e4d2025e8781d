"""A case on the desk: what staff set and what they add, without overwriting what a colleague did meanwhile."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import TextField
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from screening import audit, due, notifications, replies
from screening.center import facts
from screening.desk import reach
from screening.desk.audit_log import detail_in_words
from screening.desk.times import due_in_words
from screening.explanation import answers_by_section, answers_by_subject, explain, reworded, rules_of
from screening.models import (
    URGENCIES,
    Action,
    Contact,
    Count,
    LogLine,
    Note,
    Notification,
    Review,
    Status,
    Submission,
    Urgency,
    is_result_hidden,
)
from screening.models.staff import EITHER, JUDGEMENTS, counted_review
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


def urgency_mark(submission: Submission) -> SafeString:
    """Render how urgent a case is; one that is so for what they said of suicide says to ask about it."""
    urgency, html = Urgency(submission.urgency), '<span class="urgency {}">{}</span>'
    result = submission.readable_recommendation() if urgency == Urgency.SOON else None
    urgent = [reason for reason in (result.reasons if result else ()) if reason.dimension == "urgency"]
    if any("self_harm" in reason.questions for reason in urgent):
        return format_html(html, "ask", gettext("Soon: ask about suicide"))
    return format_html(html, urgency.name.lower(), urgency.label)


def case_for(submission: Submission, staff: Any) -> dict[str, Any]:
    """Return what the page of a case shows to this member of staff, above the fields that they set."""
    stored = submission.readable_recommendation()
    recommendation = reworded(stored, submission.language) if stored else None
    hidden = is_result_hidden(submission, staff)
    reasons = recommendation.reasons if recommendation else ()
    level = URGENCIES[submission.urgency]
    urgent = [reason for reason in reasons if (reason.dimension, reason.level) == ("urgency", level)]
    marked = {key for reason in (urgent if hidden else reasons) for key in reason.questions}
    answers = submission.readable_answers
    said = LogLine.objects.about(submission.reference)
    lines = list((said.exclude(action__in=(Action.UNSAFE, Action.UNSAFE_READ)) if hidden else said)[:100])
    contact = Contact.objects.unexpired().filter(pk=submission.pk).first()
    sees_reviews = not hidden and staff.has_perm("screening.view_review")
    notes = submission.notes.filter(author=staff.pk) if hidden else submission.notes.all()
    return {
        "submission": submission,
        "hidden": hidden,
        "urgency_mark": urgency_mark(submission),
        "to_do": WHAT_TO_DO[Urgency(submission.urgency)],
        "due": due_in_words(submission),
        **reach.tries_of(submission, contact, staff),
        "contact": contact,
        "may_reveal": staff.has_perm("screening.view_contact"),
        "urgent": urgent,
        "explanation": (
            explain(recommendation, answers, rules_of(recommendation.rules_version))
            if recommendation and not hidden
            else None
        ),
        "counted": answers_by_section({key: answers[key] for key in answers if key in marked}, marked),
        "others": answers_by_section({key: answers[key] for key in answers if key not in marked}),
        "subjects": answers_by_subject(answers),
        "may_agree": staff.has_perm("screening.add_review") and not hidden,
        "as_the_rules": as_the_rules(submission),
        "unsafe": () if hidden else submission.unsafe.select_related("author"),
        "signs": [SIGNS[key] for key in submission.spam_signs.split(",") if key in SIGNS],
        "reviews": submission.reviews.select_related("author") if sees_reviews else (),
        "replies": [] if hidden else replies.all_at(submission),
        "notes": notes.select_related("author") if staff.has_perm("screening.view_note") else (),
        "history": [*_folded(lines)],
        "withdrawn": next((line for line in lines if line.action == Action.WITHDRAWN), None),
    }


def as_the_rules(submission: Submission) -> tuple[str, str]:
    """Return the judgement that agrees with the rules, and its words."""
    said = EITHER if submission.close_call else submission.program
    return said, str(dict(JUDGEMENTS).get(said, said))  # a damaged row may have any


def _folded(lines: Iterable[LogLine]) -> Iterator[tuple[LogLine, str, int]]:
    """Yield each entry with its details in words; of the same deed in a row the latest, and how many there were."""
    in_words = [(line, detail_in_words(line)) for line in lines]
    for _deed, same in groupby(in_words, lambda each: (each[0].actor, each[0].action, each[1])):
        (line, detail), *others = same
        yield line, detail, 1 + len(others)


def others_on_it(submission: Submission, staff: Any) -> list[tuple[Any, datetime]]:
    """Return everyone else who opened the case within ON_IT, and when they last did."""
    lines = LogLine.objects.about(submission.reference).exclude(account=staff.pk)
    lines = lines.filter(action=Action.OPENED, timestamp__gt=timezone.now() - ON_IT)
    latest = {line.account: line for line in reversed(lines)}
    there = User.objects.in_bulk(latest)
    return [(there.get(account or 0, line.actor), line.timestamp) for account, line in latest.items()]


LOCAL_TIME = forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M")
TOO_LATE, TOO_LATE_URGENT = _("At most 90 days from now."), _("An urgent case can be put off by a day at most.")

# A next step -> its words, and when it is due.
NEXT: dict[str, tuple[Any, Callable[[], datetime]]] = {
    "hours": (_("In 2 hours"), lambda: timezone.now() + timedelta(hours=2)),
    "evening": (_("This evening, at 5"), lambda: due.at(0, due.EVENING)),
    "morning": (_("Tomorrow morning, at 9"), lambda: due.at(1, due.MORNING)),
}


class CaseForm(forms.ModelForm):
    """Require an outcome if and only if the case is closed; refuse to overwrite what a colleague saved meanwhile."""

    next_step = forms.ChoiceField(label=_("Next step"), required=False)
    unsafe_reason = forms.CharField(label=_("What was unsafe, in a line"), max_length=500, required=False)
    reply = forms.ChoiceField(label=_("Sentence; whoever has the code can read it"), required=False)
    next_at = forms.DateTimeField(label=_("Or at this time"), required=False, widget=LOCAL_TIME)
    staff: Any = None  # whose form it is
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)  # the version of the case that the page showed

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"], self.was_due_at = self.instance.version, self.instance.due_at
        chooser: Any = self.fields["next_step"]
        to_come = [(key, words) for key, (words, when) in NEXT.items() if when() > timezone.now()]
        chooser.choices = [("", _("As it is")), *to_come]
        chooser.error_messages["invalid_choice"] = _("This time is over. Choose again.")
        sentences: Any = self.fields["reply"]
        sentences.choices = [("", ""), *replies.offered(self.instance, self.staff)]
        sentences.error_messages["invalid_choice"] = _("This sentence is not in the list any more. Choose again.")

    def clean_next_at(self) -> datetime | None:
        """Refuse a time that is past, or too far away. Raise a ValidationError."""
        chosen: datetime | None = self.cleaned_data["next_at"]
        urgent, now = self.instance.is_urgent, timezone.now()
        if chosen and chosen <= now:
            raise forms.ValidationError(_("This time is past. Choose one that is to come."))
        if chosen and chosen > now + (due.LONGEST_URGENT if urgent else due.LONGEST):
            raise forms.ValidationError(TOO_LATE_URGENT if urgent else TOO_LATE)
        return chosen

    def _due_at(self, status: str) -> datetime | None:
        """Return when the case is due after this save."""
        longest = due.next_try(len(due.TRIES), urgent=self.instance.is_urgent)
        if status == Status.CLOSED:
            return None
        if chosen := self.cleaned_data.get("next_at"):
            return cast(datetime, chosen)
        if step := self.cleaned_data.get("next_step"):
            return min(NEXT[step][1](), longest) if self.instance.is_urgent else NEXT[step][1]()
        if "status" in self.changed_data and status == Status.WAITING:
            return longest
        return self.was_due_at or timezone.now()  # opened again

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "_unsafe" in self.data and not cleaned.get("unsafe_reason"):
            self.add_error("unsafe_reason", _("Say in a line what was unsafe."))
        if cleaned.get("seen") != self.instance.version:
            raise forms.ValidationError(self._changed_meanwhile(self.instance))
        for name in {"status", "outcome"} - set(self.changed_data) - set(self.errors):
            cleaned[name] = getattr(self.instance, name)  # now: its person may have brought the case back meanwhile
        if cleaned.get("outcome") and "outcome" in self.changed_data:
            cleaned["status"] = Status.CLOSED
        if cleaned.get("status") != Status.CLOSED:
            cleaned["outcome"] = self.instance.outcome = ""
        elif not cleaned.get("outcome"):
            self.add_error("outcome", _("How did it end? A closed case needs an outcome."))
        self.instance.due_at = self._due_at(cleaned.get("status") or self.instance.status)
        return cleaned

    @property
    def changes(self) -> list[str]:
        """The columns that this form sets to something else."""
        closed = self.cleaned_data["status"] != self.initial["status"]
        changed = [name for name in STAFF_FIELDS if name in self.changed_data or (name == "status" and closed)]
        return changed + ["due_at"] * (self.instance.due_at != self.was_due_at)

    def _changed_meanwhile(self, now: Submission) -> str:
        """Say what a colleague changed, and show that; what was typed here stays in its place."""
        data, news = cast(QueryDict, self.data).copy(), []
        for name, value in forms.model_to_dict(now, {*STAFF_FIELDS} & {*self.fields}).items():
            field, current = self[name], "" if value is None else str(value)
            if current != self.data.get(field.html_initial_name, ""):
                news.append(f"{field.label}: {_in_words(now, name)}.")
            if name not in self.changed_data:
                data[field.html_name] = current
            data[field.html_initial_name] = current
        data[self["seen"].html_name] = str(now.version)
        self.data = data
        by_staff = gettext("%(who)s saved this case after you opened it.") % {"who": now.touched_by}
        by_person = gettext("After you opened this case, its person asked for a call, or changed or withdrew that.")
        added = gettext("A note or a review was added.") if now.touched_by else ""
        rest = gettext("Nothing of yours is saved yet, and nothing that you typed is lost. Look, and save again.")
        return " ".join(filter(None, [by_staff if now.touched_by else by_person, *(news or [added]), rest]))


def _in_words(case: Submission, name: str) -> str:
    display = getattr(case, f"get_{name}_display", None)
    return str(display() if display else getattr(case, name) or "") or gettext("nobody")


def save_change(request: HttpRequest, case: Submission, *changed: str) -> None:
    """Save these fields of a locked case, who changed it, and an audit entry; tell whom it was assigned to."""
    names = {*changed, "touched_by", "touched_at", "version"}
    if {"status", "outcome"} & {*changed}:
        Submission.objects.get(pk=case.pk).count_outcome(-1)
    if "status" in changed:
        case.status_at = timezone.now()
        names |= {"status_at", "outcome"}
    if "assigned_to" in changed:
        case.newly_assigned = case.assigned_to_id not in (None, request.user.pk)
        names.add("newly_assigned")
    case.touched_by, case.touched_at = cast(User, request.user), timezone.now()
    case.version += 1
    if changed:  # the log does not hold how a case ended
        assignee = case.assigned_to.get_username() if case.assigned_to else ""
        logged = {"status": case.status, "assigned_to": assignee, "outcome": "changed"}
        if case.due_at:
            logged["due_at"] = "" if case.due_at == due.NO_TIME else f"{case.due_at:%Y-%m-%d %H:%M} UTC"
        details = {name: logged[name] for name in changed if name in logged}
        audit.record(Action.CHANGED, request.user, case.reference, **details)
    case.save(update_fields=names)
    if {"status", "outcome"} & {*changed}:
        case.count_outcome(1)
    if "assigned_to" in changed and case.newly_assigned:
        notifications.notify(case, Notification.Reason.ASSIGNED)


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
    said: ClassVar[tuple[str, ...]]  # the columns by which two rows are the same
    when: ClassVar[str]

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
        """Save a row, with its audit entry; but not the same one again, as Back and Save would."""
        added.author = request.user
        mine = self.model.objects.filter(submission=added.submission, author=request.user.pk)
        recent = mine.filter(**{f"{self.when}__gt": timezone.now() - ON_IT})
        same = [row for row in recent if all(getattr(row, name) == getattr(added, name) for name in self.said)]
        if not [row for row in same if not getattr(row, "struck_at", None)]:
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
    action, said, when = Action.NOTED, ("text",), "written_at"
    verbose_name = _("Add a note. It can't be edited later.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("template", "text") if facts().note_templates else ("text",)


BOTH = "both"  # in place of a program: one was chosen, and the button for another pressed


class ReviewForm(forms.ModelForm):
    """A review that differs from the rules requires a reason.

    While the result is hidden every review does: requiring one only from those that differ would reveal it.
    """

    hidden = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["program"].error_messages["invalid_choice"] = _(
            "You chose one program, and pressed the button for another. Choose one, and save."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        program = cleaned.get("program")
        case = self.instance.submission
        self.instance.agrees = program in ({case.program, EITHER} if case.close_call else {case.program})
        if program and not cleaned.get("reason") and (self.hidden or not self.instance.agrees):
            why = _("Please say why.") if self.hidden else _("You differ from the rules. Please say why.")
            self.add_error("reason", why)
        return cleaned


class ReviewInline(AppendOnlyInline):
    model = Review
    form = ReviewForm
    action, said, when = Action.REVIEWED, ("program", "reason", "blind"), "recorded_at"
    fields = ("program", "reason")
    verbose_name = _("Add your review. It can't be edited later.")

    def get_formset(self, request: HttpRequest, obj: Submission | None = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.form.hidden = obj is not None and is_result_hidden(obj, request.user)
        return formset

    def add(self, request: HttpRequest, added: Any) -> None:
        added.blind = is_result_hidden(added.submission, request.user)
        row = added.submission
        before = counted_review(row)
        super().add(request, added)
        now = counted_review(row)
        for review, number in ((before, -1), (now, 1)) if now != before else ():
            if review:
                Count.add(Count.What.JUDGED, review.cell, number, review.recorded_at, is_test=row.is_test)
