"""What stands on the first screen: the number to call, in every urgent result; result and call, in every other."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from screening.rules import CURRENT, recommend
from tests.answers import BEST, CLOSE_CALL, INPATIENT, IOP
from tests.browser.conftest import to_check

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_is_enough]

SCREENS = {(390, 844): 600, (320, 568): 500}  # width, height -> where the first number begins at the latest
URGENT_RULES = [rule for rule in CURRENT.rules if rule.urgency in ("today", "now")]


def to_result(page: Page, live_server: Any, given: dict[str, str]) -> None:
    to_check(page, live_server, given)
    page.locator("button[value=view]").click()


def top_of(page: Page, selector: str) -> float:
    return float(page.locator(selector).first.evaluate("element => element.getBoundingClientRect().top"))


def test_number_to_call_is_on_the_first_screen_of_every_urgent_result(browser: Browser, live_server: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    every = {rule.key: BEST | dict(rule.when) for rule in URGENT_RULES}
    together = {"overdose": "yes", "self_harm": "attempt", "home_safety": "nowhere_else"}
    every["three kinds of help today"] = BEST | together
    every["all at once"] = {key: value for rule in URGENT_RULES for key, value in (BEST | dict(rule.when)).items()}
    every["all at once"] |= {key: value for rule in URGENT_RULES for key, value in rule.when.items()}
    for key, given in every.items():
        to_result(page, live_server, given)
        for (width, height), latest in SCREENS.items():
            page.set_viewport_size({"width": width, "height": height})
            assert top_of(page, "main a[href^='tel:']") < latest, f"{key} at {width} px"
    context.close()


@pytest.mark.parametrize("given", [IOP, CLOSE_CALL, INPATIENT], ids=["iop", "either", "inpatient"])
def test_result_reason_and_call_are_on_the_first_screen_and_a_plain_result_is_short(
    browser: Browser, live_server: Any, given: dict[str, str]
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    to_result(page, live_server, given)
    last = "main a[href='/contact/']"
    assert top_of(page, ".lead strong") < top_of(page, ".phone") < top_of(page, last) < 844 - 44
    assert "No clinician has approved them yet" in page.locator("main").inner_text()
    assert top_of(page, "text=No clinician has approved") < 844
    if recommend(given).headline == "iop":
        assert page.evaluate("document.documentElement.scrollHeight") <= 4.5 * 844
        assert len(page.locator("main").inner_text().split()) <= 450
    context.close()


def test_leave_stays_on_the_screen_with_large_text_and_zoomed(browser: Browser, live_server: Any) -> None:
    for width, size in ((390, 200), (320, 100), (320, 200)):  # 400 % zoom of 1280 px is 320 px
        context = browser.new_context(viewport={"width": width, "height": 568}, bypass_csp=True)
        page = context.new_page()
        page.goto(f"{live_server.url}/")
        page.add_style_tag(content=f"html {{ font-size: {112.5 * size / 100}% }}")
        box = page.locator(".leave").bounding_box()
        assert box
        assert box["x"] >= 0, f"{width} px, {size} %"
        assert box["x"] + box["width"] <= width, f"{width} px, {size} %"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        context.close()


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
