"""How long a session of the staff lasts, and what ends it. The sign-in itself is tested in test_sign_in.py."""

from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory

from screening.desk.sessions import ABSOLUTE_TIMEOUT, IDLE_TIMEOUT, WRITE_INTERVAL

pytestmark = pytest.mark.django_db
DESK = "/admin/"


@pytest.fixture
def client_signed_in_at_eight() -> Client:
    client = Client()
    with time_machine.travel("2026-11-23 08:00", tick=False):
        client.force_login(User.objects.create_superuser("staff", password="a long enough one"))
        assert client.get(DESK).status_code == 200
    return client


def test_policy_is_15_idle_minutes_and_8_hours_in_all() -> None:
    assert (IDLE_TIMEOUT, ABSOLUTE_TIMEOUT) == (15 * 60, 8 * 60 * 60)


@pytest.mark.parametrize(("idle", "status"), [(IDLE_TIMEOUT, 200), (IDLE_TIMEOUT + 1, 302)])
def test_session_ends_after_the_idle_timeout(client_signed_in_at_eight: Client, idle: int, status: int) -> None:
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        clock.shift(idle)
        assert client_signed_in_at_eight.get(DESK).status_code == status


@pytest.mark.parametrize(("age", "status"), [(ABSOLUTE_TIMEOUT - 1, 200), (ABSOLUTE_TIMEOUT + 1, 302)])
def test_session_ends_after_the_absolute_timeout(client_signed_in_at_eight: Client, age: int, status: int) -> None:
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        session = client_signed_in_at_eight.session
        session["last_request_at"] = session["signed_in_at"] + age - 60
        session.set_expiry(2 * ABSOLUTE_TIMEOUT)  # that its row expires too is not what is tested here
        session.save()
        clock.shift(age)
        assert client_signed_in_at_eight.get(DESK).status_code == status


@pytest.mark.parametrize(("seconds", "writes"), [(WRITE_INTERVAL, 0), (WRITE_INTERVAL + 1, 1)])
def test_session_is_written_only_so_often(
    client_signed_in_at_eight: Client, seconds: int, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0
    save = SessionStore.save

    def counted(*args: Any, **options: Any) -> None:
        nonlocal count
        count += 1
        save(*args, **options)

    monkeypatch.setattr(SessionStore, "save", counted)
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        clock.shift(seconds)
        assert client_signed_in_at_eight.get(DESK).status_code == 200
    assert count == writes


def test_asking_for_permission_changes_nothing(client_signed_in_at_eight: Client) -> None:
    """Not even for a session that is over: the middleware has ended it before anything asks."""
    with time_machine.travel("2026-11-23 08:20", tick=False):
        request = RequestFactory().get(DESK)
        request.user, request.session = User.objects.get(), client_signed_in_at_eight.session
        before = dict(request.session)
        assert "signed_in_at" in before
        assert admin.site.has_permission(request)
        assert (dict(request.session), request.session.modified) == (before, False)


def test_public_page_touches_no_session(client_signed_in_at_eight: Client, django_assert_num_queries: Any) -> None:
    with time_machine.travel("2026-11-23 08:20", tick=False):
        before = dict(client_signed_in_at_eight.session)
        assert "signed_in_at" in before
        with django_assert_num_queries(0):
            assert client_signed_in_at_eight.get("/questions/emergency/").status_code == 200
        assert dict(client_signed_in_at_eight.session) == before
