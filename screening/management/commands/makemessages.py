"""Bring the catalogues in locale/ up to date with the words that a person can meet (docs/translation.md)."""

from typing import Any

from django.core.management.commands import makemessages

# Words that only staff and whoever runs the site read stay in English, and out of the catalogues.
ENGLISH = (
    "screening/desk/*",
    "templates/admin/*",
    "screening/management/*",
    "screening/models/*",
    "screening/notifications.py",
    "screening/accounts.py",
    "intake_site/demo.py",
    "tests/*",
    "benchmarks/*",
    "var/*",
    "locale/*",
)


class Command(makemessages.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        # A guess at a changed text would be taken for a translation of it.
        self.msgmerge_options = [*self.msgmerge_options, "--no-fuzzy-matching"]
        fixed = {"no_obsolete": True, "no_wrap": True, "add_location": "file"}
        super().handle(*args, **options | fixed | {"ignore_patterns": [*options["ignore_patterns"], *ENGLISH]})
