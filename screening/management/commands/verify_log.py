"""Verifies the audit log."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from screening import audit


class Command(BaseCommand):
    help = "Checks every line of the desk's log against the one before it, and the end of the log against its seal."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--noted",
            metavar="NUMBER:HASH",
            help="what an earlier run printed: shows even a database that was put back as a whole",
        )
        parser.add_argument(
            "--accept", action="store_true", help="go on from a damaged log, with a line in it that says so"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        number, _colon, digest = (options["noted"] or "").partition(":")
        if options["noted"] and not (number.isdecimal() and digest):
            raise CommandError("--noted takes what an earlier run printed: a number, a colon and a hash.")
        problems = list(audit.problems((int(number), digest) if number else None))
        for problem in problems:
            self.stdout.write(problem)
        if problems and options["accept"]:
            line = audit.accept_damage("manage.py")
            self.stdout.write(f"Accepted. The log goes on with line {line.number}, which says so.")
        elif problems:
            raise CommandError(f"{len(problems)} problems. The log is not as it was written.")
        self.stdout.write(f"The log ends with {audit.last_entry()}. Note it elsewhere, for --noted.")
