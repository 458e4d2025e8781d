"""The result page: urgent help first, one place marked in the grid, each level with answers, reason and source."""

import html as html_module
import re
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from screening.explanation import explain
from screening.models import in_words
from screening.questionnaire import QUESTIONS
from screening.rules import GRID, recommend
from tests.answers import BEST, IOP, PEOPLE, WORST, answers
from tests.conftest import Person

NEED = {"low": {}, "some": {"health": "often"}, "high": {"constant_care": "always"}}
SUPPORT = {"strong": {}, "some": {"supporters": "one_or_two"}, "weak": {"supporters": "nobody"}}


def result_page(given: dict[str, str]) -> BeautifulSoup:
    response = Person(Client()).finishes(given, "view")
    return BeautifulSoup(response.content, "html.parser")


@pytest.mark.parametrize("duties", [{}, {"job": "cannot_leave"}], ids=["flexible", "fixed"])
@pytest.mark.parametrize(("need", "support"), GRID)
def test_grid_marks_the_place_that_the_answers_lead_to(need: str, support: str, duties: dict[str, str]) -> None:
    given = answers(**NEED[need], **SUPPORT[support], **duties)
    (here,) = result_page(given).select(".grid td.here")
    row = here.find_parent("tr")
    assert row.th.text == {"low": "Low", "some": "Some", "high": "High"}[need]
    assert row.find_all("td").index(here) == list(SUPPORT).index(support)
    assert here["aria-current"] == "true"
    assert {"iop": "Home", "inpatient": "Stay"}[recommend(given).program] in here.text


@pytest.mark.parametrize("given", [*PEOPLE.values(), WORST, BEST], ids=[*PEOPLE, "worst", "best"])
def test_every_reason_stands_with_its_answers_and_its_sources(given: dict[str, str]) -> None:
    page = result_page(given)
    entries = {entry["id"] for entry in page.select(".sources li")}
    shown = page.get_text(" ", strip=True)
    for reason in recommend(given).reasons:
        assert reason.text in shown
        for key in reason.questions:
            assert QUESTIONS[key].options[given[key]] in shown
    links = page.select("a.ref")
    assert len(links) >= len({reason.key for reason in recommend(given).reasons})
    assert {link["href"].lstrip("#") for link in links} <= entries


def test_answers_that_pointed_the_other_way_are_shown() -> None:
    card = result_page(answers(supporters="nobody")).find(id="card-support").find_parent("section")
    assert "Answers that pointed the other way" in card.text
    assert QUESTIONS["home"].options["supportive"] in card.select_one(".other-way").text


@pytest.mark.parametrize(
    ("changed", "heading"),
    [
        ({"emergency": "medical"}, "Please get help now"),
        ({"mind": "yes"}, "Please get help now"),
        ({"pregnancy": "yes", "opioids": "sick"}, "Please talk to a doctor today"),
        ({"past_withdrawal": "severe", "alcohol_or_pills": "shaky"}, "Please talk to a doctor today"),
    ],
)
def test_urgent_help_stands_above_the_program(changed: dict[str, str], heading: str) -> None:
    headings = [element.get_text(strip=True) for element in result_page(answers(**changed)).select("h1, h2")]
    assert headings[:2] == [heading, "A program where you stay may be the safest place to start"]


def lines(given: dict[str, str]) -> list[str]:
    explanation = explain(in_words(recommend(given)), given)
    return [line.key for line in (*explanation.urgent_lines, *explanation.help_lines)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, ["samhsa", "findtreatment"]),
        ({"emergency": "withdrawal"}, ["911", "samhsa", "findtreatment"]),
        ({"emergency": "medical"}, ["911", "poison", "samhsa", "findtreatment"]),
        ({"self_harm": "past"}, ["988", "samhsa", "findtreatment"]),
        ({"self_harm": "plan"}, ["988", "911", "samhsa", "findtreatment"]),
        ({"mind": "yes"}, ["988", "911", "samhsa", "findtreatment"]),
        ({"mind": "manageable"}, ["988", "samhsa", "findtreatment"]),
        ({"home_safety": "other_place"}, ["domestic_violence", "samhsa", "findtreatment"]),
        ({"home_safety": "danger"}, ["911", "domestic_violence", "samhsa", "findtreatment"]),
        # A body in danger comes before the lifeline: docs/decisions/0004.
        ({"emergency": "medical", "self_harm": "plan"}, ["911", "988", "poison", "samhsa", "findtreatment"]),
    ],
)
def test_numbers_to_call_fit_the_answers(changed: dict[str, str], expected: list[str]) -> None:
    assert lines(answers(**changed)) == expected


@pytest.mark.parametrize("value", QUESTIONS["opioids"].options)
def test_naloxone_is_named_from_a_little_sick_upward(value: str) -> None:
    shown = "naloxone" in result_page(answers(opioids=value)).text
    assert shown == (value != "fine")


def test_page_has_a_number_to_call_with_and_without_a_phone_of_the_centre(settings: Any) -> None:
    assert result_page(IOP).select_one(".phone")["href"] == "tel:+14055550100"
    settings.CENTER_PHONE = ""
    page = result_page(IOP)
    assert page.select_one(".phone")["href"] == "tel:+18006624357"
    assert len(page.select('[href="tel:+18006624357"]')) == 1


@pytest.mark.parametrize("action", ["save", "view"])
@pytest.mark.django_db
def test_page_says_what_staff_can_see(person: Person, action: str) -> None:
    shown = html_module.unescape(person.finishes(IOP, action).content.decode())
    assert ("Our staff can read them" in shown) == (action == "save")
    assert ("We kept nothing" in shown) == (action == "view")


def test_page_says_its_limits_and_its_rules_version() -> None:
    shown = re.sub(r"\s+", " ", result_page(IOP).text)
    for words in (
        "not a doctor",
        "No study has tested",
        "can’t see you",
        "insurance",
        "ways in between",
        "Rules version",
    ):
        assert words in shown
