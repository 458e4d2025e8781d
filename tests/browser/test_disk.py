"""The browser keeps no answers, return code or contact details on disk."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page, expect

from screening.questionnaire import QUESTIONS
from tests.answers import URGENT
from tests.browser.conftest import answer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_is_enough]
TYPED = {"name": "Quillon Zebrowski", "phone": "405-555-0147", "best_time": "moonless midnights"}
SHOWN = {
    "Please get help now",
    "You might act on thoughts",
    *(QUESTIONS[key].options[value] for key, value in URGENT.items() if len(QUESTIONS[key].options[value]) > 25),
}


class Unguarded(BaseHTTPRequestHandler):
    """A site that lets the browser cache everything, and the neutral site of Leave now."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Cache-Control", "max-age=3600")
        self.end_headers()
        careless = b"<title>Careless title</title><h1>Careless heading</h1><form><input name=note></form>"
        self.wfile.write(careless if "careless" in self.path else b"<h1>Sunny</h1>")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def elsewhere(center_tells: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Unguarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://localhost:{server.server_port}/"
    center_tells(leave_url=url)
    yield url
    server.shutdown()
    server.server_close()


@contextmanager
def browser_of(
    browser_type: BrowserType, launch_args: dict[str, Any], profile: Path, *more: str
) -> Iterator[BrowserContext]:
    """Open a browser with a profile on disk and the back-forward cache on."""
    context = browser_type.launch_persistent_context(
        str(profile),
        **{name: value for name, value in launch_args.items() if name != "args"},
        args=list(more),
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield context
    context.close()


def on_disk(profile: Path, words: set[str]) -> set[tuple[str, str]]:
    """Return (file, word) for each word that a file of the profile holds, in UTF-8 or UTF-16."""
    found = set()
    for path in profile.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            forms = {word: (word.encode(), word.encode("utf-16-le")) for word in words}
            found |= {(path.name, word) for word, (short, wide) in forms.items() if short in content or wide in content}
    return found


def test_control_a_careless_site_leaves_its_pages_on_disk(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], tmp_path: Path, elsewhere: str
) -> None:
    with browser_of(browser_type, browser_type_launch_args, tmp_path) as context:
        page = context.pages[0]
        page.goto(f"{elsewhere}careless")
        page.locator("input").fill("Careless remark")
        page.goto(elsewhere)
        time.sleep(1)
    found = {word for _file, word in on_disk(tmp_path, {"Careless title", "Careless heading", "Careless remark"})}
    assert {"Careless title", "Careless heading"} <= found


def whole_journey(page: Page, base_url: str) -> str:
    """Answer, save, ask for a call, and open the result by the code; return the code."""
    page.context.set_default_timeout(15_000)
    answer(page, URGENT, start=base_url)
    page.get_by_role("button", name="Save and see").click()
    code = page.locator("p.code").inner_text()
    page.get_by_text("When you are safe").click()
    page.get_by_role("link", name="Ask us to call you").click()
    for key, text in TYPED.items():
        page.locator(f"#id_{key}").fill(text)
    page.get_by_role(
        "button", name="Ask for a call"
    ).click()  # without the consent the page comes back with what was typed
    expect(page.locator("[role=alert]")).to_be_visible()
    page.locator("#id_agree").check()
    page.get_by_role("button", name="Ask for a call").click()
    expect(page.get_by_text("you asked us to call")).to_be_visible()
    page.goto(f"{base_url}/return/")
    page.locator("#id_code").fill(code)
    page.get_by_role("button", name="Show my result").click()
    expect(page.get_by_role("heading").first).to_have_text("Please get help now")
    return code


@pytest.mark.parametrize(
    "leaves", [True, pytest.param(False, marks=pytest.mark.full)], ids=["after leaving", "even without leaving"]
)
def test_browser_keeps_nothing_of_the_answers_on_disk(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    tmp_path: Path,
    live_server: Any,
    elsewhere: str,
    leaves: bool,
) -> None:
    with browser_of(browser_type, browser_type_launch_args, tmp_path) as context:
        page = context.pages[0]
        code = whole_journey(page, live_server.url)
        if leaves:
            page.get_by_role("link", name="Leave now").click()
            expect(page).to_have_url(elsewhere)
        time.sleep(1)
    assert (tmp_path / "Default" / "History").exists()
    assert on_disk(tmp_path, {*SHOWN, *TYPED.values(), code, code.replace("-", "")}) == set()


def test_reopening_what_was_open_shows_nothing_after_leaving(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    tmp_path: Path,
    live_server: Any,
    elsewhere: str,
) -> None:
    with browser_of(browser_type, browser_type_launch_args, tmp_path) as context:
        page = context.pages[0]
        code = whole_journey(page, live_server.url)
        page.get_by_role("link", name="Leave now").click()
        expect(page).to_have_url(elsewhere)
        time.sleep(1)
    secrets = ("Please get help now", "Check your answers", *TYPED.values(), code)
    with browser_of(browser_type, browser_type_launch_args, tmp_path, "--restore-last-session") as context:
        time.sleep(1)
        assert elsewhere in {page.url for page in context.pages}
        for page in context.pages:
            for _step in range(6):
                text = page.locator("html").inner_text()
                assert not [word for word in secrets if word in text], page.url
                assert page.locator(":checked").count() == 0
                page.go_back()
        for path in ("/result/", "/check/", "/contact/"):
            page.goto(f"{live_server.url}{path}")
            assert not [word for word in secrets if word in page.locator("html").inner_text()]
