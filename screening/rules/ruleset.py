"""How rules decide: a version of the rules as one value, and what it makes of a set of answers.

A rule is data: the least answers that count, what they raise, the reason in words, its sources. All of a rule's
conditions must hold. Each dimension takes the highest level that any rule gives it; nothing is added up or averaged,
so one serious answer can't be outweighed. Because a condition is only ever "at least this answer", a worse answer can
only make more rules apply.

Nothing here depends on the rules in force or on today's questions: an earlier version decides by its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import chain, product
from operator import or_
from typing import NamedTuple

from screening.rules.bits import Belongings, Conditions, bits_of
from screening.rules.sources import SOURCES

# Each dimension's levels, from the one that no rule has to raise to the one that counts most.
LEVELS = {
    "need": ("low", "some", "high"),
    "support": ("strong", "some", "weak"),
    "duties": ("flexible", "fixed"),
    "urgency": ("none", "soon", "today", "now"),
}

PROGRAMS = ("iop", "inpatient")  # less care, more care
DUTIES_DECIDE = "duties decide"

Grid = Mapping[tuple[str, str], str]  # (need, support) -> a program, or DUTIES_DECIDE
Levels = tuple[int, ...]  # a rank for each dimension, in the order of LEVELS
LOWEST: Levels = tuple(0 for _dimension in LEVELS)


class Decision(NamedTuple):
    """What the rules decide for a set of answers."""

    program: str  # "iop" | "inpatient"
    close_call: bool
    urgency: str

    @property
    def help_first(self) -> bool:
        """Whether help now or today comes before any program."""
        return self.urgency in ("now", "today")

    @property
    def program_headline(self) -> str:
        """What is said of programs: "iop", "inpatient", or "either" for a close call."""
        return "either" if self.close_call else self.program

    @property
    def headline(self) -> str:
        """What is said first: "help_now", "help_today", or what is said of programs."""
        return f"help_{self.urgency}" if self.help_first else self.program_headline


Told = tuple[Decision, tuple[str, ...]]  # what a person acts on: the decision, and the keys of the notices


def level_names(levels: Levels) -> dict[str, str]:
    """Return dimension -> the name of its level."""
    return {dimension: order[rank] for rank, (dimension, order) in zip(levels, LEVELS.items(), strict=True)}


def implies(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    """Return whether answers of at least the ranks `one` (question -> rank) always meet the conditions `other`."""
    return all(one.get(key, -1) >= rank for key, rank in other.items())


@dataclass(frozen=True)
class Notice:
    """Something that a person must know whatever the program is, in a box of its own."""

    key: str
    text: str
    sources: str  # ids in SOURCES, space-separated
    about_programs: bool = False  # it can wait until the person is safe


@dataclass(frozen=True)
class Rule:
    """If every question in `when` is answered at least so, raise the given dimensions, and bring the notices."""

    key: str
    when: Mapping[str, str]
    text: str
    sources: str  # ids in SOURCES, space-separated
    need: str = ""
    support: str = ""
    duties: str = ""
    urgency: str = ""
    notices: str = ""  # keys, space-separated

    @cached_property
    def raises(self) -> dict[str, str]:
        return {dimension: getattr(self, dimension) for dimension in LEVELS if getattr(self, dimension)}


def _cells(row: str, count: int) -> list[str]:
    cells = [cell.strip() for cell in row.split("|")]
    if len(cells) != count:
        raise ValueError(f"{row!r} has {len(cells)} cells, and needs {count}")
    return cells


def notices_of(table: Mapping[str, str]) -> tuple[Notice, ...]:
    """Return the notices of a table: "key | about programs, or nothing | sources" -> the words."""
    made, can_wait = [], {"": False, "about programs": True}
    for row, text in table.items():
        key, about, sources = _cells(row, 3)
        made.append(Notice(key, text, sources.replace(",", ""), can_wait[about]))
    return tuple(made)


def rules_of(table: Mapping[str, str]) -> tuple[Rule, ...]:
    """Return the rules of a table: "key | least answers | levels | notices | sources" -> the reason in words."""
    made = []
    for row, text in table.items():
        key, when, raises, notices, sources = _cells(row, 5)
        pairs = (dict(pair.split() for pair in cell.split(",") if pair) for cell in (when, raises))
        made.append(
            Rule(key, next(pairs), text, sources.replace(",", ""), **next(pairs), notices=notices.replace(",", ""))
        )
    return tuple(made)


@dataclass(frozen=True)
class Reason:
    """Why a dimension is at its level: the rule, the level that it gives, and the questions that it reads."""

    key: str  # of the rule
    text: str
    dimension: str
    level: str
    sources: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Recommendation:
    """What the rules say to one complete set of answers; `reasons` by dimension, the highest level first."""

    program: str  # "iop" | "inpatient"
    urgency: str
    need: str
    support: str
    duties: str
    close_call: bool
    reasons: tuple[Reason, ...]
    rules_version: str
    notices: tuple[str, ...] = ()  # keys, the most dangerous first

    @property
    def decision(self) -> Decision:
        return Decision(self.program, self.close_call, self.urgency)

    @property
    def headline(self) -> str:
        return self.decision.headline

    def reasons_for(self, dimension: str) -> tuple[Reason, ...]:
        return tuple(reason for reason in self.reasons if reason.dimension == dimension)


@dataclass(frozen=True)
class RuleSet:
    """One version of the rules; `options` maps each question that they read to its values, least need first.

    `notices` are in the order of danger. `replaces` maps a question to answers that earlier versions do not know, each
    with the one that stood for it there. Raise a ValueError that names everything wrong: unknown questions, options,
    levels, notices or sources, a hole in the grid, a rule that says nothing.
    """

    version: str
    options: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...]
    grid: Grid
    notices: tuple[Notice, ...] = ()
    replaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = [f"rule {rule.key!r}: {fault}" for rule in self.rules for fault in self._faults(rule)]
        faults += [f"notice {notice.key!r}: {fault}" for notice in self.notices for fault in _faults_of(notice)]
        for key, values in self.replaces.items():
            if unknown := set(values) - set(self.options.get(key, ())):
                faults.append(f"unknown option {min(unknown)!r} for question {key!r} replaces another")
        keys = [*(rule.key for rule in self.rules), *(notice.key for notice in self.notices)]
        faults += [f"two rules share the key {key!r}" for key in {key for key in keys if keys.count(key) > 1}]
        cells = set(product(LEVELS["need"], LEVELS["support"]))
        faults += [f"the grid has a hole at need {n!r}, support {s!r}" for n, s in sorted(cells - set(self.grid))]
        faults += [f"the grid has an unknown place {cell!r}" for cell in set(self.grid) - cells]
        known = {*PROGRAMS, DUTIES_DECIDE}
        faults += [f"the grid names an unknown program {name!r}" for name in self.grid.values() if name not in known]
        if faults:
            raise ValueError("; ".join(faults))

    def _faults(self, rule: Rule) -> list[str]:
        faults = []
        for key, value in rule.when.items():
            if key not in self.options:
                faults.append(f"unknown question {key!r}")
            elif value not in self.options[key]:
                faults.append(f"unknown option {value!r} for question {key!r}")
            elif value == self.options[key][0]:
                faults.append(f"a condition on the first option of {key!r} always holds")
        for dimension, level in rule.raises.items():
            if level not in LEVELS[dimension]:
                faults.append(f"unknown level {level!r} for {dimension!r}")
        known = {notice.key for notice in self.notices}
        faults += [f"unknown notice {notice!r}" for notice in rule.notices.split() if notice not in known]
        if not (rule.raises or rule.notices.split()):
            faults.append("it needs a level to raise, or a notice")
        return faults + _faults_of(rule)

    @cached_property
    def _ranks(self) -> dict[str, dict[str, int]]:
        return {key: {value: rank for rank, value in enumerate(values)} for key, values in self.options.items()}

    @cached_property
    def least(self) -> dict[str, dict[str, int]]:
        """Rule -> question -> rank of the least answer that counts."""
        return {rule.key: {key: self._ranks[key][value] for key, value in rule.when.items()} for rule in self.rules}

    def says_more(self, other: Rule, rule: Rule, dimension: str) -> bool:
        """Return whether `other` applies only where `rule` does, and raises the dimension as far; False for twins."""
        if other is rule or dimension not in other.raises:
            return False
        order, one, another = LEVELS[dimension], self.least[rule.key], self.least[other.key]
        further = order.index(other.raises[dimension]) - order.index(rule.raises[dimension])
        return further >= 0 and implies(another, one) and not (further == 0 and implies(one, another))

    def rank(self, key: str, value: str) -> int:
        """Return the place of an answer in the order of need, from 0; -1 if these rules don't read it."""
        return self._ranks.get(key, {}).get(value, -1)

    def unanswered(self, answers: Mapping[str, str]) -> list[str]:
        """Return the questions that these rules read and to which `answers` holds no known answer."""
        return [key for key, values in self.options.items() if answers.get(key) not in values]

    @cached_property
    def _statements(self) -> list[tuple[str, Rule]]:
        """(dimension, rule) in the order in which reasons are given: the highest level of a dimension first.

        Rules that raise nothing come last, with "" as their dimension. The place of a statement is its bit.
        """
        raising = [
            (dimension, rule)
            for dimension, order in LEVELS.items()
            for level in reversed(order)
            for rule in self.rules
            if rule.raises.get(dimension) == level
        ]
        return raising + [("", rule) for rule in self.rules if not rule.raises]

    def _bits(self, keys: set[str]) -> int:
        """Return the statements of the rules with these keys."""
        return bits_of(place for place, (_dimension, rule) in enumerate(self._statements) if rule.key in keys)

    @cached_property
    def _conditions(self) -> Conditions:
        return Conditions([self.least[rule.key] for _dimension, rule in self._statements], self.options)

    @cached_property
    def _bits_of_rules(self) -> list[tuple[int, Rule]]:
        return [(self._bits({rule.key}), rule) for rule in self.rules]

    def applying(self, answers: Mapping[str, str]) -> list[Rule]:
        """Return the rules whose conditions are all met by the answers given so far."""
        holding = self._conditions.met(answers)
        return [rule for bits, rule in self._bits_of_rules if bits & holding]

    def program_for(self, need: str, support: str, duties: str) -> tuple[str, bool]:
        """Return the grid's program for three levels, and whether it was a close call."""
        program = self.grid[need, support]
        if program != DUTIES_DECIDE:
            return program, False
        return ("iop" if duties == "fixed" else "inpatient"), True

    @cached_property
    def _raised(self) -> dict[str, list[tuple[int, int]]]:
        """Rule -> (place of the dimension in LEVELS, rank of the level) for each that it raises."""
        return {
            rule.key: [
                (place, order.index(rule.raises[dimension]))
                for place, (dimension, order) in enumerate(LEVELS.items())
                if dimension in rule.raises
            ]
            for rule in self.rules
        }

    def raise_levels(self, levels: Levels, rules: Iterable[Rule]) -> Levels:
        """Apply rules to levels: each dimension takes the highest level that any of them gives it."""
        ranks = list(levels)
        for rule in rules:
            for place, rank in self._raised[rule.key]:
                ranks[place] = max(ranks[place], rank)
        return tuple(ranks)

    def decision_at(self, levels: Levels) -> Decision:
        names = level_names(levels)
        return Decision(*self.program_for(names["need"], names["support"], names["duties"]), names["urgency"])

    @cached_property
    def _bits_of_levels(self) -> list[tuple[str, list[tuple[int, str]]]]:
        """For each dimension its lowest level, and (the statements that raise it, to what level), the highest first."""

        def raising(dimension: str, level: str) -> int:
            return self._bits({rule.key for rule in self.rules if rule.raises.get(dimension) == level})

        return [
            (order[0], [(raising(dimension, level), level) for level in reversed(order)])
            for dimension, order in LEVELS.items()
        ]

    @cached_property
    def _decisions(self) -> dict[tuple[str, ...], Decision]:
        """The levels by name, in the order of LEVELS -> what they decide."""
        return {
            tuple(level_names(ranks).values()): self.decision_at(ranks)
            for ranks in product(*(range(len(order)) for order in LEVELS.values()))
        }

    def _levels(self, holding: int) -> tuple[str, ...]:
        """Return the highest level of each dimension that one of these statements raises it to."""
        levels = []
        for lowest, higher in self._bits_of_levels:
            for bits, level in higher:
                if bits & holding:
                    levels.append(level)
                    break
            else:
                levels.append(lowest)
        return tuple(levels)

    @cached_property
    def _bits_of_notices(self) -> list[tuple[int, str]]:
        def bringing(notice: str) -> int:
            return self._bits({rule.key for rule in self.rules if notice in rule.notices.split()})

        return [(bringing(notice.key), notice.key) for notice in self.notices]

    def _notices(self, holding: int) -> tuple[str, ...]:
        """Return the notices that these statements bring, also those that a stricter one makes redundant."""
        return tuple([notice for bits, notice in self._bits_of_notices if bits & holding])

    @cached_property
    def _redundant(self) -> Belongings[int]:
        """What belongs to each statement: those that add nothing where it holds, as it says at least as much."""

        def less(dimension: str, rule: Rule) -> int:
            return bits_of(
                place
                for place, (other, milder) in enumerate(self._statements)
                if other == dimension and self.says_more(rule, milder, dimension)
            )

        return Belongings([less(*each) for each in self._statements], lambda several: reduce(or_, several, 0))

    @cached_property
    def _reasons(self) -> Belongings[tuple[Reason, ...]]:
        reasons = [
            (
                Reason(
                    rule.key,
                    rule.text,
                    dimension,
                    rule.raises[dimension],
                    tuple(rule.sources.split()),
                    tuple(rule.when),
                ),
            )
            if dimension
            else ()
            for dimension, rule in self._statements
        ]
        return Belongings(reasons, lambda several: tuple(chain.from_iterable(several)))

    def decide(self, answers: Mapping[str, str]) -> Decision:
        """Return the decision alone, on the answers given so far."""
        return self._decisions[self._levels(self._conditions.met(answers))]

    def levels(self, answers: Mapping[str, str]) -> dict[str, str]:
        """Return dimension -> the level that the answers given so far raise it to."""
        return dict(zip(LEVELS, self._levels(self._conditions.met(answers)), strict=True))

    def told(self, answers: Mapping[str, str]) -> Told:
        """Return what a person acts on: the decision and the notices."""
        return self._told(self._conditions.met(answers))

    def told_by_each(self, answers: Mapping[str, str], varied: Sequence[str]) -> dict[tuple[str, ...], Told]:
        """Return the same for each combination of other answers to the questions `varied`."""
        holding = self._conditions.met_by_each(answers, varied)
        told = {bits: self._told(bits) for bits in {*holding.values()}}
        return {values: told[bits] for values, bits in holding.items()}

    def _told(self, holding: int) -> Told:
        return self._decisions[self._levels(holding)], self._notices(holding)

    def recommend(self, answers: Mapping[str, str]) -> Recommendation:
        """Return the recommendation for `answers`, all of them texts; a ValueError names each unanswered question.

        Reasons come by dimension, the highest level first, without those that a stricter rule makes redundant.
        """
        try:
            holding = self._conditions.met_by_all(answers)
        except KeyError:
            raise ValueError("no known answer to " + ", ".join(map(repr, self.unanswered(answers)))) from None
        levels = need, support, duties, urgency = self._levels(holding)
        program, close_call, _urgency = self._decisions[levels]
        return Recommendation(
            program,
            urgency,
            need,
            support,
            duties,
            close_call,
            reasons=self._reasons.of(holding & ~self._redundant.of(holding)),
            rules_version=self.version,
            notices=self._notices(holding),
        )

    @cached_property
    def raised_by(self) -> dict[str, set[str]]:
        """Question -> the dimensions that its answers can raise."""
        return {key: {each for rule in self.rules if key in rule.when for each in rule.raises} for key in self.options}


def _faults_of(said: Rule | Notice) -> list[str]:
    """Return what is wrong with the words and sources of something that is said to a person."""
    faults = [f"unknown source {source!r}" for source in said.sources.split() if source not in SOURCES]
    needed = {"a reason in words": said.text.strip(), "a source": said.sources.split()}
    return faults + [f"it needs {what}" for what, there in needed.items() if not there]


def changed_rules(old: RuleSet, new: RuleSet) -> dict[str, str]:
    """Return rule -> "added", "removed", "changed" (condition, levels or notices) or "reworded" (reason or source)."""
    before = {rule.key: rule for rule in old.rules}
    after = {rule.key: rule for rule in new.rules}
    changes = {}
    for key in [*before, *(key for key in after if key not in before)]:
        if key not in after:
            changes[key] = "removed"
        elif key not in before:
            changes[key] = "added"
        elif _decides(old, before[key]) != _decides(new, after[key]):
            changes[key] = "changed"
        elif before[key] != after[key]:
            changes[key] = "reworded"
    return changes


def _decides(rules: RuleSet, rule: Rule) -> tuple[object, object]:
    return {key: rules.options[key][rank:] for key, rank in rules.least[rule.key].items()}, (rule.raises, rule.notices)
