"""The pages of questions, the check page and the numbers to call.

Which page comes next is computed from the answers, never stored.
"""

import json
import logging
from dataclasses import replace

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse, translate_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, get_language_from_path, get_language_from_request, gettext_lazy as _
from django.views.decorators.http import require_http_methods

from screening import counts, draft as drafts, notifications, rules
from screening.center import facts
from screening.draft import Draft, Finished
from screening.encryption import seals
from screening.explanation import answers_by_section, first_aid, lines_for
from screening.forms import PageForm, chosen
from screening.help_lines import HELP_LINES, help_lines_for
from screening.models import Count, Notification, Urgency
from screening.public.question_page import page_asked, question_page, ticked_page
from screening.public.saved import any_kept, save
from screening.questionnaire import PAGE_BY_SLUG, PAGE_OF, PAGES, QUESTIONS, Page, first_gap, known
from screening.typed import typed

log = logging.getLogger(__name__)

# The line that a redirect shows on its target: ?note=<key>. It carries no answer.
NOTES = {
    "gap": _("There is something to answer here first. What you answered before is kept."),
    "lost": _(
        "We could not read your earlier answers. They are cleared after an hour, or six hours after you began, to "
        "keep them private. Please start again here."
    ),
    "lost_but_one": _(
        "We could not read your earlier answers. They are cleared after an hour, or six hours after you began, to "
        "keep them private. The page you just sent is kept. Please answer the others again."
    ),
    "saved_before": _(
        "You saved answers before these, maybe in another tab. The answers below are not saved yet. "
        "If they are right, save them too."
    ),
    "saved_already": _(
        "Answers were saved here already, maybe in another tab. To see or erase them, use the code that was shown "
        "then. To save other answers, start again on the first page."
    ),
    "cleared": _("Your answers are gone from this device."),
}


def read_draft(request: HttpRequest) -> Draft:
    """Read the draft without answers that the questionnaire does not know: they are asked again."""
    draft = Draft.read(request)
    return replace(draft, answers=known(draft.answers))


def _note(request: HttpRequest, draft: Draft) -> str:
    """Return the line that a redirect asked for, unless the draft has changed since."""
    key = typed(request.GET, "note", 20)
    if (key == "cleared" and draft.answers) or (key.startswith("saved_") and draft.finished == Finished.SAVED):
        return ""
    return str(NOTES.get(key, ""))


def _redirect_to(page: Page | None, note: str = "") -> HttpResponse:
    """Redirect to a page of questions, or to the check page if there is no gap."""
    url = reverse("question", args=[page.slug]) if page else reverse("check")
    return HttpResponseRedirect(f"{url}?note={note}" if note else url)


def redirect_to_gap(draft: Draft) -> HttpResponse:
    """Redirect to the first unanswered page, and say why; without answers to the start: no word that there were any."""
    if not (draft.answers or draft.unreadable):
        return redirect("start")
    return _redirect_to(first_gap(draft.answers), "lost" if draft.unreadable else "gap")


def _in_their_language(request: HttpRequest) -> str:
    """Return the address of this page in the language that the browser prefers; "" if it is that one, or was chosen.

    Only the first page asks the browser: who follows a link of this site has chosen a language by it.
    """
    wanted = get_language_from_request(request)
    followed = url_has_allowed_host_and_scheme(typed(request.headers, "Referer", 2000), request.get_host())
    if followed or get_language_from_path(request.path) or wanted == get_language():
        return ""
    return translate_url(request.get_full_path(), wanted)


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Show the start page; a POST clears the answers from the device."""
    if request.method == "POST":
        response: HttpResponse = redirect(reverse("start") + "?note=cleared")
        drafts.clear(response)
        return response
    if address := _in_their_language(request):
        return redirect(address)
    draft = read_draft(request)
    if (word := typed(request.GET, "from", 41)) and word in facts().sources.split():
        counts.note(Count.What.SOURCE, word)
    context = {"draft": draft, "note": _note(request, draft), "first": PAGES[0], "questions": len(QUESTIONS)}
    return render(request, "public/start.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, slug: str) -> HttpResponse:
    """Show or store one page of questions. A POST stores every valid choice, even if others are missing."""
    page, changing = page_asked(request, slug)
    draft = read_draft(request)
    if request.method == "POST":
        return _answer(request, page, changing, draft)
    if _is_before(first_gap(draft.answers), page):
        return redirect_to_gap(draft)
    if not page.is_answered(draft.answers):
        counts.note(Count.What.BEGUN, page.slug)
    note = str(NOTES["lost"]) if draft.unreadable else _note(request, draft)
    if note:
        return question_page(request, page, changing, PageForm(page, answers=draft.answers), note=note)
    return ticked_page(request, page, changing, draft.answers)


def _is_before(gap: Page | None, page: Page) -> bool:
    return gap is not None and PAGES.index(gap) < PAGES.index(PAGE_BY_SLUG[page.slug])


def _answer(request: HttpRequest, page: Page, changing: bool, draft: Draft) -> HttpResponse:
    """Store the choices. An urgent one leads to the numbers to call, also if another is missing."""
    answers = chosen(page, request.POST)
    answered = draft.answered(answers)
    if page.is_answered(answered.answers) and not page.is_answered(draft.answers):
        counts.note(Count.What.DONE, page.slug)
    gap = first_gap(answered.answers)
    lost = "lost_but_one" if draft.unreadable else ""
    if rules.needs_help_now(answered.answers, set(answers)):
        response: HttpResponse = redirect(reverse("help") + (f"?note={lost}" if lost else ""))
    elif not page.is_answered(answers):
        form = PageForm(page, request.POST)
        response = question_page(request, page, changing, form, status=422, note=str(NOTES.get(lost, "")))
    elif changing and not gap:
        response = redirect(f"{reverse('check')}#{page.questions[0].key}")
    else:
        response = _redirect_to(gap, lost or ("gap" if _is_before(gap, page) else ""))
    answered.write(response)
    return response


@require_http_methods(["GET", "HEAD"])
def help_now(request: HttpRequest) -> HttpResponse:
    """Show the numbers to call. An answer that means "now" leads here first; the person may go on."""
    draft = read_draft(request)
    urgency = rules.CURRENT.decide(draft.answers).urgency  # of the answers so far
    first = help_lines_for(urgency, draft.answers) if urgency == "now" else []
    first = [line for line in first if line.crisis]
    lines = [line for line in HELP_LINES.values() if line not in first]
    gap = first_gap(draft.answers)
    go_on = reverse("question", args=[gap.slug]) if gap else reverse("result" if draft.finished else "check")
    context = {
        "urgent": urgency == "now",
        "help_first": urgency == "today",
        "first": first,
        "first_aid": first_aid(rules.CURRENT, draft.answers),
        "lines": lines,
        "go_on": go_on if draft.answers else "",
        "note": _note(request, draft),
    }
    return render(request, "public/help.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Show every answer with its change link, and the two ways to see the result."""
    draft = read_draft(request)
    if first_gap(draft.answers):
        return redirect_to_gap(draft)
    if request.method == "POST":
        return _finish(request, draft)
    return _check_page(request, draft)


CANNOT_SAVE = _(
    "We can’t save right now. Your answers are still on this device. Try again in a few minutes, "
    "or see your result without saving."
)
TOO_MANY_SAVED = _(
    "Very many answers were saved from your internet connection within an hour. Your own are still on this device. "
    "Try again in an hour, or see your result without saving."
)
CHANGED = _("Your answers have changed since you opened this page, maybe in another tab. Please check them again.")


def shown(draft: Draft) -> list[str]:
    """Return what a page that offers to save these answers carries, to tell whether they are still the same.

    It is keyed, so that a page without the answers does not give them away; by each of DATA_KEYS.
    """
    return seals("answers shown", json.dumps(known(draft.answers), sort_keys=True))


def _check_page(request: HttpRequest, draft: Draft, *, error: str = "", status: int = 200) -> HttpResponse:
    sections = [
        (slug, title, [(answer, PAGE_OF[answer.key].slug) for answer in answers])
        for slug, title, answers in answers_by_section(draft.answers)
    ]
    recommendation = rules.recommend(draft.answers)
    context = {
        "sections": sections,
        "back": reverse("question", args=[PAGES[-1].slug]),
        "help_first": recommendation.decision.help_first,
        "first": lines_for(recommendation, draft.answers, crisis=True),
        "saved": draft.finished == Finished.SAVED and any_kept(draft.code),
        "earlier": any_kept(*draft.earlier_codes),
        "shown": shown(draft)[0],
        "error": error,
        "note": _note(request, draft),
    }
    return render(request, "public/check.html", context, status=status)


def _finish(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Save the answers, or not, and go on to the result."""
    button = typed(request.POST, "action", 20)
    if button not in (Finished.SAVED, Finished.VIEWED):
        return _check_page(request, draft, error=str(_("Please choose one of the two buttons below.")), status=422)
    if (typed(request.POST, "shown", 64) or shown(draft)[0]) not in shown(draft):
        return _check_page(request, draft, error=str(CHANGED), status=409)
    if button == Finished.VIEWED:
        response: HttpResponse = redirect("result")
        if not draft.finished:
            counts.note(Count.What.VIEWED)
        # Once saved, a draft stays saved: seeing it again "without saving" can't undo that.
        replace(draft, finished=draft.finished or Finished.VIEWED).write(response)
        return response
    try:
        if (done := save(draft, request)) is None:
            return _check_page(request, draft, error=str(TOO_MANY_SAVED), status=429)
    except DatabaseError as error:
        log.error("a submission could not be saved: %s", type(error).__name__)
        return _check_page(request, draft, error=str(CANNOT_SAVE), status=503)
    saved, row = done
    if row.claimed and draft.finished != Finished.SAVED:
        # Its code has reached the browser that saved it. Whichever answers these are, they find out nothing of what it
        # holds. No cookie: it could take the place of the one with the code.
        return _redirect_to(None, "saved_already")
    if known(row.readable_answers) != draft.answers:
        # An older tab saved this draft first: what is new becomes a draft of its own.
        response = _redirect_to(None, "saved_before")
        saved.as_new_draft().write(response)
        return response
    if row.urgency >= Urgency.TODAY:
        notifications.notify(row, Notification.Reason.URGENT)
    response = redirect("contact" if typed(request.POST, "then", 20) == "contact" else "result")
    saved.write(response)
    return response
