"""Encrypts everything under the newest of DATA_KEYS, so that older keys can be removed."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, TextField, Value
from django.db.models.functions import Cast

from screening import audit, return_codes
from screening.encryption import cipher
from screening.fields import EncryptedTextField
from screening.models import Submission

STORED = TextField()  # the stored form


class Command(BaseCommand):
    help = "Encrypts all encrypted data anew, under the first of DATA_KEYS. Safe to run again, and beside the site."

    def handle(self, *args: Any, **options: Any) -> None:
        counts: Counter[str] = Counter()
        for model in apps.get_app_config("screening").get_models():
            for field in model._meta.get_fields():
                if isinstance(field, EncryptedTextField):
                    counts.update(_move(model, field.name, _anew))
        counts.update(_move(Submission, "code", return_codes.reencrypted))
        counts[audit.reseal()] += 1
        summary = f"{counts['moved']:,} moved to the newest key, {counts['there']:,} were under it"
        if counts["lost"]:
            raise CommandError(
                f"{summary}, {counts['lost']:,} can't be read: the key that they were written under is missing."
            )
        self.stdout.write(f"{summary}. Earlier keys can be taken out of DATA_KEYS.")


def _move(model: type[Model], name: str, anew: Callable[[str], str]) -> Iterator[str]:
    """Re-encrypt each value of a column; yield "moved", "there" or "lost" for each."""
    rows = model._default_manager.annotate(stored=Cast(name, STORED)).exclude(stored=None).exclude(stored="")
    for pk, stored in rows.order_by("pk").values_list("pk", "stored").iterator(chunk_size=500):
        try:
            value = anew(stored)
        except (InvalidToken, ValueError):
            yield "lost"
            continue
        if value != stored:  # unless it was changed or erased in the meantime
            rows.filter(pk=pk, stored=stored).update(**{name: Value(value, output_field=STORED)})
        yield "moved" if value != stored else "there"


def _anew(stored: str) -> str:
    newest = cipher("column", settings.DATA_KEYS[:1])
    try:
        newest.decrypt(stored.encode())
    except InvalidToken:
        return cipher("column").rotate(stored.encode()).decode()
    return stored
