"""Sends the notifications that are due. Run it each minute, unless intake_site.server runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from screening import notifications


class Command(BaseCommand):
    help = "Sends the notifications to staff that are due. The server of `make run` does it by itself each minute."

    def handle(self, *args: Any, **options: Any) -> None:
        sent, failed = notifications.send_due()
        if failed:
            raise CommandError(f"{sent:,} sent, {failed:,} failed. They will be tried again.")
        self.stdout.write(f"{sent:,} sent.")
