"""The pages that show the rules: in words, as data, and on paper."""

import hashlib
import json
import random
from collections.abc import Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from screening.questionnaire import QUESTIONS, SECTIONS
from screening.rules import CURRENT, VERSIONS, recommend, worksheet
from screening.rules.personas import PERSONAS, Persona
from screening.rules.ruleset import DUTIES_DECIDE, LEVELS
from screening.rules.sources import SOURCES
from screening.rules.versions import RELEASED, from_data, released, released_versions
from tests.answers import BEST, WORST, answers, random_answers
from tests.conftest import Person
from tests.helpers import parse
from tests.rules.helpers import with_rule

pytestmark = pytest.mark.sqlite_is_enough


def page_at(address: str) -> BeautifulSoup:
    response = Client().get(address)
    assert response.status_code == 200
    return parse(response)


# /how-it-works/


def test_page_shows_every_notice_with_its_sources_and_each_rule_the_notices_that_it_brings() -> None:
    page = page_at("/how-it-works/")
    for notice in CURRENT.notices:
        box = page.select_one(f"#notice-{notice.key}")
        assert notice.text in " ".join(box.text.split())
        assert [link["href"] for link in box.select(".ref")] == [f"#source-{key}" for key in notice.sources.split()]
    for rule in CURRENT.rules:
        brought = {link["href"] for link in page.select(f"#rule-{rule.key} .brings a")}
        assert brought == {f"#notice-{key}" for key in rule.notices.split()}


def test_page_shows_every_question_with_its_page_and_why_it_is_asked() -> None:
    shown = page_at("/how-it-works/").text
    for section in SECTIONS:
        assert section.title in shown
        assert section.why in shown
    for question in QUESTIONS.values():
        assert question.text in shown


@pytest.mark.parametrize("rule", CURRENT.rules, ids=lambda rule: rule.key)
def test_page_shows_each_rule_with_the_answers_that_count_its_levels_reason_and_sources(rule: Any) -> None:
    shown = page_at("/how-it-works/").find(id=f"rule-{rule.key}")
    counting = []
    for key, least in rule.when.items():
        counting += list(QUESTIONS[key].options.values())[QUESTIONS[key].rank(least) :]
    assert [quote.text for quote in shown.select("q")] == counting
    assert [element["class"][1] for element in shown.select(".level")] == list(rule.raises.values())
    assert rule.text in shown.text
    assert [link["href"] for link in shown.select("a.ref")] == [f"#source-{source}" for source in rule.sources.split()]


@pytest.mark.parametrize("key", SOURCES)
def test_each_source_says_title_publisher_year_and_where_to_find_it(key: str) -> None:
    shown = page_at("/how-it-works/").find(id=f"source-{key}")
    source = SOURCES[key]
    for words in (source.title, source.publisher, source.year, source.url):
        assert words
        assert words in shown.text
    assert shown.a["href"] == source.url


def test_every_source_is_cited_by_a_rule_or_describes_the_programs() -> None:
    every = [CURRENT, *map(released, released_versions())]
    used = {source for rules in every for said in (*rules.rules, *rules.notices) for source in said.sources.split()}
    # They describe inpatient care, the decision of staff, and the examples of a question.
    assert set(SOURCES) - used == {"S5", "S6", "G1"}


def test_page_shows_grid_limits_versions_and_hash() -> None:
    page = page_at("/how-it-works/")
    assert len(page.select(".grid tbody td")) == len(CURRENT.grid)
    assert not page.select(".grid .here")
    assert "No study has tested" in page.text
    for version in VERSIONS:
        assert version.version in page.text
        assert version.changes in page.text
    assert page.select_one(".mark").text.strip() == Client().get("/rules.json").json()["sha256"]


def test_links_lead_to_the_data_and_the_paper_and_back() -> None:
    links = {link["href"] for link in page_at("/how-it-works/").select("main a")}
    assert {"/rules.json", "/paper/"} <= links
    assert {"/how-it-works/", "/paper/"} <= {link["href"] for link in page_at("/").select("footer a")}
    page = page_at("/how-it-works/")
    anchors = [link["href"][1:] for link in page.select('a[href^="#"]')]
    assert len(anchors) > len(CURRENT.rules)
    assert [anchor for anchor in anchors if not page.find(id=anchor)] == []


# /rules.json


def test_data_are_the_rules_in_force_and_the_hash_is_theirs() -> None:
    data = Client().get("/rules.json").json()
    assert from_data(data["decides"]) == CURRENT
    text = json.dumps(data["decides"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert data["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert data["decides"] == json.loads((RELEASED / f"{CURRENT.version}.json").read_text())


def test_keys_of_the_data_are_a_contract() -> None:
    data = Client().get("/rules.json").json()
    shape = {
        "": set(data),
        "decides": set(data["decides"]),
        "rule": {key for rule in data["decides"]["rules"] for key in rule},
        "notice": {key for notice in data["decides"]["notices"] for key in notice},
        "question": {key for question in data["questions"] for key in question},
        "option": {key for question in data["questions"] for option in question["options"] for key in option},
        "source": {key for source in data["sources"].values() for key in source},
        "version": {key for version in data["versions"] for key in version},
        "person": {key for person in data["people"] for key in person},
    }
    assert shape == {
        "": {"language", "sha256", "decides", "questions", "sources", "versions", "limits", "people"},
        "decides": {"version", "levels", "questions", "rules", "grid", "notices", "replaces"},
        "rule": {"key", "when", "raises", "reason", "sources", "notices"},
        "notice": {"key", "text", "sources", "about_programs"},
        "question": {"key", "page", "text", "hint", "options"},
        "option": {"value", "text"},
        "source": {"title", "publisher", "year", "url", "checked", "passage"},
        "version": {"version", "released", "changes", "approval", "sha256"},
        "person": {"name", "story", "answers", "program", "close_call", "urgency"},
    }
    documented = (Path(__file__).parents[2] / "docs/rules-json.md").read_text()
    for keys in shape.values():
        assert all(f"`{key}`" in documented for key in keys)


def test_someone_with_only_the_data_gets_our_results() -> None:
    """Apply the rules by the documented meaning of the keys alone, as a referrer's program would."""
    decides = Client().get("/rules.json").json()["decides"]

    def result(given: Mapping[str, str]) -> tuple[str, str]:
        levels = {dimension: order[0] for dimension, order in decides["levels"].items()}
        for rule in decides["rules"]:
            if all(given[question] in counting for question, counting in rule["when"].items()):
                for dimension, level in rule["raises"].items():
                    order = decides["levels"][dimension]
                    levels[dimension] = max(levels[dimension], level, key=order.index)
        program = decides["grid"][levels["need"]][levels["support"]]
        if program == "duties decide":
            program = "iop" if levels["duties"] == "fixed" else "inpatient"
        return program, levels["urgency"]

    generator = random.Random(5)
    for given in (BEST, WORST, *(random_answers(generator) for _ in range(2000))):
        ours = recommend(given)
        assert result(given) == (ours.program, ours.urgency)


# The six people


@pytest.mark.parametrize("someone", PERSONAS, ids=lambda person: person.name)
def test_example_person_gets_the_result_that_is_claimed(someone: Persona) -> None:
    assert recommend(someone.answers).decision == someone.decision


def test_people_are_invented_and_show_every_kind_of_result() -> None:
    assert len(PERSONAS) == 6
    assert {person.decision[0] for person in PERSONAS} == {"iop", "inpatient"}
    assert {person.decision[2] for person in PERSONAS} == set(LEVELS["urgency"])
    assert {person.decision[:2] for person in PERSONAS} == {(p, c) for p in ("iop", "inpatient") for c in (True, False)}
    page = page_at("/how-it-works/")
    assert "We made these people up" in page.text
    assert len(page.select(".person")) == 6


# /paper/


def test_form_asks_every_question_with_a_lettered_box_for_each_option() -> None:
    page = page_at("/paper/")
    asked = page.select(".paper-question")
    assert [element.h4.text for element in asked] == [f"{n}. {q.text}" for n, q in enumerate(QUESTIONS.values(), 1)]
    for element, question in zip(asked, QUESTIONS.values(), strict=True):
        assert [" ".join(item.text.split()) for item in element.select("li")] == [
            f"{letter} {text}" for letter, text in zip(ascii_uppercase, question.options.values(), strict=False)
        ]


def test_page_prints_every_step_of_the_sheet() -> None:
    parts = page_at("/paper/").select(".part")
    sheet = worksheet.sheet(CURRENT)
    for part, (dimension, steps) in zip(parts, sheet.steps.items(), strict=True):
        printed = [[item.text for item in group.select("li")] for group in part.select("ul")]
        assert len(printed) == len(steps) == len(LEVELS[dimension]) - 1
        for items, (_level, lines) in zip(printed, steps, strict=True):
            for item, line in zip(items, lines, strict=True):
                for ticks in line:
                    assert f"{ticks.number} {ticks.topic}: {' '.join(ticks.letters)}" in item
                assert item.count(" and ") == len(line) - 1


def test_page_prints_each_notice_above_the_ticks_that_bring_it() -> None:
    steps = page_at("/paper/").select("h3 ~ .parts")[-1].select(".step")
    lines = worksheet.sheet(CURRENT).notices
    for step, notice in zip(steps, CURRENT.notices, strict=True):
        assert step.p.text == notice.text
        assert [item.text.count(" and ") for item in step.select("li")] == [len(line) - 1 for line in lines[notice.key]]


def any_ticked(lines: worksheet.Lines, ticked: Mapping[int, str]) -> bool:
    return any(all(ticked[ticks.number] in ticks.letters for ticks in line) for line in lines)


def by_hand(sheet: worksheet.Sheet, ticked: Mapping[int, str]) -> dict[str, object]:
    """Work out the result with the sheet, from number of question -> letter ticked."""
    written: dict[str, Any] = {}
    written["notices"] = tuple(notice for notice, lines in sheet.notices.items() if any_ticked(lines, ticked))
    for dimension, steps in sheet.steps.items():
        holding = [level for level, lines in steps if any_ticked(lines, ticked)]
        written[dimension] = [*holding, LEVELS[dimension][0]][0]
    program = CURRENT.grid[written["need"], written["support"]]
    close_call = program == DUTIES_DECIDE
    if close_call:
        program = "iop" if written["duties"] == "fixed" else "inpatient"
    return {"program": program, "close_call": close_call, **written}


def ticked(given: Mapping[str, str]) -> dict[int, str]:
    return {
        number: ascii_uppercase[list(question.options).index(given[key])]
        for number, (key, question) in enumerate(QUESTIONS.items(), start=1)
    }


def agrees(sheet: worksheet.Sheet, given: Mapping[str, str]) -> bool:
    recommendation = CURRENT.recommend(given)
    return all(getattr(recommendation, name) == value for name, value in by_hand(sheet, ticked(given)).items())


@pytest.mark.parametrize("someone", PERSONAS, ids=lambda person: person.name)
def test_sheet_gives_each_example_person_their_result(someone: Persona) -> None:
    assert agrees(worksheet.sheet(CURRENT), someone.answers)


def test_worksheet_gives_what_the_rules_give_for_random_answer_sets(sample_size: int) -> None:
    generator = random.Random(20261123)
    sheet = worksheet.sheet(CURRENT)
    for _ in range(sample_size // 2):
        given = random_answers(generator)
        assert agrees(sheet, given)
        mild = {key: value if generator.random() < 0.2 else BEST[key] for key, value in given.items()}
        assert agrees(sheet, mild)


def test_sheet_of_other_rules_is_another_sheet() -> None:
    other = worksheet.sheet(with_rule(CURRENT, "some_supervision", need="high"))
    assert other != worksheet.sheet(CURRENT)
    assert not agrees(other, answers(constant_care="sometimes"))


# On the result page


@pytest.mark.django_db
def test_result_page_leads_here() -> None:
    response = Person(Client()).finishes(BEST, "view")
    links = {link["href"] for link in parse(response).select("main a")}
    assert "/how-it-works/" in links


@pytest.mark.parametrize("address", ["/how-it-works/", "/rules.json", "/fhir/Questionnaire", "/paper/"])
def test_pages_need_no_cookie_no_database_and_only_answer_to_reading(address: str) -> None:
    client = Client()
    response = client.get(address)
    assert not response.cookies
    assert client.head(address).status_code == 200
    assert client.post(address).status_code == 405
