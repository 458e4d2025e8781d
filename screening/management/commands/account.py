"""Accounts of the staff, from the command line: for someone who leaves, or who has locked themselves out."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from screening import accounts

VERBS: dict[str, tuple[Callable[[User, str], None], str]] = {
    "close": (accounts.close, "{name} is closed. Whoever used it is out already."),
    "open": (accounts.reopen, "{name} is open again. Now set a password: manage.py changepassword {name}"),
    "reset": (accounts.reset_second_factor, "At the next sign-in, {name} sets up a new second factor."),
    "unlock": (accounts.unlock, "{name} can sign in again."),
}


class Command(BaseCommand):
    help = "Closes an account at once, opens it again, resets its second factor (a lost phone), or unlocks it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=VERBS)
        parser.add_argument("name", help="the name that they sign in with")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        account = User.objects.filter(username=name).first()
        if account is None:
            raise CommandError(f"There is no account {name!r}.")
        function, done = VERBS[options["verb"]]
        function(account, "manage.py")
        self.stdout.write(done.format(name=name))
