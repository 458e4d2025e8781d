"""Encryption: keys derived from secrets. The newest secret comes first and is used for writing."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def derive_key(secret: str, use: str) -> bytes:
    """Derive the key for one use, 32 bytes; it reveals nothing about the keys for other uses."""
    return salted_hmac(f"screening.{use}", "", secret=secret, algorithm="sha256").digest()


def cipher(use: str, secrets: Sequence[str] | None = None) -> MultiFernet:
    """Return a cipher that encrypts under the newest secret and decrypts under any; by default those of DATA_KEYS.

    It raises cryptography's InvalidToken for what it can't decrypt.
    """
    return MultiFernet([Fernet(urlsafe_b64encode(derive_key(secret, use))) for secret in secrets or settings.DATA_KEYS])
