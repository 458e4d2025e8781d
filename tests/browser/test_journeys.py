"""Whole journeys in a browser, mostly on a phone's screen with JavaScript off."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from screening.explanation import explain
from screening.models import Contact, Submission
from screening.questionnaire import PAGES
from screening.rules import CURRENT
from tests.answers import BEST, IOP, KINDS, URGENT
from tests.browser.conftest import answer, to_check

pytestmark = pytest.mark.django_db(transaction=True)

RESULT = re.compile(r"/result/$")
HOME = "A program you go to from home may be a good place to start"
STAY = "A program where you stay may be the safest place to start"


@pytest.mark.parametrize(
    ("name", "heading", "button"),
    [
        ("iop", HOME, "See my result without saving"),
        ("close call", "Both could fit. Talk it over before you choose", "Save and see my result"),
        ("urgent", "Please get help now", "Save and see my result"),
    ],
)
def test_journey_over_every_page_to_a_result(phone: Page, name: str, heading: str, button: str) -> None:
    answer(phone, KINDS[name])
    phone.get_by_role("button", name=button).click()
    expect(phone).to_have_url(RESULT)
    expect(phone.get_by_role("heading", level=1)).to_have_text(heading)
    if name == "urgent":
        phone.get_by_text("When you are safe").click()
    here = phone.locator(".grid td.here")
    expect(here).to_have_count(1)
    expect(here).to_contain_text("You")
    expect(phone.get_by_role("link", name="Call (405) 555-0100")).to_be_visible()
    assert Submission.objects.count() == (1 if button.startswith("Save") else 0)


def test_back_refresh_and_change_lose_nothing(phone: Page, live_server: Any) -> None:
    to_check(phone, live_server, IOP)
    phone.goto("/questions/support/")
    phone.reload()
    expect(phone.locator('input[name="supporters"]:checked')).to_have_value("several")
    phone.goto("/check/")
    phone.get_by_role("link", name=re.compile("Change.*Do you have a job")).click()
    phone.get_by_text("I have neither").click()
    phone.get_by_role("button", name="Continue").click()
    expect(phone).to_have_url(re.compile(r"/check/#job$"))
    expect(phone.get_by_text("I have neither")).to_be_in_viewport()
    phone.get_by_role("button", name="Save and see").click()
    expect(phone).to_have_url(RESULT)
    phone.reload()
    phone.go_back()
    phone.get_by_role("button", name="Save and see").click()
    expect(phone).to_have_url(RESULT)
    assert Submission.objects.get().answers == BEST


def test_two_tabs_share_the_answers(phone: Page, live_server: Any) -> None:
    to_check(phone, live_server, IOP)
    other = phone.context.new_page()
    other.goto("/questions/job/")
    other.get_by_text("I have neither").click()
    other.get_by_role("button", name="Continue").click()
    expect(other).to_have_url(re.compile(r"/check/$"))
    phone.get_by_role("button", name="Save and see").click()
    expect(phone.get_by_text("Your answers have changed since you opened this page")).to_be_visible()
    assert not Submission.objects.exists()
    phone.get_by_role("button", name="Save and see").click()
    expect(phone).to_have_url(RESULT)
    assert Submission.objects.get().answers == BEST


def test_error_summary_leads_to_the_open_question(phone: Page) -> None:
    phone.goto("/questions/emergency/")
    phone.get_by_role("button", name="Continue").click()
    expect(phone).to_have_title(re.compile("^Error: "))
    phone.get_by_role("link", name="Tell us if any of this is happening right now.").click()
    assert phone.url.endswith("#id_emergency_0")
    expect(phone.locator("#id_emergency_0")).to_be_in_viewport()


def test_keyboard_alone_gets_through_a_page(phone: Page) -> None:
    phone.goto("/questions/emergency/")
    for _ in range(12):
        phone.keyboard.press("Tab")
        if phone.locator('input[name="emergency"]:focus').count():
            break
    phone.keyboard.press("Space")
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    expect(phone).to_have_url(re.compile(r"/questions/overdose/$"))


def test_focus_is_at_the_heading_after_each_step_and_at_the_errors_if_there_are_any(
    page: Page, live_server: Any
) -> None:
    focused = "document.activeElement.closest('h1, .wrong-summary')?.textContent.trim().split('\\n')[0]"
    page.goto(f"{live_server.url}/questions/emergency/")
    assert page.evaluate(focused) == PAGES[0].questions[0].text
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title(re.compile("^Error: "))
    assert page.evaluate(focused) == "There is a problem"
    page.get_by_role("radio", name="No", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile("/questions/overdose/"))
    assert page.evaluate(focused) == PAGES[1].questions[0].text


@pytest.mark.parametrize("name", ["iop", "close call", "today", "urgent"])
def test_print_holds_result_numbers_why_questions_and_code_at_eleven_points(
    phone: Page, live_server: Any, name: str
) -> None:
    to_check(phone, live_server, KINDS[name])
    phone.get_by_role("button", name="Save and see").click()
    expect(phone).to_have_url(RESULT)
    assert smaller_in_print(phone, "body", 11) == []
    recommendation = Submission.objects.get().recommendation
    expect(phone.locator("h1")).to_be_visible()
    expect(phone.locator("p.code")).to_be_visible()
    for reason in recommendation.reasons:
        expect(phone.locator(".card, .urgent").get_by_text(reason.text).first).to_be_visible()
    for notice in explain(recommendation, KINDS[name], CURRENT).notices:
        expect(phone.get_by_text(notice.first).first).to_be_visible()
    expect(phone.locator(".ask li:visible")).to_have_count(7)
    assert sheets(phone, "Letter") <= 4


def test_back_to_a_page_with_errors_asks_for_the_page_not_to_send_it_again(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/questions/emergency/")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title(re.compile("^Error: "))
    page.get_by_role("radio", name="No", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile("/questions/overdose/"))
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[0].questions[0].text)
    expect(page.locator("input:checked")).to_have_count(1)


def sheets(page: Page, paper: str) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format=paper)))


def smaller_in_print(page: Page, within: str, points: float) -> list[str]:
    """Return what is smaller than that on paper; 1 pt is 4/3 px."""
    page.emulate_media(media="print")
    found: list[str] = page.evaluate(
        """([within, least]) => [...document.querySelectorAll(within + ' *')].filter(e => e.checkVisibility()
            && !e.matches('.unseen, script') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
            && parseFloat(getComputedStyle(e).fontSize) < least - .1).map(e => e.outerHTML.slice(0, 80))""",
        [within, points * 4 / 3],
    )
    return found


@pytest.mark.parametrize(("prefix", "most"), [("", 6), ("/es", 8)])
def test_paper_form_and_the_way_to_the_result_are_large_enough_to_read(phone: Page, prefix: str, most: int) -> None:
    phone.goto(f"{prefix}/paper/")
    assert max(sheets(phone, "Letter"), sheets(phone, "A4")) <= most  # half as many, printed on both sides
    assert smaller_in_print(phone, ".form-on-paper", 12) == []
    assert smaller_in_print(phone, ".sheet-on-paper", 11) == []
    phone.goto(f"{prefix}/how-it-works/")
    assert smaller_in_print(phone, "main", 11) == []


def test_coming_back_asking_for_a_call_and_erasing_without_a_script(
    phone: Page, browser: Browser, live_server: Any
) -> None:
    to_check(phone, live_server, URGENT)
    phone.get_by_role("button", name="Save and see").click()
    code = phone.locator("p.code").inner_text()
    context = browser.new_context(base_url=re.sub(r"/result/$", "", phone.url), java_script_enabled=False)
    other = context.new_page()
    other.goto("/")
    other.get_by_role("link", name="I have a code").click()
    other.get_by_label("Your code").fill(code.lower().replace("-", " ")[:-1])
    other.get_by_role("button", name="Show my result").click()
    expect(other.get_by_role("alert")).to_contain_text("this has 24")
    other.get_by_label("Your code").fill(code.lower().replace("-", " "))
    other.get_by_role("button", name="Show my result").click()
    expect(other).to_have_url(RESULT)
    other.get_by_text("When you are safe").click()
    other.get_by_text("What we keep, and who has seen it").click()
    expect(other.get_by_text("Nobody on our staff has opened it on this site yet.")).to_be_visible()
    other.get_by_role("link", name="Ask us to call you").click()
    other.get_by_label("Phone").fill("405 555 0123")
    other.get_by_label("You may text this number").check()
    other.get_by_label("I agree").check()
    other.get_by_role("button", name="Ask for a call").click()
    expect(other.get_by_text("you asked us to call.")).to_be_visible()
    contact = Contact.objects.get()
    assert (contact.phone, contact.may_text, contact.may_voicemail) == ("405 555 0123", True, False)
    other.get_by_role("link", name="Back to my result").click()
    other.get_by_role("link", name="Erase what I saved").click()
    other.get_by_role("button", name="Yes, erase it all").click()
    expect(other.get_by_text("What you saved is gone")).to_be_visible()
    assert not Submission.objects.exists()
    phone.reload()
    expect(phone.get_by_text("What you saved is no longer kept.")).to_be_visible()
    context.close()
