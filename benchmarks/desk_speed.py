"""How the desk's pages slow down from ten thousand submissions to a million: a ratio for each, from one run.

TEST_DATABASE=sqlite .venv/bin/python -m benchmarks.desk_speed          # or postgresql; --few 10000 --many 1000000
"""

import argparse
import os
import random
import secrets
import statistics
import tempfile
import time
from datetime import timedelta

import tests.databases  # noqa: F401 - sets the environment, and starts PostgreSQL if asked for

if "DATABASE_URL" not in os.environ:
    os.environ["DATABASE_URL"] = f"sqlite:///{tempfile.mkdtemp()}/speed.sqlite3"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import setup_test_environment
from django.utils import timezone

from screening import due, reference_numbers
from screening.desk import queues
from screening.models import Submission
from tests.answers import KINDS

LIST = "/admin/screening/submission/"
CHANCE = random.Random(1)
SOME = timedelta(hours=5)


def fill(number: int, staff: list[User]) -> None:
    """Add submissions, spread over the retention period in order of time. Open cases are mostly recent, as in life.

    So many are urgent and ask for a call that ten thousand fill the page of each queue: else fuller pages look slower.
    """
    made = [Submission.objects.submit(given) for given in KINDS.values()]
    now = timezone.now()
    for start in range(0, number, 5000):
        rows = []
        for place in range(start, min(start + 5000, number)):
            like = CHANCE.choice(made)
            days = 89 * (1 - place / number)
            still_open = CHANCE.random() < max(0.03, 1 - days / 20)
            status = CHANCE.choice(("waiting", "in_progress", "new")) if still_open else "closed"
            received = now - timedelta(days=days)
            rows.append(
                Submission(
                    code=secrets.token_hex(40),
                    reference=reference_numbers.generate(),
                    received_at=received,
                    answers=like.answers,
                    result=like.result,
                    program=like.program,
                    urgency=CHANCE.choices((0, 1, 2, 3), (40, 30, 18, 12))[0],
                    close_call=CHANCE.random() < 0.1,
                    rules_version=like.rules_version,
                    language="en",
                    status=status,
                    status_at=received,
                    due_at=None if status == "closed" else CHANCE.choice((due.NO_TIME, now - SOME, now + SOME)),
                    opened_at=None if status == "new" else received,
                    blind=CHANCE.random() < 0.1,
                    wants_call=CHANCE.random() < 0.6,
                    assigned_to=None if status == "new" else CHANCE.choice(staff),
                    touched_by=None if status == "new" else CHANCE.choice(staff),
                    spam_signs="" if CHANCE.random() < 0.99 else "fast",
                )
            )
        Submission.objects.bulk_create(rows, ignore_conflicts=True)  # two reference numbers may be equal
    if connection.vendor == "postgresql":  # it does so by itself in time; SQLite is never told to
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def pages() -> dict[str, str]:
    queries = [f"queue={queue.key}" for queue in queues.QUEUES]
    queries += ["status__exact=new", "status__exact=closed", "assigned_to__id__exact=1", "assigned_to__isnull=True"]
    queries += ["channel__exact=online", "channel__exact=paper", "p=20", "queue=later&assigned_to__id__exact=1"]
    for days in (0, 7, 30):
        since = timezone.now() - timedelta(days=days)
        queries.append(f"received_at__gte={since:%Y-%m-%d}+00:00:00%2B00:00")
    queries += [f"q={Submission.objects.first().reference}", "q=BBBB-BBBB"]  # type: ignore[union-attr]
    return {"front page": "/admin/", "list": LIST} | {query: f"{LIST}?{query}" for query in queries}


def measure(client: Client) -> dict[str, float]:
    """Return the milliseconds for each page, the median of 15 requests."""
    times = {}
    for name, address in pages().items():
        taken = []
        for _ in range(15):
            start = time.perf_counter()
            assert client.get(address).status_code in (200, 302)  # a search that finds one case opens it
            taken.append(1000 * (time.perf_counter() - start))
        times[name] = statistics.median(taken)
    return times


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--few", type=int, default=10_000)
    options.add_argument("--many", type=int, default=1_000_000)
    given = options.parse_args()
    setup_test_environment()
    call_command("migrate", verbosity=0)
    staff = [User.objects.create_superuser(f"staff{number}") for number in range(8)]
    client = Client()
    client.force_login(staff[0])
    with transaction.atomic():
        fill(given.few, staff)
    few = measure(client)
    with transaction.atomic():
        fill(given.many - given.few, staff)
    many = measure(client)
    print(f"{connection.vendor}, {given.few:,} and {given.many:,} submissions, milliseconds")
    for (name, before), after in zip(few.items(), many.values(), strict=True):
        print(f"{after / before:6.2f} x  {before:7.1f} {after:9.1f}  {name}")


if __name__ == "__main__":
    main()
