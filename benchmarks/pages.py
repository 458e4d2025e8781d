"""What pages and a whole journey cost, beside a bare view behind our own middleware and beside a stock wizard.

make peers; .venv/bin/python -m benchmarks.pages        # --rounds 9
"""

import argparse
import importlib.util
from functools import partial

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
from django.conf import settings
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils.http import urlencode

from benchmarks.measure import ROUNDS, Worker, by_turns, machine, ratio, serve, table
from intake_site.urls import *  # noqa: F403 - the error pages
from intake_site.urls import urlpatterns as ours
from screening.questionnaire import PAGES
from tests.answers import CLOSE_CALL, on_page


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!doctype html>")


urlpatterns = [path("bare/", bare), *ours]
PAGE = PAGES[len(PAGES) // 2]
POSTS = [(f"/questions/{each.slug}/", urlencode(on_page(each, CLOSE_CALL))) for each in PAGES]
FORM = "application/x-www-form-urlencoded"  # as browsers send it; the client's own way costs more
REQUESTS = 1 + 2 * len(PAGES) + 3  # the start, each question asked and answered, the check page, its answer, the result


def walk(client: Client) -> None:
    """Answer all questions in a new browser, asking for each page."""
    client.cookies.clear()
    assert client.get("/").status_code == 200
    for address, answers in POSTS:
        assert client.get(address).status_code == 200
        assert client.post(address, answers, FORM).status_code == 302


def journey(client: Client) -> None:
    walk(client)
    assert client.get("/check/").status_code == 200
    assert client.post("/check/", "action=view", FORM).status_code == 302
    assert client.get("/result/").status_code == 200


def as_many_bare_requests(client: Client) -> None:
    client.cookies.clear()
    for _request in range(REQUESTS):
        client.get("/bare/")


def serve_site() -> None:
    settings.ROOT_URLCONF = __name__
    call_command("migrate", verbosity=0)
    answered, viewed, anyone = (Client(SERVER_NAME="localhost") for _browser in range(3))  # each loads its middleware
    walk(answered)
    journey(viewed)
    address, answers = POSTS[len(PAGES) // 2]
    serve(
        {
            "bare": lambda: answered.get("/bare/"),
            "question": lambda: answered.get(address),
            "answer": lambda: answered.post(address, answers, FORM),
            "start": lambda: answered.get("/"),
            "check": lambda: answered.get("/check/"),
            "result": lambda: viewed.get("/result/"),
            "journey": lambda: journey(anyone),
            "bare_journey": lambda: as_many_bare_requests(anyone),
        }
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--serve", action="store_true")
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--times", type=int, default=200, help="of each page in a round")
    given = options.parse_args()
    if given.serve:
        serve_site()
        return
    site = Worker("benchmarks.pages")
    wizard = Worker("benchmarks.wizard") if importlib.util.find_spec("formtools") else None
    one = ("bare", "question", "answer", "start", "check", "result")
    pages = by_turns({name: partial(site.cost, name, given.times) for name in one}, given.rounds)
    walks = max(1, given.times // 40)
    costs = {
        "bare requests, as many": partial(site.cost, "bare_journey", walks),
        "journey, a question a page": partial(site.cost, "journey", walks),
    }
    if wizard:
        costs["stock wizard, six pages"] = partial(wizard.cost, "journey", walks)
    journeys = by_turns(costs, given.rounds)
    print(machine())
    table(pages, "bare", "ms")
    table(journeys, "bare requests, as many", "ms")
    if wizard:
        against = ratio(journeys, "journey, a question a page", "stock wizard, six pages")
        print(f"journey against the wizard's: {against:.2f} x")
        wizard.end()
    else:
        print("the stock wizard is not installed: make peers")
    site.end()


if __name__ == "__main__":
    main()
