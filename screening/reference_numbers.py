"""Reference numbers: how staff and a person speak of one submission. They identify nobody and open nothing."""

import re
import secrets
import unicodedata

SYMBOLS = "23456789BCDFGHJKMNPQRSTVWXYZ"  # none that looks like another, and no vowels, so that they form no words
LENGTH = 8  # 28^8 are too many to guess; if one is taken, a save draws again


def generate() -> str:
    return "".join(secrets.choice(SYMBOLS) for _ in range(LENGTH))


def formatted(reference: str) -> str:
    """Format a reference number in two groups of four."""
    return f"{reference[:4]}-{reference[4:]}"


def parse(typed: str) -> str:
    """Read a typed reference number, whatever its case and separators; return "" if it is none."""
    told = unicodedata.normalize("NFKC", typed).upper()
    alone = re.search(rf"\b([{SYMBOLS}]{{4}})-([{SYMBOLS}]{{4}})\b", told)  # with words around it
    reference = alone[1] + alone[2] if alone else "".join(symbol for symbol in told if symbol.isalnum())
    return reference if len(reference) == LENGTH and set(reference) <= set(SYMBOLS) else ""
