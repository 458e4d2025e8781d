"""How many people can save in a second on the shipped server, beside bare views there that insert one row.

.venv/bin/python -m benchmarks.saves        # TEST_DATABASE=postgresql; --rounds 9 --saves 200 --browsers 8
"""

import argparse
import http.client
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks.site import same_database

# isort: split
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone
from django.utils.http import urlencode

from benchmarks.measure import ROUNDS, by_turns, machine, ratio, table
from intake_site.urls import *  # noqa: F403 - the error pages
from intake_site.urls import urlpatterns as ours
from screening import rate_limits
from screening.draft import Draft
from screening.models import Count, Submission
from screening.models.submission import as_stored
from screening.rules import recommend
from tests.answers import CLOSE_CALL
from tests.helpers import free_port

SECRET = "s" * 32  # of the forms
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
SAVE = urlencode({"action": "save", "csrfmiddlewaretoken": SECRET})
RESULT = as_stored(recommend(CLOSE_CALL))
ROW = urlencode({"word": "flyer", "csrfmiddlewaretoken": SECRET})
Work = Callable[[http.client.HTTPConnection, str], None]

for name in ("per_client", "total"):  # all come from one address
    object.__setattr__(rate_limits.SAVE, name, 10**9)


def bare(request: HttpRequest) -> HttpResponse:
    Count.objects.create(what=Count.What.SOURCE, key=request.POST["word"], number=1)
    return HttpResponse()


def same_row(request: HttpRequest) -> HttpResponse:
    """Insert a row as a save does, with a result that is known, and nothing else."""
    more: dict[str, Any] = {
        "program": "iop",
        "urgency": 1,
        "close_call": True,
        "rules_version": "2026.2",
        "language": "en",
    }
    more |= {"answers": CLOSE_CALL, "result": RESULT, "due_at": timezone.now()}
    row = Submission(code=secrets.token_hex(40), **more)
    Submission.objects.bulk_create([row])  # unlike `save` it seals nothing
    return HttpResponse()


urlpatterns = [path("bare/", bare), path("row/", same_row), *ours]


@contextmanager
def server() -> Iterator[int]:
    """Run the shipped server with these addresses; give its port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config=python:intake_site.server", f"--bind=127.0.0.1:{port}"]
    environment = same_database() | {"BENCHMARK_URLS": __spec__.name}
    process = subprocess.Popen([*command, "intake_site.wsgi"], env=environment)
    try:
        while True:
            try:
                post(http.client.HTTPConnection("127.0.0.1", port), "/bare/", ROW, "", 200)
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def post(line: http.client.HTTPConnection, address: str, form: str, draft: str, expected: int) -> None:
    cookies = f"{settings.CSRF_COOKIE_NAME}={SECRET}; {settings.DRAFT_COOKIE_NAME}={draft}"
    line.request("POST", address, form, HEADERS | {"Cookie": cookies})
    response = line.getresponse()
    response.read()
    assert response.status == expected, response.status


def save(line: http.client.HTTPConnection, draft: str) -> None:
    post(line, "/check/", SAVE, draft, 302)


def insert(line: http.client.HTTPConnection, draft: str) -> None:
    post(line, "/bare/", ROW, draft, 200)


def insert_same(line: http.client.HTTPConnection, draft: str) -> None:
    post(line, "/row/", ROW, draft, 200)


def cookie() -> str:
    """Return the cookie of a new draft that is ready to be saved."""
    response = HttpResponse()
    Draft(answers=CLOSE_CALL).write(response)
    return response.cookies[settings.DRAFT_COOKIE_NAME].value


def seconds_of_one(port: int, work: Work, number: int, browsers: int) -> float:
    """Return the wall seconds that one takes of so many, sent by all browsers at once."""
    drafts = [cookie() for _draft in range(number)]

    def send(drafts: list[str]) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port)
        for draft in drafts:
            work(line, draft)
        line.close()

    with ThreadPoolExecutor(browsers) as pool:
        started = time.perf_counter()
        for sent in [pool.submit(send, drafts[place::browsers]) for place in range(browsers)]:
            sent.result()
        return (time.perf_counter() - started) / number


def statements() -> int:
    """Count those of one save, in this process."""
    client = Client(SERVER_NAME="localhost")
    client.cookies[settings.DRAFT_COOKIE_NAME] = cookie()
    with CaptureQueriesContext(connection) as queries:
        assert client.post("/check/", {"action": "save"}).status_code == 302
    return sum(not query["sql"].startswith(("BEGIN", "COMMIT")) for query in queries)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--saves", type=int, default=200)
    options.add_argument("--browsers", type=int, default=8)
    given = options.parse_args()
    call_command("migrate", verbosity=0)
    statements()  # the first of an hour has more
    print(f"{machine()}; {connection.vendor}, {given.browsers} browsers")
    print(f"{statements()} statements in a save")
    with server() as port:
        names = {
            "a bare view that inserts a small row": insert,
            "one that inserts such a row": insert_same,
            "a save": save,
        }
        costs = {name: partial(seconds_of_one, port, work, given.saves, given.browsers) for name, work in names.items()}
        measured = by_turns(costs, given.rounds)
    small, same, _save = names
    table(measured, small, "ms")
    for bare_view in (small, same):
        print(f"of the rate of {bare_view}: {1 / ratio(measured, 'a save', bare_view):.2f}")
    assert Submission.objects.count() == 2 * given.saves * (given.rounds + 1) + 2


if __name__ == "__main__":
    main()
