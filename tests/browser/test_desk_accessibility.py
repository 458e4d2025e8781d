"""Every page of the desk, at a phone's width in light and at a desk's in dark: axe finds nothing."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser

from screening.models import Contact, Note, Review, Submission
from tests.answers import CLOSE_CALL, IOP, URGENT
from tests.browser.conftest import WIDTHS

pytestmark = pytest.mark.django_db(transaction=True)
DESK = "/admin/screening/submission/"


@pytest.mark.parametrize(("width", "scheme"), [(WIDTHS["phone"], "light"), (WIDTHS["desk"], "dark")])
def test_pages_of_the_desk_are_accessible(
    browser: Browser, live_server: Any, settings: Any, width: int, scheme: Any
) -> None:
    staff = User.objects.create_superuser("staff", password="a long enough one")
    urgent, *_others = [Submission.objects.submit(given) for given in (URGENT, CLOSE_CALL, IOP)]
    Contact.objects.create(submission=urgent, phone="405 555 0123", may_text=True, may_voicemail=False, consent="Yes.")
    Note.objects.create(submission=urgent, text="Called.", author=staff)
    Review.objects.create(submission=urgent, program="iop", agrees=False, reason="A bed at home.", author=staff)
    other = User.objects.create_user("other", is_staff=True)
    client = Client()
    client.force_login(staff)
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": width, "height": 844}, color_scheme=scheme
    )
    context.add_cookies(
        [{"name": name, "value": each.value, "url": live_server.url} for name, each in client.cookies.items()]
    )
    page = context.new_page()
    found: dict[tuple[str, str], str] = {}

    def look(name: str) -> None:
        violations = Axe().run(page).response["violations"]
        found.update({(name, each["id"]): each["nodes"][0]["html"] for each in violations})

    addresses = (
        "/admin/",
        DESK,
        f"{DESK}?queue=overdue",
        f"{DESK}{urgent.pk}/change/",
        f"{DESK}{urgent.pk}/print/",
        f"{DESK}export/",
        "/admin/agreement/",
        "/admin/replay/?to=2026.1",
        "/admin/screening/logline/",
        "/admin/auth/user/",
        "/admin/auth/user/add/",
        f"/admin/auth/user/{other.pk}/change/",
        f"/admin/auth/user/{other.pk}/password/",
        "/admin/password_change/",
    )
    for address in addresses:
        page.goto(address)
        look(address)
    page.goto(f"{DESK}export/")
    page.get_by_role("button", name="Export").click()
    look("export with errors")
    page.goto(f"{DESK}{urgent.pk}/change/")
    with context.expect_page() as opened:
        page.get_by_role("button", name="Reveal name and number").click()
    page = opened.value
    page.get_by_text("405 555 0123").wait_for()
    look("reveal")
    page.goto(f"{DESK}{urgent.pk}/change/")
    page.locator("[name=notes-0-text]").fill("She will call again.")
    User.objects.filter(pk=staff.pk).update(is_superuser=False)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("This is what you had typed").wait_for()
    look("refused")
    settings.SECOND_FACTOR = True
    page.goto("/admin/")
    page.get_by_role("heading", name="Your second factor").wait_for()
    look("code")
    page.goto("/admin/logout/")
    context.clear_cookies()
    page.goto("/admin/")
    look("sign in")
    context.close()
    assert not "\n".join(f"{address} {rule}: {html}" for (address, rule), html in found.items())
