"""How the desk's pages slow down from ten thousand submissions to a million: a ratio for each, from one run.

TEST_DATABASE=sqlite .venv/bin/python -m benchmarks.desk_speed          # or postgresql; --few 10000 --many 1000000
"""

import argparse
import random
import secrets
import statistics
import tempfile
import time
from datetime import timedelta

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
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
ROUNDS = 7


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


def pages() -> dict[str, str]:
    queries = [f"queue={queue.key}" for queue in queues.QUEUES]
    queries += ["status__exact=new", "status__exact=closed", "assigned_to__id__exact=1", "assigned_to__isnull=True"]
    queries += ["channel__exact=online", "channel__exact=paper", "p=20", "queue=later&assigned_to__id__exact=1"]
    for days in (0, 7, 30):
        since = timezone.now() - timedelta(days=days)
        queries.append(f"received_at__gte={since:%Y-%m-%d}+00:00:00%2B00:00")
    found = {"one found": f"{LIST}?q={Submission.objects.first().reference}"}  # type: ignore[union-attr]
    none = {"none found": f"{LIST}?q=BBBB-BBBB"}
    return {"front page": "/admin/", "list": LIST} | {query: f"{LIST}?{query}" for query in queries} | found | none


def change_to(name: str) -> None:
    """Have everything that follows use the database of this name."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]
    connection.settings_dict["NAME"] = name


def made(number: int) -> tuple[str, Client, dict[str, str]]:
    """Make a database with so many submissions; return its name, a client that is signed in, and the pages."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE with_{number}")
        name = f"with_{number}"
    else:
        name = f"{tempfile.mkdtemp()}/speed.sqlite3"
    change_to(name)
    call_command("migrate", verbosity=0)
    staff = [User.objects.create_superuser(f"staff{place}") for place in range(8)]
    client = Client()
    client.force_login(staff[0])
    with transaction.atomic():
        fill(number, staff)
    if connection.vendor == "postgresql":  # it does so by itself in time; SQLite is never told to
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return name, client, pages()


def milliseconds(client: Client, address: str) -> float:
    start = time.perf_counter()
    assert client.get(address).status_code in (200, 302)  # a search that finds one case opens it
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--few", type=int, default=10_000)
    options.add_argument("--many", type=int, default=1_000_000)
    given = options.parse_args()
    setup_test_environment()
    databases = [made(number) for number in (given.few, given.many)]
    print(f"{connection.vendor}, {given.few:,} and {given.many:,} submissions, milliseconds")
    for page in databases[0][2]:
        times: tuple[list[float], list[float]] = ([], [])
        for _round in range(ROUNDS):  # by turns, as the machine is faster now and then
            for (name, client, addresses), taken in zip(databases, times, strict=True):
                change_to(name)
                milliseconds(client, addresses[page])  # which connects
                taken += [milliseconds(client, addresses[page]) for _time in range(3)]
        few, many = map(statistics.median, times)
        print(f"{many / few:6.2f} x  {few:7.1f} {many:9.1f}  {page}", flush=True)


if __name__ == "__main__":
    main()
