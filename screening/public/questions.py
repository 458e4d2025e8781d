"""The pages a person walks through. Which page comes next is computed from the answers, never stored."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from django.contrib import admin
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from screening import audit, notifications, rate_limits, reference_numbers, return_codes, rules, spam
from screening import draft as drafts
from screening.draft import Draft
from screening.explanation import LIMITS, answers_by_page, explain
from screening.forms import PageForm
from screening.help_lines import HELP_LINES, help_lines_for
from screening.models import Contact, Notification, Submission, Urgency, in_words
from screening.public.programs import COMPARED, QUESTIONS_TO_ASK
from screening.questionnaire import PAGE_BY_SLUG, PAGES, Page, first_gap, known

log = logging.getLogger(__name__)

# What a redirect says on the page that it leads to: ?note=<key>. It carries no answer.
NOTES = {
    "gap": _("There is something to answer here first. What you answered before is kept."),
    "lost": _(
        "We could not read your earlier answers. They are cleared after an hour, to keep them private. "
        "Please start again here."
    ),
    "lost_but_one": _(
        "We could not read your earlier answers. They are cleared after an hour, to keep them private. "
        "The page you just sent is kept. Please answer the others again."
    ),
    "again": _("Please send this page once more. Your choices are still here."),
    "saved_before": _(
        "You saved answers before these, maybe in another tab. The answers below are not saved yet. "
        "If they are right, save them too."
    ),
    "cleared": _("Your answers are gone from this device."),
}


def _read(request: HttpRequest) -> Draft:
    """The draft, without answers that today's questionnaire does not know: they are asked again."""
    draft = Draft.read(request)
    return replace(draft, answers=known(draft.answers))


def _note(request: HttpRequest, draft: Draft) -> str:
    """The line that a redirect asked for, unless the draft has moved on since."""
    key = request.GET.get("note", "")
    if (key == "cleared" and draft.answers) or (key == "saved_before" and draft.finished == "save"):
        return ""
    return str(NOTES.get(key, ""))


def _to(page: Page | None, note: str = "") -> HttpResponse:
    """A redirect to a page of questions, or to the check page when there is no gap left."""
    url = reverse("question", args=[page.slug]) if page else reverse("check")
    return redirect(f"{url}?note={note}" if note else url)


def _to_gap(draft: Draft) -> HttpResponse:
    """To the first gap, saying why."""
    return _to(first_gap(draft.answers), "lost" if draft.lost else "gap")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """What this is; a POST clears the answers from the device."""
    if request.method == "POST":
        response: HttpResponse = redirect(reverse("start") + "?note=cleared")
        drafts.clear(response)
        return response
    draft = _read(request)
    return render(request, "public/start.html", {"draft": draft, "note": _note(request, draft), "first": PAGES[0]})


def _question_page(
    request: HttpRequest, page: Page, form: PageForm, *, status: int = 200, note: str = "", urgent: bool = False
) -> HttpResponse:
    number = PAGES.index(page) + 1
    context = {
        "page": page,
        "form": form,
        "number": number,
        "pages": range(1, len(PAGES) + 1),
        "previous": PAGES[number - 2] if number > 1 else None,
        "note": note,
        "urgent": urgent,
    }
    return render(request, "public/question.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, slug: str) -> HttpResponse:
    """One page of questions. A POST keeps every valid choice, even where others are missing."""
    page = PAGE_BY_SLUG.get(slug)
    if page is None:
        raise Http404
    draft = _read(request)
    if request.method == "POST":
        return _answer(request, page, draft)
    gap = first_gap(draft.answers)
    if gap and PAGES.index(gap) < PAGES.index(page):
        return _to_gap(draft)
    note = str(NOTES["lost"]) if draft.lost else _note(request, draft)
    return _question_page(request, page, PageForm(page, answers=draft.answers), note=note)


def _answer(request: HttpRequest, page: Page, draft: Draft) -> HttpResponse:
    form = PageForm(page, request.POST)
    answered = draft.answered(form.chosen())
    urgent = rules.needs_help_now(answered.answers, set(form.fields))
    gap = first_gap(answered.answers)
    if not form.is_valid():
        note = str(NOTES["lost_but_one"]) if draft.lost else ""
        response = _question_page(request, page, form, status=422, urgent=urgent, note=note)
    elif urgent:
        response = redirect(reverse("help") + ("?note=lost_but_one" if draft.lost else ""))
    elif draft.lost:
        response = _to(gap, "lost_but_one")
    else:
        response = _to(gap, "gap" if gap and PAGES.index(gap) < PAGES.index(page) else "")
    answered.write(response)
    return response


@never_cache
@require_http_methods(["GET", "HEAD"])
def help_now(request: HttpRequest) -> HttpResponse:
    """The numbers to call: for everyone, and first of all where a safety answer means now. The person may go on."""
    draft = _read(request)
    applying = rules.CURRENT.applying(draft.answers)
    urgent = any(rule.urgency == "now" for rule in applying)
    first = help_lines_for("now", {key for rule in applying for key in rule.when}, draft.answers)
    lines = [*first, *(line for line in HELP_LINES.values() if line not in first)]
    gap = first_gap(draft.answers)
    go_on = reverse("question", args=[gap.slug]) if gap else reverse("result" if draft.finished else "check")
    return render(
        request,
        "public/help.html",
        {"urgent": urgent, "lines": lines, "go_on": go_on if draft.answers else "", "note": _note(request, draft)},
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Every answer with its change link, and the two ways to see the result."""
    draft = _read(request)
    if first_gap(draft.answers):
        return _to_gap(draft)
    if request.method == "POST":
        return _finish(request, draft)
    return _check_page(request, draft)


CANNOT_SAVE = _(
    "We can’t save right now. Your answers are still on this device. Try again in a few minutes, "
    "or see your result without saving."
)
DAMAGED = _("What you saved is damaged, and we can’t show it to you. You can erase it, and answer the questions again.")
TOO_MANY_SAVED = _(
    "Very many answers were saved from your internet connection within an hour. Your own are still on this device. "
    "Try again in an hour, or see your result without saving."
)


def _check_page(request: HttpRequest, draft: Draft, *, error: str = "", status: int = 200) -> HttpResponse:
    context = {
        "pages": answers_by_page(draft.answers),
        "saved": draft.finished == "save" and _kept(draft.code),
        "earlier": _kept(*draft.earlier),
        "error": error,
        "note": _note(request, draft),
    }
    return render(request, "public/check.html", context, status=status)


def _finish(request: HttpRequest, draft: Draft) -> HttpResponse:
    action = request.POST.get("action")
    if action not in ("save", "view"):
        return _check_page(request, draft, error=str(_("Please choose one of the two buttons below.")), status=422)
    if action == "save":
        try:
            number = rate_limits.SAVE.hit(request)
            if not number:
                return _check_page(request, draft, error=str(TOO_MANY_SAVED), status=429)
            if draft.finished == "save" and not Submission.objects.with_code(draft.code):
                draft = draft.after_saving()  # erased meanwhile, or its time was up: its code opens nothing any more
            saved = Submission.objects.submit(
                draft.answers, draft.code, spam_signs=spam.signs(request.POST, draft.begun, number)
            )
        except DatabaseError as error:
            log.error("a submission could not be saved: %s", type(error).__name__)
            return _check_page(request, draft, error=str(CANNOT_SAVE), status=503)
        if saved.answers != draft.answers:
            # An older tab saved this draft first: what is new becomes a draft of its own.
            response = _to(None, "saved_before")
            draft.after_saving().write(response)
            return response
        if saved.urgency >= Urgency.TODAY:
            notifications.notify(saved, Notification.Reason.URGENT)
    response = redirect("contact" if action == "save" and request.POST.get("then") == "contact" else "result")
    # Once saved, a draft stays saved: seeing it again "without saving" can't undo that.
    replace(draft, finished="save" if draft.finished == "save" else action).write(response)
    return response


@never_cache
@require_http_methods(["GET", "HEAD"])
def result(request: HttpRequest) -> HttpResponse:
    """The result and its reasons: the saved row's where there is one, else worked out from the draft.

    The row is looked for whatever the cookie says: "keep nothing" may have been pressed while a save was under way.
    """
    draft = _read(request)
    try:
        saved, reachable = saved_row(draft), True
        openings = audit.opened_at(saved.reference) if saved else []
        contact = Contact.objects.unexpired().filter(pk=saved.pk).first() if saved else None
    except DatabaseError as error:  # the same rules give the same result; only the saved words are out of reach
        log.error("a saved result could not be read: %s", type(error).__name__)
        saved, contact, openings, reachable = None, None, [], False
    recommendation = saved.readable_recommendation() if saved else None
    if recommendation is None:
        if saved and first_gap(draft.answers):
            return render(request, "public/erase.html", {"error": DAMAGED})
        if first_gap(draft.answers):
            return _to_gap(draft)
        if not draft.finished:
            return redirect("check")
        recommendation = in_words(rules.recommend(draft.answers))
    was_saved = saved is not None or draft.finished == "save"
    context = {
        "explanation": explain(recommendation, saved.readable_answers if saved else draft.answers),
        "code": return_codes.formatted(draft.code) if was_saved and (saved or not reachable) else "",
        "gone": was_saved and reachable and not saved,
        "saved": saved,
        "openings": openings,
        "reference": reference_numbers.formatted(saved.reference) if saved else "",
        "contact": contact,
        "earlier": _kept(*draft.earlier),
        "limits": LIMITS,
        "programs": COMPARED,
        "questions_to_ask": QUESTIONS_TO_ASK,
    }
    return render(request, "public/result.html", context)


def saved_row(draft: Draft) -> Submission | None:
    """The row with these very answers, if this draft was saved and is still kept. Raises a DatabaseError."""
    submission = Submission.objects.with_code(draft.code) if draft.finished else None
    return submission if submission and known(submission.readable_answers) == draft.answers else None


def _kept(*of: str) -> bool:
    """Whether something is kept under these codes; it may be, while the database can't say."""
    try:
        return bool(of) and Submission.objects.with_codes(*of).exists()
    except DatabaseError:
        return True


# Error pages: kind words, a way back, the crisis numbers, no database.
ERRORS = {
    400: (
        _("We could not read that"),
        _("Something in what was sent did not make sense to us. Please go back and try again."),
    ),
    403: (_("This page is not open to you"), _("You may need to sign in, or use another account.")),
    404: (_("We can’t find that page"), _("The address may be wrong, or the page may have moved.")),
    500: (_("Something went wrong on our side"), _("It was not your fault. Please try again in a minute.")),
}


def _error(request: HttpRequest, status: int) -> HttpResponse:
    title, text = ERRORS[status]
    return render(request, "public/error.html", {"title": title, "text": text}, status=status)


def _error_handler(status: int) -> Callable[..., HttpResponse]:
    def handler(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        return _error(request, status)

    return handler


bad_request, forbidden, not_found, server_error = (_error_handler(status) for status in ERRORS)


@never_cache
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose secret is gone, as after the browser was closed: the page again, choices kept, nothing stored."""
    match = request.resolver_match
    if match and "admin" in match.app_names:
        stale: HttpResponse = cast(Any, admin.site).stale(request).render()
        return stale
    page = PAGE_BY_SLUG.get(match.kwargs["slug"]) if match and match.url_name == "question" else None
    if page:
        chosen = PageForm(page, request.POST).chosen()
        urgent = rules.needs_help_now(chosen, set(chosen))
        form = PageForm(page, answers=chosen)
        return _question_page(request, page, form, status=403, note=str(NOTES["again"]), urgent=urgent)
    title, text = (
        _("That page was open for too long"),
        _("We did not get what you sent, to be safe. Please go back and send it again. Cookies must be allowed."),
    )
    return render(request, "public/error.html", {"title": title, "text": text}, status=403)
