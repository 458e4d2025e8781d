"""Hostile text in every field is shown as text, never as markup."""

import random
from itertools import islice
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.test import Client

from screening.models import Contact, Note, Review, Submission
from screening.questionnaire import QUESTIONS
from tests.answers import URGENT
from tests.conftest import Person
from tests.desk.helpers import CASES, ask_for_call, url_of
from tests.helpers import parse
from tests.public.addresses import NOT_FOUND, STATES, public_addresses

pytestmark = pytest.mark.django_db
FIELDS = ("name", "phone", "email", "best_time", "to_others")
SEEDS = (
    "<script>alert(1)</script>",
    "</textarea><script src=//evil.example></script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</td></tr></table><form action=//evil.example><input>",
    "<svg/onload=alert(1)>",
    "<style>*{display:none}</style>",
    "<!--",
    "]]>",
    "&lt;b&gt;&amp;&#60;i&#62;",
    "{{ 7|add:7 }}{% load static %}{% debug %}",
    "%(name)s %s %d {0} {name!r}",
    "'; DROP TABLE screening_note; --",
    '=HYPERLINK("//evil.example")',
    "javascript:alert(1)",
    "\u202egnp.exe",
    "\u2028line\u2029paragraph",
    "\u200b\ufeff\u00ad",
    "Zalgo\u0301\u0302\u0303\u0304" * 8,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\ud7ff\ue000\uffff",
    "\x01\x07\x1b[31m\x7f\x85",
    "../../etc/passwd",
    "<a href=javascript:alert(1)>x",
    "＜script＞",
    "\\u003cscript\\u003e",
    "%3Cscript%3E",
    "<base href=//evil.example>",
    "<" * 90,
    "A" * 200,
)


def hostile(seed: int) -> Any:
    """Yield texts without end, each of random seeds in random order and case."""
    chance = random.Random(seed)
    while True:
        parts = chance.sample(SEEDS, chance.randint(1, 3))
        text = chance.choice(("", " ", '"', "'", ">")).join(parts)
        bent = chance.choice((str, str.upper, str.swapcase, lambda words: words[::-1]))
        yield bent(text)[:200]


def skeleton(html: bytes) -> list[tuple[str, tuple[str, ...]]]:
    """Return every element with its attribute names, without the history, which grows with each view."""
    page = BeautifulSoup(html, "lxml")
    for line in page.select("#history ~ table tr"):
        line.decompose()
    return [(tag.name, tuple(tag.attrs)) for tag in page.find_all(True)]


def shown(words: list[str], client: Client, submission: Submission) -> list[bytes]:
    """Put the texts into all fields of the submission; return its pages and the list."""
    Contact.objects.filter(submission=submission).delete()
    for added in (Note, Review):
        added.objects.all().delete()
    details = dict(zip(FIELDS, words, strict=False))
    ask_for_call(submission, consent=words[0], **details)
    author = User.objects.get()
    Note.objects.bulk_create(Note(submission=submission, text=text, author=author) for text in words)
    Review.objects.create(submission=submission, program="iop", agrees=False, reason=words[1], author=author)
    pages = [client.get(url_of(submission, page)).content for page in ("change", "print")]
    return [*pages, client.post(url_of(submission, "reveal")).content, client.get(CASES).content]


def test_hostile_words_are_shown_as_words_on_every_page_of_the_desk(staff_client: Client) -> None:
    submission = Submission.objects.submit(URGENT)
    words, many = hostile(1), 50
    harmless = [skeleton(page) for page in shown(["harmless"] * many, staff_client, submission)]
    for _round in range(6):
        given = list(islice(words, many))
        pages = shown(given, staff_client, submission)
        assert [skeleton(page) for page in pages] == harmless
        for page, words_there in ((pages[0], given), (pages[1], given), (pages[2], given[:5])):
            text = " ".join(BeautifulSoup(page, "lxml").text.split())
            for each in words_there:
                assert " ".join(each.split()) in text


def test_hostile_words_come_back_into_the_fields_as_they_were_typed(sample_size: int) -> None:
    client, words = Client(), hostile(2)
    client.post("/questions/emergency/", {"emergency": "none"})
    for given in islice(words, sample_size // 1000):
        for address, name in (("/return/", "code"), ("/admin/login/", "username")):
            soup = parse(client.post(address, {name: given}))
            assert not soup.select("[onerror], [onload], [onmouseover], base, script:not([src])")
            assert str(soup.select_one(f"[name={name}]")["value"]).strip() == given.strip()
        assert client.post("/check/", {"action": given, "subject": given}).status_code in (302, 422)
        assert client.post("/questions/job/", {"job": given, given: given}).status_code in (302, 422)
        assert client.get("/", {"note": given}).status_code == 200


@pytest.mark.parametrize("address", [*public_addresses(), NOT_FOUND])
def test_hostile_words_at_any_public_address_are_answered_and_never_come_back_as_markup(
    address: str, person: Person
) -> None:
    """In the query and in every field that a page of ours sends, whether or not this page reads it."""
    names = ("code", "action", "subject", "then", "note", "next", "agree", "from", *FIELDS, *QUESTIONS)
    for given in islice(hostile(3), 5):
        hostile_fields = dict.fromkeys(names, given)
        for state in (STATES["fresh"], STATES["answered"]):
            state(person)
            for response in (person.client.get(address, hostile_fields), person.client.post(address, hostile_fields)):
                assert response.status_code < 500
                if "html" in response.get("Content-Type", ""):
                    assert not parse(response).select("[onerror], [onload], [onmouseover], base, script:not([src])")
