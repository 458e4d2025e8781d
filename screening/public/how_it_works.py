"""How it works: the rules in words, as data, and on paper. These pages read no answers."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from screening import rules
from screening.explanation import HEADLINES, LEVEL_WORDS, LIMITS, TITLES, grid_rows, level_words, support_words
from screening.hazards import HAZARDS
from screening.help_lines import HELP_LINES
from screening.public.programs import COMPARED
from screening.questionnaire import PAGE_OF, QUESTIONS, SECTIONS
from screening.rules import versions, worksheet
from screening.rules.personas import PERSONAS
from screening.rules.ruleset import LEVELS, Rule
from screening.rules.sources import SOURCES


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
            (gettext(TITLES[dimension]), level, gettext(LEVEL_WORDS[dimension][level]))
            for dimension, level in rule.raises.items()
        ],
        "reason": gettext(rule.text),
        "sources": [(source, SOURCES[source]) for source in rule.sources.split()],
    }


def _questions_in_words() -> list[dict[str, Any]]:
    """Return each page with its questions, and for each question the rules that read it alone."""
    sections = []
    for section in SECTIONS:
        questions = [
            {
                "key": question.key,
                "text": gettext(question.text),
                "options": [gettext(text) for text in question.options.values()],
                "rules": [_rule_in_words(rule) for rule in rules.CURRENT.rules if list(rule.when) == [question.key]],
            }
            for question in section.questions
        ]
        sections.append({"title": gettext(section.title), "why": gettext(section.why), "questions": questions})
    return sections


@require_safe
def how_it_works(request: HttpRequest) -> HttpResponse:
    """Show grid, questions, rules with their sources, personas, limits, help lines and versions."""
    people = []
    for person in PERSONAS:
        recommendation = rules.recommend(person.answers)
        answers = [
            (gettext(QUESTIONS[key].topic), gettext(QUESTIONS[key].options[value]))
            for key, value in person.answers_above_least.items()
        ]
        people.append(
            {
                "person": person,
                "headline": gettext(HEADLINES[recommendation.headline]),
                "program": gettext(HEADLINES["either" if recommendation.close_call else recommendation.program]),
                "answers": answers,
                "levels": level_words(recommendation),
            }
        )
    context = {
        "supports": support_words(),
        "grid": grid_rows(rules.CURRENT),
        "dimensions": [
            (gettext(TITLES[dimension]), [gettext(LEVEL_WORDS[dimension][level]) for level in order])
            for dimension, order in LEVELS.items()
        ],
        "sections": _questions_in_words(),
        "together": [_rule_in_words(rule) for rule in rules.CURRENT.rules if len(rule.when) > 1],
        "otherwise": [_rule_in_words(rule) for rule in rules.CURRENT.rules if not rule.when],
        "people": people,
        "programs": COMPARED,
        "limits": LIMITS,
        "hazards": [
            (gettext(hazard.hazard), [(gettext(name), gettext(said)) for name, said in hazard.in_words().items()])
            for hazard in HAZARDS
        ],
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
    data = {
        "language": get_language(),
        "sha256": versions.content_hash(decides),
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
        "sources": {
            key: {name: str(value) for name, value in asdict(source).items()} for key, source in SOURCES.items()
        },
        "versions": [
            {
                "version": version.version,
                "released": version.released.isoformat(),
                "changes": gettext(version.changes),
                "approval": asdict(version.approval) if version.approval else None,
                "sha256": versions.content_hash(
                    decides
                    if version.version == rules.CURRENT.version
                    else versions.as_data(versions.released(version.version))
                ),
            }
            for version in rules.VERSIONS
        ],
        "limits": [gettext(limit) for limit in LIMITS],
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


def _in_words(lines: tuple[tuple[worksheet.Ticks, ...], ...]) -> list[list[tuple[int, str, str]]]:
    """Return (number of the question, its topic, letters) for each of the ticks that a line requires."""
    return [
        [(ticks.number, gettext(QUESTIONS[ticks.question].topic), " ".join(ticks.letters)) for ticks in line]
        for line in lines
    ]


@require_safe
def on_paper(request: HttpRequest) -> HttpResponse:
    """Show the questions as a form to print, and the worksheet."""
    steps = worksheet.sheet(rules.CURRENT)
    context = {
        "sections": [
            {
                "title": gettext(section.title),
                "why": gettext(section.why),
                "questions": [
                    {
                        "number": worksheet.NUMBERS[question.key],
                        "text": gettext(question.text),
                        "hint": gettext(question.hint) if question.hint else "",
                        "options": [
                            (worksheet.letters(question.key)[value], gettext(text))
                            for value, text in question.options.items()
                        ],
                    }
                    for question in section.questions
                ],
            }
            for section in SECTIONS
        ],
        "blocks": [
            {
                "title": gettext(TITLES[dimension]),
                "steps": [
                    {"level": gettext(LEVEL_WORDS[dimension][step.level]), "lines": _in_words(step.lines)}
                    for step in steps.steps[dimension]
                ],
                "lowest": gettext(LEVEL_WORDS[dimension][steps.lowest[dimension]]),
            }
            for dimension in LEVELS
        ],
        "notices": [(gettext(notice.text), _in_words(steps.notices[notice.key])) for notice in rules.CURRENT.notices],
        "supports": support_words(),
        "grid": grid_rows(rules.CURRENT),
        "crisis": [HELP_LINES[key] for key in ("911", "988")],
        "version": rules.CURRENT.version,
    }
    return render(request, "public/paper.html", context)
