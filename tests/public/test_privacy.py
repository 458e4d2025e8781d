"""The privacy page: plain words, the numbers from the settings, and a test for every promise."""

import ast
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from tests.answers import IOP
from tests.conftest import Person
from tests.helpers import parse
from tests.public.promises import PROMISES

pytestmark = pytest.mark.sqlite_is_enough

TESTS = Path(__file__).parents[1]


def shown() -> BeautifulSoup:
    return parse(Client().get("/privacy/"))


@cache
def functions_of(file: str) -> dict[str, list[str]]:
    """Return name -> decorators as source code, for each test of a file."""
    tree = ast.parse((TESTS / file).read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return {node.name: [ast.unparse(decorator) for decorator in node.decorator_list] for node in functions}


def test_every_promise_names_tests_that_are_there_and_always_run() -> None:
    """conftest.py fails the run if one of these tests does not pass."""
    for promise, tests in PROMISES.items():
        assert tests, promise
        for test in tests.split():
            file, name = test.split("::")
            assert name in functions_of(file), test
            assert not [words for words in functions_of(file)[name] if "skip" in words or "xfail" in words], test


def test_page_makes_these_promises_and_no_others_with_this_sites_numbers(settings: Any, center_tells: Any) -> None:
    settings.RETENTION_DAYS, settings.CONTACT_RETENTION_DAYS = 41, 6
    center_tells(name="Hill House")
    values = {"days": 41, "contact_days": 6, "center": "Hill House"}
    assert [item.text for item in shown().select(".promises li")] == [promise % values for promise in PROMISES]
    assert len(shown().select(".limits li")) == 8


def test_page_never_promises_what_nobody_can() -> None:
    text = shown().main.text
    assert not re.search(r"HIPAA|100\s?%|completely|guarantee|anonymous|fully confidential|absolutely", text, re.I)


@pytest.mark.parametrize("address", ["/check/", "/return/"])
def test_retention_days_on_other_pages_follow_the_setting(person: Person, address: str, settings: Any) -> None:
    settings.RETENTION_DAYS = 1
    person.has_answered(IOP)
    html = person.client.get(address).content.decode()
    assert "1 day" in html
    assert "1 days" not in html
    assert "90 day" not in html


def test_security_txt_says_where_to_report(settings: Any) -> None:
    settings.SECURITY_CONTACT = "mailto:safe@example.org"
    response = Client().get("/.well-known/security.txt")
    assert response["Content-Type"].startswith("text/plain")
    fields = dict(line.split(": ", 1) for line in response.content.decode().splitlines())
    assert fields["Contact"] == "mailto:safe@example.org"
    assert fields["Canonical"] == "http://testserver/.well-known/security.txt"
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=100) < expires - datetime.now(UTC) < timedelta(days=365)
    assert shown().find("a", href="mailto:safe@example.org").text == "safe@example.org"


def test_security_txt_without_a_contact_leads_to_the_page_that_says_whom_to_tell() -> None:
    text = Client().get("/.well-known/security.txt").content.decode()
    assert text.startswith("Contact: http://testserver/privacy/#security\n")
    section = shown().find(id="security").find_next("p").text
    assert "(405) 555-0100" in section


def test_there_is_a_policy_for_reports() -> None:
    text = (TESTS.parent / "SECURITY.md").read_text()
    assert "/.well-known/security.txt" in text
