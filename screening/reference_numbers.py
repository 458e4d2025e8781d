"""References: how staff and a person speak of one submission. They say nothing of the person, and open nothing."""

import secrets

SYMBOLS = "23456789BCDFGHJKMNPQRSTVWXYZ"  # none that is taken for another, and no vowels: no words
LENGTH = 8  # 28^8: too many to guess; where one is taken, a save draws again


def generate() -> str:
    return "".join(secrets.choice(SYMBOLS) for _ in range(LENGTH))


def formatted(reference: str) -> str:
    """In two groups of four."""
    return f"{reference[:4]}-{reference[4:]}"


def parse(typed: str) -> str:
    """What was typed or heard, without case and dividers; "" where it is no reference."""
    reference = "".join(symbol for symbol in typed.upper() if symbol.isalnum())
    return reference if len(reference) == LENGTH and set(reference) <= set(SYMBOLS) else ""
