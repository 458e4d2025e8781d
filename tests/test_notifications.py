"""Notifications to staff: neutral text and a link, sent within a minute, retried, counted on the front page."""

import sys
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from intake_site import server
from screening import notifications
from screening.models import CenterFacts, Notification, StaffMember, Submission
from tests.answers import IOP, URGENT, answers
from tests.conftest import Person
from tests.desk.helpers import CASES, member, save, signed_in, submit, url_of
from tests.helpers import parse, text_of
from tests.leaks import secrets_in

pytestmark = pytest.mark.django_db(transaction=True)
(SENDING,) = (seconds for seconds, job, _arguments in server.JOBS if "send_due" in job)
WISHES = {"name": "Robin Quill", "phone": "(405) 555-0123", "to_others": "say it is the dentist", "agree": "on"}


@pytest.fixture(autouse=True)
def addresses(settings: Any, center_tells: Any) -> None:
    center_tells(mail_to="desk@example.org\nlead@example.org")
    CenterFacts.objects.create(facts={"mail_to": "desk@example.org\nlead@example.org"})  # the server reads it anew
    settings.SITE_URL = "https://screening.example.org"


@pytest.fixture
def post_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*args: object) -> None:
        raise ConnectionRefusedError("no mail today: Robin Quill")

    monkeypatch.setattr(EmailBackend, "send_messages", down)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(URGENT, 1), (answers(pregnancy="yes", opioids="sick"), 1), (IOP, 0)],
    ids=["now", "today", "none"],
)
def test_urgent_submission_is_notified_of_once(person: Person, given: dict[str, str], expected: int) -> None:
    person.finishes(given, "save")
    person.finishes(given, "save")
    person.client.post("/check/", {"action": "save"})
    assert (notifications.send_due(), notifications.send_due()) == ((expected, 0), (0, 0))
    assert len(mail.outbox) == expected == Notification.objects.exclude(sent_at=None).count()


def test_urgent_submission_is_notified_of_also_if_it_was_looked_at_or_changed_before(person: Person) -> None:
    person.finishes(URGENT, "view")
    person.client.post("/check/", {"action": "save"})
    person.post("job", {"job": "cannot_leave", "attendance": "yes"})
    person.client.post("/check/", {"action": "save"})
    assert notifications.send_due() == (2, 0)


def test_page_does_not_wait_for_the_mail_server(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: object) -> None:
        raise AssertionError("a page sends no mail")

    monkeypatch.setattr(EmailBackend, "send_messages", never)
    person.finishes(URGENT, "save")
    assert person.client.post("/contact/", WISHES).status_code == 302
    assert Notification.objects.filter(sent_at=None, attempts=0).count() == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # how the threads are ended
@pytest.mark.parametrize("other", sorted({job for _seconds, job, _arguments in server.JOBS if "send_due" not in job}))
def test_server_sends_within_a_minute_whichever_job_fails_or_hangs(
    person: Person, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    waited: list[float] = []
    done = threading.Event()

    def sleep(seconds: float) -> None:
        sending = seconds == SENDING
        if sending:
            waited.append(seconds)
        if not sending or mail.outbox:
            sys.exit()  # ends this thread
        person.finishes(URGENT, "save")

    def hangs_and_fails(**arguments: object) -> None:
        done.wait(20)
        raise ZeroDivisionError

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(other, hangs_and_fails)
    before = set(threading.enumerate())
    server.post_worker_init(None)
    started = set(threading.enumerate()) - before
    for _attempt in range(100):
        if len(mail.outbox):
            break
        threading.Event().wait(0.1)
    done.set()
    for thread in started:
        thread.join(20)
        assert not thread.is_alive()
    assert len(mail.outbox) == 1
    assert sum(waited) <= 60


def test_run_begins_no_sending_when_its_time_is_up(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.finishes(URGENT, "save")
    person.client.post("/contact/", WISHES)
    monkeypatch.setattr(notifications, "RUN", 0.5)
    monkeypatch.setattr(EmailBackend, "send_messages", lambda *args: time.sleep(0.6))
    assert notifications.send_due() == (1, 0)
    assert Notification.objects.filter(sent_at=None, attempts=0).count() == 1


def test_mail_that_is_being_sent_has_not_failed(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    unsent: list[int] = []

    def fail(*_messages: object) -> None:
        unsent.append(notifications.unsent())
        raise OSError("refused")

    person.finishes(URGENT, "save")
    monkeypatch.setattr(EmailBackend, "send_messages", fail)
    assert notifications.send_due() == (0, 1)
    assert [*unsent, notifications.unsent()] == [0, 1]


def test_each_request_for_a_call_is_notified_of_also_one_that_changes_another(person: Person) -> None:
    person.finishes(IOP, "save")
    for action, expected in ((WISHES, 1), (WISHES, 2), ({"action": "withdraw"}, 2), (WISHES, 3)):
        assert person.client.post("/contact/", action).status_code == 302
        notifications.send_due()
        assert len(mail.outbox) == expected


def test_mail_holds_neutral_words_and_a_link_and_nothing_of_the_person(person: Person, staff_client: Client) -> None:
    person.finishes(URGENT, "save")
    person.client.post("/contact/", WISHES)
    assert notifications.send_due() == (2, 0)
    row = Submission.objects.get()
    link = url_of(row)
    for message in mail.outbox:
        text = f"{message.subject}\n{message.body}"
        assert f"https://screening.example.org{link}\n" in message.body
        assert (message.to, message.bcc) == ([], ["desk@example.org", "lead@example.org"])
        assert not secrets_in(text, {*WISHES.values(), row.reference, *URGENT.values()} - {"on", "no", "yes", "none"})
        for word in ("urgent", "alcohol", "drug", "inpatient", "suicid", "Now"):
            assert word.lower() not in text.lower()
    assert len({message.subject for message in mail.outbox}) == 1
    assert staff_client.get(link).status_code == 200


def test_without_addresses_nothing_is_made_and_the_queue_is_enough(
    person: Person, staff_client: Client, center_tells: Any
) -> None:
    center_tells()
    person.finishes(URGENT, "save")
    person.client.post("/contact/", WISHES)
    assert (mail.outbox, Notification.objects.count()) == ([], 0)
    assert "could not be sent" not in staff_client.get("/admin/").content.decode()


def test_person_notices_nothing_when_mail_cannot_be_sent_and_staff_do(
    person: Person, staff_client: Client, post_is_down: None, caplog: Any
) -> None:
    response = person.finishes(URGENT, "save")
    assert "Your code" in response.content.decode()
    assert person.client.post("/contact/", WISHES).status_code == 302
    assert notifications.send_due() == (0, 2)
    page = parse(staff_client.get("/admin/"))
    assert "Mail about 2 cases could not be sent." in page.select_one(".errornote").text
    assert "a notification could not be sent: ConnectionRefusedError" in caplog.text
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
            if any(notifications.send_due()):
                tried.append(minute)
            clock.shift(60)
        assert tried == [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 871, 1231]
        assert notifications.unsent() == 1
        down = False
        clock.shift(6 * 3600)
        assert (notifications.send_due(), notifications.send_due(), notifications.unsent()) == ((1, 0), (0, 0), 0)
    assert len(mail.outbox) == 1


def test_nothing_is_sent_about_what_was_erased(person: Person) -> None:
    person.finishes(URGENT, "save")
    person.client.post("/erase/")
    assert not Notification.objects.exists()
    assert (notifications.send_due(), notifications.unsent()) == ((0, 0), 0)


def test_two_processes_at_once_send_one(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.finishes(URGENT, "save")
    message, results = notifications._message, []

    def meanwhile(notification: Notification) -> Any:
        monkeypatch.setattr(notifications, "_message", message)
        results.append(notifications.send_due())  # another process runs while this one is about to send
        return message(notification)

    monkeypatch.setattr(notifications, "_message", meanwhile)
    assert notifications.send_due() == (1, 0)
    assert results == [(0, 0)]
    assert len(mail.outbox) == 1


def test_notification_that_another_process_took_meanwhile_is_left_to_it(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.finishes(URGENT, "save")
    first = QuerySet.first

    def taken_meanwhile(rows: QuerySet[Any]) -> Any:
        row = first(rows)
        Notification.objects.update(next_attempt_at=timezone.now() + timedelta(minutes=1))
        return row

    monkeypatch.setattr(QuerySet, "first", taken_meanwhile)
    assert notifications.send_due() == (0, 0)
    assert mail.outbox == []


def test_unsent_notification_is_counted_on_the_front_page(person: Person, staff_client: Client) -> None:
    person.finishes(URGENT, "save")
    assert "could not be sent" not in staff_client.get("/admin/").content.decode()
    Notification.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    assert "Mail about 1 case could not be sent." in staff_client.get("/admin/").content.decode()


@pytest.mark.parametrize(
    ("email", "wish", "mails"), [("ann@example.org", True, 2), ("ann@example.org", False, 0), ("", True, 0)]
)
def test_who_is_assigned_a_case_is_told_and_mailed_if_they_want_it(
    staff_client: Client, settings: Any, email: str, wish: bool, mails: int
) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    ann = member("ann", "reviewer")
    User.objects.filter(pk=ann.pk).update(email=email)
    StaffMember.objects.create(account=ann, mail_when_assigned=wish)
    row, of_ann = submit(IOP), signed_in(ann)
    for told in range(2):
        save(staff_client, row, assigned_to=str(ann.pk))
        assert f"not yet opened by you: {row}" in " ".join(text_of(of_ann.get("/admin/"), "#content").split())
        notifications.send_due()
        assert len(mail.outbox) == mails * (told + 1) / 2
        of_ann.get(url_of(row))
        assert "not yet opened by you" not in of_ann.get("/admin/").content.decode()
        save(staff_client, row, assigned_to="")
    assert {tuple(message.bcc) for message in mail.outbox} <= {("ann@example.org",)}


def test_who_takes_a_case_is_not_told_of_it(staff_client: Client) -> None:
    row = submit(IOP)
    staff_client.post(CASES, {"action": "assign_to_me", "_selected_action": [row.pk]})
    assert "not yet opened by you" not in staff_client.get("/admin/").content.decode()
    assert not Notification.objects.exists()
