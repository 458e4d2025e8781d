"""One case on the desk: what staff set, and what they add. Neither writes over what a colleague did meanwhile."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import TextField
from django.forms import HiddenInput, IntegerField, ModelForm, Textarea, ValidationError, model_to_dict
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from screening.models import Note, Review, Status, Submission

DECIDED = ("status", "outcome", "assigned_to")  # what staff set


class CaseForm(ModelForm):
    """A closed case has an outcome, and only a closed one. What a colleague saved meanwhile is not saved over."""

    seen = IntegerField(widget=HiddenInput, required=False)  # the version of the case that the page showed

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        now = Submission.objects.select_for_update().get(pk=self.instance.pk)
        if cleaned.get("seen") != now.version:
            raise ValidationError(self._changed_meanwhile(now))
        closed = cleaned.get("status") == Status.CLOSED
        if closed and not cleaned.get("outcome"):
            self.add_error("outcome", _("How did it end? A closed case needs an outcome."))
        if not closed:
            cleaned["outcome"] = ""
        return cleaned

    def _changed_meanwhile(self, now: Submission) -> str:
        """What a colleague made of it. The page then shows that, with what was typed here still in its place."""
        data, news = cast(QueryDict, self.data).copy(), []
        for name, value in model_to_dict(now, DECIDED).items():
            field, current = self[name], "" if value is None else str(value)
            if current != self.data.get(field.html_initial_name, ""):
                news.append(f"{field.label}: {_in_words(now, name)}.")
            if name not in self.changed_data:
                data[field.html_name] = current
            data[field.html_initial_name] = current
        data[self["seen"].html_name] = str(now.version)
        self.data = data
        words = gettext(
            "%(who)s saved this case after you opened it. %(news)s Nothing of yours is saved yet, and nothing that you "
            "typed is lost. Please look, and save again."
        )
        who = now.touched_by or gettext("Someone")
        return words % {"who": who, "news": " ".join(news) or gettext("A note or a review was added.")}


def _in_words(case: Submission, name: str) -> str:
    display = getattr(case, f"get_{name}_display", None)
    return str(display() if display else getattr(case, name) or "") or gettext("nobody")


class AddedOnly(admin.StackedInline):
    """What staff add and nobody changes: each carries its author and time."""

    extra = 1
    formfield_overrides = {TextField: {"widget": Textarea(attrs={"rows": 4, "cols": 60})}}  # noqa: RUF012 - as Django has it

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


class NoteInline(AddedOnly):
    model = Note
    fields = ("text", "author", "written_at")
    readonly_fields = ("author", "written_at")
    verbose_name_plural = _("notes (kept as written: they can't be changed later)")


class ReviewForm(ModelForm):
    """To differ from the rules takes a reason."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        program = cleaned.get("program")
        self.instance.agrees = program == self.instance.submission.program
        if program and not self.instance.agrees and not cleaned.get("reason"):
            self.add_error("reason", _("You differ from the rules. Please say why."))
        return cleaned


class ReviewInline(AddedOnly):
    model = Review
    form = ReviewForm
    fields = ("program", "agrees_mark", "reason", "author", "recorded_at")
    readonly_fields = ("agrees_mark", "author", "recorded_at")
    verbose_name_plural = _("reviews (kept as recorded: a later one is added, none is changed)")

    @admin.display(description=_("and the rules"), empty_value="")
    def agrees_mark(self, review: Review) -> str:
        if review.pk is None:
            return ""
        return gettext("Agrees") if review.agrees else gettext("Differs")
