"""How it works: the rules in words, as data, and on paper. These pages read no answers."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from screening import rules
from screening.explanation import LEVEL_WORDS, LIMITS, SHORT_TITLES, TITLES, grid_rows, level_words, support_words
from screening.help_lines import HELP_LINES
from screening.public.programs import COMPARED
from screening.questionnaire import PAGES, QUESTIONS
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
            (gettext(SHORT_TITLES[dimension]), level, gettext(LEVEL_WORDS[dimension][level][0]))
            for dimension, level in rule.raises.items()
        ],
        "reason": gettext(rule.text),
        "sources": [(source, SOURCES[source]) for source in rule.sources.split()],
    }


def _questions_in_words() -> list[dict[str, Any]]:
    """Return each page with its questions, and for each question the rules that read it alone."""
    pages = []
    for page in PAGES:
        questions = [
            {
                "key": question.key,
                "text": gettext(question.text),
                "options": [gettext(text) for text in question.options.values()],
                "rules": [_rule_in_words(rule) for rule in rules.CURRENT.rules if list(rule.when) == [question.key]],
            }
            for question in page.questions
        ]
        pages.append({"title": gettext(page.title), "why": gettext(page.why), "questions": questions})
    return pages


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
            {"person": person, "result": recommendation, "answers": answers, "levels": level_words(recommendation)}
        )
    context = {
        "supports": support_words(),
        "grid": grid_rows(rules.CURRENT),
        "dimensions": [
            (gettext(TITLES[dimension]), [gettext(LEVEL_WORDS[dimension][level][0]) for level in order])
            for dimension, order in LEVELS.items()
        ],
        "pages": _questions_in_words(),
        "together": [_rule_in_words(rule) for rule in rules.CURRENT.rules if len(rule.when) > 1],
        "otherwise": [_rule_in_words(rule) for rule in rules.CURRENT.rules if not rule.when],
        "people": people,
        "programs": COMPARED,
        "limits": LIMITS,
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
                "page": page.slug,
                "text": gettext(question.text),
                "hint": gettext(question.hint) if question.hint else "",
                "options": [{"value": value, "text": gettext(text)} for value, text in question.options.items()],
            }
            for page in PAGES
            for question in page.questions
        ],
        "sources": {
            key: {name: str(value) for name, value in asdict(source).items()} for key, source in SOURCES.items()
        },
        "versions": [
            {
                "version": version.version,
                "released": version.released.isoformat(),
                "changes": gettext(version.changes),
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


def _lines_in_words(step: worksheet.Step) -> list[list[tuple[int, str, str]]]:
    """Return (number of the question, its topic, letters) for each of the ticks that a line requires."""
    return [
        [(ticks.number, gettext(QUESTIONS[ticks.question].topic), " ".join(ticks.letters)) for ticks in line]
        for line in step.lines
    ]


@require_safe
def on_paper(request: HttpRequest) -> HttpResponse:
    """Show the questions as a form to print, and the worksheet."""
    steps = worksheet.sheet(rules.CURRENT)
    context = {
        "pages": [
            {
                "title": gettext(page.title),
                "why": gettext(page.why),
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
                    for question in page.questions
                ],
            }
            for page in PAGES
        ],
        "blocks": [
            {
                "title": gettext(SHORT_TITLES[dimension]),
                "steps": [
                    {"level": gettext(LEVEL_WORDS[dimension][step.level][0]), "lines": _lines_in_words(step)}
                    for step in steps.steps[dimension]
                ],
                "lowest": gettext(LEVEL_WORDS[dimension][steps.lowest[dimension]][0]),
            }
            for dimension in LEVELS
        ],
        "supports": support_words(),
        "grid": grid_rows(rules.CURRENT),
        "crisis": [HELP_LINES[key] for key in ("911", "988")],
        "version": rules.CURRENT.version,
    }
    return render(request, "public/paper.html", context)
