"""How long the pages take on a very slow line, in a real Chromium: 50 kbit/s both ways, each answer 2 s late.

.venv/bin/python -m benchmarks.slow_line

Prints the median of three rounds, each with an empty cache: seconds to the first paint with content and to the end of
loading, bytes on the wire, and how much the page shifts. Exits 1 if anything shifts, or if a page is painted later than
6 s (the start page), 3 s (what a link leads to) or 5.5 s (what a form leads to: it is answered by a redirect, which
waits for the line once more, docs/decisions/0035). A person is taken to read for as long as the page takes to fetch
what the next ones need. It takes ten minutes.

Connections are local, so that setting one up costs nothing here; a real line adds a round trip.
"""

import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
from playwright.sync_api import Browser, Page, sync_playwright

from screening.questionnaire import PAGES
from tests.answers import CLOSE_CALL, on_page
from tests.processes import Site

LINE = {"offline": False, "latency": 2000, "downloadThroughput": 50_000 / 8, "uploadThroughput": 50_000 / 8}
START, LINK, FORM = 6.0, 3.0, 5.5  # seconds that a page may take which is typed, or which one of these leads to
ROUNDS = 3
SETTLED = 300  # ms after loading, in which nothing may shift any more

# Both are asked for before the page is drawn: what was painted and what shifted is told to who asks late, too.
PAINTED_AND_SHIFTED = """wait => new Promise(resolve => {
    let shifted = 0, painted = 0;
    const of = (type, note) => new PerformanceObserver(list => list.getEntries().forEach(note))
        .observe({ type, buffered: true });
    of("layout-shift", entry => shifted += entry.value);
    of("paint", entry => { if (entry.name === "first-contentful-paint") painted = entry.startTime; });
    const { loadEventEnd } = performance.getEntriesByType("navigation")[0];
    setTimeout(() => resolve({ painted: painted / 1000, loaded: loadEventEnd / 1000, shifted }), wait);
})"""


@dataclass
class Walk:
    """One person's walk to the result, in a browser with an empty cache, on a slow line."""

    page: Page
    sent: int = 0  # bytes, since the latest page was asked for
    measured: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        line = self.page.context.new_cdp_session(self.page)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", LINE)
        line.on("Network.loadingFinished", lambda event: self._count(event))
        line.on("Network.requestWillBeSent", lambda event: self._count(event.get("redirectResponse")))

    def _count(self, answer: dict[str, Any] | None) -> None:
        self.sent += int(answer["encodedDataLength"]) if answer else 0

    def measure(self, name: str, deed: Callable[[], object]) -> None:
        """Do what leads to a page, and note how it came."""
        self.sent = 0
        with self.page.expect_navigation(wait_until="load", timeout=120_000):
            deed()
        result = self.page.evaluate(PAINTED_AND_SHIFTED, SETTLED)
        self.measured[name] = result | {"bytes": self.sent}

    def to_the_result(self, start: str) -> None:
        self.measure("start", lambda: self.page.goto(start))
        self.measure("first question", self.page.locator("main .button").first.click)
        for page in PAGES:
            self.page.wait_for_load_state("networkidle")
            for key, value in on_page(page, CLOSE_CALL).items():
                self.page.locator(f'input[name="{key}"][value="{value}"]').check()
            self.measure(f"after {page.slug}", self.page.locator("form .button.wide").click)
        self.measure("result", self.page.locator("button[value=view]").click)
        self.measure("contact", lambda: self.page.locator("main a[href$='/contact/']").first.click())


def measure(browser: Browser, url: str, start: str) -> bool:
    """Print a line for each page; return whether all keep the limits."""
    rounds = []
    for _ in range(ROUNDS):
        context = browser.new_context(base_url=url, viewport={"width": 390, "height": 844})
        rounds.append(Walk(context.new_page()))
        rounds[-1].to_the_result(start)
        context.close()
    good = True
    for name in rounds[0].measured:
        middle = {
            key: statistics.median(walk.measured[name][key] for walk in rounds)
            for key in ("painted", "loaded", "shifted", "bytes")
        }
        limit = START if name == "start" else LINK if name in ("first question", "contact") else FORM
        ok = middle["painted"] <= limit and not middle["shifted"]
        good = good and ok
        print(
            f"{middle['painted']:8.2f} {middle['loaded']:7.2f} {middle['bytes']:7.0f} {middle['shifted']:8.3f}"
            f"  {'ok      ' if ok else 'TOO SLOW' if not middle['shifted'] else 'SHIFTS  '}  {start} {name}"
        )
    return good


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder) / "var")
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            print("painted  loaded   bytes  shifted")
            good = [measure(browser, site.url, start) for start in ("/", "/es/")]
        finally:
            site.stop()
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
