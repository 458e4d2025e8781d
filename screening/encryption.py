"""Keys for all that is encrypted, drawn from longer secrets. The newest secret comes first and is used for writing."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def derive_key(secret: str, use: str) -> bytes:
    """32 bytes for one use; those of another use can't be told from them."""
    return salted_hmac(f"screening.{use}", "", secret=secret, algorithm="sha256").digest()


def cipher(use: str, secrets: Sequence[str] | None = None) -> MultiFernet:
    """Encrypts under the newest secret and decrypts under any; DATA_KEYS where none are named.

    What it can't decrypt raises cryptography's InvalidToken.
    """
    return MultiFernet([Fernet(urlsafe_b64encode(derive_key(secret, use))) for secret in secrets or settings.DATA_KEYS])
