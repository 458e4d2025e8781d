"""Has the next submissions judged blind, to measure how far rules and staff agree."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from screening.models import BlindPilot

MOST = 1000


class Command(BaseCommand):
    help = "Has staff judge the next submissions before they see the result, for /admin/how-we-are-doing/."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cases", type=int, nargs="?", default=30, help=f"how many: 30, or 1 to {MOST}; 0 ends it")

    def handle(self, *args: Any, **options: Any) -> None:
        cases = options["cases"]
        if not 0 <= cases <= MOST:
            raise CommandError(f"Name a number from 0 to {MOST}.")
        with transaction.atomic():
            BlindPilot.objects.all().delete()
            BlindPilot.objects.create(left=cases)
        said = f"Of those who answer online, the next {cases} are judged blind." if cases else "No pilot is under way."
        self.stdout.write(said)
