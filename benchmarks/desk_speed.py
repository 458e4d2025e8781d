"""How the desk's pages slow down from ten thousand submissions to a million: a ratio for each, from one run.

TEST_DATABASE=sqlite .venv/bin/python -m benchmarks.desk_speed          # or postgresql; --few 10000 --many 1000000
"""

import argparse
import statistics
import tempfile
import time
from datetime import timedelta
from typing import Any

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import setup_test_environment
from django.utils import timezone

from benchmarks.stored import fill, fill_log, fill_reviews
from screening.desk import queues
from screening.models import Submission
from screening.models.audit import number_at

LIST = "/admin/screening/submission/"
LOG = "/admin/screening/logline/"
ROUNDS = 7


def pages() -> dict[str, str]:
    queries = [f"queue={queue.key}" for queue in queues.QUEUES]
    queries += ["status__exact=new", "status__exact=closed", "assigned_to__id__exact=1", "assigned_to__isnull=True"]
    queries += ["channel__exact=online", "channel__exact=paper", "p=20", "queue=later&assigned_to__id__exact=1"]
    for days in (0, 7, 30):
        since = timezone.now() - timedelta(days=days)
        queries.append(f"received_at__gte={since:%Y-%m-%d}+00:00:00%2B00:00")
    log = {
        "the log": "",
        "what was done": "?action__exact=opened",
        "by one": "?q=staff1",
        "page 5 of the log": "?p=5",
    }
    for days in (1, 30):
        log[f"older than {days} days"] = f"?number__lt={number_at(timezone.now() - timedelta(days=days))}"
    some = Submission.objects.first()
    assert some
    log["of one case"] = f"?q={some.reference}"
    found = {"one found": f"{LIST}?q={some.reference}", "a case": f"{LIST}{some.pk}/change/"}
    none = {"none found": f"{LIST}?q=BBBB-BBBB"}
    lists = {"front page": "/admin/", "list": LIST} | {query: f"{LIST}?{query}" for query in queries} | found | none
    figures = {"how we are doing": "/admin/how-we-are-doing/", "by month": "/admin/how-we-are-doing/?by=month"}
    return lists | figures | {name: f"{LOG}{query}" for name, query in log.items()}


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
    with transaction.atomic():
        fill(number, staff)
        fill_reviews(staff)
        fill_log(number)
    if connection.vendor == "postgresql":  # it does so by itself in time; SQLite is never told to
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return name, Client(), pages()


def sign_in(client: Client) -> None:
    """Begin a session: to make so many rows, and to look at them, takes longer than one lasts."""
    client.force_login(User.objects.get(username="staff0"))


def milliseconds(client: Client, address: str) -> float:
    start = time.perf_counter()
    response: Any = client.get(address)
    # A search that finds one case opens it.
    assert response.status_code == 200 or response.url.startswith(LIST), (address, response.status_code)
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
                sign_in(client)
                milliseconds(client, addresses[page])
                taken += [milliseconds(client, addresses[page]) for _time in range(3)]
        few, many = map(statistics.median, times)
        print(f"{many / few:6.2f} x  {few:7.1f} {many:9.1f}  {page}", flush=True)


if __name__ == "__main__":
    main()
