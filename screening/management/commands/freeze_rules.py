"""Writes the frozen copy of the rules in force, once for each version."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from screening import rules
from screening.rules import versions


class Command(BaseCommand):
    help = "Freezes the rules in force under their version, in screening/rules/released/. A frozen copy never changes."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            written = versions.freeze(rules.CURRENT)
        except versions.UnusableRules as error:
            raise CommandError(str(error)) from None
        version = rules.CURRENT.version
        self.stdout.write(f"Rules version {version} is now frozen." if written else f"{version} is frozen already.")
