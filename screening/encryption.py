"""Encryption and seals: keys derived from secrets. The newest secret comes first and is used for writing."""

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.utils.crypto import salted_hmac


@lru_cache(maxsize=64)
def derive_key(secret: str, use: str) -> bytes:
    """Derive the key for one use, 32 bytes; it reveals nothing about the keys for other uses."""
    return salted_hmac(f"screening.{use}", "", secret=secret, algorithm="sha256").digest()


VERSION = b"\x01"  # the first byte of what is written now; that of Fernet's tokens is 0x80
NONCE = 16  # bytes


class Cipher:
    """Encrypts texts with AES-SIV and a random nonce; opens what Fernet encrypted before, too.

    It writes under the newest secret, opens under any, and raises InvalidToken for what it can't open. It takes an
    eighth of Fernet's time, which all who go through a million rows wait for (docs/decisions/0037).
    """

    def __init__(self, use: str, *secrets: str) -> None:
        self._keys = [AESSIV(derive_key(secret, f"{use}, AES-SIV")) for secret in secrets]
        self._before = MultiFernet([Fernet(urlsafe_b64encode(derive_key(secret, use))) for secret in secrets])

    def encrypt(self, text: str) -> str:
        nonce = os.urandom(NONCE)
        return urlsafe_b64encode(VERSION + nonce + self._keys[0].encrypt(text.encode(), [nonce])).decode()

    def decrypt(self, stored: str) -> str:
        return self._opened(stored)[0]

    def renewed(self, stored: str) -> str:
        """Return the same if the newest secret encrypted it as it does now; else as it encrypts the same text."""
        text, is_newest = self._opened(stored)
        return stored if is_newest else self.encrypt(text)

    def _opened(self, stored: str) -> tuple[str, bool]:
        """Return the text, and whether the newest secret encrypted it as it does now."""
        try:
            token = urlsafe_b64decode(stored)
        except ValueError:
            raise InvalidToken from None
        if not token.startswith(VERSION):
            return self._before.decrypt(stored).decode(), False
        nonce, sealed = token[1 : 1 + NONCE], token[1 + NONCE :]
        for key in self._keys:
            with suppress(InvalidTag, ValueError):  # what is too short to be anything is a ValueError
                return key.decrypt(sealed, [nonce]).decode(), key is self._keys[0]
        raise InvalidToken


_cipher = lru_cache(maxsize=16)(Cipher)


def cipher(use: str, secrets: Sequence[str] | None = None) -> Cipher:
    """Return the cipher for one use; by default with DATA_KEYS."""
    return _cipher(use, *(secrets or settings.DATA_KEYS))


def fernet_time(token: str) -> int:
    """Return when Fernet encrypted this, in seconds since 1970. Open it before: else anyone may have set it."""
    return int.from_bytes(urlsafe_b64decode(token)[1:9], "big")


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
