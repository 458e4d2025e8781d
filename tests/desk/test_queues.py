"""The queue: what the desk opens on, in which order, and how staff find one submission."""

from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from screening import reference_numbers, return_codes
from screening.desk import queues
from screening.desk.model_admin import CappedPaginator
from screening.models import Contact, Status, Submission
from tests.answers import CLOSE_CALL, INPATIENT, IOP, URGENT, answers
from tests.conftest import Person

pytestmark = pytest.mark.django_db
LIST = "/admin/screening/submission/"
TODAY = answers(pregnancy="yes", opioids="sick")


def submission(given: dict[str, str] = IOP, *, call: bool = False, **fields: Any) -> Submission:
    made = Submission.objects.submit(given)
    if call:
        Contact.objects.create(submission=made, phone="405 555 0123", may_text=True, may_voicemail=True, consent="Yes.")
    Submission.objects.filter(pk=made.pk).update(**fields)
    made.refresh_from_db()
    return made


def listed(client: Client, query: str = "") -> list[str]:
    page = BeautifulSoup(client.get(LIST + query).content, "html.parser")
    return [link.text for link in page.select("#result_list tbody th a")]


def tiles(client: Client) -> dict[str, str]:
    """Title of each queue on the front page -> its count as it is shown."""
    page = BeautifulSoup(client.get("/admin/").content, "html.parser")
    return {tile.select_one(".title").text: tile.select_one(".count").text for tile in page.select(".queue")}


def test_list_begins_with_who_needs_a_person_first(staff_client: Client) -> None:
    closed = submission(URGENT, status=Status.CLOSED)
    waiting = submission(URGENT, status=Status.WAITING)
    calm = submission(IOP)
    calm_asks = submission(IOP, call=True)
    soon, soon_asks = submission(INPATIENT), submission(INPATIENT, call=True)
    today, today_asks = submission(TODAY), submission(TODAY, call=True)
    now_old = submission(URGENT, received_at=timezone.now() - timedelta(days=1))
    now, now_asks = submission(URGENT), submission(URGENT, call=True)
    first_to_last = (now_asks, now, now_old, today_asks, today, soon_asks, calm_asks, soon, calm, waiting, closed)
    assert listed(staff_client) == [str(row) for row in first_to_last]


def test_front_page_opens_on_work_with_a_count_and_a_link_for_each_queue(staff_client: Client) -> None:
    staff = User.objects.get()
    days = timedelta(days=1)
    rows = {
        "call_today": [submission(URGENT, opened_at=timezone.now())],
        "wants_call": [submission(IOP, call=True, opened_at=timezone.now())],
        "unread": [submission(IOP), submission(INPATIENT)],
        "close_calls": [submission(CLOSE_CALL, opened_at=timezone.now())],
        "mine": [submission(IOP, opened_at=timezone.now(), assigned_to=staff)],
        "overdue": [
            submission(IOP, opened_at=timezone.now(), status=status, status_at=timezone.now() - late)
            for status, late in (
                (Status.NEW, 1.1 * days),
                (Status.IN_PROGRESS, 3.1 * days),
                (Status.WAITING, 7.1 * days),
            )
        ],
    }
    for status, early in ((Status.NEW, 0.9 * days), (Status.IN_PROGRESS, 2.9 * days), (Status.WAITING, 6.9 * days)):
        submission(IOP, opened_at=timezone.now(), status=status, status_at=timezone.now() - early)
    for given in (URGENT, CLOSE_CALL, IOP):  # closed ones are nobody's work
        submission(given, call=True, status=Status.CLOSED, assigned_to=staff, status_at=timezone.now() - 9 * days)
    submission(URGENT, call=True, received_at=timezone.now() - 91 * days)  # and expired ones nobody's to see
    shown = tiles(staff_client)
    assert shown == {str(queue.title): str(len(rows[queue.key])) for queue in queues.QUEUES}
    for key, expected in rows.items():
        assert sorted(listed(staff_client, f"?queue={key}")) == sorted(str(row) for row in expected)
    links = BeautifulSoup(staff_client.get("/admin/").content, "html.parser").select(".queue a")
    assert [link["href"] for link in links] == [f"{LIST}?queue={queue.key}" for queue in queues.QUEUES]


def test_days_until_a_case_is_overdue_are_the_owners_to_set(settings: Any, staff_client: Client) -> None:
    submission(IOP, status_at=timezone.now() - timedelta(days=5))
    assert tiles(staff_client)["Overdue"] == "1"
    settings.OVERDUE_DAYS = {"new": 6, "in_progress": 3, "waiting": 7}
    assert tiles(staff_client)["Overdue"] == "0"


def test_queue_is_counted_no_further_than_anyone_needs(staff_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST", 3)
    for _ in range(4):
        submission(IOP)
    assert tiles(staff_client)["Unread"] == "3+"


def test_list_is_counted_no_further_than_anyone_turns_pages(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CappedPaginator, "MOST", 60)
    for _ in range(70):
        Submission.objects.submit(IOP)
    assert len(listed(staff_client)) == 50
    assert len(listed(staff_client, "?p=2")) == 10


def test_list_and_front_page_take_a_constant_number_of_queries(
    staff_client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        submission(URGENT, call=True, assigned_to=User.objects.get(), touched_by=User.objects.get())
    listed(staff_client)
    with django_assert_max_num_queries(13):
        assert len(listed(staff_client)) == 30
    with django_assert_max_num_queries(18):
        tiles(staff_client)


def test_staff_without_the_right_to_view_are_shown_no_counts(client: Client) -> None:
    client.force_login(User.objects.create_user("visitor", password="a long enough one", is_staff=True))
    submission(URGENT)
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
    wanted, _other = submission(IOP), submission(IOP)
    assert listed(staff_client, f"?q={typed(wanted.reference)}") == [str(wanted)]


@pytest.mark.parametrize("typed", ["x", "cannot_leave", "K7M4", "%25", "________", "405 555 0123"])
def test_search_finds_by_nothing_but_the_whole_reference(staff_client: Client, typed: str) -> None:
    submission(URGENT, call=True)
    assert listed(staff_client, f"?q={typed}") == []


def test_received_is_told_as_time_gone_by_with_the_exact_time_at_hand(staff_client: Client) -> None:
    submission(IOP, received_at=timezone.now() - timedelta(hours=2, minutes=5))
    page = BeautifulSoup(staff_client.get(LIST).content, "html.parser")
    moment = page.select_one("#result_list .field-received time")
    assert moment.text.replace("\xa0", " ") == "2 hours ago"
    assert moment["title"]
