"""Retention: expired data is hidden, erased by forget_expired, and reported on the front page of the desk."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone

from intake_site import server
from screening import accounts, notifications, rate_limits, retention, return_codes
from screening.models import (
    Contact,
    ErasureCount,
    Note,
    Notification,
    RateLimitCount,
    RateLimitWindow,
    Status,
    Submission,
)
from tests.answers import IOP, URGENT
from tests.desk.helpers import CASES, ask_for_call, save, submit, url_of
from tests.helpers import output_of, overwrite, parse, run_at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ran_yesterday(db: None) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    ErasureCount.objects.create(day=yesterday.date(), reason="contact", last_run_at=yesterday)


def received(days_ago: float, **columns: Any) -> Submission:
    return submit(received_at=timezone.now() - timedelta(days=days_ago), **columns)


def forget(*options: str) -> str:
    return output_of("forget_expired", *options)


def counts() -> dict[str, int]:
    return dict(ErasureCount.objects.values_list("reason", "count"))


def test_expired_submissions_are_erased_with_all_that_hangs_on_them(staff_client: Client) -> None:
    young, old = received(89.9), received(90.1)
    for each in (young, old):
        ask_for_call(each)
        Note.objects.create(submission=each, text="A note.", author=User.objects.get())
    assert forget() == "1 submissions and 0 contact details erased.\n"
    assert [*Submission.objects.all()] == [young]
    assert (Note.objects.count(), Contact.objects.count()) == (1, 1)
    assert counts() == {"expired": 1, "contact": 0}


def test_contact_details_go_some_days_after_the_case_was_closed(staff_client: Client) -> None:
    def closed(days: float) -> dict[str, Any]:
        return {"status": Status.CLOSED, "due_at": None, "status_at": timezone.now() - timedelta(days=days)}

    kept, gone = [received(30), received(30)], received(30)
    for each in (*kept, gone):
        ask_for_call(each)
    overwrite(kept[0], **closed(13.9))
    overwrite(kept[1], status_at=timezone.now() - timedelta(days=20))
    overwrite(gone, **closed(14.1))
    html = [staff_client.post(url_of(each, "reveal"), follow=True).content.decode() for each in (*kept, gone)]
    assert ["405 555 0123" in each for each in html] == [True, True, False]  # even before they are erased
    assert forget() == "0 submissions and 1 contact details erased.\n"
    assert [contact.submission for contact in Contact.objects.order_by("pk")] == kept
    assert [*Submission.objects.filter(wants_call=False)] == [gone]


def test_days_count_from_when_staff_closed_the_case_and_begin_anew_when_it_is_opened_again(
    staff_client: Client,
) -> None:
    def set_status(status: str) -> None:
        staff_client.force_login(User.objects.get())
        assert save(staff_client, case, status=status, outcome="declined").status_code == 302

    with time_machine.travel("2026-11-01 12:00", tick=False) as clock:
        case = received(0)
        ask_for_call(case)
        set_status("closed")
        clock.shift(timedelta(days=13))
        set_status("in_progress")
        clock.shift(timedelta(days=13))
        forget("--clock-is-right")
        assert Contact.objects.exists()
        set_status("closed")
        clock.shift(timedelta(days=13))
        forget("--clock-is-right")
        assert Contact.objects.exists()
        clock.shift(timedelta(days=2))
        forget()
        assert not Contact.objects.exists()


def test_retention_days_are_a_setting(settings: Any) -> None:
    settings.RETENTION_DAYS = 7
    received(6.9), received(7.1)
    assert forget() == "1 submissions and 0 contact details erased.\n"


def test_dry_run_counts_and_erases_nothing() -> None:
    received(91), received(200)
    assert forget("--dry-run") == "2 submissions and 0 contact details would be erased.\n"
    assert Submission.objects.count() == 2
    assert ErasureCount.objects.count() == 1, "no run is recorded"


def test_running_again_finds_nothing_and_the_days_counts_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        received(91)
    assert forget().startswith("5 submissions")
    assert forget().startswith("0 submissions")
    received(91)
    assert forget().startswith("1 submissions")
    assert counts() == {"expired": 6, "contact": 0}


def test_what_has_had_its_time_is_shown_to_nobody_even_before_it_is_erased(staff_client: Client) -> None:
    code = return_codes.generate()
    old = Submission.objects.submit(URGENT, code)
    assert Submission.objects.with_code(code) == old
    Submission.objects.update(received_at=timezone.now() - timedelta(days=90, minutes=1))
    assert Submission.objects.with_code(code) is None
    assert staff_client.get(url_of(old)).status_code == 302
    assert f"/{old.pk}/change/" not in staff_client.get(CASES).content.decode()
    assert staff_client.get(url_of(old, "print")).status_code == 302
    assert staff_client.post(url_of(old, "reveal")).url == CASES


def test_expired_sessions_and_old_rate_limit_windows_are_deleted_too() -> None:
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
        received(91)
    saved: list[int] = []

    def save_some() -> None:
        saved.extend(Submission.objects.submit(IOP).pk for _ in range(20))

    def erase() -> None:
        retention.erase_expired()

    results = run_at_once(*[erase, save_some] * 2)
    assert [error for error in results if isinstance(error, BaseException)] == []
    assert set(Submission.objects.values_list("pk", flat=True)) == set(saved)
    assert counts()["expired"] == 40


# The front page of the desk


def front_page(client: Client) -> BeautifulSoup:
    return parse(client.get("/admin/"))


def test_front_page_warns_when_it_never_ran_says_when_it_last_did_and_warns_when_that_is_long_ago(
    staff_client: Client,
) -> None:
    ErasureCount.objects.all().delete()
    warning = front_page(staff_client).select_one(".errornote")
    assert "Expired data was never erased." in warning.text
    assert "manage.py forget_expired" in warning.text
    forget()
    page = front_page(staff_client)
    assert not page.select(".errornote")
    assert "Expired data last erased:" in page.text
    ErasureCount.objects.update(last_run_at=timezone.now() - timedelta(days=2, hours=1))
    assert "Expired data last erased" in front_page(staff_client).select_one(".errornote").text


def test_rate_limit_count_is_not_taken_for_a_retention_run(client: Client) -> None:
    ErasureCount.objects.all().delete()
    rate_limits.RETURN_CODE.hit(client.get("/").wsgi_request)
    assert ErasureCount.last_run() is None


# A clock that is wrong


@pytest.fixture
def kept() -> Submission:
    """Return a submission that staff have closed, beside an account; both are to be kept."""
    User.objects.create_superuser("owner", last_login=timezone.now())
    return submit(status=Status.CLOSED, call=True)


def test_year_forward_for_an_hour_erases_nothing_closes_nobody_and_says_so(
    kept: Submission, staff_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    now = timezone.now()
    with time_machine.travel(now + timedelta(days=365)):
        server.run_hourly_jobs()
        submit()  # someone saves meanwhile
        staff_client.force_login(User.objects.get(username="staff"))
        assert "--clock-is-right" in staff_client.get("/admin/").content.decode()
        assert not accounts.is_unused(User.objects.get(username="owner")), "nor at the sign-in"
        server.run_hourly_jobs()
    assert caplog.messages.count(next(text for text in caplog.messages if "the clock may be wrong" in text)) == 2
    assert Submission.objects.filter(pk=kept.pk).exists()
    assert Contact.objects.count() == 1
    assert User.objects.get(username="owner").is_active
    server.run_hourly_jobs()
    last = ErasureCount.last_run()
    assert last
    assert abs(last - now) < timedelta(minutes=1), "the daily run comes as always"
    assert not Submission.objects.filter(received_at__gt=now + timedelta(days=1)).exists(), (
        "kept no longer than promised"
    )


def test_owner_who_says_that_the_clock_is_right_has_it_erased(kept: Submission) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=91)):
        with pytest.raises(CommandError, match="the clock may be wrong"):
            forget()
        assert forget("--clock-is-right").startswith("1 submissions")
        assert forget().startswith("0 submissions")


@pytest.mark.parametrize(("days", "refused"), [(2.9, False), (3.1, True)])
def test_site_that_was_off_for_some_days_asks_after_three(days: float, refused: bool) -> None:
    received(89.99)
    with time_machine.travel(timezone.now() + timedelta(days=days - 1)):
        if refused:
            with pytest.raises(CommandError, match="the clock may be wrong"):
                forget()
        else:
            assert forget().startswith("1 submissions")


def test_run_of_a_clock_that_was_ahead_keeps_no_later_run_from_coming(caplog: pytest.LogCaptureFixture) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=365)):
        forget("--clock-is-right")
    assert received(91)
    server.run_hourly_jobs()
    assert not Submission.objects.exists()
    assert "a run lies in the future" in caplog.text
    forget("--clock-is-right")
    assert not ErasureCount.objects.filter(last_run_at__gt=timezone.now() + timedelta(minutes=1)).exists()


def test_clock_that_is_behind_changes_no_time_so_that_all_is_kept_when_it_is_right_again() -> None:
    case = received(1)
    forget()
    with time_machine.travel(timezone.now() - timedelta(days=365)) as clock:
        for _day in range(3):
            server.run_hourly_jobs()
            clock.shift(timedelta(days=1))
    assert Submission.objects.get().received_at == case.received_at
    forget()
    assert Submission.objects.exists()


def test_mail_and_limits_of_a_clock_that_was_ahead_count_from_now_on(center_tells: Any) -> None:
    center_tells(mail_to="desk@example.org")
    case = submit()
    Notification.objects.create(
        submission=case, reason="call", attempts=1, next_attempt_at=timezone.now() + timedelta(days=300)
    )
    RateLimitWindow.objects.create(starts_at=timezone.now() + timedelta(days=300))
    assert notifications.send_due() == (1, 0)
    rate_limits.delete_old_windows()
    assert not RateLimitWindow.objects.exists()


def test_session_of_a_clock_that_was_ahead_ends(staff_client: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        staff_client.force_login(User.objects.get())
        assert staff_client.get(CASES).status_code == 200
    assert staff_client.get(CASES).status_code == 302


def test_run_with_a_wrong_clock_and_nothing_to_erase_does_not_make_that_clock_right() -> None:
    with time_machine.travel("2026-11-01 12:00", tick=False) as clock:
        received(0)
        forget()
        clock.shift(timedelta(days=88))
        with pytest.raises(CommandError, match="the clock may be wrong"):
            forget()
        clock.shift(timedelta(days=2.5))
        with pytest.raises(CommandError, match="the clock may be wrong"):
            forget()
        assert Submission.objects.exists()
