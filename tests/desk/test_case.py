"""One case: who works on it, what they judge, how it ends; and two who work on it at once."""

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Permission, User
from django.test import Client

from screening import retention
from screening.audit import Action, LogLine
from screening.models import Contact, Note, Review, Status, Submission
from tests.answers import IOP, URGENT
from tests.conftest import on_desk

pytestmark = pytest.mark.django_db
LIST = "/admin/screening/submission/"


@pytest.fixture
def row() -> Submission:
    return Submission.objects.submit(IOP)


@pytest.fixture
def colleague(staff_client: Client) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ann", password="a long enough one"))
    return client


def send(client: Client, row: Submission, page: dict[str, str], **typed: str) -> Any:
    """A page that was opened earlier, with these things typed; "__" stands for "-"."""
    typed = {key.replace("__", "-"): value for key, value in typed.items()}
    response = client.post(f"{LIST}{row.pk}/change/", page | typed)
    row.refresh_from_db()
    return response


def saves(client: Client, row: Submission, **typed: str) -> Any:
    return send(client, row, on_desk(client, row), **typed)


def errors(response: Any) -> str:
    found = BeautifulSoup(response.content, "html.parser").select(".errorlist")
    return " ".join(" ".join(each.text for each in found).split())


# Status, outcome, assignment


def test_closing_asks_how_it_ended_and_opening_again_forgets_it(staff_client: Client, row: Submission) -> None:
    assert "A closed case needs an outcome." in errors(saves(staff_client, row, status="closed"))
    assert saves(staff_client, row, status="closed", outcome="iop").status_code == 302
    assert (row.status, row.outcome) == ("closed", "iop")
    assert saves(staff_client, row, status="waiting").status_code == 302
    assert (row.status, row.outcome) == ("waiting", "")


def test_case_is_assigned_to_staff_who_are_still_there_and_shows_who_touched_it_last(
    staff_client: Client, row: Submission
) -> None:
    staff = User.objects.get()
    gone = User.objects.create_user("gone", is_staff=True, is_active=False)
    outside = User.objects.create_user("outside")
    auditor = User.objects.create_user("auditor", is_staff=True)  # who could not open it
    for nobody in (gone, outside, auditor):
        assert saves(staff_client, row, assigned_to=str(nobody.pk)).status_code == 200
    assert saves(staff_client, row, assigned_to=str(staff.pk)).status_code == 302
    assert (row.assigned_to, row.touched_by) == (staff, staff)
    assert "staff, <time" in staff_client.get(LIST).content.decode()
    for query, number in (
        (f"assigned_to__id__exact={staff.pk}", 1),
        ("assigned_to__isnull=True", 0),
        (f"touched_by__id__exact={staff.pk}", 1),
    ):
        assert staff_client.get(f"{LIST}?{query}").content.decode().count(f"/{row.pk}/change/") == number


def test_outcome_of_a_case_that_is_not_closed_is_not_dropped_in_silence(staff_client: Client, row: Submission) -> None:
    response = saves(staff_client, row, outcome="iop")
    assert "Only a closed case has an outcome. Set the status to closed, too." in errors(response)
    (link,) = BeautifulSoup(response.content, "html.parser").select(".errors a")
    assert link["href"] == "#id_outcome"


def test_request_for_a_call_that_staff_took_back_is_told_as_such(staff_client: Client, row: Submission) -> None:
    page = f"{LIST}{row.pk}/change/"
    assert "They left no way to reach them." in staff_client.get(page).content.decode()
    Contact.objects.create(submission=row, phone="405 555 0123", may_text=True, may_voicemail=True, consent="Yes.")
    staff_client.post(f"{LIST}{row.pk}/withdraw/")
    html = staff_client.get(page).content.decode()
    assert "no longer want one: staff erased how to reach them" in html
    assert "They left no way to reach them." not in html
    assert not Contact.objects.exists()


# Reviews


def test_review_is_recorded_with_author_and_time_and_cannot_be_changed(staff_client: Client, row: Submission) -> None:
    assert saves(staff_client, row, reviews__0__program="iop").status_code == 302
    saves(
        staff_client,
        row,
        reviews__0__program="inpatient",
        reviews__0__reason="Alone at home.",
    )
    first, second = Review.objects.all()
    assert (first.program, first.agrees, first.reason, first.author.get_username()) == ("iop", True, "", "staff")
    assert (second.program, second.agrees, second.reason) == ("inpatient", False, "Alone at home.")
    html = staff_client.get(f"{LIST}{row.pk}/change/").content.decode()
    for words in ("agrees with the rules", "differs from the rules", "Alone at home."):
        assert words in html
    crafted = {"reviews-0-id": str(first.pk), "reviews-0-program": "inpatient", "reviews-0-reason": "Changed."}
    crafted |= {"reviews-INITIAL_FORMS": "2", "reviews-1-id": str(second.pk), "reviews-0-DELETE": "on"}
    staff_client.post(f"{LIST}{row.pk}/change/", on_desk(staff_client, row) | crafted)
    assert list(Review.objects.values_list("program", flat=True))[:2] == ["iop", "inpatient"]
    assert list(Review.objects.filter(pk__in=(first.pk, second.pk))) == [first, second]


def test_to_differ_from_the_rules_takes_a_reason_and_to_agree_none(staff_client: Client, row: Submission) -> None:
    response = saves(staff_client, row, reviews__0__program="inpatient", notes__0__text="Half a note")
    assert "You differ from the rules. Please say why." in errors(response)
    assert "Half a note" in response.content.decode()
    assert not Review.objects.exists()


# Two at once


def test_save_over_a_newer_state_is_refused_with_what_changed_and_keeps_what_was_typed(
    staff_client: Client, colleague: Client, row: Submission
) -> None:
    page = on_desk(staff_client, row)
    assert saves(colleague, row, status="closed", outcome="declined").status_code == 302
    response = send(staff_client, row, page, notes__0__text="Called.", reviews__0__program="iop")
    said = errors(response)
    assert "ann saved this case after you opened it." in said
    assert "Status: Closed." in said
    assert "Outcome: Did not want to go on." in said
    assert (Note.objects.count(), Review.objects.count(), row.status) == (0, 0, Status.CLOSED)
    shown = BeautifulSoup(response.content, "html.parser")
    assert shown.select_one("[name=notes-0-text]").text.strip() == "Called."
    assert shown.select_one("[name=status] [selected]")["value"] == "closed"
    again = {str(field["name"]): str(field.get("value", "")) for field in shown.select("#submission_form input[name]")}
    again |= {"status": "closed", "outcome": "declined"}
    assert send(staff_client, row, again, notes__0__text="Called.", reviews__0__program="iop").status_code == 302
    assert (Note.objects.count(), Review.objects.count(), row.status) == (1, 1, Status.CLOSED)


def test_what_both_changed_is_shown_as_one_typed_it_and_saved_only_when_sent_again(
    staff_client: Client, colleague: Client, row: Submission
) -> None:
    page = on_desk(staff_client, row)
    saves(colleague, row, status="waiting", notes__0__text="Will ring back.")
    response = send(staff_client, row, page, status="in_progress")
    assert "Status: Waiting for person." in errors(response)
    assert row.status == Status.WAITING
    shown = BeautifulSoup(response.content, "html.parser")
    assert shown.select_one("[name=status] [selected]")["value"] == "in_progress"


def test_note_of_a_colleague_counts_as_newer_too(staff_client: Client, colleague: Client, row: Submission) -> None:
    page = on_desk(staff_client, row)
    saves(colleague, row, notes__0__text="I have spoken with her.")
    assert "A note or a review was added." in errors(send(staff_client, row, page, status="in_progress"))
    assert row.status == Status.NEW


def test_double_click_saves_once_and_says_so(staff_client: Client, row: Submission) -> None:
    page = on_desk(staff_client, row)
    assert send(staff_client, row, page, notes__0__text="Called.").status_code == 302
    assert "staff saved this case after you opened it." in errors(
        send(staff_client, row, page, notes__0__text="Called.")
    )
    assert Note.objects.count() == 1


def test_case_that_its_person_erased_meanwhile_is_said_to_be_gone(staff_client: Client, row: Submission) -> None:
    page = on_desk(staff_client, row) | {"notes-0-text": "Called."}
    retention.erase(row)
    response = staff_client.post(f"{LIST}{row.pk}/change/", page, follow=True)
    assert response.redirect_chain == [(LIST, 302)]
    assert "It was erased by its person, or its time was up." in response.content.decode()
    assert not Note.objects.exists()


def test_case_is_locked_before_it_is_looked_at_to_save_it(
    staff_client: Client, row: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its person can't erase it between the two; who erased it just before is told as gone."""
    page = on_desk(staff_client, row) | {"notes-0-text": "Called."}
    locked = Submission.objects.select_for_update

    def erased_just_before(*args: Any, **kwargs: Any) -> Any:
        retention.erase(row)
        return locked(*args, **kwargs)

    monkeypatch.setattr(Submission.objects, "select_for_update", erased_just_before)
    response = staff_client.post(f"{LIST}{row.pk}/change/", page)
    assert (response.status_code, response.headers["Location"]) == (302, LIST)
    assert not Note.objects.exists()


# Many at once


def act(client: Client, action: str, *rows: Submission) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


def test_bulk_action_acts_on_each_case_and_is_logged_one_by_one(staff_client: Client) -> None:
    rows = [Submission.objects.submit(IOP) for _ in range(3)]
    closed = Submission.objects.submit(URGENT)
    Submission.objects.filter(pk=closed.pk).update(status=Status.CLOSED, outcome="iop")
    page = on_desk(staff_client, rows[0])
    assert "2 cases changed." in act(staff_client, "assign_to_me", *rows[:2]).content.decode()
    said = act(staff_client, "wait", rows[0], closed).content.decode()
    assert "1 case changed." in said
    assert "1 closed case was left as it is." in said  # or how it ended would be lost
    for row in (*rows, closed):
        row.refresh_from_db()
    assert [row.assigned_to_id is not None for row in rows] == [True, True, False]
    assert [row.status for row in (*rows, closed)] == ["waiting", "new", "new", "closed"]
    assert closed.outcome == "iop"
    assert rows[0].status_at > rows[0].received_at
    lines = LogLine.objects.filter(action=Action.CHANGED).order_by("number").values_list("reference", "detail")
    assert [*lines] == [
        (rows[0].reference, "assigned_to=staff"),
        (rows[1].reference, "assigned_to=staff"),
        (rows[0].reference, "status=waiting"),
    ]
    assert "0 cases changed." in act(staff_client, "assign_to_me", rows[0]).content.decode()
    assert "saved this case after you opened it" in errors(send(staff_client, rows[0], page, status="closed"))


def test_bulk_action_is_for_what_is_ticked_alone(staff_client: Client, row: Submission) -> None:
    other = Submission.objects.submit(IOP)
    page = {"action": "begin", "_selected_action": [row.pk], "select_across": "1"}
    staff_client.post(LIST, page)
    for wrong in ("abc", "", "9" * 30, "-1", "1,2", "\0"):
        answer = staff_client.post(LIST, page | {"_selected_action": [wrong]}, follow=True)
        assert answer.status_code == 200, wrong
    assert [Submission.objects.get(pk=each.pk).status for each in (row, other)] == ["in_progress", "new"]


def test_bulk_action_needs_the_right_to_change(client: Client, row: Submission) -> None:
    user = User.objects.create_user("reader", password="a long enough one", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_submission"))
    client.force_login(user)
    for action in ("assign_to_me", "begin", "wait"):
        act(client, action, row)
    row.refresh_from_db()
    assert (row.assigned_to, row.status) == (None, "new")
    assert not LogLine.objects.filter(action=Action.CHANGED).exists()
