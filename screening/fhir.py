"""The questionnaire as a FHIR R4 resource (docs/fhir.md)."""

from functools import cache
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from screening import rules
from screening.center import facts
from screening.explanation import LIMITS
from screening.questionnaire import SECTIONS, Question, Section, _

TITLE = _("Find out which kind of treatment may fit you")
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def canonical() -> str:
    """Return the address of the Questionnaire, the same whatever host it is read from."""
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
