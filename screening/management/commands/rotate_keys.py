"""Encrypts everything under the newest of DATA_KEYS, so that older keys can be removed."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from screening import audit, return_codes
from screening.encryption import cipher, reencrypted_lookup_text
from screening.fields import EncryptedTextField
from screening.models import Canary, Contact, Phone, RecoveryCode, SealedModel, Submission, contact, second_factor

STORED = TextField()  # the stored form
LOOKUPS = (
    (Submission, "code", return_codes.KEY_USE),
    (Contact, "fingerprint", contact.FINGERPRINT),
    (Phone, "key", second_factor.PHONE),
    (RecoveryCode, "code", second_factor.RECOVERY_CODE),
)
BATCH = 500  # values that are moved in one transaction, so that nobody who saves has to wait long


class Command(BaseCommand):
    help = "Encrypts all encrypted data anew, under the first of DATA_KEYS. Safe to run again, and beside the site."

    def handle(self, *args: Any, **options: Any) -> None:
        counts: Counter[str] = Counter()
        anew = cipher("column").renewed
        models = [model for model in apps.get_app_config("screening").get_models() if model is not Canary]
        for model in models:
            for field in model._meta.get_fields():
                if isinstance(field, EncryptedTextField):
                    counts.update(_move(model, field.name, anew))
        for model, name, use in LOOKUPS:
            counts.update(_move(model, name, partial(reencrypted_lookup_text, use)))
        for model in models:
            if issubclass(model, SealedModel):
                counts.update(_reseal(model))
        counts[audit.reseal()] += 1
        counts.update(_move(Canary, "text", anew))  # the last: a run that was cut short must leave it as it is
        summary = f"{counts['moved']:,} moved to the newest key, {counts['there']:,} were under it"
        if counts["changed"] and not counts["lost"]:
            summary += f", {counts['changed']:,} seals do not fit (manage.py verify_results says whose)"
        if counts["lost"]:
            raise CommandError(
                f"{summary}, {counts['lost']:,} can't be read: the key that they were written under is missing."
            )
        self.stdout.write(f"{summary}. Earlier keys can leave DATA_KEYS in six hours.")


def _in_batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield the rows by their keys, and keep no query open between two batches: SQLite could not write beside it."""
    batch = list(rows.order_by("pk")[:BATCH])
    while batch:
        with transaction.atomic():
            yield batch
        batch = list(rows.order_by("pk").filter(pk__gt=batch[-1].pk)[:BATCH])


def _move(model: type[Model], name: str, anew: Callable[[str], str]) -> Iterator[str]:
    """Re-encrypt each value of a column; yield "moved", "there" or "lost" for each."""
    rows = model._default_manager.annotate(stored=Cast(name, STORED)).exclude(stored=None).exclude(stored="")
    for batch in _in_batches(rows.only("pk")):
        for row in batch:
            try:
                value = anew(row.stored)
            except (InvalidToken, ValueError):
                yield "lost"
                continue
            if value != row.stored:  # unless it was changed or erased in the meantime
                rows.filter(pk=row.pk, stored=row.stored).update(**{name: Value(value, output_field=STORED)})
            yield "moved" if value != row.stored else "there"


def _reseal(model: type[SealedModel]) -> Iterator[str]:
    """Seal each row anew; yield "moved", "there" or, if it had no valid seal, "changed" for each."""
    for batch in _in_batches(model._default_manager.all()):
        for row in batch:
            newest = row.valid_seals()[0]
            if row.seal != newest and row.is_sealed:
                model._default_manager.filter(pk=row.pk, seal=row.seal).update(seal=newest)
            yield "there" if row.seal == newest else "moved" if row.is_sealed else "changed"
