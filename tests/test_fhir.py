"""The questionnaire as a FHIR resource: of the standard's shape, and ours in what it says."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext
from fhir.resources.R4B.questionnaire import Questionnaire

from screening import fhir
from screening.questionnaire import QUESTIONS, SECTIONS
from screening.rules import CURRENT
from tests.helpers import parse

ADDRESS = "/fhir/Questionnaire"
EXAMPLES = [
    json.loads(block) for block in re.findall(r"```json\n(.+?)```", Path("docs/fhir.md").read_text(), flags=re.DOTALL)
]


def published() -> dict[str, Any]:
    resource: dict[str, Any] = Client().get(ADDRESS).json()
    Questionnaire.model_validate(resource)
    return resource


def elements(resource: Any) -> Iterator[dict[str, Any]]:
    """Yield every element of a resource that has elements of its own."""
    if isinstance(resource, dict):
        yield resource
    for inner in resource.values() if isinstance(resource, dict) else resource if isinstance(resource, list) else ():
        yield from elements(inner)


def items(resource: Any) -> list[dict[str, Any]]:
    return [element for element in elements(resource) if "linkId" in element]


# The questionnaire


@pytest.mark.sqlite_is_enough
def test_questionnaire_asks_our_questions_in_our_sections_with_our_options() -> None:
    resource = published()
    assert [group["linkId"] for group in resource["item"]] == [f"section-{section.slug}" for section in SECTIONS]
    for group, section in zip(resource["item"], SECTIONS, strict=True):
        why, *asked = group["item"]
        assert (group["text"], why["text"], why["type"]) == (section.title, section.why, "display")
        assert [item["linkId"] for item in asked] == [question.key for question in section.questions]
        for item, question in zip(asked, section.questions, strict=True):
            assert (item["text"], item["type"]) == (question.text, "choice")
            assert (item["required"], item["repeats"]) == (True, False)
            words = {option["valueCoding"]["code"]: option["valueCoding"]["display"] for option in item["answerOption"]}
            assert words == question.options
            assert list(words) == list(question.options)
            assert [hint["text"] for hint in item.get("item", [])] == ([question.hint] if question.hint else [])
    links = [item["linkId"] for item in items(resource)]
    assert len(links) == len(set(links))


@pytest.mark.sqlite_is_enough
def test_every_word_of_the_questionnaire_is_there_in_every_language() -> None:
    found = 0
    for element in elements(published()):
        for name in {"title", "description", "text", "display"} & element.keys():
            said = {}
            for extension in element[f"_{name}"]["extension"]:
                assert extension["url"] == "http://hl7.org/fhir/StructureDefinition/translation"
                language, content = extension["extension"]
                said[language["valueCode"]] = content["valueString"]
            assert said.keys() == {code for code, _name in settings.LANGUAGES} - {"en"}
            for language, words in said.items():
                with translation.override(language):
                    sentences = fhir.LIMITS if name == "description" else [element[name]]
                    assert words == " ".join(map(gettext, sentences))
                    assert words != element[name] or words == "No"
            found += 1
    assert found > sum(len(question.options) + 1 for question in QUESTIONS.values())


@pytest.mark.sqlite_is_enough
def test_questionnaire_says_which_it_is_and_who_publishes_it(center_tells: Any, settings: Any) -> None:
    settings.SITE_URL = "https://www.example.com"
    resource = published()
    assert (resource["url"], resource["version"]) == ("https://www.example.com/fhir/Questionnaire", CURRENT.version)
    assert resource["publisher"] == "Country Road Recovery Center"
    assert not [element for element in elements(resource) if "code" in element and element.get("linkId")]
    center_tells(name="")
    assert "publisher" not in published()


@pytest.mark.sqlite_is_enough
def test_changed_question_shows_up(monkeypatch: pytest.MonkeyPatch) -> None:
    first = SECTIONS[0].questions[0]
    other = replace(first, text="Is it raining?", options={"none": "No", "hail": "Hail"}, hint="", help_lines={})
    section = replace(SECTIONS[0], questions=(other, *SECTIONS[0].questions[1:]))
    monkeypatch.setattr(fhir, "SECTIONS", (section, *SECTIONS[1:]))
    item = next(item for item in items(published()) if item["linkId"] == first.key)
    assert item["text"] == "Is it raining?"
    assert [option["valueCoding"]["code"] for option in item["answerOption"]] == ["none", "hail"]
    assert "item" not in item


@pytest.mark.sqlite_is_enough
def test_questionnaire_comes_as_fhir_to_anyone_who_reads(client: Client) -> None:
    response = client.get(ADDRESS)
    assert response["Content-Type"] == "application/fhir+json"
    assert client.head(ADDRESS).status_code == 200
    assert client.post(ADDRESS).status_code == 405
    links = {link["href"] for link in parse(client.get("/how-it-works/")).select("main a")}
    assert ADDRESS in links


# The document


@pytest.mark.sqlite_is_enough
def test_examples_of_the_document_are_what_the_site_gives(settings: Any) -> None:
    settings.SITE_URL = "https://www.example.com"
    (question,) = EXAMPLES
    assert question == next(item for item in items(published()) if item["linkId"] == "provider")
