"""Answer sets for the tests, built from the declaration."""

import random

from screening.questionnaire import QUESTIONS, Page

BEST = {key: next(iter(question.options)) for key, question in QUESTIONS.items()}
WORST = {key: list(question.options)[-1] for key, question in QUESTIONS.items()}


def answers(**changed: str) -> dict[str, str]:
    """Return the least needy answer to every question, except for those in `changed`."""
    return BEST | changed


def on_page(page: Page, given: dict[str, str]) -> dict[str, str]:
    """Return what a browser posts for one page."""
    return {question.key: given[question.key] for question in page.questions}


def random_answers(generator: random.Random) -> dict[str, str]:
    return {key: generator.choice(list(question.options)) for key, question in QUESTIONS.items()}


# One for each kind of result.
IOP = answers(job="cannot_leave")
INPATIENT = answers(constant_care="always")
CLOSE_CALL = answers(constant_care="sometimes", supporters="one_or_two", caregiving="only_me")
URGENT = answers(self_harm="plan")
TODAY = answers(past_withdrawal="severe", alcohol_or_pills="fine")  # help comes first, with a lean of IOP
KINDS = {"iop": IOP, "inpatient": INPATIENT, "close call": CLOSE_CALL, "today": TODAY, "urgent": URGENT}

assert all(set(given) == set(QUESTIONS) for given in KINDS.values())

FACTS = {"name": "Country Road Recovery Center", "phone": "(405) 555-0100"}  # of the center
