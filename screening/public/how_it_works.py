"""How it works: the rules in words, as data, and on paper. These pages read no answers."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from screening import explanation, fhir, rules
from screening.help_lines import HELP_LINES
from screening.questionnaire import PAGE_OF, QUESTIONS, SECTIONS
from screening.rules import versions
from screening.rules.personas import PERSONAS
from screening.rules.ruleset import LEVELS, Notice, Rule
from screening.rules.sources import SOURCES
from screening.rules.worksheet import NUMBERS, letters, sheet


def _notice_in_words(notice: Notice) -> dict[str, Any]:
    text = gettext(notice.text)
    return {
        "key": notice.key,
        "text": text,
        "first": text.partition(".")[0],
        "sources": notice.sources.split(),
    }


def _rule_in_words(rule: Rule) -> dict[str, Any]:
    """Put a rule into words; each condition lists every answer that counts."""
    conditions = []
    for key, rank in rules.CURRENT.least[rule.key].items():
        texts = [gettext(text) for text in list(QUESTIONS[key].options.values())[rank:]]
        conditions.append((gettext(QUESTIONS[key].text), texts))
    return {
        "key": rule.key,
        "conditions": conditions,
        "raises": [
            (gettext(explanation.TITLES[dimension]), level, gettext(explanation.LEVEL_WORDS[dimension][level]))
            for dimension, level in rule.raises.items()
        ],
        "notices": [_notice_in_words(each) for each in rules.CURRENT.notices if each.key in rule.notices.split()],
        "reason": gettext(rule.text),
        "sources": rule.sources.split(),
    }


def _rules_that_read(question: str) -> list[dict[str, Any]]:
    """Return the rules that read this question alone, in words."""
    return [_rule_in_words(rule) for rule in rules.CURRENT.rules if list(rule.when) == [question]]


@require_safe
def how_it_works(request: HttpRequest) -> HttpResponse:
    """Show grid, questions, rules with their sources, personas, limits, help lines and versions."""
    people = []
    for person in PERSONAS:
        result = rules.recommend(person.answers)
        headlines = [explanation.HEADLINES[key] for key in (result.headline, result.decision.program_headline)]
        answers = [explanation.answer_in_words(key, value) for key, value in person.answers_above_least.items()]
        people.append((person, *headlines, answers, explanation.level_words(result)))
    context = {
        "supports": explanation.support_words(),
        "grid": explanation.grid_rows(rules.CURRENT),
        "dimensions": [
            (title, explanation.LEVEL_WORDS[dimension].values()) for dimension, title in explanation.TITLES.items()
        ],
        "sections": [
            (section, [(question, _rules_that_read(question.key)) for question in section.questions])
            for section in SECTIONS
        ],
        "together": [_rule_in_words(rule) for rule in rules.CURRENT.rules if len(rule.when) > 1],
        "notices": [_notice_in_words(notice) for notice in rules.CURRENT.notices],
        "otherwise": [_rule_in_words(rule) for rule in rules.CURRENT.rules if not rule.when],
        "people": people,
        "limits": explanation.LIMITS,
        "sources": SOURCES,
        "help_lines": HELP_LINES.values(),
        "versions": rules.VERSIONS[::-1],
        "version": rules.CURRENT.version,
        "sha256": versions.content_hash(versions.as_data(rules.CURRENT)),
    }
    return render(request, "public/how_it_works.html", context)


@require_safe
def rules_json(request: HttpRequest) -> JsonResponse:
    """Return all of it as data. docs/rules-json.md says what each key means; keys are never renamed."""
    decides = versions.as_data(rules.CURRENT)
    hashes = versions.frozen_hashes() | {rules.CURRENT.version: versions.content_hash(decides)}
    data = {
        "language": get_language(),
        "sha256": hashes[rules.CURRENT.version],
        "decides": decides,
        "questions": [
            {
                "key": question.key,
                "page": PAGE_OF[question.key].slug,
                "text": gettext(question.text),
                "hint": gettext(question.hint) if question.hint else "",
                "options": [{"value": value, "text": gettext(text)} for value, text in question.options.items()],
            }
            for question in QUESTIONS.values()
        ],
        "sources": {key: asdict(source) for key, source in SOURCES.items()},
        "versions": [
            asdict(version) | {"changes": gettext(version.changes), "sha256": hashes[version.version]}
            for version in rules.VERSIONS
        ],
        "limits": [gettext(limit) for limit in explanation.LIMITS],
        "people": [
            {
                "name": gettext(person.name),
                "story": gettext(person.story),
                "answers": person.answers,
                "program": person.decision[0],
                "close_call": person.decision[1],
                "urgency": person.decision[2],
            }
            for person in PERSONAS
        ],
    }
    return JsonResponse(data, json_dumps_params={"indent": 2, "ensure_ascii": False})


@require_safe
def fhir_questionnaire(request: HttpRequest) -> JsonResponse:
    """Return the questions for systems that speak FHIR."""
    return JsonResponse(fhir.questionnaire(), content_type="application/fhir+json")


@require_safe
def on_paper(request: HttpRequest) -> HttpResponse:
    """Show the questions as a form to print, and the worksheet."""
    paper = sheet(rules.CURRENT)
    context = {
        "sections": [
            (
                section,
                [
                    (NUMBERS[each.key], each, zip(letters(each.key), each.options.values(), strict=True))
                    for each in section.questions
                ],
            )
            for section in SECTIONS
        ],
        "blocks": [
            (
                title,
                [(explanation.LEVEL_WORDS[dimension][level], lines) for level, lines in paper.steps[dimension]],
                explanation.LEVEL_WORDS[dimension][LEVELS[dimension][0]],
            )
            for dimension, title in explanation.TITLES.items()
        ],
        "notices": [(gettext(notice.text), paper.notices[notice.key]) for notice in rules.CURRENT.notices],
        "supports": explanation.support_words(),
        "grid": explanation.grid_rows(rules.CURRENT),
        "shelter": HELP_LINES["domestic_violence"],
        "crisis": [HELP_LINES[key] for key in ("911", "988")],
        "version": rules.CURRENT.version,
    }
    return render(request, "public/paper.html", context)
