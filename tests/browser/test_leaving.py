"""Leave now hides every page, with the back-forward cache on."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Page, expect

from tests.answers import URGENT
from tests.browser.conftest import put_answers_into

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_is_enough]

SECRETS = ("Please get help now", "You might act on thoughts", "Check your answers", "may be the safest place")


class Weather(BaseHTTPRequestHandler):
    """The neutral site, and a page without protection."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        script = "<script>addEventListener('pageshow', e => { document.title = e.persisted ? 'kept' : 'new' })</script>"
        self.wfile.write(b"<title>x</title><h1>" + (b"A secret" if "secret" in self.path else b"Sunny") + b"</h1>")
        self.wfile.write(script.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def weather(center_tells: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Weather)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://localhost:{server.server_port}/"  # another site than 127.0.0.1
    center_tells(leave_url=url)
    yield url
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def caching_browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """A browser with the back-forward cache on, which Playwright turns off."""
    browser = browser_type.launch(**browser_type_launch_args, ignore_default_args=["--disable-back-forward-cache"])
    yield browser
    browser.close()


def open_page(browser: Browser, base_url: str, javascript: bool) -> Page:
    return browser.new_context(base_url=base_url, java_script_enabled=javascript).new_page()


def test_control_without_a_guard_shows_what_was_there(caching_browser: Browser, weather: str) -> None:
    """A page without protection comes back from the back-forward cache, so the test can see a leak."""
    page = open_page(caching_browser, weather, javascript=True)
    page.goto(f"{weather}secret")
    page.goto(weather.replace("localhost", "127.0.0.1"))
    go(page, -1)
    assert seen(page, "document.title") == "kept"
    assert "A secret" in seen(page, "document.body.innerText")


def to_result(page: Page, live_server: Any) -> None:
    put_answers_into(page.context, live_server.url, URGENT)
    for address in ("/", "/questions/self_harm/", "/questions/health/", "/help/", "/check/"):
        page.goto(address)
    page.get_by_role("button", name="Save and see").click()
    expect(page.get_by_role("heading").first).to_have_text("Please get help now")


def go(page: Page, steps: int) -> None:
    """Move in the browser's history, without waiting for a load event, which a cached page never sends."""
    tool = page.context.new_cdp_session(page)
    history = tool.send("Page.getNavigationHistory")
    place = history["currentIndex"] + steps
    if 0 <= place < len(history["entries"]):
        tool.send("Page.navigateToHistoryEntry", {"entryId": history["entries"][place]["id"]})
        time.sleep(0.5)  # a cached page sends no event to wait for


def seen(page: Page, expression: str) -> Any:
    tool = page.context.new_cdp_session(page)
    return tool.send("Runtime.evaluate", {"expression": expression})["result"].get("value")


def shows_nothing(page: Page) -> None:
    for _attempt in range(50):
        if seen(page, "document.documentElement && document.readyState") == "complete":
            break
        time.sleep(0.1)
    shown = seen(page, "document.documentElement.innerText")
    assert not [secret for secret in SECRETS if secret in shown], page.url
    assert seen(page, "document.querySelectorAll(':checked').length") == 0


@pytest.mark.parametrize(
    "javascript", [True, pytest.param(False, marks=pytest.mark.full)], ids=["with JavaScript", "without"]
)
def test_after_leaving_back_forward_and_reload_show_nothing(
    caching_browser: Browser, live_server: Any, weather: str, javascript: bool
) -> None:
    page = open_page(caching_browser, live_server.url, javascript)
    to_result(page, live_server)
    page.get_by_role("link", name="Leave now").click()
    expect(page).to_have_url(weather)
    assert not [cookie for cookie in page.context.cookies() if cookie["domain"] == "127.0.0.1"]
    addresses = set()
    for steps in (-1, 1, -1, -1, -1, -1, -1, -1, -1, -1, 2, 3):
        go(page, steps)
        shows_nothing(page)
        addresses.add(seen(page, "location.href"))
    page.reload()
    shows_nothing(page)
    assert len(addresses) > 3
    again = page.context.new_page()
    again.goto("/result/")
    shows_nothing(again)
    assert again.url == f"{live_server.url}/"
    page.context.close()


def test_shift_three_times_leaves(caching_browser: Browser, live_server: Any, weather: str) -> None:
    page = open_page(caching_browser, live_server.url, javascript=True)
    to_result(page, live_server)
    for key in ("Shift", "Shift", "a", "Shift"):
        page.keyboard.press(key)
    expect(page.get_by_role("heading").first).to_have_text("Please get help now")
    for _ in range(3):
        page.keyboard.press("Shift")
    expect(page).to_have_url(weather)
    page.context.close()


def test_shift_never_leaves_while_one_writes(caching_browser: Browser, live_server: Any, weather: str) -> None:
    page = open_page(caching_browser, live_server.url, javascript=True)
    to_result(page, live_server)
    for address in ("/contact/", "/return/"):
        page.goto(address)
        fields = page.locator("main :is(input:not([type=hidden], [type=radio], [type=checkbox]), textarea)")
        assert fields.count() == (5 if address == "/contact/" else 1)
        for field in fields.all():
            field.focus()
            for _ in range(6):
                page.keyboard.press("Shift")
            page.keyboard.type("Ann Lee USA")
            expect(field).to_have_value("Ann Lee USA")
    page.keyboard.press("Tab")  # from the field to the button
    for _ in range(3):
        page.keyboard.press("Shift")
    expect(page).to_have_url(weather)
    page.context.close()


def test_page_is_covered_before_the_server_has_answered(
    caching_browser: Browser, live_server: Any, weather: str
) -> None:
    page = open_page(caching_browser, live_server.url, javascript=True)
    to_result(page, live_server)
    hidden = "document.querySelector('[data-leave]').click(), getComputedStyle(document.documentElement).display"
    assert page.evaluate(hidden) == "none"
    page.context.close()


def test_leaving_takes_its_own_page_out_of_the_history(
    caching_browser: Browser, live_server: Any, weather: str
) -> None:
    page = open_page(caching_browser, live_server.url, javascript=True)
    page.goto("/")
    before = page.evaluate("history.length")
    page.get_by_role("link", name="Leave now").click()
    expect(page).to_have_url(weather)
    assert page.evaluate("history.length") == before
    page.context.close()
