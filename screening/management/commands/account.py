"""Accounts of the staff, from the command line: for who leaves, and for who locked themselves out."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from screening import accounts, audit
from screening.audit import What

DONE = {
    "close": "{name} is closed. Whoever used it is out already.",
    "open": "{name} is open again. Now set a password: manage.py changepassword {name}",
    "reset": "At the next sign-in, {name} sets up a new second factor.",
}


class Command(BaseCommand):
    help = "Closes an account at once, opens it again, or resets its second factor (a lost phone)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=DONE)
        parser.add_argument("name", help="the name that they sign in with")

    def handle(self, *args: Any, **options: Any) -> None:
        what, name = options["what"], options["name"]
        account = User.objects.filter(username=name).first()
        if account is None:
            raise CommandError(f"There is no account {name!r}.")
        match what:
            case "close":
                accounts.close(account, "manage.py")
            case "open":
                accounts.open_again(account, "manage.py")
            case "reset":
                with transaction.atomic():
                    accounts.reset_second_factor(account)
                    audit.record(What.ACCOUNT, "manage.py", detail=f"reset the second factor of {name}")
        self.stdout.write(DONE[what].format(name=name))
