"""Question pages come from a blank one kept ready: the same bytes as built anew, and nothing of anybody else."""

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from django.urls import resolve
from django.utils import translation

from intake_site.compression import INDENTATION
from screening.forms import PageForm
from screening.public import question_page as module
from screening.public.question_page import page_asked, question_page, ticked_page
from screening.questionnaire import PAGES, QUESTIONS, Page
from tests.answers import IOP, URGENT, on_page
from tests.conftest import Person

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]


def addresses() -> list[tuple[str, str]]:
    """Return (slug, query) of every question page."""
    alone = [(page.slug, f"?change={question.key}") for page in PAGES for question in page.questions]
    return [*((page.slug, "") for page in PAGES), *alone]


def ticks(page: Page) -> list[dict[str, str]]:
    """Return answers to the page: none, each option of each question alone, and all questions together."""
    alone = [{question.key: value} for question in page.questions for value in question.options]
    return [{}, *alone, {question.key: [*question.options][-1] for question in page.questions}]


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_question_page_has_the_bytes_of_one_built_anew(
    language: str, center_tells: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "get_token", lambda _request: "secret")
    prefix = "" if language == settings.LANGUAGE_CODE else f"/{language}"
    compared = 0
    for facts in ({}, {"name": "Another center"}):
        center_tells(**facts)
        for slug, query in addresses():
            request = RequestFactory().get(f"{prefix}/questions/{slug}/{query}")
            with translation.override(language):
                request.resolver_match = resolve(request.path)
                page, changing = page_asked(request, slug)
                for answers in ticks(page):
                    form = PageForm(page, answers=answers)
                    built = question_page(request, page, changing, form, csrf_token="secret")
                    as_sent = INDENTATION.sub(b"\n", built.content)
                    assert ticked_page(request, page, changing, answers).content == as_sent
                    compared += 1
    assert compared > len(QUESTIONS) * 8


def test_blank_page_holds_nothing_of_who_asked_for_it_first(center_tells: Callable[..., None]) -> None:
    center_tells()
    module._blank.cache_clear()
    first, second = Person(Client()), Client()
    first.has_answered(URGENT)
    pages = [f"/questions/{page.slug}/" for page in PAGES]
    for page in pages[:3]:
        assert " checked>" in first.client.get(page).content.decode()
    assert " checked>" not in second.get(pages[0]).content.decode()
    assert second.get(pages[0]).context is None, "no template is rendered once the blank page is there"


def test_page_follows_the_facts_of_the_center(client: Client, center_tells: Callable[..., None]) -> None:
    for name in ("Country Road", "Another center"):
        center_tells(name=name)
        assert name in client.get("/questions/emergency/").content.decode()


def test_form_from_the_blank_page_is_accepted() -> None:
    client = Client(enforce_csrf_checks=True)
    for page in PAGES[:2]:
        html = client.get(f"/questions/{page.slug}/").content.decode()
        secret = re.search(r'name="csrfmiddlewaretoken" value="(\w{64})"', html)
        assert secret
        assert html.count(secret[1]) == 1
        answered = client.post(f"/questions/{page.slug}/", {**on_page(page, IOP), "csrfmiddlewaretoken": secret[1]})
        assert answered.status_code == 302
