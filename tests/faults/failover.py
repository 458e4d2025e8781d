"""Two sites on three database servers: the leader is killed or a replica stops, again and again, as people screen."""

import itertools
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.answers import IOP
from tests.faults.cluster import Cluster
from tests.processes import Browser, Site

ROUNDS, PEOPLE = int(os.environ.get("ROUNDS", 20)), 4
BACK, AT_ONCE = 45.0, 2.0  # seconds until saving works again; that a page of questions may take
SETTINGS = {"SECRET_KEY": "one-for-both" * 5, "DATA_KEYS": "another-for-both" * 5, "WORKERS": "1"}
SETTINGS |= {"BEHIND_PROXY": "on"}  # which tells where each person is: from one address only 400 are saved in an hour
PLACES = itertools.count()
REFERENCE = re.compile(r'class="reference">([^<]+)<')


class Wanderer(Browser):
    """A browser whose requests go to one site and the other by turns, as by a proxy that knows only its address."""

    def __init__(self, *urls: str) -> None:
        super().__init__(urls[0])
        place = next(PLACES)
        self.opener.addheaders = [("X-Forwarded-For", f"10.0.{place // 250}.{place % 250}")]
        self.urls = itertools.cycle(urls)
        self.slowest = 0.0  # seconds, of what is timed
        self.statuses: Counter[int] = Counter()  # of the pages of questions

    def get(self, address: str, form: dict[str, str] | None = None) -> str:
        self.url = next(self.urls)
        started = time.monotonic()
        page = super().get(address, form)
        if address.startswith("/questions/"):
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.statuses[self.status] += 1
        return page

    def saves(self) -> str:
        """Press "save"; return the reference number if it is confirmed, else nothing."""
        page = self.post("/check/", {"action": "save"})
        found = REFERENCE.search(page)
        return found[1] if found and self.status == 200 else ""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    started = Cluster()
    yield started
    started.remove()


@pytest.fixture(scope="module")
def sites(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Site]]:
    started = [
        Site(tmp_path_factory.mktemp(name) / "var", DATABASE_URL=cluster.url, **SETTINGS) for name in ("one", "other")
    ]
    yield started
    for site in started:
        site.kill()


def asked(cluster: Cluster, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(cluster.url, connect_timeout=5) as connection:
        return connection.execute(query).fetchall()


class Crowd:
    """People who screen and save, one after the other, until they are told to stop."""

    def __init__(self, sites: list[Site]) -> None:
        self.urls = [site.url for site in sites]
        self.confirmed: list[str] = []
        self.browsers: list[Wanderer] = []
        self.latest = time.monotonic()  # when the latest save was confirmed
        self.stop = threading.Event()

    def live(self) -> None:
        while not self.stop.is_set():
            browser = Wanderer(*self.urls)
            self.browsers.append(browser)
            browser.answers_every_page(IOP)
            while not (reference := browser.saves()):
                if self.stop.is_set():
                    return
                time.sleep(0.5)
            self.confirmed.append(reference)
            self.latest = time.monotonic()


def back_after(crowd: Crowd, since: float) -> float:
    """Wait until a save that was pressed after this moment is confirmed; return how long that took."""
    while crowd.latest < since:
        assert time.monotonic() - since < BACK, "saving does not work again"
        time.sleep(0.1)
    return time.monotonic() - since


def test_what_was_confirmed_is_there_once_whatever_is_killed(cluster: Cluster, sites: list[Site]) -> None:
    chance, crowd, took = random.Random(20), Crowd(sites), []
    with ThreadPoolExecutor(PEOPLE) as pool:
        people = [pool.submit(crowd.live) for _person in range(PEOPLE)]
        try:
            for number in range(ROUNDS):
                leader = cluster.leader
                assert leader
                replica = chance.choice([node for node in cluster.nodes if node is not leader])
                if number % 3 < 2:
                    leader.kill()
                    took.append(back_after(crowd, time.monotonic() + 0.5))
                    leader.start()
                else:
                    replica.signal(signal.SIGSTOP)
                    took.append(back_after(crowd, time.monotonic() + 0.5))
                    replica.signal(signal.SIGCONT)
                cluster.wait_until_whole(120)
        finally:
            crowd.stop.set()
        for person in people:
            person.result()
    print(f"\n{len(crowd.confirmed)} saves; back after {min(took):.1f} to {max(took):.1f} s")  # noqa: T201 - for who runs it with -s
    stored = Counter(str(reference) for (reference,) in asked(cluster, "SELECT reference FROM screening_submission"))
    assert stored == Counter(reference.replace("-", "") for reference in crowd.confirmed)
    assert sum((browser.statuses for browser in crowd.browsers), Counter()).keys() == {200}
    assert max(browser.slowest for browser in crowd.browsers) < AT_ONCE


def test_save_pressed_on_both_sites_at_once_is_kept_once(cluster: Cluster, sites: list[Site]) -> None:
    for _time in range(20):
        before = asked(cluster, "SELECT count(*) FROM screening_submission")[0][0]
        one, other = (Browser(site.url) for site in sites)
        one.answers_every_page(IOP)
        other.opener = one.opener  # the same cookies
        with ThreadPoolExecutor(2) as pool:
            pressed = [pool.submit(each.post, "/check/", {"action": "save"}) for each in (one, other)]
        assert [each.exception() for each in pressed] == [None, None]
        assert asked(cluster, "SELECT count(*) FROM screening_submission")[0][0] == int(str(before)) + 1


def test_limit_counts_what_is_tried_on_either_site(sites: list[Site]) -> None:
    browser, answers = Wanderer(*(site.url for site in sites)), Counter[int]()
    for _attempt in range(203):
        browser.post("/return/", {"code": "00000-00000-00000-00000-00000"})
        answers[browser.status] += 1
    assert answers[429] == 3


def test_everything_reads_what_a_server_reads_that_was_a_replica(cluster: Cluster, sites: list[Site]) -> None:
    """Both sites show what was saved before the leader changed."""
    browser = Wanderer(*(site.url for site in sites))
    browser.answers_every_page(IOP)
    reference = browser.saves()
    old = cluster.leader
    assert old
    old.kill()
    started = time.monotonic()
    while reference not in browser.get("/result/"):
        assert time.monotonic() - started < BACK
        time.sleep(0.5)
    assert reference in browser.get("/result/")
    old.start()
    cluster.wait_until_whole(120)
