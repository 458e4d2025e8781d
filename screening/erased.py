"""The list of what was erased or closed, beside the database: a backup that is restored later loses it again.

It holds no person: each line is a time in seconds since 1970 and a keyed hash of a reference number, which is drawn at
random and gone with its case, or of the name of an account. There is a file for each month; those older than any backup
may be are deleted.
"""

import logging
import re
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from os import fsync
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from screening.encryption import seals

log = logging.getLogger(__name__)

# What is erased or closed, and the use of the key.
CASE, CONTACT, ACCOUNT = "erased case", "erased contact", "closed account"
# Each begins a line of its own, so that one that was cut short, as by a full disk, spoils no other.
LINE = re.compile(r"(?m)^([0-9]+\.[0-9]{3}) ([0-9a-f]{64})$")


def directory() -> Path:
    return Path(settings.VAR_DIR) / "erased"


def note(what: str, names: Iterable[str]) -> None:
    """Write down what is being erased; to be called before that is committed, so that nothing is missing.

    A list that can't be written holds up nobody's erasure.
    """
    lines = [f"\n{time.time():.3f} {seals(what, name)[0]}" for name in names]
    try:
        directory().mkdir(mode=0o700, exist_ok=True)
        with (directory() / f"{timezone.now():%Y-%m}").open("a") as file:
            file.write("".join(lines))
            file.flush()
            fsync(file.fileno())
    except OSError as error:
        log.error("the list of what was erased could not be written: %s", type(error).__name__)


def noted(where: Path, since: float) -> Iterator[str]:
    """Yield the hash of each entry since then. Raise an OSError if the list can't be read."""
    for file in where.iterdir():
        for moment, digest in LINE.findall(file.read_text(errors="replace")):
            if float(moment) >= since:
                yield digest


def forget_old() -> None:
    """Delete the files of months before the last backup that still holds anyone who is kept."""
    if directory().is_dir():
        oldest = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
        for file in directory().iterdir():
            if file.name < f"{oldest:%Y-%m}":
                file.unlink(missing_ok=True)
