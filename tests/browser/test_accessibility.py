"""Public pages pass axe, fit the screen and have large enough controls, on phone and desktop, light and dark."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from screening.questionnaire import PAGES
from tests.answers import CLOSE_CALL, URGENT, WORST, on_page
from tests.browser.conftest import WIDTHS, put_answers_into
from tests.public.addresses import NOT_FOUND, pages_for_anyone, pages_in

AXE = {"resultTypes": ["violations", "incomplete"]}  # it need not describe what passes
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_is_enough]


def assert_no_violations(response: dict[str, Any], name: str) -> None:
    # axe reports text in the color of its background only as "incomplete".
    unseen = [each for each in response["incomplete"] if each["id"] == "color-contrast" and "equalRatio" in str(each)]
    violations = response["violations"] + unseen
    assert not violations, f"{name}: " + "; ".join(f"{v['id']}: {v['nodes'][0]['html']}" for v in violations)


def check(page: Page, name: str) -> None:
    """Check everything in light colors, and what depends on the colors in dark ones too."""
    assert_no_violations(Axe().run(page, options=AXE).response, name)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate("options => axe.run(document, options)", AXE | {"runOnly": ["color-contrast"]})
    assert_no_violations(dark, f"{name}, dark")
    page.emulate_media(color_scheme="light")
    size = page.viewport_size
    assert size
    for width in (size["width"], 320):
        page.set_viewport_size({"width": width, "height": 844})
        cut = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert cut <= 0, f"{name} is {cut} px wider than a screen of {width} px"
    page.set_viewport_size(size)
    small = page.evaluate(
        """[...document.querySelectorAll('a, button, label.choice, summary')].filter(e => {
            const box = e.getBoundingClientRect();
            const inText = e.matches('.skip, .ref, .sources a, .card li a, .callout a, .facts a, section > p a');
            return !inText && box.height > 0 && box.height < 44;
        }).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert not small, f"{name}: too small to tap: {small}"


@pytest.mark.parametrize(
    "width", [WIDTHS["phone"], pytest.param(WIDTHS["desk"], marks=pytest.mark.full)], ids=["phone", "desk"]
)
def test_every_page_is_accessible(browser: Browser, live_server: Any, width: int) -> None:
    context = browser.new_context(base_url=live_server.url, viewport={"width": width, "height": 844})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for address in pages_for_anyone():
        response = page.goto(address)
        assert response
        assert response.status == (404 if address == NOT_FOUND else 200), address
        check(page, address)
    for each in PAGES:
        page.goto(f"/questions/{each.slug}/")
        check(page, each.slug)
        page.get_by_role("button", name="Continue").click()
        expect(page).to_have_title(re.compile("^Error: "))
        check(page, f"{each.slug} with errors")
        for key, value in on_page(each, CLOSE_CALL).items():
            page.locator(f'input[name="{key}"][value="{value}"]').check()
        page.get_by_role("button", name="Continue").click()
        expect(page).not_to_have_url(re.compile(f"/questions/{each.slug}/"))
    for given in (CLOSE_CALL, URGENT, WORST):
        put_answers_into(context, live_server.url, given)
        for address in ("/help/", "/check/"):
            page.goto(address)
            check(page, address)
        page.get_by_role("button", name="without saving").click()
        expect(page).to_have_url(re.compile(r"/result/$"))
        check(page, "result")
    page.goto("/contact/")
    check(page, "contact, not saved")
    page.get_by_role("button", name="Save my answers").click()
    expect(page.locator("#id_phone")).to_be_visible()
    check(page, "contact")
    page.get_by_role("button", name="Ask for a call").click()
    expect(page).to_have_title(re.compile("^Error: "))
    check(page, "contact with errors")
    page.locator("#id_phone").fill("405 555 0123")
    page.locator("#id_agree").check()
    page.get_by_role("button", name="Ask for a call").click()
    expect(page.get_by_text("you asked us to call")).to_be_visible()
    check(page, "contact, asked")
    for address in (address for address, _response in pages_in("saved") if address not in pages_for_anyone()):
        page.goto(address)
        check(page, f"{address} saved")
    page.goto("/return/")
    page.get_by_role("button", name="Show my result").click()
    expect(page).to_have_title(re.compile("^Error: "))
    check(page, "return with errors")
    assert {url for url in asked if not url.startswith(live_server.url)} == set()
    context.close()
