"""Rules decided by bits say what they say worked out plainly, of every version and of rules that nobody wrote."""

import random
from dataclasses import replace

import pytest

from screening.questionnaire import QUESTIONS
from screening.rules import CURRENT, VERSIONS, versions
from screening.rules.ruleset import LEVELS, Rule, RuleSet
from tests.rules import plainly

pytestmark = pytest.mark.sqlite_is_enough
RELEASED = [CURRENT, *(versions.released(each.version) for each in VERSIONS)]


def drawn(rules: RuleSet, generator: random.Random) -> dict[str, str]:
    return {key: generator.choice(values) for key, values in rules.options.items()}


def partly(answers: dict[str, str], generator: random.Random) -> dict[str, str]:
    return {key: value for key, value in answers.items() if generator.random() < 0.7}


def invented(generator: random.Random) -> RuleSet:
    """Return as many rules as there are, with one to three conditions and one to three levels each, at random."""

    def rule(key: str) -> Rule:
        asked = generator.sample(list(QUESTIONS), generator.randint(1, 3))
        raised = generator.sample(list(LEVELS), generator.randint(1, 3))
        return Rule(
            key,
            {question: generator.choice(CURRENT.options[question][1:]) for question in asked},
            "Why.",
            "S1",
            **{dimension: generator.choice(LEVELS[dimension]) for dimension in raised},
            notices=generator.choice([each.key for each in CURRENT.notices]),
        )

    return replace(CURRENT, rules=tuple(rule(str(number)) for number in range(generator.randint(1, 60))))


@pytest.mark.parametrize("rules", RELEASED, ids=lambda rules: rules.version)
def test_bits_say_what_the_plain_way_says(rules: RuleSet, sample_size: int) -> None:
    generator = random.Random(20)
    for _set in range(sample_size // 5):
        answers = drawn(rules, generator)
        said = plainly.recommend(rules, answers)
        assert rules.recommend(answers) == said
        begun = partly(answers, generator)
        assert rules.applying(begun) == plainly.applying(rules, begun)
        assert rules.decide(answers) == said.decision
        assert rules.told(answers) == (said.decision, said.notices)


def test_bits_say_what_the_plain_way_says_of_other_rules() -> None:
    generator = random.Random(21)
    for _rules in range(40):
        rules = invented(generator)
        for _set in range(25):
            answers = drawn(rules, generator)
            assert rules.recommend(answers) == plainly.recommend(rules, answers)
