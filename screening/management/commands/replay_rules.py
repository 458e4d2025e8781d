"""What other rules would make of the submissions on file."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from screening import rule_files, rules
from screening.management.streaming import every_submission, in_short
from screening.ruleset import Outcome, RuleSet, changed_rules


class Command(BaseCommand):
    help = "Asks other rules about every submission on file, and says who would get another result. Writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", metavar="VERSION", help="a released version, or a file (.json); else those in code")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            new = rule_files.find(options["to"]) if options["to"] is not None else rule_files.prove(rules.CURRENT)
        except rule_files.UnusableRules as error:
            raise CommandError(str(error)) from None
        changes = cache(lambda version: _Changes(version, new))
        stay = 0
        moves: Counter[str] = Counter()
        movers: Counter[str] = Counter()
        left_out: Counter[str] = Counter()
        for submission, answers in every_submission(self):
            if lacking := new.unanswered(answers):
                left_out[f"no answer that rules {new.version} know to {', '.join(lacking)}"] += 1
                continue
            try:
                differences = changes(submission.rules_version)
            except rule_files.UnusableRules as error:
                left_out[str(error)] += 1
                continue
            before = submission.readable_recommendation()
            if before is None:
                left_out["the stored result can't be read"] += 1
                continue
            after = new.outcome(answers)
            if before.outcome == after:
                stay += 1
                continue
            moves[f"{in_short(before.outcome)}  ->  {in_short(after)}"] += 1
            movers.update(differences.movers(before.outcome, answers))
        self._tell(new, stay, moves, movers, left_out)

    def _tell(self, new: RuleSet, stay: int, moves: Counter[str], movers: Counter[str], left_out: Counter[str]) -> None:
        self.stdout.write(f"With rules {new.version}, of {stay + moves.total() + left_out.total():,} submissions:")
        self.stdout.write(f"{stay:>9,} stay as they are")
        self.stdout.write(f"{moves.total():>9,} move")
        for title, counts in (("Moves", moves), ("Rules that moved them", movers), ("Not replayed", left_out)):
            if counts:
                self.stdout.write(f"{title}:")
            for what, count in counts.most_common():
                self.stdout.write(f"{count:>9,}  {what}")
        self.stdout.write("Nothing was written.")


class _Changes:
    """What differs between the rules of one version and `new`, and who is moved by which difference."""

    def __init__(self, version: str, new: RuleSet) -> None:
        self.old, self.new = rule_files.released(version), new
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

    def movers(self, before: Outcome, answers: dict[str, str]) -> set[str]:
        """The differences that alone, if undone, would undo the move; else all that bear on these answers at all."""
        if self.old.unanswered(answers) or self.old.outcome(answers) != before:
            return {f"none: the stored result is not what rules {self.old.version} give (see verify_results)"}
        after = self.new.outcome(answers)
        results = {name: rules.outcome(answers) for name, rules in self.without.items()}
        alone = {name for name, result in results.items() if result == before}
        return alone or {name for name, result in results.items() if result != after} or {"several together"}
