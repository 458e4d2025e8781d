"""The result page: what the rules say to these answers, with reasons, and what can be done next."""

import logging

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from screening import audit, reference_numbers, return_codes, rules
from screening.draft import Finished
from screening.explanation import LIMITS, explain
from screening.models import Contact, in_words
from screening.public.programs import COMPARED, QUESTIONS_TO_ASK
from screening.public.questions import read_draft, redirect_to_gap
from screening.public.saved import any_kept, opened
from screening.questionnaire import first_gap

log = logging.getLogger(__name__)

DAMAGED = _("What you saved is damaged, and we can’t show it to you. You can erase it, and answer the questions again.")


@require_http_methods(["GET", "HEAD"])
def result(request: HttpRequest) -> HttpResponse:
    """Show the result and its reasons, from the saved row if there is one, else from the draft."""
    draft = read_draft(request)
    try:
        (draft, saved), reachable = opened(draft), True
        openings = audit.opened_at(saved.reference) if saved else []
        contact = Contact.objects.unexpired().filter(pk=saved.pk).first() if saved else None
    except DatabaseError as error:  # the rules give the same result again; only the saved words are missing
        log.error("a saved result could not be read: %s", type(error).__name__)
        saved, contact, openings, reachable = None, None, [], False
    recommendation = saved.readable_recommendation() if saved else None
    if recommendation is None:
        if saved and first_gap(draft.answers):
            return render(request, "public/erase.html", {"error": DAMAGED})
        if first_gap(draft.answers):
            return redirect_to_gap(draft)
        if not draft.finished:
            return redirect("check")
        recommendation = in_words(rules.recommend(draft.answers))
    was_saved = draft.finished == Finished.SAVED
    context = {
        "explanation": explain(recommendation, saved.readable_answers if saved else draft.answers),
        "code": return_codes.formatted(draft.code) if was_saved and (saved or not reachable) else "",
        "gone": was_saved and reachable and not saved,
        "saved": saved,
        "openings": openings,
        "reference": reference_numbers.formatted(saved.reference) if saved else "",
        "contact": contact,
        "earlier": any_kept(*draft.earlier_codes),
        "code_needed": draft.code_needed,
        "limits": LIMITS,
        "programs": COMPARED,
        "questions_to_ask": QUESTIONS_TO_ASK,
    }
    return render(request, "public/result.html", context)
