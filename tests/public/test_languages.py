"""Each language of the site is complete, stays where it is chosen, and loses no answer."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polib
import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from intake_site.checks import catalogues
from screening import rules
from screening.explanation import reworded
from screening.help_lines import HELP_LINES
from screening.models import Contact, LogLine, Submission
from screening.questionnaire import PAGES
from tests.answers import CLOSE_CALL, INPATIENT, on_page
from tests.conftest import Person
from tests.desk.helpers import member, signed_in, url_of
from tests.helpers import parse
from tests.public.addresses import SpanishClient
from tests.public.test_words import pages_in

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sqlite_is_enough,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # textstat leaves a file open
]
ROOT = Path(settings.BASE_DIR)
CATALOGUES = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]+>|&\w+;")
ENGLISH_WORDS = re.compile(r"\b(the|your|you|and|with|this|that|please|answer|help|from)\b")


# The catalogues


def entries(path: Path) -> dict[tuple[Any, ...], polib.POEntry]:
    return {(each.msgctxt, each.msgid, each.msgid_plural): each for each in polib.pofile(str(path))}


def texts_of(entry: polib.POEntry) -> Iterator[tuple[str, str]]:
    """Yield (English, translation) of each form of an entry."""
    if not entry.msgid_plural:
        yield entry.msgid, entry.msgstr
    for number, text in entry.msgstr_plural.items():
        yield (entry.msgid_plural if number else entry.msgid), text


def test_there_is_a_catalogue_for_each_language_but_english() -> None:
    assert {path.parent.parent.name for path in CATALOGUES} == {code for code, _name in settings.LANGUAGES} - {"en"}


def test_catalogues_hold_exactly_the_words_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    for folder in ("screening", "templates", "intake_site"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    copies = shutil.copytree(ROOT / "locale", tmp_path / "locale")
    monkeypatch.chdir(tmp_path)
    settings.LOCALE_PATHS = [copies]
    call_command("makemessages", all=True, symlinks=True, verbosity=0)
    for path in CATALOGUES:
        assert {*entries(path)} == {*entries(copies / path.relative_to(ROOT / "locale"))}, (
            "manage.py makemessages --all"
        )


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_every_text_is_translated_with_its_placeholders_and_its_edges(path: Path) -> None:
    for entry in entries(path).values():
        assert entry.translated(), entry.msgid
        assert not entry.obsolete
        assert "fuzzy" not in entry.flags, entry.msgid
        for english, text in texts_of(entry):
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(english)), english
            assert [edge.isspace() for edge in (text[:1], text[-1:])] == [
                edge.isspace() for edge in (english[:1], english[-1:])
            ], english
            if english.rstrip()[-1:] in ".?!:":
                assert text.rstrip()[-1:] == english.rstrip()[-1:], english


def test_sentences_for_a_native_reviewer_are_those_of_the_catalogue() -> None:
    table = (ROOT / "docs" / "translation.md").read_text().partition("read first\n\n")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    spanish = {english: entry.msgstr for (_context, english, _plural), entry in entries(CATALOGUES[0]).items()}
    assert len(rows) == 20
    assert [(english, said) for english, said, _why in rows if spanish[english] != said] == []


def test_site_that_was_updated_without_its_catalogues_is_told(tmp_path: Path, settings: Any) -> None:
    assert [*catalogues(None)] == []
    (tmp_path / "es" / "LC_MESSAGES").mkdir(parents=True)
    settings.LOCALE_PATHS = [tmp_path]
    assert [(each.id, each.msg) for each in catalogues(None)] == [
        ("intake_site.E035", "The words in Español are missing or out of date.")
    ]


# Which language a page is in


@pytest.mark.parametrize(
    ("preferred", "language"),
    [
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("fr;q=0.9, es;q=0.5, en;q=0.1", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("*", "en"),
        ("", "en"),
        ("xx", "en"),
        ("es" * 5000, "en"),
        ("\x00;q=é", "en"),
    ],
)
def test_first_page_is_in_the_language_that_the_browser_prefers(preferred: str, language: str) -> None:
    response = Client(headers={"Accept-Language": preferred}).get("/?from=clinic", follow=True)
    assert response.redirect_chain == ([("/es/?from=clinic", 302)] if language == "es" else [])
    assert parse(response).html["lang"] == language


def test_who_chose_a_language_keeps_it() -> None:
    spanish = {"Accept-Language": "es"}
    chosen = Client(headers=spanish | {"Referer": "http://testserver/es/questions/opioids/"}).get("/")
    assert (chosen.status_code, parse(chosen).html["lang"]) == (200, "en")
    for elsewhere in ("https://search.example/", "http://[bad", "", f"https://{'x' * 5000}"):
        assert Client(headers=spanish | {"Referer": elsewhere}).get("/").status_code == 302
    for address in ("/questions/emergency/", "/privacy/", "/return/"):  # only the first page asks the browser
        assert parse(Client(headers=spanish).get(address)).html["lang"] == "en"
    assert parse(Client(headers={"Accept-Language": "en"}).get("/es/")).html["lang"] == "es"
    assert not Client(headers=spanish).get("/").cookies


def test_unknown_language_is_a_page_that_is_not_there() -> None:
    for address in ("/fr/", "/ES/", "/es-MX/", "/es/es/", "/es"):
        assert Client().get(address, follow=True).status_code == (200 if address == "/es" else 404), address


def test_desk_and_what_machines_read_are_in_english() -> None:
    client = Client(headers={"Accept-Language": "es"})
    assert parse(client.get("/admin/login/")).html["lang"] == "en"
    assert client.get("/rules.json").json()["language"] == "en"
    assert client.get("/es/admin/").status_code == 404


def test_every_page_says_its_language_and_links_to_itself_in_the_other() -> None:
    for name, html in pages_in("es"):
        page = BeautifulSoup(html, "lxml")
        assert page.html["lang"] == "es", name
        link = page.select_one("a.language")
        assert (link.text, link["lang"], link["hreflang"]) == ("English", "en", "en"), name
        assert not link["href"].startswith("/es"), name
        inside = {each["href"] for each in page.select("a[href^='/']:not(.language)")}
        inside |= {each["action"] for each in page.select("form[action]:not([action=''])")}
        assert not [address for address in inside if not address.startswith(("/es/", "/rules.json", "/fhir/"))], name


def test_language_link_leads_to_the_same_page_and_keeps_the_answers(person: Person) -> None:
    slug = PAGES[3].slug
    for page in PAGES[:4]:
        person.post(page.slug, on_page(page, CLOSE_CALL))
    english = parse(person.client.get(f"/questions/{slug}/"))
    address = english.select_one("a.language")["href"]
    assert address == f"/es/questions/{slug}/"
    spanish = parse(person.client.get(address))
    for shown in (english, spanish):
        ticked = {each["name"]: each["value"] for each in shown.select("input[checked]")}
        assert ticked == on_page(PAGES[3], CLOSE_CALL)
    assert spanish.h1.text != english.h1.text
    assert parse(person.client.get("/no/such/page/")).select_one("a.language")["href"] == "/es/"
    changed = parse(person.client.get(f"/questions/{slug}/?change={PAGES[3].questions[0].key}"))
    assert changed.select_one("a.language")["href"].startswith(f"/es/questions/{slug}/?change=")


# What is kept


def test_result_is_kept_in_its_language_and_staff_read_english() -> None:
    person = Person(SpanishClient())
    person.has_answered(INPATIENT)
    person.client.post("/check/", {"action": "save"})
    row = Submission.objects.get()
    assert row.language == "es"
    stored = row.recommendation.reasons
    with translation.override("es"):
        assert [reason.text for reason in stored] == [
            translation.gettext(reason.text) for reason in rules.recommend(INPATIENT).reasons
        ]
    at_desk = parse(signed_in(member("rita", "reviewer")).get(url_of(row)))
    for shown, other in zip(rules.recommend(INPATIENT).reasons, stored, strict=True):
        assert shown.text in at_desk.text
        assert other.text not in at_desk.text
    assert not any(re.search("[áéíóúñ¿]", f"{line.detail} {line.action}") for line in LogLine.objects.all())
    result = parse(person.client.get("/result/"))
    assert stored[0].text in result.text
    in_english = Client()
    in_english.cookies.update(person.client.cookies)
    assert rules.recommend(INPATIENT).reasons[0].text in parse(in_english.get("/result/")).text


def test_staff_read_in_english_when_a_person_wants_to_be_called() -> None:
    person = Person(SpanishClient())
    person.has_answered(INPATIENT)
    person.client.post("/check/", {"action": "save"})
    _soonest, chosen, *_others = parse(person.client.get("/contact/")).select("input[name=window]")
    sent = {"phone": "405 555 0123", "agree": "on", "window": chosen["value"], "best_time": "después de cenar"}
    assert person.client.post("/contact/", sent).status_code == 302
    assert re.fullmatch("(today|tomorrow) (in the|after) .*; después de cenar", Contact.objects.get().best_time)


def test_reasons_of_an_unknown_version_stay_as_they_were_shown() -> None:
    with translation.override("es"):
        row = Submission.objects.submit(INPATIENT)
    stored = row.recommendation
    unknown = replace(stored, rules_version="1999.9")
    assert reworded(unknown, "es").reasons == stored.reasons
    assert reworded(stored, "es").reasons == rules.recommend(INPATIENT).reasons


def test_no_english_is_left_on_a_spanish_page() -> None:
    left = set()
    for name, html in pages_in("es"):
        soup = BeautifulSoup(html, "lxml")
        for element in soup.select("style, script, code, [lang=en], .sources"):
            element.decompose()
        left |= {(name, text) for text in soup.stripped_strings if len({*ENGLISH_WORDS.findall(text.lower())}) > 1}
    assert not left


def test_spanish_of_988_says_to_press_2() -> None:
    with translation.override("es"):
        text = translation.gettext(HELP_LINES["988"].detail)
    assert "oprima 2" in text
