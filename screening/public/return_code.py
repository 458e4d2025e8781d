"""Returning with a code, and erasing what was saved."""

import logging

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from screening import draft as drafts, rate_limits, reference_numbers, return_codes
from screening.draft import Draft, Finished
from screening.public import saved
from screening.questionnaire import known
from screening.typed import typed

log = logging.getLogger(__name__)

TYPED = 200  # characters of a typed code, with whatever separates its groups
EMPTY = _("Write your code in the field. You got it when you saved.")
REFERENCE = _(
    "This looks like your reference number. That one is for the phone. Your code is longer: five groups of five."
)
LENGTH = _("A code has 25 letters and digits, and this has %(number)s. Please compare it with what you wrote down.")
MISTYPED = _("There is a typing mistake in this code. Please compare each group with what you wrote down.")
UNKNOWN = _("Nothing is kept under this code. It may be a wrong code, the time may be up, or it was erased.")
TOO_MANY = _("Too many wrong codes came from your internet connection. Please try again in an hour.")
DOWN = _("We can’t look this up right now. Please try again in a few minutes.")
NOT_ERASED = _("We can’t be sure that it is erased. Please press the button again in a few minutes, or call us.")
NOT_FOUND = _("Nothing was erased. What was saved here opens only with its code.")


@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest) -> HttpResponse:
    """Ask for the code; the right one opens the result as if it had just been saved on this device."""
    if request.method != "POST":
        return _form(request)
    code = return_codes.parse(text := typed(request.POST, "code", TYPED))
    if not code:  # not counted as an attempt: it reveals nothing
        return _form(request, _what_is_wrong(text), 422)
    try:
        attempt = rate_limits.RETURN_CODE.hit(request)
        if not attempt:
            return _form(request, TOO_MANY, 429)
        found = saved.kept(code)
        if not found:
            return _form(request, UNKNOWN, 422)
        before, _row = saved.opened(Draft.read(request), unpressed=True)
        attempt.refund()
    except DatabaseError as error:
        log.error("a code could not be looked up: %s", type(error).__name__)
        return _form(request, DOWN, 503)
    response = redirect("result")
    # Codes of what else was saved here are forgotten: it may have been somebody else, whose answers this one must not
    # erase. But no page may say that all is gone.
    others = {*before.earlier_codes, *([before.code] if before.finished == Finished.SAVED else [])}
    code_needed = before.code_needed or bool(others - {code})
    Draft(code, known(found[0].readable_answers), Finished.SAVED, code_needed=code_needed).write(response)
    return response


def _what_is_wrong(text: str) -> object:
    """Say why what was typed is no code."""
    symbols = return_codes.symbols_of(text)
    if not symbols:
        return EMPTY
    if any(map(reference_numbers.parse, (text, *text.split()))):
        return REFERENCE
    if len(symbols) != return_codes.LENGTH + 1:
        return LENGTH % {"number": len(symbols)}
    return MISTYPED


def _form(request: HttpRequest, error: object = "", status: int = 200) -> HttpResponse:
    context = {"error": error, "typed": typed(request.POST, "code", TYPED)}
    return render(request, "public/return.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest) -> HttpResponse:
    """Ask for confirmation; a POST erases what this browser saved or returned to, and clears its answers."""
    draft = Draft.read(request)
    if not (draft.finished or draft.earlier_codes):
        return redirect("return")
    if request.method != "POST":
        context = {"several": bool(draft.earlier_codes), "code_needed": draft.code_needed}
        return render(request, "public/erase.html", context)
    try:
        draft, found = saved.erase(draft)
    except DatabaseError as error:
        log.error("a submission could not be erased: %s", type(error).__name__)
        return render(request, "public/erase.html", {"error": NOT_ERASED}, status=503)
    if draft.code_needed and not found:
        return render(request, "public/erase.html", {"error": NOT_FOUND, "code_needed": True}, status=409)
    # No redirect: an address that says so could be sent to anyone.
    response = render(request, "public/erase.html", {"done": True, "code_needed": draft.code_needed})
    drafts.clear(response)
    return response
