"""Queues and the list: their order, their counts, and the search by reference."""

import re
from datetime import timedelta
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from screening import due, reference_numbers, return_codes
from screening.desk import queues
from screening.desk.model_admin import CappedPaginator
from screening.models import URGENCIES, LogLine, Status, Submission
from tests.answers import CLOSE_CALL, INPATIENT, IOP, URGENT, answers
from tests.conftest import Person
from tests.desk.helpers import (
    CASES,
    ask_for_call,
    listed,
    member,
    signed_in,
    submit,
    url_of,
)
from tests.helpers import output_of, overwrite, parse, text_of

pytestmark = pytest.mark.django_db
TODAY = answers(pregnancy="yes", opioids="sick")


def tiles(client: Client) -> dict[str, str]:
    """Return title -> count as shown, for each queue on the front page."""
    page = parse(client.get("/admin/"))
    return {tile.select_one(".title").text: tile.select_one(".count").text for tile in page.select(".queue")}


HOUR = timedelta(hours=1)
COMBINATIONS = list(product(Status.values, URGENCIES, (True, False), (-HOUR, HOUR, None), (True, False)))


def test_every_open_case_is_in_a_queue_whatever_it_is(staff_client: Client) -> None:
    """Of each status and urgency, to be called or not, late, due later or without a time, opened or not."""
    staff, now = User.objects.get(), timezone.now()
    row = submit(CLOSE_CALL)
    for status, urgency, wants_call, due_in, opened in COMBINATIONS:
        due_at = now + due_in if due_in else due.NO_TIME
        if status == Status.CLOSED:
            due_at = None  # type: ignore[assignment]
        overwrite(
            row,
            status=status,
            urgency=URGENCIES.index(urgency),
            wants_call=wants_call,
            due_at=due_at,
            opened_at=now if opened else None,
        )
        rows = Submission.objects.filter(pk=row.pk)
        found = {queue.key for queue in queues.QUEUES if queue.count(rows, staff)}
        urgent = urgency in ("now", "today")
        expected = {
            "due": due_in == -HOUR,
            "later": due_in != -HOUR,
            "urgent": urgent and wants_call and bool(due_in),
            "nobody_to_reach": urgent and not (wants_call and due_in),
            "unread": not opened,
            "either": True,
        }
        assert found == ({key for key, there in expected.items() if there} if status != Status.CLOSED else set())


def test_open_case_without_a_time_and_closed_one_with_one_are_refused_by_the_database() -> None:
    row = submit(IOP)
    for columns in ({"due_at": None}, {"status": Status.CLOSED}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Submission.objects.filter(pk=row.pk).update(**columns)


def test_due_cases_are_in_the_order_of_work(staff_client: Client) -> None:
    now = timezone.now()
    calm_late, calm = submit(IOP, due_at=now - 5 * HOUR), submit(IOP, due_at=now - HOUR)
    same, first_came = submit(IOP, due_at=now), submit(IOP, due_at=now, received_at=now - 9 * HOUR)
    soon = submit(INPATIENT, due_at=now - HOUR / 2)
    today, danger = submit(TODAY), submit(URGENT, due_at=now - HOUR / 4)
    danger_late = submit(URGENT, due_at=now - HOUR / 2)
    submit(URGENT, due_at=now + HOUR), submit(URGENT, status=Status.CLOSED)
    in_order = (danger_late, danger, today, soon, calm_late, calm, first_came, same)
    assert listed(staff_client, "?queue=due") == [str(row) for row in in_order]


def test_list_without_a_queue_begins_with_the_newest(staff_client: Client) -> None:
    rows = [submit(given, received_at=timezone.now() - place * HOUR) for place, given in enumerate((IOP, URGENT, IOP))]
    assert listed(staff_client) == [str(row) for row in rows]


def test_front_page_opens_on_work_with_a_count_and_a_link_for_each_queue(staff_client: Client) -> None:
    staff, now = User.objects.get(), timezone.now()
    opened: dict[str, Any] = {"opened_at": now, "due_at": due.NO_TIME}
    asks = submit(URGENT, call=True, opened_at=now)
    alone, unread = submit(TODAY, **opened), submit(IOP)
    either, mine = submit(CLOSE_CALL, **opened), submit(IOP, assigned_to=staff, **opened)
    rows = {
        "due": [asks],
        "urgent": [asks],
        "nobody_to_reach": [alone],
        "unread": [unread],
        "either": [either],
        "mine": [mine],
        "later": [alone, unread, either, mine],
    }
    for given in (URGENT, CLOSE_CALL, IOP):  # closed cases are in no queue
        submit(given, call=True, status=Status.CLOSED, assigned_to=staff)
    submit(URGENT, call=True, received_at=now - timedelta(days=91))  # neither are expired ones
    shown = tiles(staff_client)
    assert shown == {str(queue.title): str(len(rows[queue.key])) for queue in queues.QUEUES}
    for key, expected in rows.items():
        assert sorted(listed(staff_client, f"?queue={key}")) == sorted(str(row) for row in expected)
    links = parse(staff_client.get("/admin/")).select(".queue a")
    assert [link["href"] for link in links] == [f"{CASES}?queue={queue.key}" for queue in queues.QUEUES]


def test_empty_queue_says_what_that_means(staff_client: Client) -> None:
    for queue in queues.QUEUES:
        assert str(queue.empty) in staff_client.get("/admin/").content.decode()
        assert str(queue.empty) in staff_client.get(f"{CASES}?queue={queue.key}").content.decode()


@pytest.mark.parametrize(
    ("due_in", "shown"),
    [
        (timedelta(minutes=40, seconds=5), "in 40 minutes"),
        (timedelta(hours=-2, minutes=-5), "2 hours late"),
        (timedelta(days=-3, minutes=-5), "3 days late"),
        (None, "Waits for them"),
    ],
)
def test_list_says_when_a_case_is_due_or_how_late_it_is(
    staff_client: Client, due_in: timedelta | None, shown: str
) -> None:
    row = submit(IOP, due_at=timezone.now() + due_in if due_in else due.NO_TIME)
    page = parse(staff_client.get(CASES))
    assert page.select_one(".field-due").text.replace("\xa0", " ") == shown
    assert shown in text_of(staff_client.get(url_of(row)), ".to-do").replace("\xa0", " ")
    assert bool(page.select(".field-due .late")) == ("late" in shown)


def test_urgent_cases_that_nobody_can_reach_are_counted_apart(staff_client: Client) -> None:
    for given in (URGENT, TODAY):
        reachable, alone = submit(given, call=True), submit(given)
        assert str(reachable) in listed(staff_client, "?queue=urgent")
        assert str(alone) in listed(staff_client, "?queue=nobody_to_reach")
        assert "Nobody can reach this person." in text_of(staff_client.get(url_of(alone)), "#reach ~ p")
        assert "Nobody can reach this person." not in staff_client.get(url_of(reachable)).content.decode()
    assert (tiles(staff_client)["Urgent, can be called"], tiles(staff_client)["Urgent, nobody to reach"]) == ("2", "2")
    assert [*tiles(staff_client)][:3] == ["Due now", "Urgent, can be called", "Urgent, nobody to reach"]


def test_count_of_a_queue_is_capped(staff_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST", 3)
    for _ in range(4):
        submit(IOP)
    assert tiles(staff_client)["New, unread"] == "3+"


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
    with django_assert_max_num_queries(25):
        tiles(staff_client)


MINE = "assigned_to__id__exact=1"
WALKED = [f"queue={key}{filtered}" for key in queues.BY_KEY for filtered in ("", f"&{MINE}")] + ["", MINE]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's plan is the same for any number of cases")
@pytest.mark.parametrize("address", ["/admin/", "/admin/pulse/", *(f"{CASES}?{asked}" for asked in WALKED)])
def test_no_page_sorts_or_reads_all_cases(staff_client: Client, address: str) -> None:
    """What SQLite would do for a page, also were there a million cases: it must take rows from an index, in order."""
    staff_client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert staff_client.get(address).status_code == 200
    asked = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    cases = [sql for sql in asked if 'FROM "screening_submission"' in sql or 'JOIN "screening_submission"' in sql]
    assert cases
    for sql in cases:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + sql)
            plan = [row[-1] for row in cursor.fetchall()]
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan, (sql, plan)
        whole = [step for step in plan if re.match(r"SCAN screening_submission|.*submission_received \(", step)]
        counts = "COUNT(" in sql and " LIMIT " not in sql
        assert not whole or (" INDEX " in whole[0] and not counts), (sql, plan)


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


@pytest.mark.django_db(transaction=True)
def test_save_whose_reference_is_taken_draws_another(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, code = Submission.objects.submit(IOP).reference, return_codes.generate()
    picks = iter(taken + "23456789")
    monkeypatch.setattr(reference_numbers.secrets, "choice", lambda symbols: next(picks))
    assert Submission.objects.submit(URGENT, code).reference == "23456789"
    assert Submission.objects.count() == 2


@pytest.mark.parametrize(
    "typed", [str, str.lower, reference_numbers.formatted, lambda text: f" {text[:3]} {text[3:]}."]
)
def test_case_is_found_by_its_reference_however_it_is_typed_and_opens_at_once(staff_client: Client, typed: Any) -> None:
    wanted, _other = submit(IOP), submit(IOP)
    assert staff_client.get(CASES, {"q": typed(wanted.reference)}).url == url_of(wanted)


@pytest.mark.parametrize("typed", ["405 555 0123", "(405) 555-0123", "+1 405.555.0123", "4055550123", "1-405-555-0123"])
def test_who_rings_back_is_found_by_their_number_however_it_is_written(staff_client: Client, typed: str) -> None:
    for written in ("(405) 555-0123", "4055550123", "+1 405 555 0123"):
        Submission.objects.all().delete()
        wanted, _other = submit(IOP), submit(IOP)
        ask_for_call(wanted, phone=written)
        ask_for_call(_other, phone="405 555 0199")
        assert staff_client.get(CASES, {"q": typed}).url == url_of(wanted)
    assert LogLine.objects.filter(action="listed", detail__contains="filters=q").count() == 3
    second = submit(IOP)
    ask_for_call(second, phone="405 555 0123")
    assert listed(staff_client, f"?q={quote(typed)}") == [str(second), str(wanted)]


def test_number_is_found_under_an_older_key_and_not_under_one_that_is_gone(staff_client: Client, settings: Any) -> None:
    wanted, keys = submit(IOP, call=True), settings.DATA_KEYS
    settings.DATA_KEYS = ["another key " * 5, *keys]
    assert staff_client.get(CASES, {"q": "405 555 0123"}).url == url_of(wanted)
    output_of("rotate_keys")
    settings.DATA_KEYS = settings.DATA_KEYS[:1]
    assert staff_client.get(CASES, {"q": "405 555 0123"}).url == url_of(wanted)
    settings.DATA_KEYS = keys
    assert listed(staff_client, "?q=405+555+0123") == []


def test_number_leads_to_a_case_only_for_who_may_see_it_and_is_nowhere_in_clear(client: Client) -> None:
    submit(IOP, call=True)
    client.force_login(member("rita", "reviewer"))
    assert listed(client, "?q=405+555+0123") == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT fingerprint FROM screening_contact")
        ((stored,),) = cursor.fetchall()
    assert len(stored) > 40
    assert "5550123" not in stored


def test_return_code_in_the_search_is_told_from_a_reference(staff_client: Client) -> None:
    code = return_codes.formatted(return_codes.generate())
    assert "This is a return code." in staff_client.get(CASES, {"q": code}).content.decode()


def test_search_stands_on_every_page_of_the_desk_for_who_may_see_cases(client: Client) -> None:
    for role, there in (("reviewer", True), ("manager", False)):
        client.force_login(member(role, role))
        for page in ("/admin/", "/admin/password_change/"):
            assert bool(parse(client.get(page)).select(f"form[action='{CASES}'] [name=q]")) == there


def test_search_finds_by_nothing_but_a_whole_reference_or_number(staff_client: Client) -> None:
    row = submit(URGENT, call=True)
    parts = (row.reference[:4], row.reference[:7], row.reference[1:])
    for typed in (*parts, "x", "cannot_leave", "%25", "________", "555 0123", "0123"):
        assert listed(staff_client, f"?q={typed}") == [], typed


# Search


@pytest.mark.parametrize("typed", ["Ref: {}", "{} (test)", "ｒｅｆ {}"])
def test_reference_is_found_with_words_around_it(staff_client: Client, typed: str) -> None:
    row = submit(IOP)
    assert staff_client.get(CASES, {"q": typed.format(row)}).url == url_of(row)


@pytest.mark.parametrize("stored", ["+1 (405) 555-0177 ext. 12", "405-555-0177x3", "４０５ 555 0177"])
def test_phone_is_found_whatever_its_extension(staff_client: Client, stored: str) -> None:
    row = submit(IOP)
    ask_for_call(row, phone=stored)
    for typed in ("405 555 0177", "4055550177 ext 9"):
        assert staff_client.get(CASES, {"q": typed}).url == url_of(row)


def test_phone_of_a_request_whose_time_is_up_is_not_found(staff_client: Client) -> None:
    long_ago = timezone.now() - timedelta(days=60)
    submit(IOP, call=True, status="closed", outcome="iop", status_at=long_ago)
    assert staff_client.get(CASES, {"q": "405 555 0123"}).status_code == 200


def test_who_may_not_search_by_phone_is_told_who_may() -> None:
    reviewer = signed_in(member("rita", "reviewer"))
    submit(IOP, call=True)
    page = reviewer.get(CASES, {"q": "405 555 0123"})
    assert "colleagues with the role “contact” can search" in page.content.decode()
    assert parse(page).select_one("label[for=find]").text == "Reference"


# What the script asks


def test_count_of_what_is_due_is_one_query_that_is_neither_logged_nor_activity(
    staff_client: Client, django_assert_max_num_queries: Any
) -> None:
    submit(URGENT)
    staff_client.get("/admin/")
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        before = LogLine.objects.count()
        with django_assert_max_num_queries(6):  # one for the count; the session and the account are those of any page
            answer = staff_client.get("/admin/pulse/").json()
        assert answer == {"due": 1, "words": "1 case is due."}
        assert LogLine.objects.count() == before
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert staff_client.get("/admin/pulse/").status_code == 403


def test_press_keeps_the_session(staff_client: Client) -> None:
    for minutes in (14, 28):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
            assert staff_client.post("/admin/pulse/").status_code == 204
    with time_machine.travel(timezone.now() + timedelta(minutes=44), tick=False):
        assert staff_client.post("/admin/pulse/").status_code == 403


def test_received_is_shown_as_elapsed_time_with_the_exact_time_as_title(staff_client: Client) -> None:
    submit(IOP, received_at=timezone.now() - timedelta(hours=2, minutes=5))
    page = parse(staff_client.get(CASES))
    moment = page.select_one("#result_list .field-received time")
    assert moment.text.replace("\xa0", " ") == "2 hours ago"
    assert moment["title"]


def test_front_page_opens_what_comes_first_in_one_press(staff_client: Client) -> None:
    assert "Open what comes first" not in staff_client.get("/admin/").content.decode()
    now = timezone.now()
    submit(IOP, due_at=now - 9 * HOUR)
    urgent = submit(URGENT, due_at=now - HOUR)
    submit(URGENT, due_at=now + HOUR)
    button = parse(staff_client.get("/admin/")).select_one("a.button.default")
    assert button["href"] == url_of(urgent)
    assert "1 hour late" in " ".join(button.parent.text.split()).lower()
