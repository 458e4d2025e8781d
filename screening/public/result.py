"""The result page: what the rules say to these answers, with reasons, and what can be done next."""

import logging
from enum import StrEnum
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from screening import audit, reference_numbers, replies, return_codes, rules
from screening.center import facts
from screening.draft import Draft, Finished
from screening.explanation import LIMITS, explain, reworded, rules_of
from screening.models import Contact, Submission, in_words
from screening.public.questions import read_draft, redirect_to_gap, shown
from screening.public.saved import any_kept, opened
from screening.questionnaire import first_gap

log = logging.getLogger(__name__)

DAMAGED = _("What you saved is damaged, and we can’t show it to you. You can erase it, and answer the questions again.")


class Kept(StrEnum):
    """What is kept of the answers that the page shows."""

    SAVED = "saved"
    UNREACHABLE = "unreachable"  # it was saved, and can't be looked up now
    GONE = "gone"  # it was saved, and was erased or has expired
    ELSEWHERE = "elsewhere"  # not these, but others, which only their own code opens
    EARLIER = "earlier"  # not these, but what was saved here before an answer was changed
    NOTHING = "nothing"


def _kept(draft: Draft, saved: Submission | None, earlier: bool, reachable: bool) -> Kept:
    if saved:
        return Kept.SAVED
    if draft.finished == Finished.SAVED:
        return Kept.GONE if reachable else Kept.UNREACHABLE
    return Kept.ELSEWHERE if draft.code_needed else Kept.EARLIER if earlier else Kept.NOTHING


@require_http_methods(["GET", "HEAD"])
def result(request: HttpRequest) -> HttpResponse:
    """Show the result and its reasons, from the saved row if there is one, else from the draft."""
    draft = read_draft(request)
    context: dict[str, Any] = {}
    try:
        (draft, saved), reachable = opened(draft), True
        if saved:
            context = {
                "openings": audit.opened_at(saved.reference),
                "replies": replies.standing_at(saved),
                "contact": Contact.objects.unexpired().filter(pk=saved.pk).first(),
                "reference": reference_numbers.formatted(saved.reference),
            }
    except DatabaseError as error:  # the rules give the same result again; only the saved words are missing
        log.error("a saved result could not be read: %s", type(error).__name__)
        saved, reachable = None, False
    stored = saved.readable_recommendation() if saved else None
    recommendation = reworded(stored, saved.language) if saved and stored else None
    if recommendation is None:
        if saved and first_gap(draft.answers):
            return render(request, "public/erase.html", {"error": DAMAGED})
        if first_gap(draft.answers):
            return redirect_to_gap(draft)
        if not draft.finished:
            return redirect("check")
        recommendation = in_words(rules.recommend(draft.answers))
    answers, earlier = saved.readable_answers if saved else draft.answers, any_kept(*draft.earlier_codes)
    kept = _kept(draft, saved, earlier, reachable)
    context |= facts().beside(recommendation) | {
        "explanation": explain(recommendation, answers, rules_of(recommendation.rules_version)),
        "approval": rules.approval_of(recommendation.rules_version),
        "kept": kept,
        "can_save": kept in (Kept.EARLIER, Kept.NOTHING),
        "saved": saved,
        "code": return_codes.formatted(draft.code),
        "shown": shown(draft)[0],
        "earlier": earlier,
        "limits": LIMITS,
    }
    return render(request, "public/result.html", context)
