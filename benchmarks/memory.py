"""How much memory a worker of the shipped server uses as journeys go by, and how long it takes to be there.

.venv/bin/python -m benchmarks.memory       # --journeys 5000
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
from benchmarks.measure import machine
from tests.answers import IOP
from tests.processes import Browser, Site

AT_ONCE = 4


def megabytes(process: int) -> float:
    """Return what a process has in memory."""
    told = Path(f"/proc/{process}/status").read_text()
    return int(told.partition("VmRSS:")[2].split()[0]) / 1024


def worker_of(site: Site) -> int:
    master = site.process.pid
    (worker,) = map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split())
    return worker


def journey(url: str) -> None:
    browser = Browser(url)
    browser.answers_every_page(IOP)
    browser.post("/check/", {"action": "view"})
    assert browser.status == 200


def lines(site: Site, journeys: int) -> Iterator[str]:
    """Yield the memory after each tenth of the journeys."""
    worker, part = worker_of(site), max(1, journeys // 10)
    yield f"{0:6,} journeys {megabytes(worker):6.1f} MB"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in range(part, journeys + 1, part):
            list(pool.map(journey, [site.url] * part))
            yield f"{done:6,} journeys {megabytes(worker):6.1f} MB"


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
