"""What stands on the first screen: the number to call, in every urgent result; result and call, in every other."""

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
