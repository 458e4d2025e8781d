"""What a worker of the shipped server takes as journeys go by, in memory and CPU, and how soon it is there.

.venv/bin/python -m benchmarks.memory       # --journeys 5000
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
from benchmarks.measure import machine
from screening.questionnaire import PAGES
from tests.answers import IOP, on_page
from tests.processes import Browser, Site

AT_ONCE = 4


def megabytes(process: int) -> float:
    """Return what a process has in memory."""
    told = Path(f"/proc/{process}/status").read_text()
    return int(told.partition("VmRSS:")[2].split()[0]) / 1024


def cpu_seconds(process: int) -> float:
    """Return what a process and its threads have used."""
    told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def worker_of(site: Site) -> int:
    master = site.process.pid
    (worker,) = map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split())
    return worker


def journey(url: str) -> None:
    """Follow where each answer leads, as a browser does, but over a new connection each time."""
    browser = Browser(url)
    browser.get("/")
    page = browser.get(f"/questions/{PAGES[0].slug}/")
    for each in PAGES:
        page = browser.send(page, f"/questions/{each.slug}/", on_page(each, IOP))
    page = browser.send(page, "/check/", {"action": "view"})
    assert "<title>Your result" in page


def lines(site: Site, journeys: int) -> Iterator[str]:
    """Yield the memory after each tenth of the journeys, and what each of that tenth cost."""
    worker, part = worker_of(site), max(1, journeys // 10)
    yield f"{0:6,} journeys {megabytes(worker):6.1f} MB"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in range(part, journeys + 1, part):
            before = cpu_seconds(worker)
            list(pool.map(journey, [site.url] * part))
            cost = 1000 * (cpu_seconds(worker) - before) / part
            yield f"{done:6,} journeys {megabytes(worker):6.1f} MB, each {cost:5.1f} ms"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--journeys", type=int, default=5000)
    given = options.parse_args()
    var = Path(tempfile.mkdtemp()) / "var"
    for which in ("first", "second"):
        started = time.monotonic()
        site = Site(var, WORKERS="1")
        print(f"{which} start after {1000 * (time.monotonic() - started):.1f} ms")
        if which == "first":
            site.stop()
    print(f"{machine()}; one worker, {AT_ONCE} people at once")
    try:
        for line in lines(site, given.journeys):
            print(line, flush=True)
    finally:
        site.stop()


if __name__ == "__main__":
    main()
