"""A screening with someone: for a call, a person at the door, or a paper form. And the clinical lead's bench."""

from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy as _

from screening import audit, notifications, reference_numbers, return_codes, rules
from screening.explanation import Explanation, explain
from screening.forms import PageForm
from screening.models import Action, Channel, Notification, Submission, Urgency, in_words
from screening.questionnaire import QUESTIONS, SECTIONS, Page
from screening.rules import versions
from screening.rules.answer_space import known_as, replaced
from screening.rules.worksheet import NUMBERS, letters
from screening.typed import typed

ALL = Page("all", SECTIONS[0], tuple(QUESTIONS.values()))
NO_ANSWER = "-"
CHANNELS = [(channel.value, channel.label) for channel in Channel if channel != Channel.ONLINE]


class AssistedForm(PageForm):
    """All questions, answered by mouse or by the letters of the paper form; a letter counts before a tick."""

    letters = forms.CharField(
        label=_("Letters from the paper, in one row"),
        help_text=_("Like AABAC…; a dash where nothing is ticked. Press Enter to see the result."),
        max_length=100,
        required=False,
    )
    channel = forms.ChoiceField(label=_("How you screened"), choices=CHANNELS, widget=forms.RadioSelect, required=False)
    agreed = forms.BooleanField(label=_("They agreed, and were told what is kept."), required=False)

    def __init__(self, data: Any = None) -> None:
        self.wrong, data = _ticked(data) if data else ([], None)
        super().__init__(ALL, data)
        for key in QUESTIONS:
            choices = self.fields[key].choices  # type: ignore[attr-defined]
            self.fields[key].choices = [  # type: ignore[attr-defined]
                (value, f"{letter}  {text}") for letter, (value, text) in zip(letters(key), choices, strict=True)
            ]

    def clean(self) -> None:
        for message in self.wrong:
            self.add_error("letters", message)
        if self.data.get("action") == "save":
            if not self.cleaned_data.get("channel"):
                self.add_error("channel", _("Say how you screened."))
            if not self.cleaned_data.get("agreed"):
                self.add_error("agreed", _("Ask first, and tick this if they agree. Without it nothing is saved."))


def _ticked(data: Any) -> tuple[list[str], Any]:
    """Tick what the letters say; return what is wrong with them, and the data. They stay if anything is wrong."""
    data, wrong = data.copy(), []
    typed_letters = "".join(typed(data, "letters", 100).upper().split())
    if len(typed_letters) > len(QUESTIONS):
        message = gettext("These are %(letters)d letters, for %(questions)d questions.")
        wrong.append(message % {"letters": len(typed_letters), "questions": len(QUESTIONS)})
    for (key, question), letter in zip(QUESTIONS.items(), typed_letters, strict=False):
        if letter in letters(key):
            data[key] = list(question.options)[letters(key).index(letter)]
        elif letter != NO_ANSWER:
            message = gettext("Question %(number)d, about %(topic)s, has no %(letter)s: its letters are A to %(last)s.")
            words = {"topic": gettext(question.topic), "letter": letter, "last": letters(key)[-1]}
            wrong.append(message % {"number": NUMBERS[key], **words})
    if not wrong:
        data["letters"] = ""
    return wrong, data


def under(version: str, answers: dict[str, str]) -> Explanation:
    """Explain what a version of the rules says. Raise a ValueError if it can't be asked, or lacks an answer."""
    ruleset = rules.CURRENT if version == rules.CURRENT.version else versions.released(version)
    asked = {key: value for key, value in answers.items() if key in ruleset.options}
    known = {key: known_as(ruleset, key, value, replaced(ruleset, rules.CURRENT)) for key, value in asked.items()}
    return explain(in_words(ruleset.recommend(known)), known, ruleset)


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Ask all questions on one page and show what the rules say to them; save it only if the person agreed."""
    form = AssistedForm(request.POST if request.method == "POST" else None)
    answers = form.chosen() if form.is_bound else {}
    valid = form.is_valid()
    if valid and form.data.get("action") == "save":
        return _saved(request, context, answers, form.cleaned_data["channel"])
    audit.record(Action.LISTED, request.user, list="assisted")
    others: list[str] = []
    if request.user.has_perm("screening.view_agreement"):
        others = [version for version in versions.released_versions() if version != rules.CURRENT.version]
    chosen = [version for version in others if typed(request.POST, f"rules_{version}", 5)]
    results: list[tuple[str, Explanation | None, str]] = []
    for version in [rules.CURRENT.version, *chosen] if len(answers) == len(QUESTIONS) and not form.wrong else []:
        try:
            results.append((version, under(version, answers), ""))
        except ValueError as error:
            results.append((version, None, str(error)))
    context |= {
        "title": _("A screening with someone"),
        "form": form,
        "sections": [
            (section, [(NUMBERS[each.key], form[each.key]) for each in section.questions]) for section in SECTIONS
        ],
        "results": results,
        "others": [(version, version in chosen) for version in others],
        "code": typed(request.POST, "code", 50) or return_codes.generate(),
        "retention_days": settings.RETENTION_DAYS,
    }
    return TemplateResponse(request, "admin/assisted.html", context, status=422 if form.is_bound and not valid else 200)


def _saved(request: HttpRequest, context: dict[str, Any], answers: dict[str, str], channel: str) -> HttpResponse:
    """Save the answers once under the code of the page, and show the slip for the person."""
    code = return_codes.parse(typed(request.POST, "code", 50)) or return_codes.generate()
    saved = Submission.objects.with_code(code)
    if saved and (saved.channel == Channel.ONLINE or saved.readable_answers != answers):
        saved, code = None, return_codes.generate()
    if saved is None:
        with transaction.atomic():
            saved = Submission.objects.submit(answers, code, channel=Channel(channel))
            audit.record(Action.ASSISTED, request.user, saved.reference, channel=channel)
        if saved.urgency >= Urgency.TODAY:
            notifications.notify(saved, Notification.Reason.URGENT)
    context |= {
        "submission": saved,
        "code": return_codes.formatted(code),
        "reference": reference_numbers.formatted(saved.reference),
    }
    return TemplateResponse(request, "admin/slip.html", context)
