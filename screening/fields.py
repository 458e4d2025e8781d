"""Columns that are encrypted at rest."""

import json
from typing import Any

from cryptography.fernet import InvalidToken
from django.core.exceptions import FieldError
from django.db import models
from django.utils.translation import gettext

from screening.encryption import cipher


class Unreadable(str):
    """A placeholder for a value whose key is missing; it can be shown, but not stored over the value."""


class EncryptedTextField(models.TextField):
    """Text encrypted under DATA_KEYS. Empty text and NULL stay as they are; the database can't search it."""

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Unreadable):
            raise ValueError(f"{self.name} can't be read, and must not be written over")
        text = super().get_prep_value(value)
        return cipher("column").encrypt(text) if text else text

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if not value:
            return value
        try:
            return cipher("column").decrypt(value)
        except InvalidToken:
            return Unreadable(gettext("(can’t be read: the key that it was written under is missing)"))

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in ("isnull",):
            raise FieldError(f"{self.name} is encrypted: it can't be searched")
        return super().get_lookup(lookup_name)


class EncryptedJSONField(EncryptedTextField):
    """A JSON value encrypted under DATA_KEYS; what can't be decrypted is read as an Unreadable."""

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(value if isinstance(value, Unreadable) else json.dumps(value))

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        text = super().from_db_value(value, expression, connection)
        return text if isinstance(text, Unreadable) or not text else json.loads(text)
