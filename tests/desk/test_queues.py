"""Queues and the list: their order, their counts, and the search by reference."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from screening import reference_numbers, return_codes
from screening.desk import queues
from screening.desk.model_admin import CappedPaginator
from screening.models import URGENCIES, Status, Submission
from tests.answers import CLOSE_CALL, INPATIENT, IOP, URGENT, answers
from tests.conftest import Person
from tests.desk.helpers import CASES, listed, member, submit, url_of
from tests.helpers import parse, text_of

pytestmark = pytest.mark.django_db
TODAY = answers(pregnancy="yes", opioids="sick")


def tiles(client: Client) -> dict[str, str]:
    """Return title -> count as shown, for each queue on the front page."""
    page = parse(client.get("/admin/"))
    return {tile.select_one(".title").text: tile.select_one(".count").text for tile in page.select(".queue")}


def test_list_begins_with_who_needs_a_person_first(staff_client: Client) -> None:
    closed = submit(URGENT, status=Status.CLOSED)
    waiting = submit(URGENT, status=Status.WAITING)
    calm = submit(IOP)
    calm_asks = submit(IOP, call=True)
    soon, soon_asks = submit(INPATIENT), submit(INPATIENT, call=True)
    today, today_asks = submit(TODAY), submit(TODAY, call=True)
    now_old = submit(URGENT, received_at=timezone.now() - timedelta(days=1))
    now, now_asks = submit(URGENT), submit(URGENT, call=True)
    first_to_last = (now_asks, now, now_old, today_asks, today, soon_asks, calm_asks, soon, calm, waiting, closed)
    assert listed(staff_client) == [str(row) for row in first_to_last]


def test_front_page_opens_on_work_with_a_count_and_a_link_for_each_queue(staff_client: Client) -> None:
    staff = User.objects.get()
    days = timedelta(days=1)
    urgent = submit(URGENT, call=True, opened_at=timezone.now())
    rows = {
        "call_today": [urgent],
        "nobody_to_reach": [submit(TODAY, opened_at=timezone.now())],
        "wants_call": [urgent, submit(IOP, call=True, opened_at=timezone.now())],
        "unread": [submit(IOP), submit(INPATIENT)],
        "close_calls": [submit(CLOSE_CALL, opened_at=timezone.now())],
        "mine": [submit(IOP, opened_at=timezone.now(), assigned_to=staff)],
        "overdue": [
            submit(IOP, opened_at=timezone.now(), status=status, status_at=timezone.now() - late)
            for status, late in (
                (Status.NEW, 1.1 * days),
                (Status.IN_PROGRESS, 3.1 * days),
                (Status.WAITING, 7.1 * days),
            )
        ],
    }
    for status, early in ((Status.NEW, 0.9 * days), (Status.IN_PROGRESS, 2.9 * days), (Status.WAITING, 6.9 * days)):
        submit(IOP, opened_at=timezone.now(), status=status, status_at=timezone.now() - early)
    for given in (URGENT, CLOSE_CALL, IOP):  # closed cases are in no queue
        submit(given, call=True, status=Status.CLOSED, assigned_to=staff, status_at=timezone.now() - 9 * days)
    submit(URGENT, call=True, received_at=timezone.now() - 91 * days)  # neither are expired ones
    shown = tiles(staff_client)
    assert shown == {str(queue.title): str(len(rows[queue.key])) for queue in queues.QUEUES}
    for key, expected in rows.items():
        assert sorted(listed(staff_client, f"?queue={key}")) == sorted(str(row) for row in expected)
    links = parse(staff_client.get("/admin/")).select(".queue a")
    assert [link["href"] for link in links] == [f"{CASES}?queue={queue.key}" for queue in queues.QUEUES]


def test_urgent_cases_that_nobody_can_reach_are_counted_apart(staff_client: Client) -> None:
    for given in (URGENT, TODAY):
        reachable, alone = submit(given, call=True), submit(given)
        assert str(reachable) in listed(staff_client, "?queue=call_today")
        assert str(alone) in listed(staff_client, "?queue=nobody_to_reach")
        assert "Nobody can reach this person." in text_of(staff_client.get(url_of(alone)), "#reach ~ p")
        assert "Nobody can reach this person." not in staff_client.get(url_of(reachable)).content.decode()
    assert (tiles(staff_client)["Urgent, can be called"], tiles(staff_client)["Urgent, nobody to reach"]) == ("2", "2")
    assert [*tiles(staff_client)][:2] == ["Urgent, can be called", "Urgent, nobody to reach"]


def test_days_until_a_case_is_overdue_are_a_setting(settings: Any, staff_client: Client) -> None:
    submit(IOP, status_at=timezone.now() - timedelta(days=5))
    assert tiles(staff_client)["Overdue"] == "1"
    settings.OVERDUE_DAYS = {"new": 6, "in_progress": 3, "waiting": 7}
    assert tiles(staff_client)["Overdue"] == "0"


def test_count_of_a_queue_is_capped(staff_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST", 3)
    for _ in range(4):
        submit(IOP)
    assert tiles(staff_client)["Unread"] == "3+"


def test_count_of_the_list_is_capped(staff_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CappedPaginator, "MOST", 60)
    for _ in range(70):
        Submission.objects.submit(IOP)
    assert len(listed(staff_client)) == 50
    assert len(listed(staff_client, "?p=2")) == 10


def test_list_and_front_page_take_a_constant_number_of_queries(
    staff_client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        submit(URGENT, call=True, assigned_to=User.objects.get(), touched_by=User.objects.get())
    listed(staff_client)
    with django_assert_max_num_queries(13):
        assert len(listed(staff_client)) == 30
    with django_assert_max_num_queries(22):
        tiles(staff_client)


def test_staff_without_the_right_to_view_are_shown_no_counts(client: Client) -> None:
    client.force_login(member("visitor"))
    submit(URGENT)
    assert client.get("/admin/").status_code == 200
    assert tiles(client) == {}


def test_reference_is_short_speakable_and_says_nothing(person: Person) -> None:
    made = {reference_numbers.generate() for _ in range(2000)}
    assert len(made) == 2000
    assert {len(reference) for reference in made} == {8}
    assert not set("".join(made)) & set("AEIOU01L")
    html = person.finishes(IOP, "save").content.decode()
    assert reference_numbers.formatted(Submission.objects.get().reference) in html


def test_save_whose_reference_is_taken_draws_another(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, code = Submission.objects.submit(IOP).reference, return_codes.generate()
    picks = iter(taken + "23456789")
    monkeypatch.setattr(reference_numbers.secrets, "choice", lambda symbols: next(picks))
    assert Submission.objects.submit(URGENT, code).reference == "23456789"
    assert Submission.objects.count() == 2


@pytest.mark.parametrize(
    "typed", [str, str.lower, reference_numbers.formatted, lambda text: f" {text[:3]} {text[3:]}."]
)
def test_submission_is_found_by_its_reference_however_it_is_typed(staff_client: Client, typed: Any) -> None:
    wanted, _other = submit(IOP), submit(IOP)
    assert listed(staff_client, f"?q={typed(wanted.reference)}") == [str(wanted)]


def test_search_finds_by_nothing_but_the_whole_reference(staff_client: Client) -> None:
    row = submit(URGENT, call=True)
    parts = (row.reference[:4], row.reference[:7], row.reference[1:])
    for typed in (*parts, "x", "cannot_leave", "%25", "________", "405 555 0123"):
        assert listed(staff_client, f"?q={typed}") == [], typed
    assert listed(staff_client, f"?q={row.reference}") == [str(row)]


def test_received_is_shown_as_elapsed_time_with_the_exact_time_as_title(staff_client: Client) -> None:
    submit(IOP, received_at=timezone.now() - timedelta(hours=2, minutes=5))
    page = parse(staff_client.get(CASES))
    moment = page.select_one("#result_list .field-received time")
    assert moment.text.replace("\xa0", " ") == "2 hours ago"
    assert moment["title"]


def test_rank_of_every_combination_of_status_urgency_and_request() -> None:
    """Closed last, then waiting; of the rest the most urgent first, and of these who can be called."""
    open_cases = [("now", True), ("now", False), ("today", True), ("today", False), ("soon", True), ("none", True)]
    open_cases += [("soon", False), ("none", False)]
    row = submit()
    for status in Status.values:
        for urgency in URGENCIES:
            for wants_call in (True, False):
                rows = Submission.objects.filter(pk=row.pk)
                rows.update(status=status, urgency=URGENCIES.index(urgency), wants_call=wants_call)
                expected = {"closed": 9, "waiting": 8}.get(status, open_cases.index((urgency, wants_call)))
                assert rows.get().rank == expected, (status, urgency, wants_call)


def test_every_open_status_has_a_time_after_which_it_is_overdue(settings: Any) -> None:
    assert set(settings.OVERDUE_DAYS) == set(Status.values) - {"closed"}
