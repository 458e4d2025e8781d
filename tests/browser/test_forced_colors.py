"""In the colors of a contrast theme, in which the site's own are gone: what counts is seen by its pixels."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.answers import IOP
from tests.browser.conftest import to_check

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_is_enough]
# Takes out what stands in an element, and keeps its size.
EMPTY = """element => {
    const { width, height } = element.getBoundingClientRect();
    element.replaceChildren();
    Object.assign(element.style, { width: `${width}px`, height: `${height}px`, boxSizing: "border-box" });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_counts_can_be_seen_in_forced_colors(browser: Browser, live_server: Any, scheme: Any) -> None:
    """What is chosen, focused, wrong, done or one's own place looks different, and a button is more than its words."""
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, forced_colors="active", color_scheme=scheme
    )
    page = context.new_page()

    def looks(selector: str, beside: int = 0) -> bytes:
        page.locator(selector).first.scroll_into_view_if_needed()
        box = page.locator(selector).first.bounding_box()
        assert box
        clip = {"x": box["x"] - beside, "y": box["y"] - beside}
        clip |= {"width": box["width"] + 2 * beside, "height": box["height"] + 2 * beside}
        return page.screenshot(clip=clip, animations="disabled")  # type: ignore[arg-type]

    def is_changed(selector: str, deed: Callable[[], object], beside: int = 0) -> bool:
        page.evaluate("document.activeElement.blur()")
        before = looks(selector, beside)
        deed()
        return looks(selector, beside) != before

    def is_drawn_without_its_words(selector: str) -> bool:
        page.locator(selector).first.evaluate(EMPTY)
        return is_changed(selector, lambda: page.locator(selector).first.evaluate("e => e.style.visibility = 'hidden'"))

    def checks_without_focus(selector: str) -> Callable[[], object]:
        return lambda: page.locator(selector).evaluate("element => { element.click(); element.blur(); }")

    page.goto("/questions/emergency/")
    choice = "label[for=id_emergency_0]"
    for drawn in ("form .button.wide", ".leave", choice):
        assert is_drawn_without_its_words(drawn), drawn
    page.reload()
    for selector in (choice, "form .button.wide", ".leave"):
        focused = page.locator(f"{choice} input" if selector == choice else selector)
        assert is_changed(selector, focused.focus, beside=5), selector
    assert is_changed(f"{choice} input", checks_without_focus(f"{choice} input"))
    page.keyboard.press("Tab")  # so that what is focused next shows it
    assert is_changed(choice, page.locator(f"{choice} input").focus, beside=5), "chosen already"
    assert looks(".progress .here") != looks(".progress i:not(.here)")
    page.reload()
    page.locator("form .button.wide").click()  # with nothing chosen
    for drawn in (".wrong-summary", "fieldset.wrong"):
        assert is_drawn_without_its_words(drawn), drawn
    to_check(page, live_server, IOP)
    page.locator("button[value=save]").click()
    assert looks(".grid td.here") != looks(".grid td.iop:not(.here)")
    page.goto("/contact/")
    assert is_changed("#id_may_text", checks_without_focus("#id_may_text"))
    assert is_drawn_without_its_words("#id_phone")
    context.close()
