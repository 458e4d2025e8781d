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
from tests.desk.helpers import form_of, member, signed_in, submit, url_of
from tests.helpers import overwrite, parse, text_of

pytestmark = pytest.mark.django_db
PAGE = "/admin/unsafe/"
WHY = "She drinks a litre a day; the rules sent her home."


@pytest.fixture(autouse=True)
def mail_server(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.org"


@pytest.fixture
def contact(db: None) -> Client:
    return signed_in(member("cora", "contact"))


@pytest.fixture
def lead(db: None) -> Client:
    account = member("lea", "clinical lead")
    account.email = "lea@example.org"
    account.save()
    return signed_in(account)


def report(client: Client, row: Submission, why: str = WHY, **more: str) -> Any:
    return client.post(url_of(row), form_of(client, row) | {"unsafe_reason": why, "_unsafe": "1"} | more, follow=True)


def test_result_is_reported_from_the_case_with_a_line_of_why(contact: Client, lead: Client) -> None:
    row = submit(IOP)
    said = report(contact, row, **{"notes-0-text": "She called back."}).content.decode()
    assert "Reported." in said
    assert "Nothing was changed" not in said
    assert row.notes.get().text == "She called back."  # what else was typed is saved with it
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
    other = signed_in(member("lou", "clinical lead"))
    other.post(PAGE, {"read": button["value"]})  # it stays as it is
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
    for nothing in ("  ", ""):
        refused = report(contact, row, nothing, **{"notes-0-text": "She called back."})
        assert "Say in a line what was unsafe" in text_of(refused, "[role=alert]")
        assert parse(refused).select_one("#id_notes-0-text").text.strip() == "She called back."
        assert parse(refused).select_one("details[open] [name=unsafe_reason]"), "the field that is wrong is in sight"
    assert not UnsafeResult.objects.exists()
    for _ in range(2):
        report(contact, row)
    report(contact, row, "And she is alone.")
    assert UnsafeResult.objects.count() == LogLine.objects.filter(action=Action.UNSAFE).count() == 2
    assert "at most 500 characters" in text_of(report(contact, row, "x" * 501), "[role=alert]")


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
    page = parse(lead.get(url_of(row)))
    assert page.select_one("[name=unsafe_reason]") is None
    assert WHY not in page.text
    assert "Reported the result" not in page.text
    shown = lead.get(PAGE).content.decode()
    assert WHY not in shown
    assert "Review the case before seeing its result" in shown
    report(lead, row, "Crafted.")
    lead.post(PAGE, {"read": UnsafeResult.objects.get().pk})
    assert UnsafeResult.objects.get().read_at is None


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
    assert (
        "is gone" in contact.post(url_of(erased), {"_unsafe": "1", "unsafe_reason": "x"}, follow=True).content.decode()
    )


def test_without_a_mail_server_nothing_waits_to_be_mailed(contact: Client, settings: Any, center_tells: Any) -> None:
    settings.EMAIL_HOST = ""
    center_tells(mail_to="desk@example.org")
    report(contact, submit(IOP))
    assert UnsafeResult.objects.exists()
    assert not Notification.objects.exists()
