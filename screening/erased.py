"""The list of what people erased, beside the database: a backup that is restored later loses it again.

It holds no person: each line is a time in seconds since 1970 and a keyed hash of a reference number, which is drawn at
random and gone with its case. There is a file for each month; those older than any backup may be are deleted.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from os import fsync
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from screening.encryption import seals

log = logging.getLogger(__name__)

CASE, CONTACT = "erased case", "erased contact"  # what is erased, and the use of the key


def directory() -> Path:
    return Path(settings.VAR_DIR) / "erased"


def note(what: str, references: Iterable[str]) -> None:
    """Write down what is being erased; to be called before that is committed, so that nothing is missing.

    A list that can't be written holds up nobody's erasure.
    """
    lines = [f"{time.time():.3f} {seals(what, reference)[0]}\n" for reference in references]
    try:
        directory().mkdir(mode=0o700, exist_ok=True)
        with (directory() / f"{timezone.now():%Y-%m}").open("a") as file:
            file.write("".join(lines))
            file.flush()
            fsync(file.fileno())
    except OSError as error:
        log.error("the list of what was erased could not be written: %s", type(error).__name__)


def noted(where: Path, since: float) -> Iterator[str]:
    """Yield the hash of each erasure since then. Raise an OSError or a ValueError if the list can't be read."""
    for file in sorted(where.iterdir()):
        for line in file.read_text().splitlines():
            moment, digest = line.split(" ")
            if float(moment) >= since:
                yield digest


def forget_old() -> None:
    """Delete the files of months before the last backup that still holds anyone who is kept."""
    if directory().is_dir():
        oldest = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
        for file in directory().iterdir():
            if file.name < f"{oldest:%Y-%m}":
                file.unlink(missing_ok=True)
