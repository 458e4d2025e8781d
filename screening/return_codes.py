"""Return codes: 120 random bits and a check symbol, in five groups that can be read out over the phone.

The code is the key of a draft, in its encrypted cookie. The database holds it only sealed: its hash, encrypted under
DATA_KEYS so that the same code always gives the same text. Both need the key; a hash alone could not be moved to a
new key (docs/decisions/0008).
"""

import hashlib
import re
import secrets
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings

from screening.encryption import derive_key

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
READ_AS = str.maketrans("OIL", "011")
LENGTH = 24


def _check(symbols: str) -> str:
    """One symbol that changes with any one symbol mistaken, and with any two that trade places.

    The code is a number over the field of 32 elements, x^5 + x^2 + 1; each place weighs a different power of x.
    """
    total = 0
    for symbol in symbols:
        total = (total ^ SYMBOLS.index(symbol)) << 1
        total ^= 0b100101 if total & 0b100000 else 0
    return SYMBOLS[total]


def generate() -> str:
    code = "".join(secrets.choice(SYMBOLS) for _ in range(LENGTH))
    return code + _check(code)


def formatted(code: str) -> str:
    """In groups of five."""
    return "-".join(code[place : place + 5] for place in range(0, len(code), 5))


def parse(typed: str) -> str:
    """The code that was typed, whatever its case and dividers; "" where it holds a typing mistake."""
    letters = re.sub(r"[^0-9A-Z]", "", unicodedata.normalize("NFKC", typed).upper())
    code = letters.translate(READ_AS)
    if len(code) != LENGTH + 1 or not set(code) <= set(SYMBOLS) or _check(code[:-1]) != code[-1]:
        return ""
    return code


def _siv(secret: str) -> AESSIV:
    return AESSIV(derive_key(secret, "code"))


def encrypted_hashes(code: str) -> list[str]:
    """As it may stand in the database: under each key, the newest first."""
    digest = hashlib.sha256(code.encode()).digest()
    return [_siv(secret).encrypt(digest, None).hex() for secret in settings.DATA_KEYS]


def reencrypted(stored: str) -> str:
    """Moved to the newest key. Raises a ValueError where no key opens it."""
    for secret in settings.DATA_KEYS:
        try:
            digest = _siv(secret).decrypt(bytes.fromhex(stored), None)
        except (InvalidTag, ValueError):
            continue
        return _siv(settings.DATA_KEYS[0]).encrypt(digest, None).hex()
    raise ValueError("no key opens this")
