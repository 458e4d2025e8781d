"""The numbers to call: whoever runs the site is warned when they were not checked for long, and anyone can see when."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core.checks.registry import registry
from django.test import Client
from django.utils import translation
from django.utils.formats import date_format

from intake_site import checks
from screening.help_lines import HELP_LINES, HelpLine, tel

pytestmark = pytest.mark.sqlite_is_enough


@pytest.mark.parametrize("line", HELP_LINES.values(), ids=lambda line: line.key)
@pytest.mark.parametrize(("age", "warned"), [(180, False), (181, True)])
def test_check_warns_of_a_line_that_was_not_checked_for_180_days(line: HelpLine, age: int, warned: bool) -> None:
    with time_machine.travel(f"{line.checked + timedelta(days=age)} 18:00:00Z", tick=False):
        messages = [*checks.help_lines(None)]
    said = f"Help line {line.key} was last checked {age} days ago."
    hints = [str(message.hint) for message in messages if message.id == "intake_site.W017" and message.msg == said]
    assert [line.source in hint for hint in hints] == [True] * warned


def test_check_of_help_lines_is_one_of_those_before_going_live() -> None:
    assert checks.help_lines in registry.get_checks(include_deployment_checks=True)


def test_day_of_a_check_is_no_day_to_come() -> None:
    assert all(date(2026, 11, 1) < line.checked <= date.today() for line in HELP_LINES.values())


@pytest.mark.parametrize(
    "written", ["1 1 405 555 0100", "(405) 555-010", "405-555-0100 ext. 2", "105 555 0100", "405 055 0100"]
)
def test_number_that_cannot_be_dialled_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a US phone number in full"):
        tel(written)


def test_page_on_how_it_works_shows_when_and_with_which_source_each_line_was_checked() -> None:
    page = BeautifulSoup(Client().get("/how-it-works/").content, "lxml")
    entries = page.select("section[aria-labelledby=help-lines] li")
    assert len(entries) == len(HELP_LINES)
    for entry, line in zip(entries, HELP_LINES.values(), strict=True):
        assert line.name in entry.text
        assert date_format(line.checked) in entry.text
        assert [link["href"] for link in entry.select("a")] == [line.href, line.source]


def test_page_while_the_site_does_not_answer_names_the_same_numbers_and_loads_nothing() -> None:
    text = (Path(__file__).parents[1] / "docs/deploy/unavailable.html").read_text()
    page = BeautifulSoup(text, "lxml")
    lists = {"en": page.select("main > ul"), "es": page.select("section[lang=es] > ul")}
    for language, (found,) in lists.items():
        for entry, key in zip(found.select("li"), ("911", "988", "samhsa"), strict=True):
            line = HELP_LINES[key]
            with translation.override(language):
                words = [line.contact, *map(translation.gettext, (line.name, line.detail))]
            assert [*entry.stripped_strings] == words
            assert [link["href"] for link in entry.select("a")] == [line.href]
    assert not page.select("script, link, img, iframe, object, form, [src], [style], [onclick]")
    assert not re.search(r"url\(|@import|https?:", text)
    numbers = {HELP_LINES[key].href for key in ("911", "988", "samhsa")}
    assert {link["href"] for link in page.select("a")} == numbers | {"/", "/es/", "#es"}
