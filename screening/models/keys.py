"""What DATA_KEYS hold together: sealed rows, and a row that tells whether the keys are the right ones."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, models
from django.utils.translation import gettext_lazy as _

from screening.encryption import seals
from screening.fields import EncryptedTextField, Unreadable


class SealedModel(models.Model):
    """Rows of which some columns are written once: a change of them in the database shows."""

    SEALED: ClassVar[tuple[str, ...]]  # names of these columns
    seal = models.CharField(max_length=64, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.seal = self.valid_seals()[0]
        super().save(*args, **kwargs)

    @property
    def is_sealed(self) -> bool:
        return self.seal in self.valid_seals()

    def valid_seals(self) -> list[str]:
        """The seal under each of DATA_KEYS, the newest first."""
        return seals(self._meta.db_table, sealed_content(self, self.SEALED))


def broken_seals() -> int:
    """Count the sealed rows that were changed in the database."""
    return sum(not row.is_sealed for model in SealedModel.__subclasses__() for row in model._default_manager.iterator())


_encoder = json.JSONEncoder(sort_keys=True, default=lambda moment: moment.timestamp())


def sealed_content(row: models.Model, names: Sequence[str]) -> str:
    return _encoder.encode([getattr(row, name) for name in names])


class Canary(models.Model):
    """One row that only the right keys open: else what is stored would look as if it had been erased."""

    text = EncryptedTextField(default="sings")

    class Meta:
        default_permissions = ()
        verbose_name = verbose_name_plural = _("canary")

    def __str__(self) -> str:
        return str(self.pk)

    @classmethod
    def is_dead(cls) -> bool:
        """Whether DATA_KEYS do not open what is stored. Raise a DatabaseError."""
        row = cls.objects.first()
        return row is not None and isinstance(row.text, Unreadable)

    @classmethod
    def is_opened(cls, stored: str) -> bool:
        """Whether DATA_KEYS open its text, as it is stored."""
        field: Any = cls._meta.get_field("text")
        return not isinstance(field.from_db_value(stored, None, None), Unreadable)


def refuse_wrong_keys() -> None:
    """Raise ImproperlyConfigured if DATA_KEYS do not open what is stored; let pass what can't be looked up now."""
    try:
        if not Canary.is_dead():
            return
    except DatabaseError:  # no table yet, or no database: its pages say so themselves
        return
    raise ImproperlyConfigured(
        "DATA_KEYS does not open what is stored in this database. Put the earlier key back into DATA_KEYS, after the "
        "newest; then run manage.py rotate_keys before you take it out."
    )
