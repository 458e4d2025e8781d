"""By keyboard alone: few keys, a focus that is always seen, and a place to begin after each step.

The place to begin has no outline: it can't be operated, and everyone who taps would see it on every page.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from screening.questionnaire import PAGES, QUESTIONS
from tests.answers import IOP, KINDS, on_page
from tests.browser.conftest import put_answers_into

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_is_enough]

MOST_KEYS = 100
# What is wrong with the look of what has the focus; "" if nothing is. A label has the outline of what it labels.
LOOK = """() => {
    const focused = document.activeElement, seen = focused.closest("label") ?? focused;
    const box = seen.getBoundingClientRect(), style = getComputedStyle(seen), header = document.querySelector(".top");
    const over = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    const name = seen.outerHTML.slice(0, 80);
    if (focused === document.body) return "nothing has the focus";
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return `no outline: ${name}`;
    if (box.top < -1 || box.bottom > innerHeight + 1) return `not on the screen: ${name}`;
    if (!focused.matches(".top *, .skip") && box.top < header.getBoundingClientRect().bottom) return `covered: ${name}`;
    return seen.contains(over) ? "" : `under something: ${name}`;
}"""


class Keyboard:
    """Presses keys, counts them, and looks after each Tab and arrow at what has the focus."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed = page, 0

    def press(self, key: str, times: int = 1) -> None:
        for _time in range(times):
            self.page.keyboard.press(key)
            self.pressed += 1
            if key not in ("Enter", "Space"):
                assert self.page.evaluate(LOOK) == "", self.page.url

    def tab_to(self, selector: str) -> None:
        for _tab in range(60):
            self.press("Tab")
            if self.page.locator(f":is({selector}):focus").count():
                return
        raise AssertionError(f"Tab does not lead to {selector} on {self.page.url}")

    def enter(self, address: str) -> None:
        """Press Enter, which leads to this address, where the focus is at the place to begin."""
        self.press("Enter")
        self.page.wait_for_url(re.compile(f"{address}$"))
        assert begins_at(self.page) == "h1"

    def choose(self, key: str, value: str) -> None:
        """Choose with the arrows, the shorter way round; the first one with Space."""
        self.press("Tab")
        place, options = list(QUESTIONS[key].options).index(value), len(QUESTIONS[key].options)
        if place == 0:
            self.press("Space")
        self.press(*("ArrowDown", place) if place <= options // 2 else ("ArrowUp", options - place))
        assert self.page.locator(f"input[name={key}]:checked").get_attribute("value") == value


def begins_at(page: Page) -> str:
    """Return which of the places to begin has the focus: a heading, what is wrong, or a message; else ""."""
    places = ("h1", ".wrong-summary", ".note")
    return str(page.evaluate("places => places.find(place => document.activeElement.matches(place)) ?? ''", places))


@pytest.fixture
def keyboard(browser: Browser, live_server: Any) -> Iterator[Keyboard]:
    context = browser.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844})
    yield Keyboard(context.new_page())
    context.close()


@pytest.mark.parametrize(("name", "prefix"), [("close call", "/es"), ("urgent", "")])
def test_whole_journey_takes_few_keys_and_the_focus_is_always_seen(keyboard: Keyboard, name: str, prefix: str) -> None:
    page = keyboard.page
    page.goto(f"{prefix}/")
    assert begins_at(page) == "h1"
    keyboard.tab_to("a.button")
    addresses = [*(f"{prefix}/questions/{each.slug}/" for each in PAGES), f"{prefix}/check/"]
    keyboard.enter(addresses[0])
    for each, following in zip(PAGES, addresses[1:], strict=True):
        for key, value in on_page(each, KINDS[name]).items():
            keyboard.choose(key, value)
        keyboard.tab_to("form .button")
        if name == "urgent" and each.slug == "self_harm":
            keyboard.enter("/help/")
            keyboard.tab_to("a.quiet")
        keyboard.enter(following)
    keyboard.tab_to("[href='#end']")
    keyboard.press("Enter")
    keyboard.tab_to("button[value=save]")
    keyboard.enter(f"{prefix}/result/")
    keyboard.tab_to("main a[href^='tel:']")
    assert keyboard.pressed <= MOST_KEYS


@pytest.mark.parametrize(("width", "size"), [(390, 200), (320, 100)])
def test_going_back_the_focus_is_never_under_the_header(
    browser: Browser, live_server: Any, width: int, size: int
) -> None:
    context = browser.new_context(base_url=live_server.url, viewport={"width": width, "height": 844}, bypass_csp=True)
    put_answers_into(context, live_server.url, IOP)
    keyboard = Keyboard(context.new_page())
    keyboard.page.goto("/check/")
    keyboard.page.add_style_tag(content=f"html {{ font-size: {112.5 * size / 100}% }}")
    keyboard.page.locator("button[value=view]").focus()
    keyboard.press("Shift+Tab", 27)
    assert keyboard.page.evaluate("document.activeElement.className") == "skip"
    context.close()


def test_each_step_begins_at_what_is_wrong_or_was_done(keyboard: Keyboard) -> None:
    page = keyboard.page
    page.goto("/questions/emergency/")
    keyboard.tab_to("form .button")
    keyboard.press("Enter")
    expect(page).to_have_title(re.compile("^Error: "))
    assert begins_at(page) == ".wrong-summary"
    keyboard.tab_to(".wrong-summary a")
    keyboard.press("Enter")
    page.wait_for_url(re.compile("#id_emergency_0$"))
    assert page.evaluate(LOOK) == ""
    assert page.evaluate("document.activeElement.id") == "id_emergency_0"
    page.goto("/?note=cleared")
    assert begins_at(page) == ".note"
    page.context.add_cookies([{"name": settings.DRAFT_COOKIE_NAME, "value": "unreadable", "url": page.url}])
    page.goto("/questions/emergency/")
    assert begins_at(page) == ".note"
    page.locator("form .button").click()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator(".note")).to_be_visible()
    assert begins_at(page) == ".wrong-summary"
