"""Streaming: how commands go through every submission on file."""

import time
from collections.abc import Callable, Iterator

from django.core.management.base import BaseCommand

from screening.models import Submission

PROGRESS_INTERVAL = 5.0  # seconds between two lines of progress


def every_few_seconds(command: BaseCommand, of: str = "") -> Callable[[int], None]:
    """Return what takes the number of rows so far, and writes it to stderr if the last one was seconds ago."""
    reported = time.monotonic()

    def progress(number: int) -> None:
        nonlocal reported
        if time.monotonic() - reported >= PROGRESS_INTERVAL:
            reported = time.monotonic()
            command.stderr.write(f"{number:,}{of} ...")

    return progress


def every_submission(command: BaseCommand, *columns: str) -> Iterator[Submission]:
    """Yield each submission in the order received, with these columns, a few at a time; write progress to stderr."""
    total = Submission.objects.count()
    progress = every_few_seconds(command, f" of {total:,}")
    rows = Submission.objects.order_by("pk").only(*columns)
    for number, submission in enumerate(rows.iterator(chunk_size=500), start=1):
        yield submission
        progress(number)
