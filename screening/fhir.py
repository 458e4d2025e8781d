"""The questionnaire, and the answers of a submission, as FHIR R4 resources (docs/fhir.md)."""

from functools import cache
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext

from screening import reference_numbers, rules
from screening.center import facts
from screening.explanation import LIMITS, Answer, answers_by_section, rules_of
from screening.questionnaire import SECTIONS, Question, Section, _

TITLE = _("Find out which kind of treatment may fit you")
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
CODES = "http://terminology.hl7.org/CodeSystem"
LABELS = [
    {"system": f"{CODES}/v3-Confidentiality", "code": "R", "display": "restricted"},
    {"system": f"{CODES}/v3-ActCode", "code": "NORDSCLCD", "display": "no redisclosure without consent directive"},
]


def canonical() -> str:
    """Return the address of the Questionnaire, by which responses name it; the same whatever host it is read from."""
    return settings.SITE_URL + _path()


@cache
def _path() -> str:
    return reverse("fhir_questionnaire")


def _stated(resource: dict[str, Any]) -> dict[str, Any]:
    """Leave out the elements that have nothing in them, as FHIR asks for."""
    return {name: value for name, value in resource.items() if value not in ("", [], {})}


def _words(element: str, *texts: str) -> dict[str, Any]:
    """Return an element with its words in English, and beside it those of every other language."""
    translations = []
    for language in [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]:
        with translation.override(language):
            words = " ".join(map(gettext, texts))
        parts = [{"url": "lang", "valueCode": language}, {"url": "content", "valueString": words}]
        translations.append({"url": TRANSLATION, "extension": parts})
    return {element: " ".join(texts), f"_{element}": {"extension": translations}}


def _coding(key: str, value: str) -> dict[str, str]:
    return {"system": f"{canonical()}#{key}", "code": value}


def _shown(link: str, text: str) -> list[dict[str, Any]]:
    """Return what stands beside a question or its section, if anything does."""
    return [{"linkId": link, **_words("text", text), "type": "display"}] if text else []


def _question(question: Question) -> dict[str, Any]:
    options = [_coding(question.key, value) | _words("display", text) for value, text in question.options.items()]
    return _stated(
        {
            "linkId": question.key,
            **_words("text", question.text),
            "type": "choice",
            "required": True,
            "repeats": False,
            "answerOption": [{"valueCoding": option} for option in options],
            "item": _shown(f"{question.key}-hint", question.hint),
        }
    )


def _section(section: Section) -> dict[str, Any]:
    link = f"section-{section.slug}"  # a question may have the same key
    asked = [_question(question) for question in section.questions]
    return {
        "linkId": link,
        **_words("text", section.title),
        "type": "group",
        "item": [*_shown(f"{link}-why", section.why), *asked],
    }


def questionnaire() -> dict[str, Any]:
    """Return the questionnaire in force as a Questionnaire, in every language."""
    return _stated(
        {
            "resourceType": "Questionnaire",
            "language": settings.LANGUAGE_CODE,
            "url": canonical(),
            "version": rules.CURRENT.version,
            "name": "ProgramFit",
            **_words("title", TITLE),
            "status": "active",
            "subjectType": ["Patient"],
            "date": rules.VERSIONS[-1].released.isoformat(),
            "publisher": facts().name,
            **_words("description", *LIMITS),
            "item": [_section(section) for section in SECTIONS],
        }
    )


def _printable(text: str) -> str:
    """Return a damaged text as one that FHIR and XHTML can hold; any other stays as it is."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text) or "\ufffd"


def _narrative(language: str, said: list[Answer]) -> str:
    """Return the notice on redisclosure and the answers, for a reader."""
    notice = [(_printable(line),) for line in facts().redisclosure.splitlines() if line.strip()]
    answers = format_html_join("", "<p>{} <b>{}</b></p>", [(each.question, each.text) for each in said])
    return format_html(
        '<div xmlns="http://www.w3.org/1999/xhtml" lang="{0}" xml:lang="{0}">{1}{2}</div>',
        *(language, format_html_join("", "<p>{}</p>", notice), answers),
    )


def response(row: Any, *, research: bool) -> dict[str, Any]:
    """Return the answers of a submission as a QuestionnaireResponse, in the language that it was answered in.

    For research, whose readers know no person, without the reference number and the time of day.
    """
    given = {_printable(key): _printable(value) for key, value in row.readable_answers.items()}
    language = row.language if row.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(language):
        sections = answers_by_section(given)
    ruleset = rules_of(row.rules_version)
    options = ruleset.options if ruleset else {}

    def item(said: Answer) -> dict[str, Any]:
        value = given[said.key]
        answer: dict[str, Any] = {"valueString": value}  # what was no option then has no code
        if value in options.get(said.key, ()):
            answer = {"valueCoding": _coding(said.key, value) | {"display": said.text}}
        return {"linkId": said.key, "text": said.question, "answer": [answer]}

    received = timezone.localtime(row.received_at)
    reference = {"system": f"{canonical()}#reference", "value": reference_numbers.formatted(row.reference)}
    return _stated(
        {
            "resourceType": "QuestionnaireResponse",
            "meta": {"security": LABELS},
            "language": language,
            "text": {
                "status": "additional",
                "div": _narrative(language, [each for *_, group in sections for each in group]),
            },
            "identifier": {} if research else reference,
            "questionnaire": f"{canonical()}|{row.rules_version}" if ruleset else "",
            "status": "completed",
            "authored": received.date().isoformat() if research else received.isoformat(timespec="seconds"),
            "item": [
                {"linkId": f"section-{slug or 'retired'}", "text": title, "item": [*map(item, group)]}
                for slug, title, group in sections
            ],
        }
    )
