"""What the commands share that go through every submission on file."""

import time
from collections.abc import Iterator

from django.core.management.base import BaseCommand

from screening.models import Submission

EVERY = 5.0  # seconds from one line of progress to the next


def every_submission(command: BaseCommand) -> Iterator[tuple[Submission, dict[str, str]]]:
    """Each submission with its answers, in the order received, a few at a time; how far it is goes to stderr."""
    total = Submission.objects.count()
    told = time.monotonic()
    for number, submission in enumerate(
        Submission.objects.order_by("pk").defer("code").iterator(chunk_size=500), start=1
    ):
        yield submission, submission.answers if isinstance(submission.answers, dict) else {}
        if time.monotonic() - told >= EVERY:
            told = time.monotonic()
            command.stderr.write(f"{number:,} of {total:,} ...")
