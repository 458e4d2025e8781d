"""Mail to staff: neutral words and a link, at once or by a worker, tried again, and told of on the front page."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_tasks import task_backends
from django_tasks.backends.base import BaseTaskBackend

from screening import notifications
from screening.models import Mail, Submission
from tests.answers import IOP, URGENT, answers
from tests.conftest import Person
from tests.leaks import found

pytestmark = pytest.mark.django_db(transaction=True)
WISHES = {"name": "Robin Quill", "phone": "(405) 555-0123", "to_others": "say it is the dentist", "agree": "on"}


@pytest.fixture(autouse=True)
def addresses(settings: Any) -> None:
    settings.STAFF_MAIL_TO = ["desk@example.org", "lead@example.org"]
    settings.SITE_URL = "https://screening.example.org"


@pytest.fixture
def post_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*args: object) -> None:
        raise ConnectionRefusedError("no mail today: Robin Quill")

    monkeypatch.setattr(EmailBackend, "send_messages", down)


@pytest.mark.parametrize(
    ("given", "told"),
    [(URGENT, 1), (answers(pregnancy="yes", opioids="sick"), 1), (IOP, 0)],
    ids=["now", "today", "none"],
)
def test_urgent_submission_is_told_once_and_at_once(person: Person, given: dict[str, str], told: int) -> None:
    person.finishes(given, "save")
    person.finishes(given, "save")
    person.client.post("/check/", {"action": "save"})
    assert len(mail.outbox) == told == Mail.objects.exclude(sent_at=None).count()


def test_request_for_a_call_is_told_and_again_when_it_was_taken_back_and_made_anew(person: Person) -> None:
    person.finishes(IOP, "save")
    for action, told in ((WISHES, 1), (WISHES, 1), ({"action": "withdraw"}, 1), (WISHES, 2)):
        assert person.client.post("/contact/", action).status_code == 302
        assert len(mail.outbox) == told


def test_mail_holds_neutral_words_and_a_link_and_nothing_of_the_person(person: Person, staff_client: Client) -> None:
    person.finishes(URGENT, "save")
    person.client.post("/contact/", WISHES)
    row = Submission.objects.get()
    link = f"/admin/screening/submission/{row.pk}/change/"
    for message in mail.outbox:
        text = f"{message.subject}\n{message.body}"
        assert f"https://screening.example.org{link}\n" in message.body
        assert (message.to, message.bcc) == ([], ["desk@example.org", "lead@example.org"])
        assert not found(text, {*WISHES.values(), row.reference, *URGENT.values()} - {"on", "no", "yes", "none"})
        for word in ("urgent", "alcohol", "drug", "inpatient", "suicid", "Now"):
            assert word.lower() not in text.lower()
    assert len({message.subject for message in mail.outbox}) == 1
    assert staff_client.get(link).status_code == 200


def test_without_addresses_nothing_is_made_and_the_queue_is_enough(
    person: Person, staff_client: Client, settings: Any
) -> None:
    settings.STAFF_MAIL_TO = []
    person.finishes(URGENT, "save")
    person.client.post("/contact/", WISHES)
    assert (mail.outbox, Mail.objects.count()) == ([], 0)
    assert "could not be sent" not in staff_client.get("/admin/").content.decode()


def test_person_notices_nothing_when_mail_cannot_be_sent_and_staff_do(
    person: Person, staff_client: Client, post_is_down: None, caplog: Any
) -> None:
    response = person.finishes(URGENT, "save")
    assert "Saved. This is your code" in response.content.decode()
    assert person.client.post("/contact/", WISHES).status_code == 302
    page = BeautifulSoup(staff_client.get("/admin/").content, "html.parser")
    assert "Mail about 2 submissions could not be sent." in page.select_one(".errornote").text
    assert "mail to staff could not be sent: ConnectionRefusedError" in caplog.text
    assert "Robin Quill" not in caplog.text


def test_failed_mail_is_tried_again_later_and_later_until_it_is_sent(person: Person, monkeypatch: Any) -> None:
    sent, down = EmailBackend.send_messages, True

    def sometimes(backend: EmailBackend, messages: Any) -> int:
        if down:
            raise TimeoutError
        return sent(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", sometimes)
    tried = []
    with time_machine.travel("2026-11-23 12:00", tick=False) as clock:
        person.finishes(URGENT, "save")
        for minute in range(24 * 60):
            if notifications.tell_again():
                tried.append(minute)
            clock.shift(60)
        assert tried == [1, 3, 7, 15, 31, 63, 127, 255, 511, 871, 1231]
        assert notifications.unsent() == 1
        down = False
        clock.shift(6 * 3600)
        assert (notifications.tell_again(), notifications.tell_again(), notifications.unsent()) == (1, 0, 0)
    assert len(mail.outbox) == 1


def test_nothing_is_sent_about_what_was_erased(person: Person, post_is_down: None, monkeypatch: Any) -> None:
    person.finishes(URGENT, "save")
    person.client.post("/erase/")
    assert not Mail.objects.exists()
    assert (notifications.tell_again(), notifications.unsent()) == (0, 0)
    notifications.send.call(12345)


def test_two_at_once_send_one(person: Person, monkeypatch: Any) -> None:
    monkeypatch.setattr(notifications, "_queue", lambda pk: None)
    person.finishes(URGENT, "save")
    (waiting,) = Mail.objects.all()

    def meanwhile(mail_of: Mail) -> Any:
        monkeypatch.undo()
        notifications.send.call(waiting.pk)  # the other one comes while this one is about to send
        return notifications._message(mail_of)

    monkeypatch.setattr(notifications, "_message", meanwhile)
    notifications.send.call(waiting.pk)
    notifications.send.call(waiting.pk)
    assert len(mail.outbox) == 1


def by_worker(settings: Any) -> BaseTaskBackend:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    return task_backends["default"]


def test_worker_sends_what_was_queued(person: Person, settings: Any) -> None:
    by_worker(settings)
    person.finishes(URGENT, "save")
    assert mail.outbox == []
    call_command("db_worker", "--batch", "--interval", "0", "--no-startup-delay", verbosity=0)
    assert len(mail.outbox) == 1
    assert Mail.objects.get().sent_at


def test_worker_that_does_not_run_is_told_on_the_front_page(
    person: Person, staff_client: Client, settings: Any
) -> None:
    by_worker(settings)
    person.finishes(URGENT, "save")
    assert "could not be sent" not in staff_client.get("/admin/").content.decode()
    Mail.objects.update(made_at=timezone.now() - timedelta(minutes=11))
    assert "Mail about 1 submission could not be sent." in staff_client.get("/admin/").content.decode()
