"""Streaming: how commands go through every submission on file."""

import time
from collections.abc import Iterator

from django.core.management.base import BaseCommand

from screening.models import Submission

PROGRESS_INTERVAL = 5.0  # seconds between two lines of progress


def every_submission(command: BaseCommand, *columns: str) -> Iterator[Submission]:
    """Yield each submission in the order received, with these columns, a few at a time; write progress to stderr."""
    total = Submission.objects.count()
    reported = time.monotonic()
    rows = Submission.objects.order_by("pk").only(*columns)
    for number, submission in enumerate(rows.iterator(chunk_size=500), start=1):
        yield submission
        if time.monotonic() - reported >= PROGRESS_INTERVAL:
            reported = time.monotonic()
            command.stderr.write(f"{number:,} of {total:,} ...")
