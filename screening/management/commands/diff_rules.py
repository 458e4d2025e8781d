"""Compares two versions of the rules over the whole answer space."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from screening import rules
from screening.rules import versions
from screening.rules.answer_space import known_as, raised_answers, replaced, shared_space, transitions
from screening.rules.replay import in_short
from screening.rules.ruleset import RuleSet, changed_rules


class Command(BaseCommand):
    help = (
        "Counts, exactly, the answer sets whose result differs between two versions of the rules, with the smallest "
        "example of each move. OLD and NEW: a released version, or code for those in code."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("old", metavar="OLD")
        parser.add_argument("new", metavar="NEW")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            old, new = (versions.find(options[name], rules.CURRENT) for name in ("old", "new"))
        except versions.UnusableRules as error:
            raise CommandError(str(error)) from None
        for key, how in changed_rules(old, new).items():
            self.stdout.write(f"rule {key}: {how}")
        for cell, program in new.grid.items():
            if program != old.grid[cell]:
                self.stdout.write(f"grid at need {cell[0]}, support {cell[1]}: {old.grid[cell]} -> {program}")
        for line in _not_compared(old, new):
            self.stdout.write(line)
        counts = transitions(old, new)
        space = shared_space(old, new)
        total = sum(sets.count for sets in counts.values())
        moved = [(sets, *ways) for ways, sets in counts.items() if ways[0] != ways[1]]
        self.stdout.write(f"{total:,} answer sets; {sum(sets.count for sets, *_ways in moved):,} get another result")
        for sets, before, after in sorted(moved, key=lambda move: move[0].count, reverse=True):
            self.stdout.write(f"{sets.count:>16,}  {in_short(before)}  ->  {in_short(after)}")
            self.stdout.write(f"{'':>18}for example: {raised_answers(space, sets.example)}")


def _not_compared(old: RuleSet, new: RuleSet) -> list[str]:
    """Return a line for each question and option that only one version reads, and how it is compared."""
    lines, replaces = [], replaced(old, new)
    for one, other in ((old, new), (new, old)):
        for key, values in one.options.items():
            if key not in other.options:
                lines.append(f"question {key}: only rules {one.version} read it")
                continue
            for value in (value for value in values if value not in other.options[key]):
                before = known_as(other, key, value, replaces)
                how = f"compared as {before}" if before in other.options[key] else "not compared"
                lines.append(f"question {key}: only rules {one.version} know {value}; {how}")
    return lines
