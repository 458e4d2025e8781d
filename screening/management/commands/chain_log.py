"""Chains the entries of the audit log. Run it each minute, unless intake_site.server runs."""

from typing import Any

from django.core.management.base import BaseCommand

from screening import audit


class Command(BaseCommand):
    help = "Links new entries into the chain of the desk's log. The server of `make run` does it every few seconds."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{audit.chain(everything=True):,} entries chained.")
