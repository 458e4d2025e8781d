"""What the tests of the rules share."""

from dataclasses import replace

from screening.rules.ruleset import RuleSet


def with_rule(rules: RuleSet, key: str, **changed: object) -> RuleSet:
    """The same rules, with one of them changed."""
    assert key in {rule.key for rule in rules.rules}
    return replace(rules, rules=tuple(replace(rule, **changed) if rule.key == key else rule for rule in rules.rules))  # type: ignore[arg-type]
