"""The result page: urgent help first, the place in the grid, and each level with answers, reason and source."""

import html as html_module
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from screening import rules
from screening.explanation import NOTICES, explain
from screening.models import in_words
from screening.public.programs import COMPARED, QUESTIONS_TO_ASK
from screening.questionnaire import QUESTIONS
from screening.rules import CURRENT, recommend, what_would_change
from screening.rules.what_if import CIRCUMSTANCES, what_did_not_matter
from tests.answers import BEST, IOP, KINDS, WORST, answers
from tests.conftest import Person
from tests.helpers import parse

pytestmark = pytest.mark.django_db  # the result page looks for a saved result

NEED = {"low": {}, "some": {"health": "often"}, "high": {"constant_care": "always"}}
SUPPORT = {"strong": {}, "some": {"supporters": "one_or_two"}, "weak": {"supporters": "nobody"}}


def result_page(given: dict[str, str]) -> BeautifulSoup:
    response = Person(Client()).finishes(given, "view")
    return parse(response)


@pytest.mark.parametrize("duties", [{}, {"job": "cannot_leave"}], ids=["flexible", "fixed"])
@pytest.mark.parametrize(("need", "support"), CURRENT.grid)
def test_grid_marks_the_place_that_the_answers_lead_to(need: str, support: str, duties: dict[str, str]) -> None:
    given = answers(**NEED[need], **SUPPORT[support], **duties)
    (here,) = result_page(given).select(".grid td.here")
    row = here.find_parent("tr")
    assert row.th.text == {"low": "Low", "some": "Some", "high": "High"}[need]
    assert row.find_all("td").index(here) == list(SUPPORT).index(support)
    assert here["aria-current"] == "true"
    assert {"iop": "Home", "inpatient": "Stay"}[recommend(given).program] in here.text


@pytest.mark.parametrize("given", [*KINDS.values(), WORST, BEST], ids=[*KINDS, "worst", "best"])
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
    return [line.key for line in (*explanation.crisis_lines, *explanation.help_lines)]


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
        # Physical danger comes before the suicide lifeline: docs/decisions/0004.
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


# The what-if section


def what_if(given: dict[str, str]) -> Any:
    return result_page(given).find(id="what-if").find_parent("section")


def test_every_change_that_may_be_shown_is_on_the_page_in_words() -> None:
    for given in (*KINDS.values(), BEST):
        shown = [item.text for item in what_if(given).select(".switches li")]
        assert sorted(shown) == sorted(
            f"{QUESTIONS[change.question].text} {QUESTIONS[change.question].options[change.value]}"
            for change in what_would_change(given)
        )
        first = [change.question in CIRCUMSTANCES for change in what_would_change(given)]
        assert len(what_if(given).select("details li")) == first.count(False)


def test_from_iop_the_page_names_what_would_put_a_stay_first() -> None:
    section = what_if(IOP)
    assert "Any one of these answers alone would put a program where you stay first:" in section.text
    assert "to keep from using? Yes, day and night" in section.text
    assert "In an emergency, call 911 first." in section.text


def test_from_inpatient_the_page_names_circumstances_and_the_check_up() -> None:
    section = what_if(answers(home="no_place"))
    assert "Any one of these answers alone would put a program from home first:" in section.text
    assert [item.text for item in section.select(".switches li")] == [
        "Where will you live for the next few weeks? With people who don’t drink or use, or who help me"
    ]
    assert "Our staff may suggest something else after a check-up." in section.text


def test_where_safety_or_health_decided_no_way_out_is_offered() -> None:
    section = what_if(answers(self_harm="plan"))
    assert not section.select(".switches")
    assert "What you told us about your safety, your health or your care led here." in section.text
    assert "No single answer" not in section.text


def test_where_no_single_answer_would_change_it_the_page_says_so() -> None:
    section = what_if(answers(constant_care="sometimes", home="others_use", supporters="nobody"))
    assert "No single answer would change this." in section.text
    assert not section.select(".switches")


def test_what_did_not_matter_is_named() -> None:
    section = what_if(answers(constant_care="always", job="cannot_leave"))
    unmoved = [element.text for element in section.select("h3 + p b")]
    assert unmoved == ["your job or school", "people who need your care", "your income", "who can help you"]
    # A reason on this page is not called irrelevant on it.
    alone = what_if(answers(constant_care="always", supporters="nobody"))
    assert "who can help you" not in alone.select_one("h3 + p").text
    nowhere = what_if(answers(home_safety="nowhere_else"))
    assert "where you will live" not in nowhere.text
    assert "work and family" not in nowhere.text
    assert "What did not matter" not in what_if(answers(constant_care="sometimes", home="alone")).text


def test_attendance_is_never_called_irrelevant_where_the_result_is_iop() -> None:
    given = answers(home_safety="rather_not_say", home="alone", job="cannot_leave")
    assert recommend(given).program == "iop"
    assert "attendance" in what_did_not_matter(CURRENT, given)
    assert not any("attendance" in reason.questions for reason in recommend(given).reasons)
    assert "coming to a program" not in what_if(given).text


def test_answers_without_the_newest_question_get_no_what_if() -> None:
    recommendation = recommend(BEST)
    fewer = {key: value for key, value in BEST.items() if key != "mind"}
    assert explain(recommendation, fewer).what_if is None


def test_result_under_an_unknown_version_still_shows_its_reasons() -> None:
    explanation = explain(in_words(replace(recommend(WORST), rules_version="1999.9")), WORST)
    assert explanation.what_if is None
    assert explanation.grid == ()
    assert explanation.cards[0].reasons


def test_result_under_an_earlier_version_is_explained_by_its_own_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    later = replace(CURRENT, version="2099.1", grid={**CURRENT.grid, ("low", "strong"): "inpatient"})
    monkeypatch.setattr(rules, "CURRENT", later)
    explanation = explain(in_words(CURRENT.recommend(BEST)), BEST)
    assert explanation.grid[0][1][0].word == "Home"
    assert explanation.what_if
    assert explanation.what_if.circumstances


# Other sections


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"constant_care": "always", "job": "cannot_leave"}, True),
        ({"constant_care": "always", "caregiving": "only_me"}, True),
        ({"constant_care": "always"}, False),
        ({"job": "cannot_leave"}, False),
    ],
)
def test_inpatient_with_fixed_duties_explains_what_can_be_done_about_them(changed: dict[str, str], shown: bool) -> None:
    page = result_page(answers(**changed))
    section = page.find(id="duties-help")
    assert bool(section) == shown
    if section:
        text = section.find_parent("section").text
        for phrase in ("work and family did not change it", "12 weeks", "does not cover everyone", "call all the same"):
            assert phrase in text


def test_both_programs_stand_side_by_side() -> None:
    section = result_page(BEST).find(id="programs").find_parent("section")
    assert [row.text.strip() for row in section.select("tbody th")] == [topic for topic, _home, _stay in COMPARED]
    for topic in ("A week", "Where you sleep", "Therapy alone", "Therapy in groups", "Classes", "How freedom grows"):
        assert topic in section.text


def test_page_says_what_to_say_what_to_ask_and_how_to_keep_it() -> None:
    page = result_page(IOP)
    assert "I’d like to talk about it" in page.text
    assert [item.text for item in page.select(".ask li")] == list(QUESTIONS_TO_ASK)
    keep = page.find(id="keep").find_parent("section")
    assert "choose Print" in keep.text
    assert keep.select_one("[data-print][hidden]")


@pytest.mark.parametrize("given", [*KINDS.values(), WORST, BEST], ids=[*KINDS, "worst", "best"])
def test_no_reason_is_shown_twice(given: dict[str, str]) -> None:
    shown = result_page(given).select_one("main").text
    for reason in recommend(given).reasons:
        assert shown.count(reason.text) == 1


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"self_harm": "thoughts"}, "988"),
        ({"mind": "manageable"}, "988"),
        ({"home_safety": "other_place"}, "1-800-799-7233"),
    ],
)
def test_someone_to_talk_to_stands_above_the_reasons(changed: dict[str, str], number: str) -> None:
    page = result_page(answers(**changed))
    (section,) = page.select(".callout.note")
    assert section.select_one(".number").text == number
    shown = page.select_one("main").text
    assert shown.index(number) < shown.index("Where your answers place you")
    assert len(page.select("main .number")) == len({element.text for element in page.select("main .number")})


def test_someone_who_cannot_come_is_answered_at_the_top() -> None:
    assert recommend(answers(attendance="no")).program == "iop"
    assert "You said that you can’t come for nine hours a week." in result_page(answers(attendance="no")).text
    assert "You said that you can’t come" not in result_page(BEST).text


def test_without_a_phone_of_the_centre_nothing_is_promised_for_it(settings: Any) -> None:
    settings.CENTER_PHONE = ""
    assert "They tell you who can help near where you live." in result_page(IOP).text
    start = parse(Client().get("/"))
    assert "an adult you trust" in start.text
    assert start.select_one('.facts a[href="tel:+18006624357"]')


@pytest.mark.parametrize("notice", NOTICES)
def test_every_notice_has_its_words_on_the_page(notice: str) -> None:
    template = (Path(__file__).parents[2] / "templates/public/result.html").read_text()
    assert f'{{% if "{notice}" in explanation.notices %}}' in template
