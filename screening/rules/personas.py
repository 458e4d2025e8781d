"""Personas: six invented people, one for each kind of result, for the page on how it works, demo data and tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from screening.questionnaire import QUESTIONS, _


@dataclass(frozen=True)
class Persona:
    """An invented person: the answers above the least, and the decision that the rules must make."""

    name: str
    answers_above_least: Mapping[str, str]
    decision: tuple[str, bool, str]  # program, close call, urgency
    story: str

    @cached_property
    def answers(self) -> dict[str, str]:
        return {key: next(iter(question.options)) for key, question in QUESTIONS.items()} | {**self.answers_above_least}


def _persona(row: str, story: str) -> Persona:
    name, answers, decision = (cell.strip() for cell in row.split("|"))
    *program, urgency = decision.split()
    above_least = dict(pair.split() for pair in answers.split(","))
    for key, value in above_least.items():
        QUESTIONS[key].rank(value)  # raises an error for what is not asked
    return Persona(name, above_least, (program[0], "close" in program, urgency), story)


# name | answers above the least | program, "close" for a close call, urgency: the story
# fmt: off
_ROWS = {
    "Ana | job cannot_leave, provider partly, past_treatment helped | iop none":
        _("Ana drives a school bus and can’t take time off. Her sister lives with her and does not drink."),
    "Ben | job can_leave, caregiving shared, opioids very_sick, past_treatment returned | iop soon":
        _("Ben gets very sick when he stops pain pills, so he uses again. His wife and two friends stand by him."),
    "Cal | caregiving only_me, provider mostly, supporters one_or_two, constant_care sometimes | iop close none":
        _("Cal raises two children alone. He has one good friend. Some nights he needs someone with him."),
    "Dee | job can_leave, supporters nobody, home alone | inpatient close none":
        _("Dee lost touch with her family. She lives alone, and no one helps her yet. She could go away for a while."),
    "Eli | job cannot_leave, supporters one_or_two, alcohol_or_pills shaky, past_withdrawal severe, past_treatment returned | inpatient today":
        _("Eli had a seizure when he stopped drinking last year. He gets shaky now. He can’t leave his job."),
    "Fay | self_harm plan, supporters not_sure, home others_use, mind manageable | inpatient now":
        _("Fay thinks of ending her life and has a plan. The people she lives with use drugs."),
}
# fmt: on
PERSONAS = tuple(_persona(row, story) for row, story in _ROWS.items())
