"""Restores a backup into an empty database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from screening import backup, erased
from screening.management.streaming import every_few_seconds


class Command(BaseCommand):
    help = "Brings a backup back into an empty database, without what was erased since. Stop the site first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what manage.py backup wrote")
        parser.add_argument(
            "--erased", type=Path, help=f"the list of what was erased since (when not given: {erased.directory()})"
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        listed = options["erased"] or erased.directory()
        if options["erased"] and not listed.is_dir():
            raise CommandError(f"There is no folder {listed}. Nothing was restored.")
        try:
            done = backup.restore(file, listed if listed.is_dir() else None, every_few_seconds(self))
        except backup.Unusable as error:
            raise CommandError(str(error)) from None
        except (OSError, DatabaseError) as error:
            raise CommandError(f"Nothing was restored: {error}") from None
        cases, rows = done.rows["screening_submission"], sum(done.rows.values())
        self.stdout.write(
            f"Restored as of {done.made_at:%Y-%m-%d %H:%M} UTC: {cases:,} cases, {rows:,} rows in all; "
            f"{done.erased_again:,} erased or closed again."
        )
        if options["verbosity"]:
            self.stdout.write(
                "Passwords, roles and second factors of staff are as they were then: look through Accounts."
            )
        if not listed.is_dir():
            self.stdout.write(f"There is no list in {listed}: what people erased since may be back.")
        if done.broken_seals:
            self.stdout.write(f"{done.broken_seals:,} seals do not fit (manage.py verify_results says whose).")
