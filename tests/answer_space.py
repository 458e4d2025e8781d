"""An exact walk over the whole answer space: all 10^10 combinations, none of them sampled.

What the rules make of a set of answers depends only on which rules apply. So the walk takes one question after the
other and merges all partial answer sets that stand alike: same level in each dimension, and the same conditions of
two-question rules met so far. A handful of states stays, each with the exact number of answer sets behind it and one
of them as an example. It uses the rules as data; test_rules_proofs.py checks it against `recommend` itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from screening.questionnaire import QUESTIONS
from screening.rules import LEVELS, RULES, Rule

Levels = tuple[int, ...]  # a rank for each dimension, in the order of LEVELS
Pending = frozenset[str]  # rules with some of their conditions met


@dataclass
class State:
    count: int
    example: dict[str, str]


def _conditions(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    by_question: dict[str, list[Rule]] = {}
    for rule in rules:
        for key in rule.when:
            by_question.setdefault(key, []).append(rule)
    return by_question


def raised(levels: Levels, rule: Rule) -> Levels:
    return tuple(
        max(level, order.index(rule.raises[dimension])) if dimension in rule.raises else level
        for level, (dimension, order) in zip(levels, LEVELS.items(), strict=True)
    )


def walk(rules: Iterable[Rule] = RULES, fixed: Mapping[str, str] | None = None) -> dict[Levels, State]:
    """Every combination of levels that complete answers reach, with how many do and one that does.

    `fixed` holds some answers still.
    """
    rules = list(rules)
    start: Levels = tuple(0 for _dimension in LEVELS)
    for rule in rules:
        if not rule.when:
            start = raised(start, rule)
    readers = _conditions(rules)
    states: dict[tuple[Levels, Pending], State] = {(start, frozenset()): State(1, {})}
    order = list(QUESTIONS)
    last = {rule.key: max((order.index(key) for key in rule.when), default=-1) for rule in rules}
    for position, (key, question) in enumerate(QUESTIONS.items()):
        after: dict[tuple[Levels, Pending], State] = {}
        for (levels, pending), state in states.items():
            for rank, value in enumerate(question.options):
                if fixed and fixed.get(key, value) != value:
                    continue
                now, met = levels, set(pending)
                for rule in readers.get(key, ()):
                    first = all(order.index(other) >= position for other in rule.when)
                    if rank >= rule.least[key] and (first or rule.key in pending):
                        met.add(rule.key)
                        if last[rule.key] == position:
                            now = raised(now, rule)
                    else:
                        met.discard(rule.key)
                met = {rule for rule in met if last[rule] > position}
                known = after.get((now, frozenset(met)))
                if known:
                    known.count += state.count
                else:
                    after[now, frozenset(met)] = State(state.count, state.example | {key: value})
        states = after
    merged: dict[Levels, State] = {}
    for (levels, _pending), state in states.items():
        if levels in merged:
            merged[levels].count += state.count
        else:
            merged[levels] = state
    return merged
