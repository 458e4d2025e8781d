"""The page of a question: built by Django's forms, or, where nothing has to be said of it, from a blank kept ready.

Most of what a page costs is its form, and the blank page is the same for everyone. So it is built once for each
language, address and copy of the center's facts, without anybody's request; the form's secret and the ticks are put
into its text (docs/decisions/0036). Tests hold both ways to the same bytes.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import resolve, reverse
from django.utils.translation import get_language

from screening.center import Facts, facts
from screening.forms import PageForm
from screening.questionnaire import PAGE_BY_SLUG, PAGES, SECTIONS, Page
from screening.typed import typed

SLOT = "secret-of-the-form"


def page_asked(request: HttpRequest, slug: str) -> tuple[Page, bool]:
    """Return the page under this address, and whether it asks one question to change its answer; raise Http404."""
    page = PAGE_BY_SLUG.get(slug)
    changing = typed(request.GET, "change", 50)
    page = page.alone(changing) if page and changing else page
    if page is None:
        raise Http404
    return page, bool(changing)


def question_page(
    request: HttpRequest, page: Page, changing: bool, form: PageForm, *, status: int = 200, **shown: object
) -> HttpResponse:
    """Show a page of questions; `shown` is what its template shows beside them."""
    slugs = [each.slug for each in PAGES]
    number = slugs.index(page.slug)
    of_section = [each.slug for each in PAGES if each.section == page.section]
    key, section = page.questions[0].key, SECTIONS.index(page.section)
    before = reverse("question", args=[slugs[number - 1]]) if number else reverse("start")
    context = {
        "page": page,
        "form": form,
        "action": reverse("question", args=[page.slug]) + (f"?change={key}" if changing else ""),
        "back": f"{reverse('check')}#{key}" if changing else before,
        "is_first": not number,
        "place": of_section.index(page.slug) + 1,
        "places": len(of_section),
        "steps": ["done"] * section + ["here"] + [""] * (len(SECTIONS) - section - 1),
        **shown,
    }
    return render(request, "public/question.html", context, status=status)


def ticked_page(request: HttpRequest, page: Page, changing: bool, answers: Mapping[str, str]) -> HttpResponse:
    """Show the same page with these answers ticked, from the blank one."""
    html = _blank(get_language() or "", page.slug, page.questions[0].key if changing else "", facts())
    html = html.replace(SLOT, get_token(request), 1)
    for question in page.questions:
        if answer := answers.get(question.key):
            field = f' id="id_{question.key}_{list(question.options).index(answer)}"'
            html = html.replace(field, f"{field} checked", 1)
    return HttpResponse(html)


@lru_cache(maxsize=256)
def _blank(language: str, slug: str, changing: str, center: Facts) -> str:
    """Build the blank page under this address, in the language in use, in which SLOT stands for the form's secret."""
    blank = HttpRequest()
    blank.path = reverse("question", args=[slug])
    blank.resolver_match = resolve(blank.path)
    blank.GET = QueryDict(f"change={changing}" if changing else "")
    page, _changing = page_asked(blank, slug)
    html = question_page(blank, page, bool(changing), PageForm(page), csrf_token=SLOT).content.decode()
    return re.sub(r"\n\s+", "\n", html)  # as every page is sent; here it is done once
