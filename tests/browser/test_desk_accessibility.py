"""The desk's own pages, at a phone's width and a desk's, light and dark: axe finds nothing."""

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_pages_of_the_desk_are_accessible(browser: Browser, live_server: Any, width: int, scheme: Any) -> None:
    staff = User.objects.create_superuser("staff", password="a long enough one")
    urgent, *_others = [Submission.objects.submit(given) for given in (URGENT, CLOSE_CALL, IOP)]
    Contact.objects.create(submission=urgent, phone="405 555 0123", may_text=True, may_voicemail=False, consent="Yes.")
    Note.objects.create(submission=urgent, text="Called.", author=staff)
    Review.objects.create(submission=urgent, program="iop", agrees=False, reason="A bed at home.", author=staff)
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
    for address in ("/admin/", DESK, f"{DESK}?queue=overdue", f"{DESK}{urgent.pk}/change/"):
        page.goto(address)
        violations = Axe().run(page).response["violations"]
        found |= {(address, each["id"]): each["nodes"][0]["html"] for each in violations}
    context.close()
    assert not "\n".join(f"{address} {rule}: {html}" for (address, rule), html in found.items())
