"""The page for who helps someone: danger first, why not to answer for them, and no field about another person."""

import pytest
from django.test import Client

from screening.help_lines import HELP_LINES
from tests.helpers import parse, text_of
from tests.public.addresses import STATES, pages_in

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]

# What a person may type or choose beside the questions: how to reach themselves, and their own code.
OWN = {"name", "phone", "may_text", "may_voicemail", "email", "window", "best_time", "to_others", "agree", "code"}
HIDDEN = {"csrfmiddlewaretoken", "shown", "then", "subject"}  # the last is the trap, which nobody meets


def test_start_page_has_a_door_for_who_helps() -> None:
    link = parse(Client().get("/")).find("a", string="I’m here for someone else")
    assert link["href"] == "/helping/"


def test_danger_comes_first_then_doing_it_together_then_what_helps() -> None:
    page = parse(Client().get("/helping/"))
    assert [heading.text for heading in page.select("main h2")] == [
        "If they may be in danger",
        "Do it together, or give them the paper",
        "What helps",
        "Numbers to call",
        "Where this comes from",
    ]
    danger = page.select_one("section.urgent")
    assert "naloxone" in danger.text
    assert "It is for you, too." in danger.text
    assert [link["href"] for link in danger.select("a")] == ["tel:911", "tel:988"]
    assert page.find("a", href="/paper/")
    assert "Please don’t answer the questions for them." in page.text
    assert not page.select("form, input, textarea, select")


def test_numbers_stand_with_the_day_they_were_checked() -> None:
    lines = parse(Client().get("/helping/")).select(".lines li")
    assert len(lines) > 4
    checked = {line.contact: line.checked for line in HELP_LINES.values()}
    for line in lines:
        day = checked[line.select_one(".number").text]
        assert f"Checked on Nov. {day.day}, {day.year}." in line.text


def test_what_helps_has_its_sources() -> None:
    sources = text_of(Client().get("/helping/"), ".sources li")
    for name in ("Community reinforcement and family training", "TIP 39", "Al-Anon", "Checked on"):
        assert name in sources


def test_no_field_anywhere_takes_another_persons_data() -> None:
    from screening.questionnaire import QUESTIONS

    met = set()
    for state in STATES:
        for _address, response in pages_in(state):
            met |= {field.get("name") for field in parse(response).select("main input, main textarea, main select")}
    assert {"emergency", "code", "phone"} <= met
    assert met <= OWN | HIDDEN | set(QUESTIONS)
