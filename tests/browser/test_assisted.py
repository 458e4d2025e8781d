"""A screening with someone in the browser: a paper form by keyboard, and the mouse."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from screening.models import Submission
from screening.questionnaire import QUESTIONS
from screening.rules.worksheet import letters
from tests.answers import IOP, answers
from tests.desk.helpers import member, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(browser: Browser, live_server: Any) -> Iterator[Page]:
    """The desk of someone with the role "contact", without JavaScript."""
    client = signed_in(member("cora", "contact"))
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies(
        [{"name": name, "value": each.value, "url": live_server.url} for name, each in client.cookies.items()]
    )
    yield context.new_page()
    context.close()


def test_paper_form_is_in_within_a_minute_by_keyboard(desk: Page) -> None:
    """Type as a person does, two letters a second."""
    given = answers(constant_care="always", supporters="nobody")
    typed = "".join(letters(key)[list(QUESTIONS[key].options).index(value)] for key, value in given.items())
    began = time.monotonic()
    desk.goto("/admin/")
    desk.get_by_role("link", name="Start a screening").press("Enter")
    desk.get_by_label("Letters from the paper, in one row").press_sequentially(typed, delay=500)
    desk.keyboard.press("Enter")
    expect(desk.locator(".to-do")).to_contain_text("Please get help today")
    desk.get_by_label("On paper").press("Space")
    desk.get_by_label("They agreed").press("Space")
    desk.get_by_role("button", name="Save, and print the slip").press("Enter")
    expect(desk.locator(".slip")).to_contain_text("Reference")
    assert time.monotonic() - began < 60
    assert Submission.objects.get().readable_answers == given


def test_by_mouse_enter_in_the_row_of_letters_never_saves(desk: Page) -> None:
    desk.goto("/admin/assisted/")
    for key, value in IOP.items():
        desk.locator(f"input[name={key}][value={value}]").check()
    desk.get_by_role("button", name="See the result").last.click()
    expect(desk.locator(".to-do")).to_contain_text("A program you go to from home")
    desk.get_by_label("By phone").check()
    desk.get_by_label("They agreed").check()
    desk.get_by_label("Letters from the paper, in one row").press("Enter")
    expect(desk.locator(".to-do")).to_be_visible()
    assert not Submission.objects.exists()
    desk.get_by_role("button", name="Save, and print the slip").click()
    expect(desk.locator(".slip")).to_be_visible()
    assert Submission.objects.get().channel == "phone"
