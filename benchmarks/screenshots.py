"""`make screenshots`: the pictures of the tour in README.md, taken of the real site with demo facts and submissions.

Each shows one screen, not the whole page, and stays small.
"""

import base64
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import benchmarks.site  # noqa: F401 - sets up Django

# isort: split
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from screening.questionnaire import PAGES
from tests.answers import CLOSE_CALL, on_page
from tests.processes import ROOT, Site

IMAGES = ROOT / "docs" / "images"
PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=800)
QUESTION = "constant_care"


def shot(page: Page, name: str) -> None:
    page.evaluate("document.activeElement?.blur()")
    taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": 80})
    (IMAGES / f"tour-{name}.webp").write_bytes(base64.b64decode(taken["data"]))


@contextmanager
def page_at(browser: Browser, site: Site, **options: Any) -> Iterator[Page]:
    context = browser.new_context(base_url=site.url, **options)
    yield context.new_page()
    context.close()


def answer(page: Page, start: str, taking: dict[str, str]) -> None:
    """Answer every question; take the pictures that are named by page on the way."""
    page.goto(start)
    if "start" in taking:
        shot(page, taking["start"])
    page.locator("main .button").first.click()
    for each in PAGES:
        for key, value in on_page(each, CLOSE_CALL).items():
            page.locator(f'input[name="{key}"][value="{value}"]').check()
        if each.slug in taking:
            shot(page, taking[each.slug])
        page.locator("form .button.wide").click()


def walk(browser: Browser, site: Site) -> None:
    """Take the pictures that a person sees."""
    with page_at(browser, site, viewport=PHONE) as page:
        answer(page, "/", {"start": "start", QUESTION: "question"})
        shot(page, "check")
        page.locator("button[value=save]").click()
        shot(page, "result")
        page.set_viewport_size(DESK)
        shot(page, "result-wide")
    with page_at(browser, site, viewport=PHONE, color_scheme="dark") as page:
        answer(page, "/es/", {QUESTION: "question-spanish-dark"})
        page.locator("button[value=view]").click()
        shot(page, "result-spanish-dark")


def work(browser: Browser, site: Site) -> None:
    """Take the pictures that staff see."""
    with page_at(browser, site, viewport=DESK) as page:
        page.goto("/admin/")
        page.get_by_label("Username").fill("staff")
        page.get_by_label("Password").fill(site.password)
        page.get_by_role("button", name="Sign in").click()
        page.goto("/admin/screening/submission/?queue=due")
        shot(page, "desk-queue")
        page.goto(page.locator("#result_list th a").first.get_attribute("href") or "")
        shot(page, "desk-case")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder) / "var", CENTER_NAME="Country Road Recovery Center", CENTER_PHONE="(405) 555-0100")
        try:
            site.add_demo_submissions()
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            walk(browser, site)
            work(browser, site)
        finally:
            site.stop()


if __name__ == "__main__":
    main()
