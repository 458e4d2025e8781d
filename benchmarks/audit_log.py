"""What the audit log costs: the desk's pages with it and without it, and how long checking it takes.

TEST_DATABASE=postgresql .venv/bin/python -m benchmarks.audit_log       # --staff 16 --entries 1000000
"""

import argparse
import resource
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import setup_test_environment

from benchmarks.stored import fill, fill_log
from screening import audit, audit_checks
from screening.models import LogLine, Submission

LIST = "/admin/screening/submission/"


@contextmanager
def chained() -> Iterator[None]:
    """Run the server's job beside."""
    done = threading.Event()

    def job() -> None:
        while not done.wait(5):
            audit.chain()
        connection.close()

    thread = threading.Thread(target=job)
    thread.start()
    yield
    done.set()
    thread.join()


def pages_a_second(staff: list[User], seconds: float) -> float:
    """Have all staff open pages at once, each the front page, the list and a case."""
    cases = list(Submission.objects.values_list("pk", flat=True)[:200])
    clients = []
    for user in staff:
        client = Client()
        client.force_login(user)
        clients.append(client)
    opened = [0] * len(staff)
    end = time.monotonic() + seconds

    def work(place: int) -> None:
        while time.monotonic() < end:
            case = cases[(opened[place] * 31 + place * 7) % len(cases)]
            for page in ("/admin/", LIST, f"{LIST}{case}/change/"):
                assert clients[place].get(page).status_code == 200
                opened[place] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=[place]) for place in range(len(staff))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(opened) / seconds


def timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--staff", type=int, default=16)
    options.add_argument("--seconds", type=float, default=8)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--entries", type=int, default=1_000_000)
    given = options.parse_args()
    setup_test_environment()
    call_command("migrate", verbosity=0)
    staff = [User.objects.create_superuser(f"staff{number}") for number in range(given.staff)]
    with transaction.atomic():
        fill(2000, staff[:8])
    pages_a_second(staff, 2)
    ratios = []
    for _round in range(given.rounds):
        with patch.object(audit, "record"):
            without = pages_a_second(staff, given.seconds)
        with chained():
            beside = pages_a_second(staff, given.seconds)
        ratios.append(beside / without)
        print(f"{beside:6.1f} pages a second with the log, {without:6.1f} without: {ratios[-1]:.2f}")
    print(f"{connection.vendor}, {given.staff} staff: median {statistics.median(ratios):.2f}")
    for entries in (given.entries // 10, given.entries):
        more = entries - LogLine.objects.count()
        writing = timed(partial(fill_log, more))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        checking = timed(lambda: list(audit_checks.faults()))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"{entries:,} entries: {more:,} written and chained in {writing:.1f} s")
        print(f"    all verified in {checking:.1f} s, {grown:.0f} MB")
        quick, job = (1000 * timed(work) for work in (audit_checks.quick_faults, audit.chain))
        print(f"    quick check {quick:.1f} ms, job {job:.1f} ms")


if __name__ == "__main__":
    main()
