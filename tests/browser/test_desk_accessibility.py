"""Pages of the desk pass axe, at a phone's width in light and at a desktop's in dark."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser

from screening import accounts
from screening.models import AccountChange, Note, Phone, Review, StaffMember, Submission
from tests.answers import CLOSE_CALL, IOP, URGENT
from tests.browser.conftest import WIDTHS
from tests.desk.helpers import CASES, PASSWORD, ask_for_call, member, now, password, signed_in, superuser, url_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_is_enough]


@pytest.mark.parametrize(
    ("width", "scheme"), [(WIDTHS["phone"], "light"), pytest.param(WIDTHS["desk"], "dark", marks=pytest.mark.full)]
)
def test_pages_of_the_desk_are_accessible(
    browser: Browser, live_server: Any, settings: Any, width: int, scheme: Any
) -> None:
    staff = superuser("staff")
    urgent, *_others = [Submission.objects.submit(given) for given in (URGENT, CLOSE_CALL, IOP)]
    ask_for_call(urgent)
    Note.objects.create(submission=urgent, text="Called.", author=staff)
    Review.objects.create(submission=urgent, program="iop", agrees=False, reason="A bed at home.", author=staff)
    other, third = member("other", "manager"), member("third")
    AccountChange.objects.create(kind="roles", account=third, by=other, roles="contact")
    AccountChange.objects.create(kind="password", account=other, by=staff)
    StaffMember.objects.create(account=other, password_is_temporary=True)
    for _time in range(5):
        password(Client(), "other", "wrong")
    client = signed_in(staff)
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": width, "height": 844}, color_scheme=scheme
    )
    context.add_cookies(
        [{"name": name, "value": each.value, "url": live_server.url} for name, each in client.cookies.items()]
    )
    page = context.new_page()
    violations_by_rule: dict[tuple[str, str], str] = {}

    def check(name: str) -> None:
        violations = Axe().run(page).response["violations"]
        violations_by_rule.update({(name, each["id"]): each["nodes"][0]["html"] for each in violations})

    addresses = (
        "/admin/",
        CASES,
        f"{CASES}?queue=due",
        url_of(urgent),
        url_of(urgent, "print"),
        f"{CASES}export/",
        "/admin/agreement/",
        "/admin/assisted/",
        "/admin/center/",
        "/admin/center/hours/",
        "/admin/center/others/",
        "/admin/screening/logline/",
        "/admin/auth/user/",
        "/admin/auth/user/add/",
        f"/admin/auth/user/{other.pk}/change/",
        f"/admin/auth/user/{other.pk}/password/",
        "/admin/password_change/",
        "/admin/account/",
    )
    for address in addresses:
        response = page.goto(address)
        assert response
        assert response.ok, address
        check(address)
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
