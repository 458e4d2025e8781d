"""Two members of staff work on the same case in two browsers."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_otp.oath import TOTP
from playwright.sync_api import Browser, Dialog, Page, expect

from screening.models import LogLine, Phone, Submission
from tests.answers import CLOSE_CALL, IOP, URGENT
from tests.desk.helpers import CASES, PASSWORD, ask_for_call, member, signed_in, superuser, url_of

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


def sign_in_by_cookie(page: Page, url: str) -> None:
    cookies = signed_in(superuser("staff")).cookies.items()
    page.context.add_cookies([{"name": name, "value": each.value, "url": url} for name, each in cookies])


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
    expect(cora.locator(".wishes .dont").first).to_have_text("No voicemail")
    expect(cora.locator(".wishes")).to_contain_text("“say it is the library”")
    expect(cora.get_by_text("405 555 0123")).to_have_count(0)
    cora.locator("[name=notes-0-text]").fill("Called at once; safe with her sister.")
    with contexts[1].expect_page() as opened:
        cora.get_by_role("button", name="Reveal name and number").click()
    number = opened.value
    expect(number.get_by_role("link", name="405 555 0123")).to_have_attribute("href", "tel:+14055550123")
    expect(number.get_by_role("button", name="Copy")).to_be_visible()
    expect(number.get_by_role("button", name="Left a voicemail")).to_have_count(0)
    number.close()
    expect(cora.locator("[name=notes-0-text]")).to_have_value("Called at once; safe with her sister.")

    # Rita opens the same case, sees that Cora has it open, sees no number, and records a review.
    rita.goto(CASES)
    expect(rita.locator("#result_list tbody tr").first).to_contain_text(str(urgent))
    rita.keyboard.press("/")
    rita.keyboard.type(urgent.reference.lower())
    rita.keyboard.press("Enter")  # there is one: it opens at once
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
    for words in ("Viewed contact details", "Added a review", "Added a note", "status: In progress"):
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


def test_text_that_is_not_saved_is_not_lost_in_silence(browser: Browser, live_server: Any) -> None:
    """Leaving warns, the room that is left is counted, and a session that is about to end says so and can be kept."""
    row = Submission.objects.submit(IOP)
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.clock.install()
    sign_in_by_cookie(page, live_server.url)
    page.goto(url_of(row))
    page.locator("[name=notes-0-text]").fill("x" * 3990)
    expect(page.get_by_text("10 more characters fit in.")).to_be_visible()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_role("link", name="Home").first.click()
    expect(page.locator("[name=notes-0-text]")).to_have_value("x" * 3990)
    assert asked == ["beforeunload"]
    page.clock.run_for(13 * 60 * 1000 + 10_000)
    expect(page.get_by_role("status").filter(has_text="In two minutes you are signed out.")).to_be_visible()
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/pulse/")):
        page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_text("In two minutes you are signed out.")).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    context.close()


def test_front_page_says_that_something_new_is_due_without_a_reload(browser: Browser, live_server: Any) -> None:
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.clock.install()
    sign_in_by_cookie(page, live_server.url)
    with page.expect_response("**/pulse/"):
        page.goto("/admin/")
    Submission.objects.submit(URGENT)
    with page.expect_response("**/pulse/"):
        page.clock.run_for(31_000)
    expect(page.get_by_text("1 case is due.")).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    page.get_by_role("button", name="Show them").click()
    expect(page.locator(".queue .count").first).to_have_text("1")
    assert LogLine.objects.filter(action="front_page").count() == 2  # what the script asks is not logged
    context.close()
