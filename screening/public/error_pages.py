"""Error pages: kind words, a way back and the crisis numbers, without the database."""

import sys

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from screening import rules
from screening.draft import Draft
from screening.forms import PageForm, chosen
from screening.public.contact import ContactForm
from screening.public.question_page import page_asked, question_page
from screening.questionnaire import known

WRITTEN = ("-text", "-reason")  # the ends of the names of fields in which staff write
ERRORS = {
    400: (
        _("We could not read that"),
        _("Something in what was sent did not make sense to us. Please go back and try again."),
    ),
    403: (_("This page is not open to you"), _("You may need to sign in, or use another account.")),
    404: (_("We can’t find that page"), _("The address may be wrong, or the page may have moved.")),
    413: (
        _("That is too much for one form"),
        _("Nothing was kept. Please go back and write less. This site takes no files."),
    ),
    503: (_("We can’t do that right now"), _("What we keep can’t be reached. Please try again in a few minutes.")),
    500: (_("Something went wrong on our side"), _("It was not your fault. Please try again in a minute.")),
}


def _error(request: HttpRequest, status: int) -> HttpResponse:
    title, text = ERRORS[status]
    at_desk = request.path.startswith(reverse("admin:index"))
    written = getattr(request, "_post", {}).items() if at_desk else ()  # what was read of the form, if anything was
    context = {
        "title": title,
        "text": text,
        "written": [each for name, each in written if each and name.endswith(WRITTEN)],
    }
    return render(request, "admin/error.html" if at_desk else "public/error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say so if it is the database that can't be reached: then trying again helps."""
    return _error(request, 503 if isinstance(sys.exc_info()[1], DatabaseError) else 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without a valid CSRF token by showing it again; its choices are kept, and nothing is stored."""
    match = request.resolver_match
    if match and match.url_name == "question":
        page, changing = page_asked(request, match.kwargs["slug"])
        answers = chosen(page, request.POST)
        urgent = rules.needs_help_now(answers, set(answers))
        form = PageForm(page, answers=answers)
        return question_page(request, page, changing, form, status=403, not_sent=True, urgent=urgent)
    if match and match.url_name == "contact":
        help_first = rules.CURRENT.decide(known(Draft.read(request).answers)).help_first
        context = {"form": ContactForm(request.POST), "not_sent": True, "help_first": help_first}
        return render(request, "public/contact.html", context, status=403)
    return render(
        request, "public/error.html", {"title": _("That page did not reach us"), "not_sent": True}, status=403
    )
