"""Replays the submissions on file under other rules."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from screening import rules
from screening.management.streaming import every_submission
from screening.rules import versions
from screening.rules.replay import Replay


class Command(BaseCommand):
    help = "Asks other rules about every submission on file, and says who would get another result. Writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", metavar="VERSION", default="code", help="a released version; else those in code")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            new = versions.find(options["to"], rules.CURRENT)
        except versions.UnusableRules as error:
            raise CommandError(str(error)) from None
        columns = "rules_version", "program", "close_call", "urgency", "answers"
        replay = Replay(new).of(submission.stored_result for submission in every_submission(self, *columns))
        self.stdout.write(f"With rules {new.version}, of {replay.total:,} submissions:")
        self.stdout.write(f"{replay.unchanged:>9,} stay as they are")
        self.stdout.write(f"{replay.moves.total():>9,} move")
        titles = {"Moves": replay.moves, "Rules that moved them": replay.movers, "Not replayed": replay.left_out}
        for title, counts in titles.items():
            if counts:
                self.stdout.write(f"{title}:")
            for what, count in counts.most_common():
                self.stdout.write(f"{count:>9,}  {what}")
        self.stdout.write("Nothing was written.")
