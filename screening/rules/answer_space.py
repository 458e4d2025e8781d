"""Exact counts over the whole answer space, all 10^10 combinations and more, none of them sampled.

What rules make of a set of answers depends only on which of them apply. So the walk takes one question after the
other and merges all partial answer sets that are equivalent: the same level in each dimension, and the same conditions
of two-question rules met so far. A few hundred states remain, each with the exact number of answer sets behind it and
the smallest of them as an example. Two versions are compared by walking both at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from screening.rules.ruleset import LOWEST, Decision, Levels, Rule, RuleSet

Key = TypeVar("Key")
Space = Mapping[str, tuple[str, ...]]  # question -> the values to walk through
Replaces = Mapping[str, Mapping[str, str]]  # question -> a newer answer -> the one that stood for it before


@dataclass(frozen=True)
class AnswerSets:
    """Equivalent answer sets: how many, and the one with the fewest and mildest answers above the least."""

    count: int
    distance: tuple[int, int]  # (answers above the least, the sum of their ranks)
    example: Mapping[str, str]

    def answered(self, key: str, value: str, rank: int) -> "AnswerSets":
        """Add one more answer to each of them."""
        distance = self.distance[0] + bool(rank), self.distance[1] + rank
        return AnswerSets(self.count, distance, {**self.example, key: value})


@dataclass(frozen=True)
class _WalkState:
    """Where a walk stands with one version of the rules."""

    levels: Levels
    possible: frozenset[str]  # the keys of rules that no answer has ruled out, and no last answer completed


def _start(rules: RuleSet) -> _WalkState:
    unconditional = [rule for rule in rules.rules if not rule.when]
    return _WalkState(rules.raise_levels(LOWEST, unconditional), frozenset(rules.least))


def _ruled_out(rules: RuleSet, key: str, value: str) -> set[str]:
    """Return the rules that this answer does not meet."""
    rank = rules.rank(key, value)
    return {rule.key for rule in rules.rules if rank < rules.least[rule.key].get(key, rank)}


def _after(rules: RuleSet, state: _WalkState, ruled_out: set[str], ending: list[Rule]) -> _WalkState:
    """Answer a question, which is the last one that the rules `ending` read."""
    possible = state.possible - ruled_out
    levels = rules.raise_levels(state.levels, (rule for rule in ending if rule.key in possible))
    return _WalkState(levels, possible - {rule.key for rule in ending})


def _walk(versions: tuple[RuleSet, ...], space: Space, replaces: Replaces) -> Iterator[tuple[list[Levels], AnswerSets]]:
    states = {tuple(_start(rules) for rules in versions): AnswerSets(1, (0, 0), {})}
    to_come = set(space)
    for key, values in space.items():
        to_come.remove(key)
        ending = [
            [rule for rule in rules.rules if key in rule.when and not rule.when.keys() & to_come] for rules in versions
        ]
        ruled_out = {
            value: [_ruled_out(rules, key, known_as(rules, key, value, replaces)) for rules in versions]
            for value in values
        }
        states = _merge(
            (tuple(map(_after, versions, sides, ruled_out[value], ending)), sets.answered(key, value, place))
            for sides, sets in states.items()
            for place, value in enumerate(values)
        )
    for sides, sets in states.items():
        yield [state.levels for state in sides], sets


def _merge(pairs: Iterable[tuple[Key, AnswerSets]]) -> dict[Key, AnswerSets]:
    """Add up the answer sets under the same key; the nearest example stays."""
    merged: dict[Key, AnswerSets] = {}
    for key, sets in pairs:
        known = merged.get(key)
        if known:
            nearest = min(known, sets, key=lambda one: one.distance)
            sets = AnswerSets(known.count + sets.count, nearest.distance, nearest.example)
        merged[key] = sets
    return merged


def walk(rules: RuleSet, fixed: Mapping[str, str] | None = None) -> dict[Levels, AnswerSets]:
    """Return every combination of levels that complete answers reach, with the answer sets that reach it.

    `fixed` keeps some answers constant.
    """
    space = {key: (fixed[key],) if fixed and key in fixed else values for key, values in rules.options.items()}
    return _merge((levels, sets) for (levels,), sets in _walk((rules,), space, {}))


def raised_answers(space: Space, example: Mapping[str, str]) -> str:
    """Put an answer set into a line: its answers above the least, for example "home=alone, health=often"."""
    raised = [f"{key}={value}" for key, value in example.items() if value != space[key][0]]
    return ", ".join(raised) or "the least answer to every question"


def replaced(*versions: RuleSet) -> dict[str, dict[str, str]]:
    """Return what the newer answers of any of these versions stood for before."""
    keys = {key for rules in versions for key in rules.replaces}
    return {key: {new: old for rules in versions for new, old in rules.replaces.get(key, {}).items()} for key in keys}


def known_as(rules: RuleSet, key: str, value: str, replaces: Replaces) -> str:
    """Return an answer as these rules know it: itself, or the one that stood for it there."""
    while value not in rules.options.get(key, (value,)) and value in replaces.get(key, {}):
        value = replaces[key][value]
    return value


def shared_space(old: RuleSet, new: RuleSet) -> dict[str, tuple[str, ...]]:
    """Return the space on which two versions compare: question -> the values that each version reading it knows."""
    replaces = replaced(old, new)
    return {
        key: tuple(
            value
            for value in (new.options.get(key) or old.options[key])
            if known_as(old, key, value, replaces) in old.options.get(key, (value,))
        )
        for key in [*new.options, *(key for key in old.options if key not in new.options)]
    }


def transitions(old: RuleSet, new: RuleSet) -> dict[tuple[Decision, Decision], AnswerSets]:
    """Return (decision under `old`, decision under `new`) -> the answer sets with these two."""
    return _merge(
        ((old.decision_at(before), new.decision_at(after)), sets)
        for (before, after), sets in _walk((old, new), shared_space(old, new), replaced(old, new))
    )
