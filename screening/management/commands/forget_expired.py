"""Erases what is expired, and closes unused accounts. To be run every day."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from screening import accounts, clock, retention
from screening.models import ErasureCount


class Command(BaseCommand):
    help = "Erases submissions, and contact details of closed cases, that are past their retention period."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be erased")
        parser.add_argument("--clock-is-right", action="store_true", help="the last run was indeed so long ago")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            counts = {reason: rows.count() for reason, rows in retention.expired().items()}
        else:
            try:
                counts = retention.erase_expired(clock_is_right=options["clock_is_right"])
            except clock.ClockJumped as error:
                raise CommandError(str(error)) from None
        submissions, contacts = counts[ErasureCount.Reason.EXPIRED], counts[ErasureCount.Reason.CONTACT]
        be = "would be " if options["dry_run"] else ""
        self.stdout.write(f"{submissions:,} submissions and {contacts:,} contact details {be}erased.")
        if unused := accounts.unused_accounts().count() if options["dry_run"] else accounts.close_unused():
            self.stdout.write(f"{unused:,} accounts that nobody used for 90 days {be}closed.")
