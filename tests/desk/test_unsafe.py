"""A result that staff found unsafe: reported in one press, mailed to the clinical lead, gone through once."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from screening import notifications
from screening.models import Action, LogLine, Notification, Submission, UnsafeResult
from tests.answers import IOP
from tests.desk.helpers import member, signed_in, submit, url_of
from tests.helpers import overwrite, parse, text_of

pytestmark = pytest.mark.django_db
PAGE = "/admin/unsafe/"
WHY = "She drinks a litre a day; the rules sent her home."


@pytest.fixture
def contact(db: None) -> Client:
    return signed_in(member("cora", "contact"))


@pytest.fixture
def lead(db: None) -> Client:
    account = member("lea", "clinical lead")
    account.email = "lea@example.org"
    account.save()
    return signed_in(account)


def report(client: Client, row: Submission, why: str = WHY) -> Any:
    return client.post(url_of(row, "unsafe"), {"unsafe-reason": why}, follow=True)


def test_result_is_reported_from_the_case_with_a_line_of_why(contact: Client, lead: Client) -> None:
    row = submit(IOP)
    page = parse(contact.get(url_of(row)))
    field = page.select_one("[name=unsafe-reason]")
    assert page.select_one(f"form#{field['form']}")["action"] == url_of(row, "unsafe")
    assert "Reported." in report(contact, row).content.decode()
    shown = text_of(contact.get(url_of(row)), "section[aria-labelledby=unsafe-reports]")
    assert WHY in shown
    (line,) = LogLine.objects.filter(action=Action.UNSAFE)
    assert (line.actor, line.reference, line.detail) == ("cora", row.reference, "")


def test_clinical_lead_is_mailed_and_told_on_the_front_page_until_it_was_gone_through(
    contact: Client, lead: Client, center_tells: Any
) -> None:
    center_tells(mail_to="desk@example.org")
    row = submit(IOP)
    report(contact, row)
    assert notifications.send_due() == (1, 0)
    (message,) = mail.outbox
    assert message.bcc == ["lea@example.org"]
    assert url_of(row) in message.body
    assert WHY not in message.body
    assert "1 result was reported as unsafe" in text_of(lead.get("/admin/"), "#content")
    assert "reported as unsafe" not in text_of(contact.get("/admin/"), "#content")
    page = parse(lead.get(PAGE))
    assert WHY in page.select_one("section[aria-labelledby=unread]").text
    button = page.select_one("button[name=read]")
    for _ in range(2):
        assert lead.post(PAGE, {"read": button["value"]}).status_code == 302
    page = parse(lead.get(PAGE))
    assert "Gone through by lea" in page.select_one("section[aria-labelledby=read]").text
    assert "Nothing is left to go through." in page.select_one("section[aria-labelledby=unread]").text
    assert "reported as unsafe." not in text_of(lead.get("/admin/"), "#content")
    (line,) = LogLine.objects.filter(action=Action.UNSAFE_READ)
    assert (line.actor, line.reference) == ("lea", row.reference)


def test_without_a_clinical_lead_who_can_be_mailed_those_whom_the_center_names_are_told(
    contact: Client, center_tells: Any
) -> None:
    center_tells(mail_to="desk@example.org")
    report(contact, submit(IOP))
    notifications.send_due()
    assert [message.bcc for message in mail.outbox] == [["desk@example.org"]]


def test_report_without_a_reason_is_none_and_pressing_twice_reports_once(contact: Client) -> None:
    row = submit(IOP)
    assert "Say in a line what was unsafe" in report(contact, row, "  ").content.decode()
    assert not UnsafeResult.objects.exists()
    for _ in range(2):
        report(contact, row)
    report(contact, row, "And she is alone.")
    assert UnsafeResult.objects.count() == LogLine.objects.filter(action=Action.UNSAFE).count() == 2
    report(contact, row, "x" * 900)
    assert len(UnsafeResult.objects.get(pk=UnsafeResult.objects.latest("pk").pk).reason) == 500


def test_second_report_of_a_case_is_mailed_too(contact: Client, lead: Client) -> None:
    row = submit(IOP)
    for why in (WHY, "And she is alone."):
        report(contact, row, why)
        notifications.send_due()
    assert len(mail.outbox) == 2
    assert Notification.objects.count() == 1


def test_hidden_result_is_neither_reported_nor_shown_in_the_list(contact: Client, lead: Client) -> None:
    row = submit(IOP, blind=True)
    report(contact, row)  # who does not review has seen the result
    assert parse(lead.get(url_of(row))).select_one("[name=unsafe-reason]") is None
    assert WHY not in lead.get(url_of(row)).content.decode()
    shown = lead.get(PAGE).content.decode()
    assert WHY not in shown
    assert "Review the case before seeing its result" in shown
    report(lead, row, "Crafted.")
    assert UnsafeResult.objects.count() == 1


def test_report_goes_with_its_case(contact: Client, lead: Client) -> None:
    erased, expired = submit(IOP), submit(IOP)
    for row in (erased, expired):
        report(contact, row)
    Submission.objects.filter(pk=erased.pk).delete()
    overwrite(expired, received_at=timezone.now() - timedelta(days=91))
    assert UnsafeResult.objects.count() == 1
    assert WHY not in lead.get(PAGE).content.decode()
    number = UnsafeResult.objects.get().pk
    for wrong in (str(number), "999", "abc", "9" * 30, ""):
        assert lead.post(PAGE, {"read": wrong}).status_code in (200, 302)
    assert not LogLine.objects.filter(action=Action.UNSAFE_READ).exists()
    assert report(contact, erased).redirect_chain
