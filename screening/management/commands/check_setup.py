"""Says what is wrong with the running site, the most dangerous first."""

from typing import Any

from django.core import checks
from django.core.management.base import BaseCommand, CommandParser

from intake_site import live_checks


class Command(BaseCommand):
    help = "Says what is wrong with the running site, the most dangerous first. Exits 2 on errors, 1 on warnings."
    requires_system_checks: tuple[str, ...] = ()  # they are among what it tells

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mail", metavar="ADDRESS", default="", help="also send a mail to this address")

    def handle(self, *args: Any, **options: Any) -> None:
        found = live_checks.problems(options["mail"])
        errors = sum(message.level >= checks.ERROR for message in found)
        for message in found:
            self.stdout.write(f"{'ERROR' if message.level >= checks.ERROR else 'Warning'}: {message.msg}")
            self.stdout.write(f"    {message.hint}" if message.hint else "")
        self.stdout.write(f"{errors} errors, {len(found) - errors} warnings." if found else "All is well.")
        raise SystemExit(2 if errors else 1 if found else 0)
