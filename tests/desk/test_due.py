"""When the next step of a case is due, and that a request for a call brings it back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from screening import due, notifications
from screening.models import Action, Contact, LogLine, Status, Submission
from tests.answers import INPATIENT, IOP, TODAY, URGENT
from tests.conftest import Person
from tests.desk.helpers import (
    ask_for_call,
    due_of,
    form_of,
    listed,
    save,
    send,
    signed_in,
    submit,
    superuser,
    url_of,
)
from tests.helpers import overwrite, parse, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> Submission:
    return Submission.objects.submit(IOP)


def errors(response: Any) -> str:
    return text_of(response, ".errorlist")


def test_case_that_came_is_due_at_once_if_it_is_urgent_else_within_a_day() -> None:
    for given, within in ((URGENT, timedelta()), (TODAY, timedelta()), (INPATIENT, timedelta(days=1))):
        row = Submission.objects.submit(given)
        assert abs(due_of(row) - row.received_at - within) < timedelta(seconds=5)


def test_case_whose_person_nobody_can_reach_waits_for_them_once_it_was_opened(staff_client: Client) -> None:
    alone, asks = submit(URGENT), submit(URGENT, call=True)
    for row in (alone, asks):
        staff_client.get(url_of(row))
        row.refresh_from_db()
    assert alone.due_at == due.NO_TIME
    assert due_of(asks) < timezone.now()


def test_time_that_staff_set_stays_when_the_case_is_opened_again(staff_client: Client) -> None:
    row = submit(IOP)
    save(staff_client, row, next_step="hours")
    staff_client.get(url_of(row))
    row.refresh_from_db()
    assert timedelta(minutes=119) < due_of(row) - timezone.now() < timedelta(hours=2)


@pytest.mark.parametrize(
    ("now", "step", "due_at"),
    [
        ("2026-11-27 10:00", "hours", "2026-11-27 12:00"),
        ("2026-11-27 10:00", "evening", "2026-11-27 17:00"),
        ("2026-11-27 10:00", "morning", "2026-11-28 09:00"),
        ("2026-11-27 23:30", "morning", "2026-11-28 09:00"),
    ],
)
def test_next_step_is_a_press_away(client: Client, now: str, step: str, due_at: str) -> None:
    zone = timezone.get_current_timezone()
    with time_machine.travel(datetime.fromisoformat(now).replace(tzinfo=zone), tick=False):
        staff_client = signed_in(superuser("staff"))
        row = submit(IOP)
        assert save(staff_client, row, next_step=step).status_code == 302
        assert f"{timezone.localtime(row.due_at):%Y-%m-%d %H:%M}" == due_at
        assert LogLine.objects.filter(action=Action.CHANGED, reference=row.reference).count() == 1


def test_evening_is_not_offered_when_it_is_past() -> None:
    zone = timezone.get_current_timezone()
    with time_machine.travel(datetime(2026, 11, 27, 17, 1, tzinfo=zone), tick=False):
        page = parse(signed_in(superuser("staff")).get(url_of(submit(IOP))))
        assert [option["value"] for option in page.select("#id_next_step option")] == ["", "hours", "morning"]


@pytest.mark.parametrize(
    ("given", "days", "said"),
    [
        (IOP, -0.01, "This time is past."),
        (IOP, 90.1, "At most 90 days from now."),
        (URGENT, 1.1, "An urgent case can be put off by a day at most."),
        (IOP, 89.9, ""),
        (URGENT, 0.9, ""),
    ],
)
def test_time_that_cannot_be_is_refused_and_what_was_typed_stays(
    staff_client: Client, given: dict[str, str], days: float, said: str
) -> None:
    row = submit(given, call=True)
    before, at = row.due_at, timezone.localtime(timezone.now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")
    response = save(staff_client, row, next_at=at, notes__0__text="Half a note")
    assert (response.status_code == 302) == (not said)
    assert (row.due_at == before) == bool(said)
    if said:
        assert said in errors(response)
        assert at in response.content.decode()
        assert "Half a note" in response.content.decode()


def test_urgent_case_is_due_within_a_day_whichever_step_is_chosen() -> None:
    zone = timezone.get_current_timezone()
    with time_machine.travel(datetime(2026, 11, 27, 7, tzinfo=zone), tick=False):
        row = submit(URGENT)
        save(signed_in(superuser("staff")), row, next_step="morning")
        assert due_of(row) - timezone.now() == timedelta(days=1)
        save(signed_in(superuser("other")), row, status="waiting")
        assert due_of(row) - timezone.now() == timedelta(days=1)


def test_outcome_closes_a_case_and_a_closed_case_is_never_due(staff_client: Client) -> None:
    row = submit(IOP)
    assert save(staff_client, row, outcome="declined").status_code == 302
    assert (row.status, row.outcome, row.due_at) == ("closed", "declined", None)
    assert save(staff_client, row, status="in_progress").status_code == 302
    assert (row.status, row.outcome) == ("in_progress", "")
    assert abs(due_of(row) - timezone.now()) < timedelta(seconds=9)


@pytest.mark.parametrize("status", Status)
def test_request_brings_a_case_back_whatever_its_status_was(
    person: Person, staff_client: Client, status: str, center_tells: Any
) -> None:
    center_tells(mail_to="intake@example.org")
    person.finishes(IOP, "save")
    row = Submission.objects.get()
    closed = {"outcome": "declined", "due_at": None} if status == Status.CLOSED else {"due_at": due.NO_TIME}
    overwrite(row, status=status, opened_at=timezone.now(), **closed)
    for told in ("Asked for a call", "Changed how to reach them"):
        row.refresh_from_db()
        overwrite(row, due_at=due.NO_TIME if row.due_at else None)
        assert person.client.post("/contact/", {"phone": "(405) 555-0123", "agree": "on"}).status_code == 302
        assert listed(staff_client, "?queue=due") == [str(row)]
        assert told in text_of(staff_client.get(url_of(row)), "#history ~ table")
        assert notifications.send_due() == (1, 0)
    row.refresh_from_db()
    assert row.status == ("new" if status == Status.NEW else "in_progress")
    assert row.outcome == ""


@pytest.mark.parametrize("status", ["waiting", "closed"])
def test_request_that_comes_while_a_colleague_has_the_case_open_is_not_undone_by_their_save(
    staff_client: Client, status: str
) -> None:
    row = submit(IOP, opened_at=timezone.now())
    save(staff_client, row, status=status, outcome="declined" if status == "closed" else "")
    page = form_of(staff_client, row)
    ask_for_call(row)
    refused = send(staff_client, row, page, notes__0__text="They told me to wait.")
    assert "its person asked for a call" in errors(refused)
    assert (row.status, row.outcome, row.notes.count()) == ("in_progress", "", 0)
    again = {**page, "seen": str(row.version), "status": "in_progress", "initial-status": "in_progress"}
    again |= {"outcome": "", "initial-outcome": ""}
    assert send(staff_client, row, again, notes__0__text="They told me to wait.").status_code == 302
    assert (row.status, row.outcome, row.notes.count()) == ("in_progress", "", 1)
    assert due_of(row) <= timezone.now()


def test_case_whose_request_was_withdrawn_waits_for_its_person_again(staff_client: Client) -> None:
    opened, unopened = submit(IOP, call=True, opened_at=timezone.now()), submit(IOP, call=True)
    closed = submit(IOP, call=True, status=Status.CLOSED, opened_at=timezone.now())
    Contact.objects.withdraw(opened.pk, unopened.pk, closed.pk)
    for row in (opened, unopened, closed):
        row.refresh_from_db()
    assert (opened.due_at, closed.due_at) == (due.NO_TIME, None)
    assert due_of(unopened) <= timezone.now()


@pytest.mark.parametrize("deed", ["asks", "withdraws"])
def test_page_from_before_a_request_does_not_close_the_case_or_put_it_off(staff_client: Client, deed: str) -> None:
    row = submit(IOP, call=deed == "withdraws", opened_at=timezone.now())
    stale = form_of(staff_client, row)
    if deed == "asks":
        ask_for_call(row)
    else:
        Contact.objects.withdraw(row.pk)
    for typed in ({"outcome": "not_reached"}, {"next_step": "morning"}):
        refused = send(staff_client, row, stale, **typed)
        assert "After you opened this case, its person asked for a call" in errors(refused)
        assert row.status == "new"
        assert row.due_at == due.NO_TIME if deed == "withdraws" else due_of(row) <= timezone.now()


def test_next_step_that_is_past_is_refused_in_words(staff_client: Client) -> None:
    assert "This time is over." in errors(save(staff_client, submit(IOP), next_step="noon"))
