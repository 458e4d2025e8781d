"""Replay: what other rules would make of results that are on file."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache

from screening.rules import versions
from screening.rules.ruleset import Decision, RuleSet, changed_rules


@dataclass(frozen=True)
class StoredResult:
    """A result on file: the version of the rules that gave it, what it was, and the answers behind it."""

    rules_version: str
    decision: Decision | None  # None if it is none that any rules make; what is damaged beside it doesn't matter
    answers: Mapping[str, str]


@dataclass
class Replay:
    """How many would get the same result under `new` rules, who would get which other one, and by which rule."""

    new: RuleSet
    unchanged: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    movers: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.unchanged + self.moves.total() + self.left_out.total()

    def of(self, results: Iterable[StoredResult]) -> "Replay":
        """Count these results."""
        new, differences_from = self.new, cache(lambda version: _Differences(version, self.new))
        for stored in results:
            if unanswered := new.unanswered(stored.answers):
                self.left_out[f"no answer that rules {new.version} know to {', '.join(unanswered)}"] += 1
                continue
            try:
                differences = differences_from(stored.rules_version)
            except versions.UnusableRules as error:
                self.left_out[str(error)] += 1
                continue
            if stored.decision is None:
                self.left_out["the stored result can't be read"] += 1
                continue
            after = new.decide(stored.answers)
            if stored.decision == after:
                self.unchanged += 1
                continue
            self.moves[f"{in_short(stored.decision)}  ->  {in_short(after)}"] += 1
            self.movers.update(differences.movers(stored.decision, stored.answers))
        return self


def in_short(decision: Decision) -> str:
    """Put a decision into a line of output, for example "iop (close call), urgency soon"."""
    program, close_call, urgency = decision
    return f"{program}{' (close call)' if close_call else ''}, urgency {urgency}"


class _Differences:
    """What differs between the rules of one version and `new`, and which difference moves a result."""

    def __init__(self, version: str, new: RuleSet) -> None:
        self.old, self.new = versions.released(version), new
        self.without: dict[str, RuleSet] = {}  # a difference -> the new rules without it
        olds = {rule.key: rule for rule in self.old.rules}
        for key, how in changed_rules(self.old, new).items():
            if how != "reworded":
                rules = [olds[key] if rule.key == key else rule for rule in new.rules if rule.key != key or key in olds]
                rules += [olds[key]] if how == "removed" else []
                with suppress(ValueError):  # the old rule reads what the new version does not know
                    self.without[f"{key} ({how})"] = replace(new, rules=tuple(rules))
        if self.old.grid != new.grid:
            self.without["the grid"] = replace(new, grid=self.old.grid)

    def movers(self, before: Decision, answers: Mapping[str, str]) -> set[str]:
        """The differences that alone, if undone, would undo the move; else all that affect these answers at all."""
        if self.old.unanswered(answers) or self.old.decide(answers) != before:
            return {f"none: the stored result is not what rules {self.old.version} give (see verify_results)"}
        after = self.new.decide(answers)
        results = {name: rules.decide(answers) for name, rules in self.without.items()}
        alone = {name for name, result in results.items() if result == before}
        return alone or {name for name, result in results.items() if result != after} or {"several together"}
