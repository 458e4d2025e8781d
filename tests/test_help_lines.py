"""The numbers to call: whoever runs the site is warned when they were not checked for long, and anyone can see when."""

from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client
from django.utils.formats import date_format

from intake_site import checks
from screening.help_lines import HELP_LINES

pytestmark = pytest.mark.sqlite_is_enough

LATEST = max(line.checked for line in HELP_LINES.values())


@pytest.mark.parametrize(("age", "warned"), [(180, 0), (181, len(HELP_LINES))])
def test_check_warns_of_each_line_that_was_not_checked_for_180_days(age: int, warned: int) -> None:
    assert {line.checked for line in HELP_LINES.values()} == {LATEST}, "else the ages below differ"
    with time_machine.travel(f"{LATEST + timedelta(days=age)} 18:00:00Z", tick=False):
        messages = [*checks.help_lines(None)]
    assert [message.id for message in messages] == ["intake_site.W017"] * warned
    for message, line in zip(messages, HELP_LINES.values(), strict=False):
        assert f"Help line {line.key} was last checked {age} days ago." == message.msg
        assert line.source in str(message.hint)


def test_page_on_how_it_works_shows_when_and_with_which_source_each_line_was_checked() -> None:
    page = BeautifulSoup(Client().get("/how-it-works/").content, "html.parser")
    entries = page.select("section[aria-labelledby=help-lines] li")
    assert len(entries) == len(HELP_LINES)
    for entry, line in zip(entries, HELP_LINES.values(), strict=True):
        assert line.name in entry.text
        assert date_format(line.checked) in entry.text
        assert [link["href"] for link in entry.select("a")] == [line.href, line.source]
