"""The questionnaire is that of the specification, typed here a second time so that an error in one copy shows."""

import pytest

from screening.questionnaire import PAGES, QUESTIONS, SECTIONS

pytestmark = pytest.mark.sqlite_is_enough

# section | question | options, from least to most need
TABLE = """
safety | emergency | none withdrawal medical
safety | overdose | no not_sure yes
safety | self_harm | no past rather_not_say thoughts attempt plan
safety | violence | no rather_not_say thoughts might_act
safety | home_safety | safe other_place rather_not_say nowhere_else danger
job | job | none can_leave not_sure cannot_leave
job | attendance | yes maybe no
family | caregiving | nobody shared not_sure only_me
family | provider | no partly mostly
support | supporters | several one_or_two not_sure nobody
support | home | supportive alone others_use no_place
stopping | alcohol_or_pills | unused fine shaky not_sure more sick
stopping | past_withdrawal | no rough not_sure risk severe
stopping | opioids | unused fine sick not_sure very_sick
care | constant_care | no sometimes not_sure always
care | health | steady often not_sure most_days
care | mind | no manageable rather_not_say not_coping yes
care | pregnancy | no maybe yes
care | past_treatment | none helped returned many_times not_enough
"""
ASKED = [tuple(cell.strip() for cell in line.split("|")) for line in TABLE.strip().splitlines()]


def test_questions_and_options_are_those_of_the_specification_in_its_order() -> None:
    assert [
        (section.slug, question.key, " ".join(question.options))
        for section in SECTIONS
        for question in section.questions
    ] == ASKED
    assert len(QUESTIONS) == 19


def test_safety_stopping_and_care_ask_one_question_a_page_and_the_others_a_pair() -> None:
    pages = [(page.section.slug, page.slug, [question.key for question in page.questions]) for page in PAGES]
    alone = ("safety", "stopping", "care")
    pairs = {section: [key for other, key, _options in ASKED if other == section] for section, _key, _options in ASKED}
    assert pages == [
        page
        for section, keys in pairs.items()
        for page in ([(section, key, [key]) for key in keys] if section in alone else [(section, section, keys)])
    ]
    assert {len(keys) for section, keys in pairs.items() if section not in alone} == {2}


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("emergency", "medical", "took too much"),
        ("overdose", "yes", "Yes"),
        ("overdose", "not_sure", "not sure"),
        ("self_harm", "past", "before"),
        ("self_harm", "thoughts", "this month, with no plan"),
        ("self_harm", "attempt", "tried"),
        ("self_harm", "plan", "have a plan"),
        ("violence", "might_act", "might act"),
        ("home_safety", "nowhere_else", "nowhere else"),
        ("home_safety", "danger", "in danger right now"),
        ("alcohol_or_pills", "shaky", "shaky"),
        ("past_withdrawal", "severe", "seizure"),
        ("mind", "not_coping", "look after myself"),
        ("mind", "yes", "hear or see things"),
        ("pregnancy", "maybe", "rather not say"),
    ],
)
def test_words_of_an_answer_that_means_danger_are_its_own(key: str, value: str, word: str) -> None:
    assert [option for option, text in QUESTIONS[key].options.items() if word.lower() in text.lower()] == [value]


def test_where_two_answers_can_be_true_the_last_true_one_is_asked_for() -> None:
    hints = [question.hint for question in QUESTIONS.values() if "If two are true" in question.hint]
    assert len(hints) == 9
    assert all("choose the last true one." in hint for hint in hints)
