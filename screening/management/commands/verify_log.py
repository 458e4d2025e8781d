"""Verifies the audit log."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from screening import audit, audit_checks, audit_triggers
from screening.models import Action, JobRun, LogLine


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
        audit.chain(everything=True)
        found = 0
        for _position, sentence in audit_checks.faults((int(number), digest) if number else None):
            found += 1
            self.stdout.write(sentence)
        JobRun.finished(JobRun.Job.VERIFY_LOG)
        if found and options["accept"]:
            audit_checks.accept("manage.py")
            for sentence in audit_triggers.problems():
                raise CommandError(f"The rest is accepted, but this can't be: {sentence}")
            self.stdout.write("Accepted. The log goes on with a line that says so.")
        elif found:
            raise CommandError(f"{found:,} problems. The log is not as it was written.")
        for line in LogLine.objects.filter(action=Action.DAMAGE).order_by("number"):
            since, count = line.details.get("since", "1"), line.details.get("faults", "some")
            self.stdout.write(
                f"On {line.timestamp:%Y-%m-%d}, damage from line {since} on was accepted: {count} problems."
            )
        self.stdout.write(f"The log ends with {audit.last_entry()}. Note it elsewhere, for --noted.")
