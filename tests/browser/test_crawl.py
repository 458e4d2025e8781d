"""No page sends a request to another site."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from screening.models import Submission
from tests.answers import CLOSE_CALL, URGENT
from tests.browser.conftest import answer
from tests.desk.helpers import CASES, superuser, url_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_is_enough]
NOT_FOLLOWED = ("/leave/", "/es/leave/", "/admin/logout")


def asked(context: BrowserContext) -> list[str]:
    """Return a list that collects the address of each request from now on."""
    addresses: list[str] = []
    context.on("request", lambda request: addresses.append(request.url))
    return addresses


def links(page: Page, origin: str) -> Iterator[str]:
    for href in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
        address = urldefrag(href).url
        if address.startswith(f"{origin}/") and not urlsplit(address).path.startswith(NOT_FOLLOWED):
            yield address


def crawl(page: Page, origin: str) -> set[str]:
    """Visit every page that links lead to, with at most two filters of each list; return their paths."""
    waiting, seen = [f"{origin}/", f"{origin}/admin/"], set()
    queries: dict[str, int] = {}
    while waiting:
        address = waiting.pop()
        path = urlsplit(address).path
        if address in seen or (urlsplit(address).query and queries.get(path, 0) >= 2):
            continue
        seen.add(address)
        queries[path] = queries.get(path, 0) + bool(urlsplit(address).query)
        # the browser saves this file, and stays on its page
        response = page.request.get(address) if path.endswith(".csv") else page.goto(address)
        assert response, address
        assert response.status == 200, address
        if "html" in response.headers["content-type"]:
            waiting += links(page, origin)
    return {urlsplit(address).path for address in seen}


def test_no_page_asks_anything_of_another_site(browser: Browser, live_server: Any, client: Any) -> None:
    client.force_login(superuser("staff"))
    submission = Submission.objects.submit(CLOSE_CALL)
    context = browser.new_context(base_url=live_server.url)
    addresses, messages = asked(context), []
    page = context.new_page()
    page.on("console", lambda message: messages.append(message.text))
    answer(page, URGENT)
    page.get_by_role("button", name="Save and see").click()
    page.goto("/help/")
    page.goto("/no/such/page/")
    context.add_cookies([{"name": "session", "value": client.cookies["session"].value, "url": live_server.url}])
    paths = crawl(page, live_server.url)
    for path in (
        *("/", "/check/", "/result/", "/contact/", "/return/", "/erase/", "/privacy/", "/how-it-works/", "/rules.json"),
        *("/fhir/Questionnaire", "/paper/", "/questions/emergency/", "/admin/", CASES, "/admin/password_change/"),
        *("/admin/auth/user/add/", url_of(submission)),
    ):
        assert path in paths, path
    assert {address for address in addresses if not address.startswith(f"{live_server.url}/")} == set()
    assert {line for line in messages if re.search("Content.Security.Policy|Permissions.Policy", line)} == set()
    context.close()


def test_control_a_request_to_another_site_would_be_seen(browser: Browser) -> None:
    context = browser.new_context()
    addresses = asked(context)
    context.new_page().set_content('<img src="https://tracker.invalid/dot.gif">')
    assert "https://tracker.invalid/dot.gif" in addresses
    context.close()
