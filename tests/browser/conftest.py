"""Fixtures that open the site in Chromium: the system's if it is installed, else Playwright's own."""

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from screening.questionnaire import PAGES
from tests.answers import on_page
from tests.conftest import Person

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
            page.get_by_role("link", name="safe now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")


def put_answers_into(context: BrowserContext, url: str, given: dict[str, str]) -> None:
    """Put a draft with these answers into the browser."""
    person = Person(Client())
    person.has_answered(given)
    name = settings.DRAFT_COOKIE_NAME
    context.clear_cookies()
    context.add_cookies([{"name": name, "value": person.client.cookies[name].value, "url": url}])


def to_check(page: Page, live_server: Any, given: dict[str, str]) -> None:
    """Open the check page with every question answered."""
    put_answers_into(page.context, live_server.url, given)
    page.goto(f"{live_server.url}/check/")
