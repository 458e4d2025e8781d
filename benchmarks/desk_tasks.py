"""What the five commonest tasks at the desk cost: presses, keys and seconds, in a real Chromium at 1280 by 800.

.venv/bin/python -m benchmarks.desk_tasks

A practised person's seconds are estimated by the keystroke-level model (Card, Moran and Newell 1980): 1.35 s to think
of a press or a word, 1.1 s to point, 0.2 s to press, 0.28 s for a key, 0.4 s from the mouse to the keyboard. The site's
own are measured, the median of five. Nothing is scrolled: what is pressed must be in view as the page opens.
"""

import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.processes import Site

THINK, POINT, PRESS, KEY, HAND = 1.35, 1.1, 0.2, 0.28, 0.4
CASES = "/admin/screening/submission/"
ROUNDS = 5


class Worker:
    """Does what a member of staff does on a page, and counts it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = self.keys = 0
        self.waited = 0.0

    def press(self, name: str) -> None:
        """Press a link or button by the words on it, and wait for the page that it leads to."""
        words = re.compile(name)
        button = self.page.get_by_role("link", name=words).or_(self.page.get_by_role("button", name=words)).first
        self._in_view(button)
        self._and_wait(button.click)

    def choose(self, field: str, value: str) -> None:
        found = self.page.get_by_label(field)
        self._in_view(found)
        found.select_option(value)

    def type(self, text: str) -> None:
        """Type, and press Enter."""
        for key in text:
            self.page.keyboard.press(key)
        self.keys += len(text) + 1
        self._and_wait(lambda: self.page.keyboard.press("Enter"))

    def _in_view(self, target: Locator) -> None:
        expect(target).to_be_in_viewport(ratio=1)
        self.presses += 1

    def _and_wait(self, deed: Callable[[], None]) -> None:
        started = time.perf_counter()
        with self.page.expect_navigation(wait_until="load"):
            deed()
        self.waited += time.perf_counter() - started

    @property
    def estimate(self) -> float:
        typing = THINK + HAND + self.keys * KEY if self.keys else 0
        return self.presses * (THINK + POINT + PRESS) + typing + self.waited


def find_who_rings_back(worker: Worker, reference: str) -> None:
    worker.type("/" + reference)
    expect(worker.page.locator("#content")).to_contain_text(reference)


def close(worker: Worker, reference: str) -> None:
    worker.choose("Outcome", "iop")
    worker.press("^Save$")


# What is done, and what a case must have for it.
TASKS: tuple[tuple[str, Callable[[Worker, str], None], str], ...] = (
    ("open the most urgent", lambda worker, _: worker.press("Open what comes first"), ""),
    ("log a voicemail and the next try", lambda worker, _: worker.press("Left a voicemail"), "button[value=voicemail]"),
    ("find who rings back", find_who_rings_back, ""),
    ("close", close, "[name=outcome]"),
    ("agree", lambda worker, _: worker.press("as the rules say"), "[name=_agree]"),
)


def cases_with(page: Page, control: str) -> Iterator[str]:
    """Yield the references of open cases; their page is open, and the control is on it. On the front page if ""."""
    cases = []
    for queue in ("due", "later"):
        page.goto(f"{CASES}?queue={queue}")
        links = page.locator("#result_list th a")
        cases += links.evaluate_all("links => links.map(link => [link.textContent, link.href])")
    for reference, address in cases:
        page.goto(address if control else "/admin/")
        if not control or page.locator(control).count():
            yield reference.split()[0]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder) / "var")
        try:
            site.add_demo_submissions()
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(base_url=site.url, viewport={"width": 1280, "height": 800})
            page.goto("/admin/")
            page.get_by_label("Username").fill("staff")
            page.get_by_label("Password").fill(site.password)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", name="The desk")).to_be_visible()
            print("presses  keys  site's s  person's s")
            for name, task, control in TASKS:
                workers = []
                for reference, _ in zip(cases_with(page, control), range(ROUNDS), strict=False):
                    workers.append(Worker(page))
                    task(workers[-1], reference)
                waited = statistics.median(worker.waited for worker in workers)
                estimate = statistics.median(worker.estimate for worker in workers)
                print(f"{workers[0].presses:7} {workers[0].keys:5} {waited:9.2f} {estimate:11.1f}  {name}")
        finally:
            site.stop()


if __name__ == "__main__":
    main()
