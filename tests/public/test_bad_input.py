"""Whatever is written into a public form: our own words for what is wrong, in each language, and names as they are."""

import re
from functools import cache
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from screening.models import Contact, Submission
from screening.questionnaire import PAGES
from tests.answers import BEST, IOP
from tests.conftest import Person
from tests.desk.helpers import url_of
from tests.helpers import parse
from tests.public.addresses import SpanishClient
from tests.public.test_languages import CATALOGUES, PLACEHOLDER, entries, texts_of
from tests.public.test_words import pages_in

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # textstat leaves a file open
]
LANGUAGES = {"en": Client, "es": SpanishClient}
BAD = {
    "empty": "",
    "too long": "x" * 10_000,
    "NUL": "a\x00b",
    "not offered": "no such choice",
    "emoji": "\U0001f600",
    "combining marks": "e" + "\u0301" * 300,
    "right to left": "محمد",
    "turning marks": "\u202eabc\u2066",
}
WRITTEN = ("name", "phone", "email", "best_time", "to_others")


@cache
def own_words(language: str) -> re.Pattern[str]:
    """Return a pattern of every text in our own catalogue, which holds none of Django's."""
    said = [pair for entry in entries(CATALOGUES[0]).values() for pair in texts_of(entry)]
    texts = [english if language == "en" else text for english, text in said]
    patterns = [".+".join(map(re.escape, re.split(PLACEHOLDER, text))) for text in texts]
    return re.compile("|".join(each for each in patterns if len(each.replace(".+", "")) > 20))


def wrong(soup: BeautifulSoup) -> list[str]:
    """Return each sentence on what is wrong."""
    return [" ".join(each.text.split()) for each in soup.select(".wrong-summary li, p.wrong-summary, .wrong-summary p")]


def test_sentence_of_djangos_own_is_told_from_ours() -> None:
    assert own_words("en").fullmatch("Write less in “Phone”: at most 40 characters.")
    for native in ("Ensure this value has at most 40 characters (it has 41).", "Este campo es obligatorio."):
        assert not own_words("en").fullmatch(native)
        assert not own_words("es").fullmatch(native)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", BAD)
def test_every_public_form_says_what_is_wrong_in_our_own_words(language: str, kind: str) -> None:
    client, text = LANGUAGES[language](), BAD[kind]
    person = Person(client)
    responses: list[Any] = [person.post(page.slug, {each.key: text for each in page.questions}) for page in PAGES]
    responses += [client.post("/return/", {"code": text})]
    person.finishes(BEST, "save")
    responses += [client.post("/check/", {"action": text, "shown": "", "then": text})]
    responses += [client.post("/contact/", dict.fromkeys((*WRITTEN, "window", "may_text"), text))]
    for response in responses:
        sentences = wrong(parse(response))
        assert response.status_code == 422
        assert sentences
        assert [each for each in sentences if not own_words(language).fullmatch(each)] == []
    if kind in ("too long", "NUL"):
        assert len({*wrong(parse(responses[-1]))}) >= len(WRITTEN)  # each names its field


@pytest.mark.parametrize("name", ["محمد علي", "דנה לוי", "Zoe\u0301", "José \U0001f600", "\U0001f468\u200d\U0001f467"])
def test_name_is_kept_and_shown_as_it_was_written(person: Person, staff_client: Client, name: str) -> None:
    person.finishes(IOP, "save")
    sent = {"name": name, "phone": "405 555 0123", "best_time": name, "to_others": name, "agree": "on"}
    assert person.client.post("/contact/", sent).status_code == 302
    contact = Contact.objects.get()
    assert (contact.name, contact.best_time, contact.to_others) == (name, name, name)
    page = parse(staff_client.post(url_of(Submission.objects.get(), "reveal")))
    assert sum(name in each.text for each in page.select("bdi")) == 3


def test_text_runs_in_the_direction_of_what_is_written_wherever_people_write() -> None:
    fields = [
        (name, field)
        for name, html in pages_in("en")
        for field in BeautifulSoup(html, "lxml").select("main :is(input, textarea)")
        if field.get("type") not in ("hidden", "radio", "checkbox") and not field.find_parent(class_="unseen")
    ]
    assert {field["name"] for _name, field in fields} == {*WRITTEN, "code"}
    assert [name for name, field in fields if field.get("dir") != "auto"] == []


def test_browser_is_asked_to_keep_and_fill_in_nothing(person: Person) -> None:
    """A shared phone would offer what one person wrote to the next."""
    person.finishes(IOP, "save")
    for address in ("/contact/", "/return/"):
        form = parse(person.client.get(address)).select_one("main form")
        assert form["autocomplete"] == "off"
        assert {field.get("autocomplete", "off") for field in form.select("input, textarea")} == {"off"}
