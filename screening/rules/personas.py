"""Personas: six invented people, one for each kind of result, for the page on how it works, demo data and tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from screening.questionnaire import QUESTIONS, _


@dataclass(frozen=True)
class Persona:
    """An invented person: the answers above the least, and the decision that the rules must make."""

    name: str
    story: str
    answers_above_least: Mapping[str, str]
    decision: tuple[str, bool, str]  # program, close call, urgency

    def __post_init__(self) -> None:
        for key, value in self.answers_above_least.items():
            if key not in QUESTIONS:
                raise ValueError(f"{self.name} answers {key!r}, which is not asked")
            QUESTIONS[key].rank(value)

    @cached_property
    def answers(self) -> dict[str, str]:
        return {key: next(iter(question.options)) for key, question in QUESTIONS.items()} | dict(
            self.answers_above_least
        )


PERSONAS = (
    Persona(
        _("Ana"),
        _("Ana drives a school bus and can’t take time off. Her sister lives with her and does not drink."),
        {"job": "cannot_leave", "provider": "partly", "past_treatment": "helped"},
        ("iop", False, "none"),
    ),
    Persona(
        _("Ben"),
        _("Ben gets very sick when he stops pain pills, so he uses again. His wife and two friends stand by him."),
        {"job": "can_leave", "caregiving": "shared", "opioids": "very_sick", "past_treatment": "returned"},
        ("iop", False, "soon"),
    ),
    Persona(
        _("Cal"),
        _("Cal raises two children alone. He has one good friend. Some nights he needs someone with him."),
        {"caregiving": "only_me", "provider": "mostly", "supporters": "one_or_two", "constant_care": "sometimes"},
        ("iop", True, "none"),
    ),
    Persona(
        _("Dee"),
        _("Dee lost touch with her family. She lives alone, and no one helps her yet. She could go away for a while."),
        {"job": "can_leave", "supporters": "nobody", "home": "alone"},
        ("inpatient", True, "none"),
    ),
    Persona(
        _("Eli"),
        _("Eli had a seizure when he stopped drinking last year. He gets shaky now. He can’t leave his job."),
        {
            "job": "cannot_leave",
            "supporters": "one_or_two",
            "alcohol_or_pills": "shaky",
            "past_withdrawal": "severe",
            "past_treatment": "returned",
        },
        ("inpatient", False, "today"),
    ),
    Persona(
        _("Fay"),
        _("Fay thinks of ending her life and has a plan. The people she lives with use drugs."),
        {"self_harm": "plan", "supporters": "not_sure", "home": "others_use", "mind": "manageable"},
        ("inpatient", False, "now"),
    ),
)
