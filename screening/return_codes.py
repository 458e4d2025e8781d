"""Return codes: 120 random bits and a check symbol, in five groups that can be read out over the phone.

A draft has one in its encrypted cookie, and what is saved from it gets the one that follows (docs/decisions/0022). The
database holds only a hash, encrypted under DATA_KEYS so that the same code always gives the same text: it can be looked
up, and moved to a new key (docs/decisions/0008).
"""

import hashlib
import re
import secrets
import unicodedata

from screening.encryption import lookup_texts, seals

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
READ_AS = str.maketrans("OIL", "011")
LENGTH = 24
KEY_USE = "code"


def _check(symbols: str) -> str:
    """Return the check symbol, which changes with any single wrong symbol and with any two symbols swapped.

    The code is a number over the field of 32 elements, x^5 + x^2 + 1; the weight of each place is
    a power of x of its own.
    """
    total = 0
    for symbol in symbols:
        total = (total ^ SYMBOLS.index(symbol)) << 1
        total ^= 0b100101 if total & 0b100000 else 0
    return SYMBOLS[total]


def generate() -> str:
    """Return a new random code with its check symbol, without separators."""
    code = "".join(secrets.choice(SYMBOLS) for _ in range(LENGTH))
    return code + _check(code)


def following(code: str, minute: int = 0) -> list[str]:
    """Return the code that a draft with this code gets if it is saved in this minute of its life.

    One by each of DATA_KEYS; nobody without them can compute it.
    """
    bodies = [bytes.fromhex(seal)[:LENGTH] for seal in seals("following code", f"{code} {minute}")]
    symbols = ["".join(SYMBOLS[byte % len(SYMBOLS)] for byte in body) for body in bodies]
    return [each + _check(each) for each in symbols]


def formatted(code: str) -> str:
    """Format a code in groups of five, separated by dashes."""
    return "-".join(code[place : place + 5] for place in range(0, len(code), 5))


def symbols_of(typed: str) -> str:
    """Return the letters and digits of what was typed, whatever its case and separators."""
    return re.sub(r"[^0-9A-Z]", "", unicodedata.normalize("NFKC", typed).upper())


def parse(typed: str) -> str:
    """Read a typed code, whatever its case and separators; return "" if it contains a typing mistake."""
    code = symbols_of(typed).translate(READ_AS)
    if len(code) != LENGTH + 1 or not set(code) <= set(SYMBOLS) or _check(code[:-1]) != code[-1]:
        return ""
    return code


def encrypted_hashes(code: str) -> list[str]:
    """Hash a code and encrypt the hash under each key, the newest first: it may be stored in any of these forms."""
    return lookup_texts(KEY_USE, hashlib.sha256(code.encode()).digest())
