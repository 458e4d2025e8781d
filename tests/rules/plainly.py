"""What a rule set says to a set of answers, worked out the slow and obvious way: the judge of the quick one."""

from collections.abc import Mapping

from screening.rules.ruleset import LEVELS, LOWEST, Reason, Recommendation, Rule, RuleSet


def applying(rules: RuleSet, answers: Mapping[str, str]) -> list[Rule]:
    """Return the rules whose conditions are all met by the answers given so far."""

    def is_met(key: str, least: str) -> bool:
        order = rules.options[key]
        return key in answers and order.index(answers[key]) >= order.index(least)

    return [rule for rule in rules.rules if all(is_met(*condition) for condition in rule.when.items())]


def recommend(rules: RuleSet, answers: Mapping[str, str]) -> Recommendation:
    """Return what the rules say to a complete set of answers."""
    said = applying(rules, answers)
    decision = rules.decision_at(rules.raise_levels(LOWEST, said))
    reasons = []
    levels = {}
    for dimension, order in LEVELS.items():
        raising = [rule for rule in said if dimension in rule.raises]
        raising.sort(key=lambda rule: order.index(rule.raises[dimension]), reverse=True)
        levels[dimension] = raising[0].raises[dimension] if raising else order[0]
        for rule in raising:
            if not any(_says_as_much(rules, other, rule, dimension) for other in raising):
                sources = tuple(rule.sources.split())
                reasons.append(
                    Reason(rule.key, rule.text, dimension, rule.raises[dimension], sources, tuple(rule.when))
                )
    brought = {notice for rule in said for notice in rule.notices.split()}
    return Recommendation(
        program=decision.program,
        close_call=decision.close_call,
        reasons=tuple(reasons),
        rules_version=rules.version,
        notices=tuple(notice.key for notice in rules.notices if notice.key in brought),
        **levels,
    )


def _says_as_much(rules: RuleSet, other: Rule, rule: Rule, dimension: str) -> bool:
    """Return whether `other` applies only where `rule` does, and raises the dimension as far; False for twins."""

    def implies(one: Rule, another: Rule) -> bool:
        ranks = {key: rules.options[key].index(value) for key, value in one.when.items()}
        return all(ranks.get(key, -1) >= rules.options[key].index(value) for key, value in another.when.items())

    order = LEVELS[dimension]
    further = order.index(other.raises[dimension]) - order.index(rule.raises[dimension])
    return further >= 0 and implies(other, rule) and not (further == 0 and implies(rule, other))
