"""Actions on many cases of the list at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from screening.models import Action, LogLine, Status, Submission
from tests.answers import IOP, TODAY, URGENT
from tests.desk.helpers import (
    CASES,
    due_of,
    form_of,
    member,
    member_with_permissions,
    send,
    submit,
)
from tests.helpers import overwrite, parse, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> Submission:
    return Submission.objects.submit(IOP)


def act(client: Client, action: str, *rows: Submission, **more: str) -> Any:
    sent = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return client.post(CASES, sent, follow=True)


def test_bulk_action_acts_on_each_case_and_is_logged_one_by_one(staff_client: Client) -> None:
    rows = [submit(IOP, opened_at=timezone.now()) for _ in range(3)]
    page = form_of(staff_client, rows[0])
    assert "2 cases changed." in act(staff_client, "assign_to_me", *rows[:2]).content.decode()
    assert "1 case changed." in act(staff_client, "wait", rows[0], confirm="yes").content.decode()
    for row in rows:
        row.refresh_from_db()
    assert [row.assigned_to_id is not None for row in rows] == [True, True, False]
    assert [row.status for row in rows] == ["waiting", "new", "new"]
    assert rows[0].status_at > rows[0].received_at
    assert timedelta(days=2.9) < due_of(rows[0]) - timezone.now() < timedelta(days=3)
    lines = LogLine.objects.filter(action=Action.CHANGED).order_by("number").values_list("reference", "detail")
    assert [*lines] == [
        (rows[0].reference, "assigned_to=staff"),
        (rows[1].reference, "assigned_to=staff"),
        (rows[0].reference, f"status=waiting; due_at={rows[0].due_at:%Y-%m-%d %H:%M} UTC"),
    ]
    assert "0 cases changed." in act(staff_client, "assign_to_me", rows[0]).content.decode()
    assert "saved this case after you opened it" in text_of(
        send(staff_client, rows[0], page, status="closed"), ".errorlist"
    )


@pytest.mark.parametrize("action", ["begin", "wait"])
def test_status_is_set_on_many_only_where_someone_has_looked_and_nobody_is_in_danger(
    staff_client: Client, action: str
) -> None:
    now = timezone.now()
    calm = submit(IOP, opened_at=now)
    left = [
        submit(URGENT, opened_at=now),
        submit(TODAY, opened_at=now),
        submit(IOP),
        submit(IOP, opened_at=now, status=Status.CLOSED, outcome="iop"),
    ]
    page = parse(act(staff_client, action, calm, *left)).select_one("#content-main form")
    assert [line.text.split(":")[0].strip() for line in page.select("li")] == list(map(str, (calm, *reversed(left))))
    sent = {str(field["name"]): str(field.get("value", "")) for field in page.select("[name]")}
    assert (sent["_selected_action"], sent["action"]) == (str(calm.pk), action)
    assert {*Submission.objects.values_list("status", flat=True)} == {"new", "closed"}
    text = act(staff_client, action, calm, *left, confirm="yes").content.decode()
    assert "1 case changed." in text
    said = f"Open these one by one: {', '.join(map(str, left))}"
    assert said in text
    assert [*Submission.objects.order_by("pk").values_list("status", flat=True)[1:]] == ["new", "new", "new", "closed"]
    assert Submission.objects.get(pk=left[3].pk).outcome == "iop"


def test_status_of_many_is_not_asked_about_if_none_of_them_is_set_that_way(staff_client: Client) -> None:
    assert "Open these one by one" in act(staff_client, "wait", submit(URGENT)).content.decode()
    assert Submission.objects.get().status == "new"


def test_case_that_was_closed_while_the_page_asked_is_left(staff_client: Client) -> None:
    rows = [submit(IOP, opened_at=timezone.now()) for _ in range(2)]
    assert parse(act(staff_client, "begin", *rows)).select_one("button[name=confirm]")["value"] == "yes"
    overwrite(rows[0], status="closed", outcome="iop", due_at=None)
    act(staff_client, "begin", *rows, confirm="yes")
    assert [*Submission.objects.order_by("pk").values_list("status", flat=True)] == ["closed", "in_progress"]


def test_case_of_a_colleague_is_not_taken_from_the_list(staff_client: Client) -> None:
    colleague = member("cora", "contact")
    theirs, free = submit(IOP, assigned_to=colleague), submit(IOP)
    text = act(staff_client, "assign_to_me", theirs, free).content.decode()
    assert "1 case changed." in text
    assert f"To take one over, open it: {theirs}" in text
    assert Submission.objects.get(pk=theirs.pk).assigned_to == colleague


def test_bulk_action_is_for_what_is_ticked_alone(staff_client: Client, row: Submission) -> None:
    other = Submission.objects.submit(IOP)
    Submission.objects.update(opened_at=timezone.now())
    page = {"action": "begin", "_selected_action": [row.pk], "select_across": "1", "confirm": "yes"}
    staff_client.post(CASES, page)
    for wrong in ("abc", "", "9" * 30, "-1", "1,2", "\0"):
        answer = staff_client.post(CASES, page | {"_selected_action": [wrong]}, follow=True)
        assert answer.status_code == 200, wrong
    assert [Submission.objects.get(pk=each.pk).status for each in (row, other)] == ["in_progress", "new"]


def test_bulk_action_needs_the_right_to_change(client: Client, row: Submission) -> None:
    client.force_login(member_with_permissions("reader", "view_submission"))
    for action in ("assign_to_me", "begin", "wait"):
        act(client, action, row)
    row.refresh_from_db()
    assert (row.assigned_to, row.status) == (None, "new")
    assert not LogLine.objects.filter(action=Action.CHANGED).exists()
