"""Two members of staff work on the same case in two browsers."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_otp.oath import TOTP
from playwright.sync_api import Browser, Page, expect

from screening.models import Phone, Submission
from tests.answers import CLOSE_CALL, IOP, URGENT
from tests.desk.helpers import CASES, PASSWORD, ask_for_call, member

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page: Page, name: str) -> None:
    """Sign in with the password and set up a second factor."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your second factor")).to_be_visible()
    device = Phone.objects.get(user__username=name)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = timezone.now().timestamp()
    page.get_by_label("Code").fill(f"{totp.token():06}")
    page.get_by_role("button", name="Set it up", exact=True).click()
    expect(page.locator(".recovery-codes code")).to_have_count(10)
    page.get_by_role("link", name="I have written them down").click()
    expect(page.get_by_role("heading", name="The desk")).to_be_visible()


def test_day_at_the_desk_with_two_of_the_staff_at_once(browser: Browser, live_server: Any, settings: Any) -> None:
    settings.SECOND_FACTOR = True
    member("rita", "reviewer")
    member("cora", "contact")
    for given in (IOP, CLOSE_CALL):
        Submission.objects.submit(given)
    urgent = Submission.objects.submit(URGENT)
    ask_for_call(urgent, name="Robin Quill", may_voicemail=False, to_others="say it is the library")
    contexts = [browser.new_context(base_url=live_server.url) for _ in range(2)]
    rita, cora = (context.new_page() for context in contexts)
    sign_in(rita, "rita")
    sign_in(cora, "cora")

    # Cora finds whom to call and how, and reveals the number.
    cora.get_by_role("link", name=re.compile("Urgent, can be called")).click()
    cora.get_by_role("link", name=str(urgent)).click()
    expect(cora.get_by_role("heading", name="Urgency: Now")).to_be_visible()
    expect(cora.locator(".wishes")).to_contain_text("OK to text, no voicemail")
    expect(cora.locator(".wishes")).to_contain_text("“say it is the library”")
    expect(cora.get_by_text("405 555 0123")).to_have_count(0)
    cora.locator("[name=notes-0-text]").fill("Called at once; safe with her sister.")
    with contexts[1].expect_page() as opened:
        cora.get_by_role("button", name="Reveal name and number").click()
    expect(opened.value.get_by_text("405 555 0123")).to_be_visible()
    opened.value.close()
    expect(cora.locator("[name=notes-0-text]")).to_have_value("Called at once; safe with her sister.")

    # Rita opens the same case, sees that Cora has it open, sees no number, and records a review.
    rita.goto(CASES)
    expect(rita.locator("#result_list tbody tr").first).to_contain_text(str(urgent))
    rita.get_by_label("Reference").fill(urgent.reference.lower())
    rita.get_by_role("button", name="Find").click()
    rita.get_by_role("link", name=str(urgent)).click()
    expect(rita.get_by_text("This case was opened by cora")).to_be_visible()
    expect(rita.get_by_role("button", name="Reveal name and number")).to_have_count(0)
    expect(rita.get_by_text("I have a plan, or I might act on it")).to_be_visible()
    rita.locator("[name=reviews-0-program]").select_option("inpatient")
    rita.get_by_label("Status").select_option("in_progress")
    rita.get_by_role("button", name="Save", exact=True).click()
    expect(rita.get_by_text("was changed successfully")).to_be_visible()

    # Cora saves over it: the page shows what changed and keeps what she typed.
    cora.get_by_role("button", name="Save", exact=True).click()
    expect(cora.get_by_role("alert")).to_contain_text("rita saved this case after you opened it. Status: In progress.")
    expect(cora.locator("[name=notes-0-text]")).to_have_value("Called at once; safe with her sister.")
    expect(cora.get_by_label("Status")).to_have_value("in_progress")
    cora.get_by_role("button", name="Save", exact=True).click()
    expect(cora.get_by_text("was changed successfully")).to_be_visible()
    urgent.refresh_from_db()
    assert urgent.status == "in_progress"
    assert (urgent.notes.get().author.username, urgent.reviews.get().author.username) == ("cora", "rita")

    # The history on the print view shows all of it.
    rita.get_by_role("link", name=str(urgent)).first.click()
    with contexts[0].expect_page() as printed:
        rita.get_by_role("link", name="Print view").click()
    for words in ("Uncovered how to reach the person", "Added a review", "Added a note", "status: In progress"):
        expect(printed.value.locator("section[aria-labelledby=history]")).to_contain_text(words)
    expect(printed.value.get_by_text("Called at once; safe with her sister.")).to_be_visible()
    printed.value.close()

    # The person erases the case while it is open.
    rita.locator("[name=notes-0-text]").fill("Will ring back.")
    urgent.delete()
    rita.get_by_role("button", name="Save", exact=True).click()
    expect(rita.get_by_text("It was erased by its person, or its time was up.")).to_be_visible()

    # Rita's account is closed: her session ends at once.
    User.objects.filter(username="rita").update(is_active=False)
    rita.reload()
    expect(rita.get_by_label("Password")).to_be_visible()
    for context in contexts:
        context.close()
