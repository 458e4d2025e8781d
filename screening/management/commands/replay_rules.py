"""What other rules would make of the submissions on file."""

from collections import Counter
from functools import cache
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from screening import rule_files, rules
from screening.management.streaming import every_submission, in_short, stored_result
from screening.ruleset import RuleSet, changed_rules


class Command(BaseCommand):
    help = "Asks other rules about every submission on file, and says who would get another result. Writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", metavar="VERSION", help="a released version, or a file (.json); else those in code")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            new = rule_files.find(options["to"]) if options["to"] else rule_files.prove(rules.CURRENT)
        except rule_files.UnusableRules as error:
            raise CommandError(str(error)) from None
        changes = cache(lambda version: _changes(version, new))
        stay = 0
        moves: Counter[str] = Counter()
        movers: Counter[str] = Counter()
        left_out: Counter[str] = Counter()
        for submission, answers in every_submission(self):
            if lacking := new.unanswered(answers):
                left_out[f"no answer that rules {new.version} know to {', '.join(lacking)}"] += 1
                continue
            try:
                old, changed = changes(submission.rules_version)
            except rule_files.UnusableRules as error:
                left_out[str(error)] += 1
                continue
            before = stored_result(submission)
            if before is None:
                left_out["the stored result can't be read"] += 1
                continue
            after = new.outcome(answers)
            if before.outcome == after:
                stay += 1
                continue
            moves[f"{in_short(before.outcome)}  ->  {in_short(after)}"] += 1
            movers.update(_movers(old, new, changed, answers))
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


def _changes(version: str, new: RuleSet) -> tuple[RuleSet, dict[str, str]]:
    old = rule_files.released(version)
    return old, {key: how for key, how in changed_rules(old, new).items() if how != "reworded"}


def _movers(old: RuleSet, new: RuleSet, changed: dict[str, str], answers: dict[str, str]) -> set[str]:
    """The changed rules that apply to `answers` in one version and not, or otherwise, in the other."""
    before = {rule.key: rule.raises for rule in old.applying(answers)}
    after = {rule.key: rule.raises for rule in new.applying(answers)}
    found = {f"{key} ({how})" for key, how in changed.items() if before.get(key) != after.get(key)}
    return found or {"the grid"}
