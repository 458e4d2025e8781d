"""Exact counts over the whole answer space, all 10^10 combinations and more, none of them sampled.

What rules make of a set of answers depends only on which of them apply. So the walk takes one question after the
other and merges all partial answer sets that stand alike: the same level in each dimension, and the same conditions
of two-question rules met so far. A few hundred states stay, each with the exact number of answer sets behind it and
the smallest of them as an example. Two versions are compared by walking both at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from screening.ruleset import LEVELS, Outcome, Rule, RuleSet

Levels = tuple[int, ...]  # a rank for each dimension, in the order of LEVELS
Key = TypeVar("Key")


@dataclass(frozen=True)
class Sets:
    """Answer sets that stand alike: how many, and the one with the fewest and mildest answers above the least."""

    count: int
    distance: tuple[int, int]  # (answers above the least, the sum of their ranks)
    example: Mapping[str, str]


@dataclass(frozen=True)
class _Side:
    """Where a walk stands with one version of the rules."""

    levels: Levels
    met: frozenset[str]  # rules with some of their conditions met, and some still to come


def _raised(levels: Levels, rules: Iterable[Rule]) -> Levels:
    for rule in rules:
        levels = tuple(
            max(level, order.index(rule.raises.get(dimension, order[0])))
            for level, (dimension, order) in zip(levels, LEVELS.items(), strict=True)
        )
    return levels


def _start(rules: RuleSet) -> _Side:
    unconditional = (rule for rule in rules.rules if not rule.when)
    return _Side(_raised(tuple(0 for _dimension in LEVELS), unconditional), frozenset())


def _steps(rules: RuleSet, order: list[str]) -> list[tuple[list[tuple[Rule, int, bool, bool]], dict[str, int]]]:
    """For each question in `order`: its rules (with the least rank, whether it is their first and last question)."""
    steps = []
    for key in order:
        readers = []
        for rule in rules.rules:
            if key in rule.when:
                places = sorted(order.index(other) for other in rule.when)
                here = order.index(key)
                readers.append((rule, rules.least[rule.key][key], here == places[0], here == places[-1]))
        steps.append((readers, {value: rank for rank, value in enumerate(rules.options.get(key, ()))}))
    return steps


def _after(side: _Side, readers: list[tuple[Rule, int, bool, bool]], rank: int) -> _Side:
    met = set(side.met)
    complete = []
    for rule, least, first, last in readers:
        holds = rank >= least and (first or rule.key in met)
        met.discard(rule.key)
        if holds and last:
            complete.append(rule)
        elif holds:
            met.add(rule.key)
    return _Side(_raised(side.levels, complete), frozenset(met))


def _walk(versions: tuple[RuleSet, ...], space: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[list[Levels], Sets]]:
    order = list(space)
    steps = [_steps(rules, order) for rules in versions]
    states = {tuple(_start(rules) for rules in versions): Sets(1, (0, 0), {})}
    for position, (key, values) in enumerate(space.items()):
        after: dict[tuple[_Side, ...], Sets] = {}
        for sides, sets in states.items():
            for place, value in enumerate(values):
                reached = tuple(
                    _after(side, readers, ranks.get(value, -1))
                    for side, (readers, ranks) in zip(sides, (step[position] for step in steps), strict=True)
                )
                distance = (sets.distance[0] + bool(place), sets.distance[1] + place)
                known = after.get(reached)
                if known is None or distance < known.distance:
                    example = {**sets.example, key: value}
                    after[reached] = Sets((known.count if known else 0) + sets.count, distance, example)
                else:
                    after[reached] = Sets(known.count + sets.count, known.distance, known.example)
        states = after
    for sides, sets in states.items():
        yield [side.levels for side in sides], sets


def _gather(found: Iterable[tuple[Key, Sets]]) -> dict[Key, Sets]:
    gathered: dict[Key, Sets] = {}
    for key, sets in found:
        other = gathered.get(key)
        if other:
            nearest = min(sets, other, key=lambda one: one.distance)
            sets = Sets(sets.count + other.count, nearest.distance, nearest.example)
        gathered[key] = sets
    return gathered


def named(levels: Levels) -> dict[str, str]:
    return {dimension: order[level] for level, (dimension, order) in zip(levels, LEVELS.items(), strict=True)}


def outcome(rules: RuleSet, levels: Levels) -> Outcome:
    words = named(levels)
    return *rules.program_for(words["need"], words["support"], words["duties"]), words["urgency"]


def walk(rules: RuleSet, fixed: Mapping[str, str] | None = None) -> dict[Levels, Sets]:
    """Every combination of levels that complete answers reach, with how many do and the smallest one that does.

    `fixed` holds some answers still.
    """
    space = {key: (fixed[key],) if fixed and key in fixed else values for key, values in rules.options.items()}
    return _gather((levels, sets) for (levels,), sets in _walk((rules,), space))


def raised_answers(space: Mapping[str, tuple[str, ...]], example: Mapping[str, str]) -> str:
    """An answer set in short: what stands above the least, for example "home=alone, health=often"."""
    raised = [f"{key}={value}" for key, value in example.items() if value != space[key][0]]
    return ", ".join(raised) or "the least answer to every question"


def shared_space(old: RuleSet, new: RuleSet) -> dict[str, tuple[str, ...]]:
    """Question -> the values that every version reading it knows: the answer sets on which two versions compare."""
    return {
        key: tuple(
            value for value in (new.options.get(key) or old.options[key]) if value in old.options.get(key, (value,))
        )
        for key in [*new.options, *(key for key in old.options if key not in new.options)]
    }


def transitions(old: RuleSet, new: RuleSet) -> dict[tuple[Outcome, Outcome], Sets]:
    """(outcome under `old`, outcome under `new`) -> how many answer sets go that way, exactly, and the smallest."""
    return _gather(
        ((outcome(old, before), outcome(new, after)), sets)
        for (before, after), sets in _walk((old, new), shared_space(old, new))
    )
