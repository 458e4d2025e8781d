"""The buttons of docs/on-your-website.md, on a page like a center's own."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, expect

from screening import counts
from screening.models import Count
from tests.browser.conftest import WIDTHS
from tests.browser.test_matrix import AXE, SMALL, found_by_axe, wider_than_the_screen

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_is_enough]

DOCUMENT = Path(__file__).parents[2] / "docs/on-your-website.md"
BUTTONS = re.findall(r"(?s)```html\n(.*?)\n```", DOCUMENT.read_text())
HOST = "https://screening.example.org"
# A careless one: it takes the ring of the focus away.
STYLE = """:root { background: #fff; color: #222 } a:focus { outline: none }
@media (prefers-color-scheme: dark) { :root { background: #111; color: #eee } }"""
PAGE = f"""<!doctype html><html lang="en"><title>A center</title><meta name="viewport" content="width=device-width">
<style>{STYLE}</style><main><h1>A center</h1>BUTTONS</main>"""


def link_of(button: str) -> Tag:
    (link,) = BeautifulSoup(button, "html.parser").contents
    assert isinstance(link, Tag)
    return link


def test_button_is_one_link_with_a_style_and_nothing_that_acts_or_loads() -> None:
    assert [link_of(button).get("lang", "en") for button in BUTTONS] == ["en", "es"]
    for link in map(link_of, BUTTONS):
        assert link.name == "a"
        assert link.find_all(True) == []
        assert set(link.attrs) <= {"href", "hreflang", "lang", "style"}
        assert link["href"].startswith(f"{HOST}/")
        assert not re.search(r"url|@|\\|:\s*expression|important", str(link["style"]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_button_is_accessible_large_and_shows_the_focus(browser: Browser, scheme: Any) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.set_content(PAGE.replace("BUTTONS", "".join(f"<p>{button}</p>" for button in BUTTONS)))
    page.evaluate(Axe().axe_script)
    for width in reversed(WIDTHS.values()):
        page.set_viewport_size({"width": width, "height": 844})
        assert [*page.evaluate(SMALL), *wider_than_the_screen(page)] == []
    assert [*found_by_axe(page, AXE)] == []
    for button in BUTTONS:
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        expect(focused).to_have_text(link_of(button).text)
        assert focused.evaluate("each => getComputedStyle(each).outlineStyle") != "none"
    page.close()


@pytest.mark.parametrize("button", BUTTONS, ids=["english", "spanish"])
@pytest.mark.parametrize("told", ["website", ""])
def test_button_leads_in_the_same_tab_to_the_first_page_which_counts_the_word_if_it_was_told(
    browser: Browser, live_server: Any, center_tells: Callable[..., None], button: str, told: str
) -> None:
    center_tells(sources=told)
    counts._noted.clear()
    page, link = browser.new_page(), link_of(button)
    page.goto(f"{live_server.url}/help/")  # any page: from an empty one, nothing is followed
    page.set_content(PAGE.replace("BUTTONS", button.replace(HOST, live_server.url)))
    page.get_by_role("link", name=link.text).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(link.text)
    expect(page.locator("html")).to_have_attribute("lang", str(link.get("lang", "en")))
    assert urlsplit(page.url).path == urlsplit(str(link["href"])).path
    assert len(page.context.pages) == 1
    page.close()
    counts.flush()
    found = Count.objects.filter(what=Count.What.SOURCE).values_list("key", "number")
    assert [*found] == ([("website", 1)] if told else [])
