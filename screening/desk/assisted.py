"""A screening with someone: for a call, a person at the door, or a paper form. And the clinical lead's bench."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from secrets import token_urlsafe
from typing import Any

from cryptography.fernet import InvalidToken
from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy as _

from screening import audit, notifications, reference_numbers, return_codes, rules
from screening.center import facts
from screening.database import look_again
from screening.desk import sessions
from screening.encryption import cipher
from screening.explanation import HEADLINES, Explanation, explain, first_aid
from screening.forms import PageForm, chosen
from screening.help_lines import help_lines_for
from screening.models import Action, Channel, LogLine, Notification, Submission, Urgency, in_words
from screening.questionnaire import QUESTIONS, SECTIONS, Page
from screening.rules import versions
from screening.rules.answer_space import known_as, replaced
from screening.rules.worksheet import NUMBERS, letters
from screening.typed import typed

ALL = Page("all", SECTIONS[0], tuple(QUESTIONS.values()))
NO_ANSWER = "-"
IGNORED, DASHES = re.compile(r"[\s,.;:\d]"), re.compile("[–—_?]")
MOST_LETTERS = 200  # characters, with numbers and what separates them
SLIPS = 50  # that a session remembers, so that what was erased is not saved again by the Back button
CHANNELS = [(channel.value, channel.label) for channel in Channel if channel != Channel.ONLINE]


class AssistedForm(PageForm):
    """All questions, answered by mouse or by the letters of the paper form; a letter counts before a tick."""

    letters = forms.CharField(
        label=_("Letters from the paper, in one row"),
        help_text=_("Like AABAC…; a dash where nothing is ticked. Press Enter to see the result."),
        max_length=MOST_LETTERS,
        required=False,
    )
    channel = forms.ChoiceField(label=_("How you screened"), choices=CHANNELS, widget=forms.RadioSelect, required=False)
    agreed = forms.BooleanField(label=_("They agreed, and were told what is kept."), required=False)

    def __init__(self, data: Any = None) -> None:
        self.wrong, data = _ticked(data) if data else ([], None)
        super().__init__(ALL, data)
        self.saves = self.data.get("action") == "save"
        for key in QUESTIONS:
            field: Any = self.fields[key]
            lettered = zip(letters(key), field.choices, strict=True)
            field.choices = [(value, f"{letter}  {text}") for letter, (value, text) in lettered]

    def clean(self) -> None:
        for message in self.wrong:
            self.add_error("letters", message)
        if self.saves:
            if not self.cleaned_data.get("channel"):
                self.add_error("channel", _("Say how you screened."))
            if not self.cleaned_data.get("agreed"):
                self.add_error("agreed", _("Ask first, and tick this if they agree. Without it nothing is saved."))


def _ticked(data: Any) -> tuple[list[str], Any]:
    """Tick what the letters say; return what is wrong with them, and the data. They stay if anything is wrong."""
    data, wrong = data.copy(), []
    row = IGNORED.sub("", DASHES.sub(NO_ANSWER, typed(data, "letters", MOST_LETTERS).upper()))
    if len(row) > len(QUESTIONS):
        message = gettext("These are %(letters)d letters, for %(questions)d questions.")
        wrong.append(message % {"letters": len(row), "questions": len(QUESTIONS)})
    for (key, question), letter in zip(QUESTIONS.items(), row, strict=False):
        if letter in letters(key):
            data[key] = list(question.options)[letters(key).index(letter)]
        elif letter != NO_ANSWER:
            message = gettext("Question %(number)d, about %(topic)s, has no %(letter)s: its letters are A to %(last)s.")
            words = {"topic": gettext(question.topic), "letter": letter, "last": letters(key)[-1]}
            wrong.append(message % {"number": NUMBERS[key], **words})
    if not wrong:
        data["letters"] = ""
    return wrong, data


def _letters_of(answers: dict[str, str]) -> str:
    found = {key: letters(key)[list(QUESTIONS[key].options).index(value)] for key, value in answers.items()}
    return "".join(found.get(key, NO_ANSWER) for key in QUESTIONS)


def row_of(data: Any) -> str:
    """Return the row of letters that was typed or ticked, to be typed again; "" if there is none."""
    row = _letters_of(chosen(ALL, AssistedForm(data).data)) if data else ""
    return row if row.strip(NO_ANSWER) else typed(data, "letters", MOST_LETTERS)


def explain_by(version: str, answers: dict[str, str]) -> Explanation:
    """Explain what a version of the rules says to these answers.

    Raise a ValueError if it can't be asked, or lacks an answer.
    """
    ruleset = rules.CURRENT if version == rules.CURRENT.version else versions.released(version)
    asked = {key: value for key, value in answers.items() if key in ruleset.options}
    known = {key: known_as(ruleset, key, value, replaced(ruleset, rules.CURRENT)) for key, value in asked.items()}
    return explain(in_words(ruleset.recommend(known)), known, ruleset)


def _results(answers: dict[str, str], compared: list[str]) -> Iterator[tuple[str, Explanation | None, str, Any]]:
    """Yield what each version says, or why it can't be asked; and what to say of the center beside it."""
    for version in (rules.CURRENT.version, *compared):
        try:
            explanation = explain_by(version, answers)
        except ValueError as error:
            yield version, None, str(error), {}
        else:
            yield version, explanation, "", facts().beside(explanation.recommendation)


def _at_once(answers: dict[str, str]) -> dict[str, Any] | None:
    """Return what to say before all questions are answered, if the answers so far need help today or now."""
    decision = rules.CURRENT.decide(answers)
    lines = [line for line in help_lines_for(decision.urgency, answers) if line.crisis]
    said = {"headline": HEADLINES[decision.headline], "lines": lines, "first_aid": first_aid(rules.CURRENT, answers)}
    return said if decision.help_first else None


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Ask all questions on one page and show what the rules say to them; save it only if the person agreed."""
    form = AssistedForm(request.POST if request.method == "POST" else None)
    form.initial.update(sessions.given_back(request))
    answers = chosen(ALL, form.data) if form.is_bound else {}
    complete = len(answers) == len(QUESTIONS) and not form.wrong
    if form.is_valid() and form.saves:
        if typed(request.POST, "shown", 40) != _letters_of(answers):
            form.add_error(None, _("The answers have changed. Look at what the rules say to them, then save."))
        elif _save(request, answers, form.cleaned_data["channel"]):
            return redirect("admin:slip")
        else:
            form.add_error(None, _("You saved this before, and its person has erased it since. It is not saved again."))
    audit.record(Action.LISTED, request.user, list="assisted")
    others: list[str] = []
    if request.user.has_perm("screening.view_agreement"):
        others = [version for version in versions.released_versions() if version != rules.CURRENT.version]
    compared = [version for version in others if typed(request.POST, f"rules_{version}", 5)]
    context |= {
        "title": _("A screening with someone"),
        "form": form,
        "sections": [(part, [(NUMBERS[each.key], form[each.key]) for each in part.questions]) for part in SECTIONS],
        "missing": [(NUMBERS[key], form[key]) for key in QUESTIONS if form.is_bound and key not in answers],
        "at_once": None if complete else _at_once(answers),
        "results": [*_results(answers, compared)] if complete else [],
        "shown": _letters_of(answers) if complete else "",
        "others": [(version, version in compared) for version in others],
        "page": typed(request.POST, "page", 40) or token_urlsafe(),
        "retention_days": settings.RETENTION_DAYS,
    }
    return TemplateResponse(request, "admin/assisted.html", context, status=422 if form.errors else 200)


def _save(request: HttpRequest, answers: dict[str, str], channel: str) -> bool:
    """Save the answers, once for a page and its answers; return False if they were, and are erased.

    The session holds the code of the latest slip, encrypted as in the database.
    """
    once = f"{typed(request.POST, 'page', 40)} {_letters_of(answers)}"
    codes, mark = return_codes.following(once), hashlib.sha256(once.encode()).hexdigest()[:16]
    earlier = request.session.get("saved", [])

    def saved() -> tuple[str, Submission] | None:
        with transaction.atomic():
            found = Submission.objects.with_codes(*codes)
            if not found and mark in earlier:
                return None
            code, row = next(iter(found.items()), (codes[0], None))
            row = row or Submission.objects.insert(answers, code, channel=Channel(channel))
            Submission.objects.lock(row.pk)
            if not LogLine.objects.about(row.reference).filter(action=Action.ASSISTED).exists():
                audit.record(Action.ASSISTED, request.user, row.reference, channel=channel)
            return code, row

    if (done := look_again(saved)) is None:
        return False
    code, row = done
    if row.urgency >= Urgency.TODAY:
        notifications.notify(row, Notification.Reason.URGENT)
    request.session["saved"] = [*earlier, mark][-SLIPS:]
    request.session["slip"] = row.pk, cipher("slip").encrypt(code)
    return True


def slip(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show the slip of the latest screening that was saved in this session."""
    pk, encrypted = request.session.get("slip", (0, ""))
    row, code = Submission.objects.unexpired().filter(pk=pk).first(), ""
    with suppress(InvalidToken):  # its key may be gone
        code = cipher("slip").decrypt(encrypted)
    if row is None or not code:
        return redirect("admin:assisted")
    audit.record(Action.LISTED, request.user, list="slip")
    context |= {
        "submission": row,
        "code": return_codes.formatted(code),
        "reference": reference_numbers.formatted(row.reference),
    }
    return TemplateResponse(request, "admin/slip.html", context)
