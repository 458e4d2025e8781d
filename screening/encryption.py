"""Encryption and seals: keys derived from secrets. The newest secret comes first and is used for writing."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.utils.crypto import salted_hmac


@lru_cache(maxsize=64)
def derive_key(secret: str, use: str) -> bytes:
    """Derive the key for one use, 32 bytes; it reveals nothing about the keys for other uses."""
    return salted_hmac(f"screening.{use}", "", secret=secret, algorithm="sha256").digest()


def cipher(use: str, secrets: Sequence[str] | None = None) -> MultiFernet:
    """Return a cipher that encrypts under the newest secret and decrypts under any; by default those of DATA_KEYS.

    It raises cryptography's InvalidToken for what it can't decrypt.
    """
    return _cipher(use, *(secrets or settings.DATA_KEYS))


@lru_cache(maxsize=16)
def _cipher(use: str, *secrets: str) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(derive_key(secret, use))) for secret in secrets])


def lookup_texts(use: str, data: bytes) -> list[str]:
    """Encrypt so that the same data always gives the same text, which can be looked up; one for each of DATA_KEYS."""
    return [AESSIV(derive_key(secret, use)).encrypt(data, None).hex() for secret in settings.DATA_KEYS]


def lookup_data(use: str, text: str) -> bytes:
    """Decrypt what `lookup_texts` gave. Raise a ValueError if none of DATA_KEYS does."""
    for secret in settings.DATA_KEYS:
        try:
            return AESSIV(derive_key(secret, use)).decrypt(bytes.fromhex(text), None)
        except (InvalidTag, ValueError):
            continue
    raise ValueError("no key opens this")


def reencrypted_lookup_text(use: str, text: str) -> str:
    """Move a text to the newest key. Raise a ValueError if none of DATA_KEYS decrypts it."""
    return lookup_texts(use, lookup_data(use, text))[0]


def seals(use: str, content: str) -> list[str]:
    """Return the seal of a text under each of DATA_KEYS: an HMAC, 64 hex digits."""
    return [hmac.digest(derive_key(secret, use), content.encode(), "sha256").hex() for secret in settings.DATA_KEYS]
