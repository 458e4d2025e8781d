"""Fixtures that open the site in Chromium: the system's if it is installed, else Playwright's own."""

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from screening.questionnaire import PAGES
from tests.answers import on_page

WIDTHS = {"phone": 390, "desk": 1280}


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    system = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return browser_type_launch_args | ({"executable_path": system} if system else {})


@pytest.fixture
def phone(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A phone with JavaScript off."""
    context = browser.new_context(
        base_url=live_server.url, java_script_enabled=False, viewport={"width": 390, "height": 844}, has_touch=True
    )
    yield context.new_page()
    context.close()


def answer(page: Page, given: dict[str, str], start: str = "/") -> None:
    """Answer every page in the browser, from the start page to the check page."""
    page.goto(start)
    page.get_by_role("link", name="Start", exact=True).click()
    for each in PAGES:
        for key, value in on_page(each, given).items():
            page.locator(f'input[name="{key}"][value="{value}"]').check()
        page.get_by_role("button", name="Continue").click()
        expect(page).not_to_have_url(re.compile(f"/questions/{each.slug}/"))
        if page.url.endswith("/help/"):
            expect(page.get_by_role("heading", level=1)).to_have_text("Please get help now")
            page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
