"""What has had its time: shown to nobody, erased by forget_expired, told on the front page of the desk."""

import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from screening import rate_limits, retention, return_codes
from screening.models import Contact, ErasureCount, Note, RateLimitCount, RateLimitWindow, Status, Submission
from tests.answers import IOP, URGENT
from tests.conftest import on_desk

pytestmark = pytest.mark.django_db
DESK = "/admin/screening/submission/"


def submission(days_ago: float, **fields: Any) -> Submission:
    made = Submission.objects.submit(IOP)
    Submission.objects.filter(pk=made.pk).update(received_at=timezone.now() - timedelta(days=days_ago), **fields)
    made.refresh_from_db()
    return made


def with_contact(submission: Submission) -> Contact:
    return Contact.objects.create(
        submission=submission, phone="405 555 0123", may_text=True, may_voicemail=False, consent="Yes."
    )


def forget(*options: str) -> str:
    out = StringIO()
    call_command("forget_expired", *options, stdout=out)
    return out.getvalue()


def counts() -> dict[str, int]:
    return dict(ErasureCount.objects.values_list("reason", "count"))


def test_expired_submissions_are_erased_with_all_that_hangs_on_them(staff_client: Client) -> None:
    young, old = submission(89.9), submission(90.1)
    for each in (young, old):
        with_contact(each)
        Note.objects.create(submission=each, text="A note.", author=User.objects.get())
    assert forget() == "1 submissions and 0 contact details erased.\n"
    assert [*Submission.objects.all()] == [young]
    assert (Note.objects.count(), Contact.objects.count()) == (1, 1)
    assert counts() == {"expired": 1, "contact": 0}


def test_contact_details_go_some_days_after_the_case_was_closed(staff_client: Client) -> None:
    def closed(days: float) -> dict[str, Any]:
        return {"status": Status.CLOSED, "status_at": timezone.now() - timedelta(days=days)}

    kept = [submission(30, **closed(13.9)), submission(30, status_at=timezone.now() - timedelta(days=20))]
    gone = submission(30, **closed(14.1))
    for each in (*kept, gone):
        with_contact(each)
    html = [staff_client.post(f"{DESK}{each.pk}/reveal/", follow=True).content.decode() for each in (*kept, gone)]
    assert ["405 555 0123" in each for each in html] == [True, True, False]  # even before they are erased
    assert forget() == "0 submissions and 1 contact details erased.\n"
    assert [contact.submission for contact in Contact.objects.order_by("pk")] == kept
    assert [*Submission.objects.filter(wants_call=False)] == [gone]


def test_days_count_from_when_staff_closed_the_case_and_begin_anew_when_it_is_opened_again(
    staff_client: Client,
) -> None:
    def set_status(status: str) -> None:
        staff_client.force_login(User.objects.get())
        sent = on_desk(staff_client, case) | {"status": status, "outcome": "declined"}
        assert staff_client.post(f"{DESK}{case.pk}/change/", sent).status_code == 302

    with time_machine.travel("2026-11-01 12:00", tick=False) as clock:
        case = submission(0)
        with_contact(case)
        set_status("closed")
        clock.shift(timedelta(days=13))
        set_status("in_progress")
        clock.shift(timedelta(days=13))
        forget()
        assert Contact.objects.exists()
        set_status("closed")
        clock.shift(timedelta(days=13))
        forget()
        assert Contact.objects.exists()
        clock.shift(timedelta(days=2))
        forget()
        assert not Contact.objects.exists()


def test_days_are_the_owners_to_set(settings: Any) -> None:
    settings.RETENTION_DAYS = 7
    submission(6.9), submission(7.1)
    assert forget() == "1 submissions and 0 contact details erased.\n"


def test_dry_run_counts_and_erases_nothing() -> None:
    submission(91), submission(200)
    assert forget("--dry-run") == "2 submissions and 0 contact details would be erased.\n"
    assert Submission.objects.count() == 2
    assert retention.last_run() is None


def test_running_again_finds_nothing_and_the_days_counts_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        submission(91)
    assert forget().startswith("5 submissions")
    assert forget().startswith("0 submissions")
    submission(91)
    assert forget().startswith("1 submissions")
    assert counts() == {"expired": 6, "contact": 0}


def test_what_has_had_its_time_is_shown_to_nobody_even_before_it_is_erased(staff_client: Client) -> None:
    code = return_codes.generate()
    old = Submission.objects.submit(URGENT, code)
    assert Submission.objects.with_code(code) == old
    Submission.objects.update(received_at=timezone.now() - timedelta(days=90, minutes=1))
    assert Submission.objects.with_code(code) is None
    assert staff_client.get(f"{DESK}{old.pk}/change/").status_code == 302
    assert f"/{old.pk}/change/" not in staff_client.get(DESK).content.decode()
    assert staff_client.get(f"{DESK}{old.pk}/print/").status_code == 302
    assert staff_client.post(f"{DESK}{old.pk}/reveal/").url == DESK


def test_ended_sessions_and_hours_of_counting_go_too() -> None:
    Session.objects.create(session_key="a", session_data="x", expire_date=timezone.now() - timedelta(hours=1))
    Session.objects.create(session_key="b", session_data="x", expire_date=timezone.now() + timedelta(hours=1))
    for hours in (0, 5):
        hour = RateLimitWindow.objects.create(starts_at=timezone.now() - timedelta(hours=hours))
        RateLimitCount.objects.create(limit="return", client="x", window=hour, count=3)
    forget()
    assert [session.session_key for session in Session.objects.all()] == ["b"]
    assert RateLimitCount.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_runs_beside_people_who_save_and_staff_who_open_a_case_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    for _ in range(40):
        submission(91)
    failed: list[BaseException] = []
    saved: list[int] = []

    def run(work: Any) -> None:
        try:
            work()
        except BaseException as error:  # shown by the assertion below
            failed.append(error)
        finally:
            connection.close()

    def save() -> None:
        saved.extend(Submission.objects.submit(IOP).pk for _ in range(20))

    threads = [threading.Thread(target=run, args=[work]) for work in (retention.erase_expired, save) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert set(Submission.objects.values_list("pk", flat=True)) == set(saved)
    assert counts()["expired"] == 40


# The front page of the desk


def front_page(client: Client) -> BeautifulSoup:
    return BeautifulSoup(client.get("/admin/").content, "html.parser")


def test_front_page_warns_when_it_never_ran_says_when_it_last_did_and_warns_when_that_is_long_ago(
    staff_client: Client,
) -> None:
    warning = front_page(staff_client).select_one(".errornote")
    assert "What is expired was never erased." in warning.text
    assert "manage.py forget_expired" in warning.text
    forget()
    page = front_page(staff_client)
    assert not page.select(".errornote")
    assert "Last time that what is expired was erased:" in page.text
    ErasureCount.objects.update(last_run_at=timezone.now() - timedelta(days=2, hours=1))
    assert "Last time that" in front_page(staff_client).select_one(".errornote").text


def test_counting_wrong_codes_is_not_taken_for_erasing(client: Client) -> None:
    rate_limits.RETURN_CODE.hit(client.get("/").wsgi_request)
    assert retention.last_run() is None
