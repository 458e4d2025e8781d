"""Pages of the desk pass axe, on a phone and at a desk, light, dark and in forced colours; and they hold large text."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from screening import accounts
from screening.models import AccountChange, Note, Phone, Review, StaffMember, Status, Submission, Try, UnsafeResult
from tests.answers import CLOSE_CALL, IOP, URGENT
from tests.browser.conftest import WIDTHS
from tests.desk.helpers import CASES, PASSWORD, ask_for_call, member, now, password, signed_in, superuser, url_of
from tests.helpers import overwrite

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_is_enough]


def desk_with_cases() -> tuple[User, Submission]:
    """Create a superuser, and cases in several states; return that account, and the case that says most."""
    staff = superuser("staff")
    urgent, *others = [Submission.objects.submit(given) for given in (URGENT, CLOSE_CALL, IOP)]
    ask_for_call(urgent)
    overwrite(others[0], status=Status.CLOSED, outcome="iop", due_at=None)
    for struck_at in (None, urgent.received_at):
        Note.objects.create(submission=urgent, text="Called.", author=staff, struck_at=struck_at)
        Try.objects.create(submission=urgent, result=Try.Result.NO_ANSWER, author=staff, struck_at=struck_at)
    Review.objects.create(submission=urgent, program="iop", agrees=False, reason="A bed at home.", author=staff)
    for read_at in (None, urgent.received_at):
        read_by = staff if read_at else None
        UnsafeResult.objects.create(submission=urgent, reason="Alone.", author=staff, read_at=read_at, read_by=read_by)
    return staff, urgent


def open_desk(browser: Browser, url: str, staff: User, width: int, **looks: Any) -> Page:
    context = browser.new_context(base_url=url, viewport={"width": width, "height": 844}, **looks)
    cookies = signed_in(staff).cookies.items()
    context.add_cookies([{"name": name, "value": each.value, "url": url} for name, each in cookies])
    return context.new_page()


ADDRESSES = (
    "/admin/",
    CASES,
    f"{CASES}?queue=due",
    f"{CASES}?status__exact=new&channel__exact=online",
    f"{CASES}?queue=mine",
    f"{CASES}?q=AAAA-AAAA",
    f"{CASES}export/",
    "/admin/how-we-are-doing/",
    "/admin/assisted/",
    "/admin/center/",
    "/admin/center/hours/",
    "/admin/center/others/",
    "/admin/screening/logline/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/password_change/",
    "/admin/account/",
    "/admin/unsafe/",
)


@pytest.mark.parametrize(
    ("width", "scheme", "forced"),
    [
        (WIDTHS["phone"], "light", "none"),
        pytest.param(WIDTHS["desk"], "dark", "none", marks=pytest.mark.full),
        pytest.param(WIDTHS["desk"], "light", "active", marks=pytest.mark.full),
        pytest.param(WIDTHS["phone"], "dark", "active", marks=pytest.mark.full),
    ],
)
def test_pages_of_the_desk_are_accessible(
    browser: Browser, live_server: Any, settings: Any, width: int, scheme: Any, forced: Any
) -> None:
    staff, urgent = desk_with_cases()
    other, third, closed = member("other", "manager"), member("third"), Submission.objects.get(status=Status.CLOSED)
    AccountChange.objects.create(kind="roles", account=third, by=other, roles="contact")
    AccountChange.objects.create(kind="password", account=other, by=staff)
    StaffMember.objects.create(account=other, password_is_temporary=True)
    for _time in range(5):
        password(Client(), "other", "wrong")
    page = open_desk(browser, live_server.url, staff, width, color_scheme=scheme, forced_colors=forced)
    context = page.context
    violations_by_rule: dict[tuple[str, str], str] = {}

    def check(name: str) -> None:
        violations = Axe().run(page).response["violations"]
        violations_by_rule.update({(name, each["id"]): each["nodes"][0]["html"] for each in violations})

    of_one = ("change/", "password/")
    of_accounts = [f"/admin/auth/user/{other.pk}/{each}" for each in of_one]
    for address in (*ADDRESSES, *of_accounts, url_of(urgent), url_of(closed), url_of(urgent, "print")):
        response = page.goto(address)
        assert response
        assert response.ok, address
        check(address)
    page.goto("/admin/nothing/")
    check("not found")
    page.goto(f"{CASES}export/")
    page.get_by_role("button", name="Export").click()
    check("export with errors")
    page.goto("/admin/center/")
    page.get_by_label("Monday").fill("8-8")
    page.get_by_role("button", name="Save").click()
    check("center with errors")
    page.goto("/admin/assisted/")
    page.get_by_label("Letters from the paper, in one row").fill("Z")
    page.get_by_role("button", name="See the result").first.click()
    check("screening with errors")
    page.get_by_label("Letters from the paper, in one row").fill("A" * 19)
    page.get_by_role("button", name="See the result").first.click()
    check("screening with a result")
    page.get_by_label("In person").check()
    page.get_by_label("They agreed").check()
    page.get_by_role("button", name="Save, and print the slip").click()
    page.locator(".slip").wait_for()
    check("slip")
    page.goto(url_of(urgent))
    with context.expect_page() as opened:
        page.get_by_role("button", name="Reveal name and number").click()
    page = opened.value
    page.get_by_text("405 555 0123").wait_for()
    check("reveal")
    page.goto(url_of(urgent))
    if width == WIDTHS["phone"]:  # there it is a foot that opens
        page.locator("label[for=open-work]").click()
        check("case with its foot open")
    page.get_by_label("Status:").select_option("closed")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_be_focused()
    check("case with errors")
    page.locator("[name=notes-0-text]").fill("She will call again.")
    User.objects.filter(pk=staff.pk).update(is_superuser=False)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Your text is below").wait_for()
    check("refused")
    settings.SECOND_FACTOR = True
    page.goto("/admin/")
    page.get_by_role("heading", name="Your second factor").wait_for()
    check("code")
    page.get_by_label("Code").fill(now(Phone.objects.get()))
    page.get_by_role("button", name="Set it up").click()
    code = page.locator(".recovery-codes code").first.inner_text()
    check("recovery codes")
    page.goto("/admin/account/")
    check("own account with a second factor")
    page.get_by_role("button", name="Make new recovery codes").click()
    check("own account with errors")
    page.get_by_label("Code that your phone shows").fill(code)
    page.get_by_role("button", name="Make new recovery codes").click()
    page.locator(".recovery-codes").wait_for()
    check("new recovery codes")
    page.goto("/admin/logout/")
    context.clear_cookies()
    page.goto("/admin/")
    check("sign in")
    settings.SECOND_FACTOR = False
    accounts.unlock(other, "")
    page.get_by_label("Username").fill("other")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Someone else chose the password").wait_for()
    check("temporary password")
    page.get_by_role("button", name="Save the new password").click()
    check("temporary password with errors")
    context.close()
    assert not "\n".join(f"{address} {rule}: {html}" for (address, rule), html in violations_by_rule.items())


@pytest.mark.parametrize("width", [WIDTHS["phone"], pytest.param(WIDTHS["desk"], marks=pytest.mark.full)])
def test_pages_of_the_desk_hold_text_of_twice_the_size(browser: Browser, live_server: Any, width: int) -> None:
    """Nothing is beside the screen, and what a row says is shown."""
    staff, urgent = desk_with_cases()
    page = open_desk(browser, live_server.url, staff, width)
    for address in (*ADDRESSES, url_of(urgent)):
        page.goto(address)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        beside = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beside <= 0, address
    page.goto(f"{CASES}?queue=due")
    row = page.locator("#result_list tbody tr").first
    for column in ("urgency_mark", "due", "wants_a_call", "tried", "status_shown", "assignee"):
        expect(row.locator(f".field-{column}")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS.values())
def test_what_one_does_in_a_case_is_in_view(browser: Browser, live_server: Any, width: int) -> None:
    """At a desk it is beside the case, before and after scrolling; on a phone in a foot that opens."""
    staff, urgent = desk_with_cases()
    page = open_desk(browser, live_server.url, staff, width)
    page.goto(url_of(urgent))
    if width == WIDTHS["phone"]:
        page.locator("label[for=open-work]").click()
    for _time in range(1 if width == WIDTHS["phone"] else 2):
        for name in ("Reached", "No answer", "Save", "Save and open the next"):
            expect(page.locator(".work").get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
        expect(page.get_by_label("Next step:")).to_be_in_viewport(ratio=1)
        page.mouse.wheel(0, 900)
    page.context.close()
