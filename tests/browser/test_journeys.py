"""Whole journeys in a browser, mostly on a phone's screen with JavaScript off."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from screening.models import Contact, Submission
from screening.questionnaire import PAGES
from tests.answers import BEST, IOP, KINDS, URGENT, WORST, on_page
from tests.browser.conftest import answer

pytestmark = pytest.mark.django_db(transaction=True)

RESULT = re.compile(r"/result/$")
HOME = "A program you go to from home may be a good place to start"
STAY = "A program where you stay may be the safest place to start"


@pytest.mark.parametrize(
    ("name", "headings"),
    [
        ("iop", [HOME]),
        ("inpatient", [STAY]),
        ("close call", [HOME]),
        ("urgent", ["Please get help now", STAY]),
    ],
)
@pytest.mark.parametrize("button", ["Save and see my result", "See my result, keep nothing"])
def test_journey_to_a_result(phone: Page, name: str, headings: list[str], button: str) -> None:
    answer(phone, KINDS[name])
    phone.get_by_role("button", name=button).click()
    expect(phone).to_have_url(RESULT)
    for place, heading in enumerate(headings):
        expect(phone.get_by_role("heading").nth(place)).to_have_text(heading)
    here = phone.locator(".grid td.here")
    expect(here).to_have_count(1)
    expect(here).to_contain_text("You")
    expect(phone.get_by_text("This was close.")).to_have_count(1 if name == "close call" else 0)
    expect(phone.get_by_role("link", name="(405) 555-0100")).to_be_visible()
    assert Submission.objects.count() == (1 if button.startswith("Save") else 0)


def test_back_refresh_and_change_lose_nothing(phone: Page) -> None:
    answer(phone, IOP)
    phone.go_back()
    phone.go_back()
    expect(phone.locator('input[name="supporters"]:checked')).to_have_value("several")
    phone.reload()
    expect(phone.locator('input[name="supporters"]:checked')).to_have_value("several")
    phone.goto("/check/")
    phone.get_by_role("link", name=re.compile("Change.*Do you have a job")).click()
    phone.get_by_text("I have neither").click()
    phone.get_by_role("button", name="Continue").click()
    expect(phone).to_have_url(re.compile(r"/check/$"))
    expect(phone.get_by_text("I have neither")).to_be_visible()
    phone.get_by_role("button", name="Save and see").click()
    expect(phone).to_have_url(RESULT)
    phone.reload()
    phone.go_back()
    phone.get_by_role("button", name="Save and see").click()
    expect(phone).to_have_url(RESULT)
    assert Submission.objects.get().answers == BEST


def test_two_tabs_share_the_answers(phone: Page) -> None:
    answer(phone, IOP)
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
    phone.goto("/questions/safety/")
    phone.locator('input[name="emergency"][value="none"]').check()
    phone.get_by_role("button", name="Continue").click()
    expect(phone).to_have_title(re.compile("^Error: "))
    expect(phone.locator('input[name="emergency"]:checked')).to_have_value("none")
    phone.get_by_role("link", name="Choose an answer about feeling safe where you live").click()
    assert phone.url.endswith("#id_home_safety_0")
    expect(phone.locator("#id_home_safety_0")).to_be_in_viewport()


def test_keyboard_alone_gets_through_a_page(phone: Page) -> None:
    phone.goto("/questions/safety/")
    for _ in range(12):
        phone.keyboard.press("Tab")
        if phone.locator('input[name="emergency"]:focus').count():
            break
    for _ in range(3):
        phone.keyboard.press("Space")
        phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    expect(phone).to_have_url(re.compile(r"/questions/job/$"))


@pytest.mark.parametrize("name", ["iop", "close call", "worst"])
def test_result_prints_on_two_sheets_at_most(phone: Page, name: str) -> None:
    answer(phone, WORST if name == "worst" else KINDS[name])
    phone.get_by_role("button", name="keep nothing").click()
    expect(phone).to_have_url(RESULT)
    assert sheets(phone, "Letter") <= 2
    assert sheets(phone, "A4") <= 2


def test_back_to_a_page_with_errors_asks_for_the_page_not_to_send_it_again(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/questions/safety/")
    page.locator('input[name="emergency"][value="none"]').check()
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title(re.compile("^Error: "))
    for key, value in on_page(PAGES[0], IOP).items():
        page.locator(f'input[name="{key}"][value="{value}"]').check()
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile("/questions/job/"))
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[0].title)
    expect(page.locator("input:checked")).to_have_count(len(PAGES[0].questions))


def sheets(page: Page, paper: str) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format=paper)))


def test_paper_form_prints_on_two_sheets_and_the_way_to_the_result_on_one(phone: Page) -> None:
    phone.goto("/paper/")
    assert sheets(phone, "Letter") == sheets(phone, "A4") == 3


def test_coming_back_asking_for_a_call_and_erasing_without_a_script(phone: Page, browser: Browser) -> None:
    answer(phone, URGENT)
    phone.get_by_role("button", name="Save and see").click()
    code = phone.locator("p.code").inner_text()
    context = browser.new_context(base_url=re.sub(r"/result/$", "", phone.url), java_script_enabled=False)
    other = context.new_page()
    other.goto("/")
    other.get_by_role("link", name="I have a code").click()
    other.get_by_label("Your code").fill(code.lower().replace("-", " ")[:-1])
    other.get_by_role("button", name="Show my result").click()
    expect(other.get_by_role("alert")).to_contain_text("typing mistake")
    other.get_by_label("Your code").fill(code.lower().replace("-", " "))
    other.get_by_role("button", name="Show my result").click()
    expect(other).to_have_url(RESULT)
    expect(other.get_by_text("Nobody on our staff has opened it on this site yet.")).to_be_visible()
    other.get_by_role("link", name="Or ask us to call you").click()
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
