"""How long a session of the staff lasts, and what ends it. The sign-in itself is tested in test_sign_in.py."""

from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory

from screening.desk.sessions import ABSOLUTE_TIMEOUT, IDLE_TIMEOUT, WRITE_INTERVAL
from screening.models import Submission
from tests.answers import IOP
from tests.desk.helpers import CASES, CODE, enrolled, form_of, member, password, url_of
from tests.helpers import parse

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_in_gate]
DESK = "/admin/"


@pytest.fixture
def second_factor(settings: Any) -> None:
    settings.SECOND_FACTOR = True


@pytest.fixture
def ann(db: None) -> User:
    return member("ann", "reviewer")


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


def test_session_ends_after_15_idle_minutes_and_after_8_hours_in_all(ann: User) -> None:
    client = Client()
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        password(client)
        clock.shift(14 * 60)
        assert client.get(DESK).status_code == 200
        clock.shift(14 * 60)
        assert client.get(DESK).status_code == 200
        clock.shift(16 * 60)
        assert client.get(DESK).status_code == 302
        assert client.get(DESK).status_code == 302
        password(client)
        for _ in range(8 * 6 - 1):
            clock.shift(10 * 60)
            assert client.get(DESK).status_code == 200
        clock.shift(11 * 60)
        assert client.get(DESK).status_code == 302
        password(client)  # and a new one begins anew
        clock.shift(10 * 60)
        assert client.get(DESK).status_code == 200


def test_password_alone_does_not_make_a_session_last_longer(client: Client, ann: User, second_factor: None) -> None:
    enrolled(client, ann)
    assert client.get(CASES).status_code == 200
    assert password(client).headers["Location"].startswith(CODE)
    assert client.get(CASES).status_code == 302
    assert client.get(CODE).status_code == 200


def test_what_was_typed_when_a_session_ended_is_shown_again_and_not_saved(ann: User) -> None:
    client, row = Client(), Submission.objects.submit(IOP)
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        password(client)
        page = form_of(client, row) | {"notes-0-text": "She will call <b>again</b> on Monday."}
        clock.shift(16 * 60)
        response = client.post(url_of(row), page)
        assert response.status_code == 403
        assert "You are signed out" in response.content.decode()
        assert parse(response).select_one("textarea").text.strip() == "She will call <b>again</b> on Monday."
        assert parse(response).select_one("a.button")["href"] == url_of(row)
        assert not row.notes.exists()
        assert "again" not in str([*Session.objects.values()])
        password(client)
        assert note_of(client, Submission.objects.submit(IOP)) == ""
        assert note_of(client, row) == "She will call <b>again</b> on Monday."
        assert note_of(client, row) == ""  # once
    assert not row.notes.exists()


def test_script_that_asks_before_the_form_arrives_loses_nothing(ann: User) -> None:
    client, row = Client(), Submission.objects.submit(IOP)
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        password(client)
        page = form_of(client, row) | {"reviews-0-reason": "Alone.", "reviews-0-program": "iop", "next_step": "morning"}
        clock.shift(16 * 60)
        for ask in (client.get, client.post):
            assert ask("/admin/pulse/").status_code == 403
        assert client.post(url_of(row), page).status_code == 403
        assert client.get(url_of(row)).status_code == 302
        password(client)
        again = parse(client.get(url_of(row)))
    chosen = [str(option["value"]) for option in again.select(".work option[selected]") if option.get("value")]
    assert {"iop", "morning"} <= set(chosen)
    assert again.select_one("#id_reviews-0-reason").text.strip() == "Alone."


def test_what_was_typed_is_kept_if_another_tab_found_the_session_over_first(ann: User) -> None:
    client, row = Client(), Submission.objects.submit(IOP)
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        password(client)
        page = form_of(client, row) | {"notes-0-text": "She will call again."}
        clock.shift(16 * 60)
        assert client.get("/admin/").status_code == 302
        client.post(url_of(row), page)
        password(client)
        assert note_of(client, row) == "She will call again."


def note_of(client: Client, row: Submission) -> str:
    return str(parse(client.get(url_of(row))).select_one("#id_notes-0-text").text.strip())


def test_what_was_typed_is_given_back_to_nobody_else(ann: User) -> None:
    client, row = Client(), Submission.objects.submit(IOP)
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        password(client)
        page = form_of(client, row) | {"notes-0-text": "She will call again."}
        clock.shift(16 * 60)
        client.post(url_of(row), page)
        client.force_login(member("bob", "reviewer"))
        assert note_of(client, row) == ""
        client.post("/admin/logout/")
        password(client)
        assert note_of(client, row) == ""


def test_who_was_not_signed_in_leaves_no_text_behind(db: None) -> None:
    client, row = Client(), Submission.objects.submit(IOP)
    response = client.post(url_of(row), {"notes-0-text": "She will call again."})
    assert response.status_code == 403
    assert "is back in its place" not in response.content.decode()
    assert not Session.objects.exists()


def test_page_from_before_the_latest_sign_in_shows_what_was_typed(ann: User) -> None:
    client, row = Client(enforce_csrf_checks=True), Submission.objects.submit(IOP)
    client.force_login(ann)
    response = client.post(url_of(row), {"notes-0-text": "She will call again.", "status": "closed"})
    assert response.status_code == 403
    assert parse(response).select_one("textarea").text.strip() == "She will call again."
    row.refresh_from_db()
    assert row.status == "new"


def test_save_after_losing_the_permission_shows_what_was_typed(ann: User) -> None:
    client, row = Client(), Submission.objects.submit(IOP)
    password(client)
    page = form_of(client, row) | {"notes-0-text": "She will call again.", "reviews-0-reason": "Alone at home."}
    ann.groups.clear()
    response = client.post(url_of(row), page)
    assert response.status_code == 403
    assert "does not have the right to this" in response.content.decode()
    assert [area.text.strip() for area in parse(response).select("textarea")] == [
        "She will call again.",
        "Alone at home.",
    ]
    assert not row.notes.exists()
