"""PostgreSQL goes away and comes back, or stops answering, under a running site."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.databases import PostgreSQL
from tests.faults.conftest import answered, press_save
from tests.processes import Browser, Site

REFUSED, BACK, AT_ONCE = 3.0, 5.0, 1.0  # seconds
KIND = "We can’t save right now."


@pytest.fixture
def on_postgresql(server: PostgreSQL, tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "var", DATABASE_URL=server.url)
    yield site
    site.kill()


def timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


@contextmanager
def pressing(browsers: list[Browser]) -> Iterator[list[tuple[float, int, str]]]:
    """Have each browser press "save" again and again; yield the list of (seconds, status, page), which grows."""
    done, answers = threading.Event(), list[tuple[float, int, str]]()

    def press(browser: Browser) -> None:
        page = browser.get("/check/")
        while not done.is_set():
            started = time.monotonic()
            page = browser.send(page, "/check/", {"action": "save"})
            answers.append((time.monotonic() - started, browser.status, page))
            time.sleep(0.05)

    threads = [threading.Thread(target=press, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    yield answers
    done.set()
    for thread in threads:
        thread.join()


def stop_answering(server: PostgreSQL, *, on: bool = True) -> None:
    """Stop every process of the server, as a machine without memory or disk does; or let them go on."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    for pid in (server.process.pid, *map(int, children)):
        os.kill(pid, signal.SIGSTOP if on else signal.SIGCONT)


@pytest.mark.parametrize("seconds", [10, 60, int(os.environ.get("OUTAGE", 120))])
@pytest.mark.parametrize("kind", ["is down", "does not answer"])
def test_site_refuses_kindly_and_is_back_soon(on_postgresql: Site, server: PostgreSQL, kind: str, seconds: int) -> None:
    hangs = kind == "does not answer"
    browsers = answered(on_postgresql, 9)
    assert press_save(browsers.pop())
    if hangs:
        stop_answering(server)
    else:
        server.stop()
    others = [timed(lambda: on_postgresql.get("/help/"))]
    with pressing(browsers) as answers:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            others.append(timed(lambda: on_postgresql.get("/help/")))
            time.sleep(0.2)
    if hangs:
        stop_answering(server, on=False)
    else:
        server.start()
    back = time.monotonic()
    assert {(status, KIND in page) for _seconds, status, page in answers} == {(503, True)}
    assert max(taken for taken, _status, _page in answers) < REFUSED
    assert max(others) < AT_ONCE
    while not all(press_save(browser) for browser in browsers):
        assert time.monotonic() - back < BACK
    assert time.monotonic() - back < BACK


def test_pages_without_the_database_stay_fast_beside_forty_that_wait_for_it(
    on_postgresql: Site, server: PostgreSQL
) -> None:
    browsers = answered(on_postgresql, 40)
    stop_answering(server)
    others = []
    with pressing(browsers) as answers:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            others.append(timed(lambda: on_postgresql.get("/help/")))
            time.sleep(0.1)
    stop_answering(server, on=False)
    assert len(answers) >= 40
    assert max(others) < AT_ONCE
