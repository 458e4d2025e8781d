"""What goes through every case: rows a CPU second and the most memory, at a few cases and at many.

.venv/bin/python -m benchmarks.whole_table       # TEST_DATABASE=postgresql; --few 10000 --many 1000000
"""

import argparse
import io
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from benchmarks.site import same_database

# isort: split
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction

from benchmarks.measure import machine
from screening import return_codes
from screening.desk import export
from screening.management import streaming
from screening.models import Submission
from screening.rules.personas import PERSONAS
from tests.answers import random_answers

streaming.PROGRESS_INTERVAL = 3600.0


def fill(number: int) -> None:
    """Add cases as `Submission.objects.submit` does, many at a time: the personas, each with two answers changed."""
    chance = random.Random(number)

    def drawn() -> dict[str, str]:
        given = chance.choice(PERSONAS).answers
        return {**given, **dict(chance.sample([*random_answers(chance).items()], 2))}

    for _thousand in range(0, number, 1000):
        rows = [Submission.of(drawn(), return_codes.generate()) for _row in range(1000)]
        for row in rows:
            row.seal = row.valid_seals()[0]
        Submission.objects.bulk_create(rows, ignore_conflicts=True)  # two reference numbers may be equal


def exported() -> None:
    staff = User.objects.get(username="staff")
    for _line in export.as_csv(export.table(Submission.objects.all(), staff, "quality"), "cases"):
        pass


def backed_up() -> None:
    """Make a backup, and restore it into a scratch database."""
    with tempfile.TemporaryDirectory() as folder:
        call_command("backup", folder, stdout=io.StringIO())


WORK: dict[str, Callable[[], object]] = {
    "verify_results": lambda: call_command("verify_results", stdout=io.StringIO()),
    "replay_rules": lambda: call_command("replay_rules", stdout=io.StringIO()),
    "export": exported,
    "backup": backed_up,
}


def measured(name: str) -> tuple[float, int]:
    """Return the CPU seconds of one, and the most memory of this process and of those that it started, in MB."""
    Submission.objects.first()
    started = time.process_time()
    WORK[name]()
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = time.process_time() - started + others.ru_utime + others.ru_stime
    return seconds, max(own.ru_maxrss, others.ru_maxrss) // 1024


def in_a_process_of_its_own(name: str) -> tuple[float, int]:
    command = [sys.executable, "-m", "benchmarks.whole_table", "--only", name]
    ran = subprocess.run(command, env=same_database(), stdout=subprocess.PIPE, text=True, check=True)
    seconds, memory = ran.stdout.split()
    return float(seconds), int(memory)


def lines(few: int, many: int) -> Iterator[str]:
    User.objects.create_superuser("staff")
    there = 0
    for number in (few, many):
        with transaction.atomic():
            fill(number - there)
        there = Submission.objects.count()
        for name in WORK:
            seconds, memory = in_a_process_of_its_own(name)
            yield f"{name:16} {there:9,} cases {there / seconds:8,.0f} a CPU second {memory:5} MB"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--few", type=int, default=10_000)
    options.add_argument("--many", type=int, default=1_000_000)
    options.add_argument("--only", choices=WORK)
    given = options.parse_args()
    if given.only:
        print(*measured(given.only))
        return
    call_command("migrate", verbosity=0)
    print(f"{machine()}; {connection.vendor}")
    for line in lines(given.few, given.many):
        print(line, flush=True)


if __name__ == "__main__":
    main()
