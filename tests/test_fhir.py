"""The questionnaire and the answers as FHIR resources: of the standard's shape, and ours in what they say."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone, translation
from django.utils.translation import gettext
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from screening import fhir
from screening.models import LogLine, Note, Review, Submission
from screening.questionnaire import QUESTIONS, SECTIONS
from screening.rules import CURRENT, versions
from tests.answers import CLOSE_CALL, IOP, KINDS, URGENT
from tests.desk.helpers import CASES, ask_for_call, submit
from tests.helpers import parse

ADDRESS, EXPORT = "/fhir/Questionnaire", f"{CASES}export/"
SENT = {"purpose": "quality", "confirm": "on", "format": "fhir"}
NOTICE = "Do not pass this on: 42 CFR part 2.\n\nAsk <us> first."
EXAMPLES = [
    json.loads(block) for block in re.findall(r"```json\n(.+?)```", Path("docs/fhir.md").read_text(), flags=re.DOTALL)
]


@pytest.fixture(autouse=True)
def notice(center_tells: Any) -> None:
    center_tells(redisclosure=NOTICE)


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


def options(resource: Any) -> dict[str, list[dict[str, Any]]]:
    """Return question -> its options as codings without their words."""
    return {
        item["linkId"]: [
            {name: option["valueCoding"][name] for name in ("system", "code")} for option in item["answerOption"]
        ]
        for item in items(resource)
        if item["type"] == "choice"
    }


def exported(client: Client, **more: str) -> list[dict[str, Any]]:
    """Return the resources of the export, each checked against the standard and its narrative as XHTML."""
    response = client.post(EXPORT, SENT | more)
    assert isinstance(response, StreamingHttpResponse)
    *lines, end = b"".join(response).decode().split("\r\n")
    assert end == ""
    resources = [json.loads(line) for line in lines]
    for resource in resources:
        QuestionnaireResponse.model_validate(resource)
        ElementTree.fromstring(resource["text"]["div"])
    return resources


def answers_of(resource: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return link id -> the answer of each item that has one."""
    return {item["linkId"]: item["answer"][0] for item in items(resource) if "answer" in item}


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


# The answers


@pytest.mark.django_db
def test_each_answer_is_an_option_of_the_questionnaire_that_the_response_names(staff_client: Client) -> None:
    rows = {str(row): given for given in KINDS.values() for row in [submit(given)]}
    questionnaire = published()
    resources = exported(staff_client)
    assert {resource["identifier"]["value"] for resource in resources} == rows.keys()
    for resource in resources:
        assert resource["questionnaire"] == f"{questionnaire['url']}|{questionnaire['version']}"
        said = answers_of(resource)
        assert {key: answer["valueCoding"]["code"] for key, answer in said.items()} == rows[
            resource["identifier"]["value"]
        ]
        for key, answer in said.items():
            coding = answer["valueCoding"]
            assert coding.pop("display") == QUESTIONS[key].options[coding["code"]]
            assert coding in options(questionnaire)[key]
        assert {item["linkId"]: item["text"] for item in items(resource)} == {
            item["linkId"]: item["text"] for item in items(questionnaire) if item["type"] != "display"
        }


@pytest.mark.django_db
def test_response_is_in_the_language_that_it_was_answered_in(staff_client: Client) -> None:
    with translation.override("es"):
        row = Submission.objects.submit(CLOSE_CALL)
    (resource,) = exported(staff_client)
    assert resource["language"] == "es"
    with translation.override("es"):
        for item in items(resource):
            if "answer" in item:
                question, value = QUESTIONS[item["linkId"]], row.answers[item["linkId"]]
                assert item["text"] == gettext(question.text)
                assert item["answer"][0]["valueCoding"]["display"] == gettext(question.options[value])
                assert gettext(question.text) in BeautifulSoup(resource["text"]["div"], "lxml").text


@pytest.mark.django_db
def test_answers_of_an_earlier_version_keep_its_codes_and_name_it(staff_client: Client) -> None:
    earlier = versions.released("2026.1")
    given = {key: values[-1] for key, values in earlier.options.items()}
    submit(answers=given, rules_version="2026.1")
    (resource,) = exported(staff_client)
    assert resource["questionnaire"].endswith("/fhir/Questionnaire|2026.1")
    said = answers_of(resource)
    assert {key: answer["valueCoding"]["code"] for key, answer in said.items()} == given
    retired = [item for item in items(resource) if item["linkId"] in given.keys() - QUESTIONS.keys()]
    assert all(item["text"] == item["linkId"] for item in retired)


@pytest.mark.django_db
def test_answer_that_was_no_option_is_kept_as_text_and_not_as_a_code(staff_client: Client) -> None:
    submit(answers=IOP | {"job": "astronaut", "shoe_size": "42"})
    (resource,) = exported(staff_client)
    said = answers_of(resource)
    assert (said["job"], said["shoe_size"]) == ({"valueString": "astronaut"}, {"valueString": "42"})
    assert said["home"]["valueCoding"]["code"] == IOP["home"]
    assert resource["item"][-1]["text"] == "No longer asked"


HOSTILE = ("", " ", "\x00", "a\x07\n\u2028b", "\ud800", "<script>alert(1)</script>", "]]>&amp;'\"", " two  spaces ")


@pytest.mark.django_db
def test_damaged_rows_do_not_break_the_stream(staff_client: Client) -> None:
    for text in HOSTILE:
        submit(answers=IOP | {"job": text, text: "yes"})
    submit(answers="x", result=[], language="\n", rules_version="a b|c")
    submit(answers={"job": ["cannot_leave"], "home": None})
    sound = submit()
    resources = exported(staff_client)
    assert len(resources) == len(HOSTILE) + 3
    whole = {resource["identifier"]["value"]: resource for resource in resources}[str(sound)]
    assert answers_of(whole).keys() == QUESTIONS.keys()
    for resource in resources:
        assert not re.search(r"[\x00-\x1f\ud800-\udfff]", "".join(map(str, answers_of(resource).values())))
        assert "<script" not in resource["text"]["div"]
        assert resource.get("questionnaire", "").count("|") in (0, 1)
        assert resource["language"] in dict(settings.LANGUAGES)


@pytest.mark.django_db
def test_answers_alone_are_exported_and_no_test_record(staff_client: Client) -> None:
    row = submit(CLOSE_CALL, blind=True)
    author = User.objects.get()
    ask_for_call(row)
    Note.objects.create(submission=row, text="Called her sister.", author=author)
    Review.objects.create(submission=row, program="inpatient", agrees=False, reason="Alone at home.", author=author)
    submit(URGENT, is_test=True)
    (resource,) = exported(staff_client)
    assert resource.keys() == {
        *("resourceType", "meta", "language", "text", "identifier", "questionnaire", "status", "authored", "item")
    }
    assert datetime.fromisoformat(resource["authored"]) == row.received_at.replace(microsecond=0)
    text = json.dumps(resource)
    for words in ("405", "Called", "Alone at home.", row.code, *(reason["text"] for reason in row.result["reasons"])):
        assert words not in text


@pytest.mark.django_db
def test_resource_for_research_has_no_reference_and_no_time_of_day(staff_client: Client) -> None:
    row = submit()
    (resource,) = exported(staff_client, purpose="research")
    assert "identifier" not in resource
    assert resource["authored"] == f"{timezone.localtime(row.received_at):%Y-%m-%d}"
    assert str(row) not in json.dumps(resource)
    assert row.reference not in json.dumps(resource)


@pytest.mark.django_db
def test_every_resource_carries_the_notice_and_its_labels(staff_client: Client) -> None:
    for given in (IOP, URGENT):
        submit(given)
    for resource in exported(staff_client):
        codes = [label["code"] for label in resource["meta"]["security"]]
        assert codes == ["R", "NORDSCLCD"]
        paragraphs = [part.text for part in BeautifulSoup(resource["text"]["div"], "lxml").select("p")]
        assert paragraphs[:2] == ["Do not pass this on: 42 CFR part 2.", "Ask <us> first."]
        assert len(paragraphs) == 2 + len(QUESTIONS)


@pytest.mark.django_db
def test_nothing_is_exported_without_notice_or_purpose(staff_client: Client, center_tells: Any) -> None:
    submit()
    assert staff_client.post(EXPORT, {"format": "fhir", "confirm": "on"}).status_code == 422
    assert staff_client.post(EXPORT, SENT | {"format": "xml"}).status_code == 422
    center_tells(redisclosure="")
    assert staff_client.post(EXPORT, SENT).status_code == 422
    assert not LogLine.objects.filter(action="exported").exists()


@pytest.mark.django_db
def test_page_offers_both_formats_and_the_log_says_which_it_was(staff_client: Client) -> None:
    submit()
    page = parse(staff_client.get(EXPORT))
    assert [radio["value"] for radio in page.select("[name=format]")] == ["csv", "fhir"]
    assert page.select_one("[name=format][checked]")["value"] == "csv"
    response = staff_client.post(EXPORT, SENT)
    assert response["Content-Type"] == "application/fhir+ndjson"
    assert response["Content-Disposition"] == f'attachment; filename="submissions-{timezone.localdate()}.ndjson"'
    assert LogLine.objects.latest("number").detail == "count=1; format=fhir; purpose=quality; filters="


@pytest.mark.django_db
def test_file_of_any_length_is_read_in_a_constant_number_of_queries(
    staff_client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        submit()
    response = staff_client.post(EXPORT, SENT)
    with django_assert_max_num_queries(3):
        assert len(b"".join(response).splitlines()) == 30


# The document


@pytest.mark.django_db
def test_examples_of_the_document_are_what_the_site_gives(settings: Any, center_tells: Any) -> None:
    settings.SITE_URL = "https://www.example.com"
    center_tells(redisclosure="42 CFR part 2 prohibits unauthorized use or disclosure of these records.")
    question, response = EXAMPLES
    assert question == next(item for item in items(published()) if item["linkId"] == "provider")
    row = submit(
        answers={"caregiving": "only_me", "provider": "partly"},
        reference="BCDFGHJK",
        received_at=datetime(2026, 11, 29, 15, 30, tzinfo=UTC),
    )
    assert response == fhir.response(row, research=False)
