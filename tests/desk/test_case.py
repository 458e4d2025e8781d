"""One case: status, outcome, assignment, reviews, and two members of staff who save at once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from screening import due, notifications, retention
from screening.desk.times import ago
from screening.models import Action, Contact, LogLine, Note, Review, Status, Submission, Urgency
from screening.questionnaire import BY_SUBJECT, QUESTIONS, SUBJECTS
from tests.answers import INPATIENT, IOP, TODAY, URGENT, WORST, answers
from tests.conftest import Person
from tests.desk.helpers import (
    CASES,
    ask_for_call,
    due_of,
    form_of,
    listed,
    member,
    member_with_permissions,
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


@pytest.fixture
def colleague(staff_client: Client) -> Client:
    return signed_in(superuser("ann"))


def errors(response: Any) -> str:
    return text_of(response, ".errorlist")


# Status, outcome, assignment


def test_closing_asks_how_it_ended_and_opening_again_forgets_it(staff_client: Client, row: Submission) -> None:
    assert "A closed case needs an outcome." in errors(save(staff_client, row, status="closed"))
    assert save(staff_client, row, status="closed", outcome="iop").status_code == 302
    assert (row.status, row.outcome) == ("closed", "iop")
    assert save(staff_client, row, status="waiting").status_code == 302
    assert (row.status, row.outcome) == ("waiting", "")


def test_case_is_assigned_to_staff_who_are_still_there(staff_client: Client, row: Submission) -> None:
    staff = User.objects.get()
    gone = User.objects.create_user("gone", is_staff=True, is_active=False)
    outside = User.objects.create_user("outside")
    auditor = User.objects.create_user("auditor", is_staff=True)  # an auditor may not open the case
    for nobody in (gone, outside, auditor):
        assert save(staff_client, row, assigned_to=str(nobody.pk)).status_code == 200
    assert save(staff_client, row, assigned_to=str(staff.pk)).status_code == 302
    assert (row.assigned_to, row.touched_by) == (staff, staff)
    for query, number in ((f"assigned_to__id__exact={staff.pk}", 1), ("assigned_to__isnull=True", 0)):
        assert len(listed(staff_client, f"?{query}")) == number


def test_request_for_a_call_that_staff_withdrew_is_shown_as_withdrawn(staff_client: Client, row: Submission) -> None:
    page = url_of(row)
    assert "They left no way to reach them." in staff_client.get(page).content.decode()
    ask_for_call(row)
    staff_client.post(url_of(row, "withdraw"))
    html = staff_client.get(page).content.decode()
    assert "no longer want one: staff erased how to reach them" in html
    assert "They left no way to reach them." not in html
    assert not Contact.objects.exists()


# Reviews


def test_review_is_recorded_with_author_and_time_and_cannot_be_changed(staff_client: Client, row: Submission) -> None:
    assert save(staff_client, row, reviews__0__program="iop").status_code == 302
    save(
        staff_client,
        row,
        reviews__0__program="inpatient",
        reviews__0__reason="Alone at home.",
    )
    first, second = Review.objects.all()
    assert (first.program, first.agrees, first.reason, first.author.get_username()) == ("iop", True, "", "staff")
    assert (second.program, second.agrees, second.reason) == ("inpatient", False, "Alone at home.")
    html = staff_client.get(url_of(row)).content.decode()
    for words in ("agrees with the rules", "differs from the rules", "Alone at home."):
        assert words in html
    crafted = {"reviews-0-id": str(first.pk), "reviews-0-program": "inpatient", "reviews-0-reason": "Changed."}
    crafted |= {"reviews-INITIAL_FORMS": "2", "reviews-1-id": str(second.pk), "reviews-0-DELETE": "on"}
    staff_client.post(url_of(row), form_of(staff_client, row) | crafted)
    assert list(Review.objects.values_list("program", flat=True))[:2] == ["iop", "inpatient"]
    assert list(Review.objects.filter(pk__in=(first.pk, second.pk))) == [first, second]


def test_to_differ_from_the_rules_takes_a_reason_and_to_agree_none(staff_client: Client, row: Submission) -> None:
    response = save(staff_client, row, reviews__0__program="inpatient", notes__0__text="Half a note")
    assert "You differ from the rules. Please say why." in errors(response)
    assert "Half a note" in response.content.decode()
    assert not Review.objects.exists()


# Concurrent saves


def test_save_over_a_newer_state_is_refused_with_what_changed_and_keeps_what_was_typed(
    staff_client: Client, colleague: Client, row: Submission
) -> None:
    page = form_of(staff_client, row)
    assert save(colleague, row, status="closed", outcome="declined").status_code == 302
    response = send(staff_client, row, page, notes__0__text="Called.", reviews__0__program="iop")
    text = errors(response)
    assert "ann saved this case after you opened it." in text
    assert "Status: Closed." in text
    assert "Outcome: Did not want to go on." in text
    assert (Note.objects.count(), Review.objects.count(), row.status) == (0, 0, Status.CLOSED)
    shown = parse(response)
    assert shown.select_one("[name=notes-0-text]").text.strip() == "Called."
    assert shown.select_one("[name=status] [selected]")["value"] == "closed"
    again = {str(field["name"]): str(field.get("value", "")) for field in shown.select("#submission_form input[name]")}
    again |= {"status": "closed", "outcome": "declined"}
    assert send(staff_client, row, again, notes__0__text="Called.", reviews__0__program="iop").status_code == 302
    assert (Note.objects.count(), Review.objects.count(), row.status) == (1, 1, Status.CLOSED)


def test_field_that_both_changed_keeps_what_was_typed_and_is_saved_only_when_sent_again(
    staff_client: Client, colleague: Client, row: Submission
) -> None:
    page = form_of(staff_client, row)
    save(colleague, row, status="waiting", notes__0__text="Will ring back.")
    response = send(staff_client, row, page, status="in_progress")
    assert "Status: Waiting for person." in errors(response)
    assert row.status == Status.WAITING
    shown = parse(response)
    assert shown.select_one("[name=status] [selected]")["value"] == "in_progress"


def test_note_of_a_colleague_counts_as_newer_too(staff_client: Client, colleague: Client, row: Submission) -> None:
    page = form_of(staff_client, row)
    save(colleague, row, notes__0__text="I have spoken with her.")
    assert "A note or a review was added." in errors(send(staff_client, row, page, status="in_progress"))
    assert row.status == Status.NEW


def test_double_click_saves_once_and_says_so(staff_client: Client, row: Submission) -> None:
    page = form_of(staff_client, row)
    assert send(staff_client, row, page, notes__0__text="Called.").status_code == 302
    assert "staff saved this case after you opened it." in errors(
        send(staff_client, row, page, notes__0__text="Called.")
    )
    assert Note.objects.count() == 1


def test_case_that_its_person_erased_meanwhile_is_reported_as_erased(staff_client: Client, row: Submission) -> None:
    page = form_of(staff_client, row) | {"notes-0-text": "Called."}
    retention.erase(row)
    response = staff_client.post(url_of(row), page, follow=True)
    assert response.redirect_chain == [(CASES, 302)]
    assert "It was erased by its person, or its time was up." in response.content.decode()
    assert not Note.objects.exists()


def test_save_locks_the_case_before_reading_it(
    staff_client: Client, row: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person can't erase the case between the read and the save; one erased just before is reported as erased."""
    page = form_of(staff_client, row) | {"notes-0-text": "Called."}
    locked = Submission.objects.select_for_update

    def erased_just_before(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(Submission.objects, "select_for_update", locked)  # erasing locks, too
        retention.erase(row)
        return locked(*args, **kwargs)

    monkeypatch.setattr(Submission.objects, "select_for_update", erased_just_before)
    response = staff_client.post(url_of(row), page)
    assert (response.status_code, response.headers["Location"]) == (302, CASES)
    assert not Note.objects.exists()


# Bulk actions


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
    assert "saved this case after you opened it" in errors(send(staff_client, rows[0], page, status="closed"))


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


# When it is due


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


def test_one_button_agrees_with_the_rules_and_is_no_way_round_a_hidden_result(staff_client: Client) -> None:
    row = submit(INPATIENT)
    assert "Review: Inpatient, as the rules say" in staff_client.get(url_of(row)).content.decode()
    assert save(staff_client, row, _agree="1").status_code == 302
    review = row.reviews.get()
    assert (review.program, review.agrees, review.reason) == ("inpatient", True, "")
    hidden = submit(INPATIENT, blind=True)
    assert "as the rules say" not in staff_client.get(url_of(hidden)).content.decode()
    save(staff_client, hidden, _agree="1")
    assert not hidden.reviews.exists()


def test_save_leads_on_to_the_next_case_that_is_due(staff_client: Client) -> None:
    first, calm, _later = submit(URGENT), submit(IOP, due_at=timezone.now()), submit(IOP)
    assert save(staff_client, first, next_step="hours", _next="1").url == url_of(calm)
    assert save(staff_client, calm, next_step="hours", _next="1").url == CASES


def test_same_note_is_not_kept_twice_by_back_and_save(staff_client: Client) -> None:
    row = submit(IOP)
    for text in ("Called.", "Called.", "Called again."):
        save(staff_client, row, notes__0__text=text)
    assert [note.text for note in row.notes.all()] == ["Called.", "Called again."]


def test_history_folds_what_repeats_and_answers_that_counted_come_first(staff_client: Client) -> None:
    row = submit(INPATIENT)
    for _time in range(24):
        page = staff_client.get(url_of(row))
    (opened,) = [cells.text for cells in parse(page).select("#history ~ table tr") if "Opened" in cells.text]
    assert "(24 times, the last time then)" in opened
    counted, others = parse(page).select("table.answers")
    assert counted.select("tr.marked")
    assert not others.select("tr.marked")
    assert others.find_parent("details")
    assert len(counted.select("td")) + len(others.select("td")) == 2 * len(QUESTIONS)


# A request always arrives


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


# What the page says after a save


def stored(row: Submission) -> dict[str, Any]:
    return dict(Submission.objects.values().get(pk=row.pk))


@pytest.mark.parametrize("button", ["_addanother", "_saveasnew", "_popup", "_continue", "_to_field"])
@pytest.mark.parametrize("model", ["submission", "user"])
def test_any_button_of_the_stock_admin_saves(staff_client: Client, row: Submission, button: str, model: str) -> None:
    address = url_of(row) if model == "submission" else f"/admin/auth/user/{User.objects.get().pk}/change/"
    typed = {"status": "waiting"} if model == "submission" else {"username": "renamed"}
    form = form_of(staff_client, row) if model == "submission" else {}
    response = staff_client.post(address, form | typed | {button: "1"})
    assert response.status_code == 302
    assert staff_client.get(response.url).status_code == 200
    row.refresh_from_db()
    assert row.status == "waiting" or User.objects.get().username == "renamed"


def test_refused_save_shows_the_case_as_it_is_in_the_database(staff_client: Client, row: Submission) -> None:
    response = save(staff_client, row, status="closed", assigned_to=str(User.objects.get().pk))
    assert "A closed case needs an outcome." in errors(response)
    panel = text_of(response, ".to-do")
    assert "Status: New." in panel
    assert "Assigned to: nobody." in panel
    assert parse(response).select_one("#id_status option[selected]")["value"] == "closed", "what was typed is not lost"


@pytest.mark.parametrize("button", ["_save", "_continue"])
def test_save_without_a_change_changes_nothing_and_says_so(
    staff_client: Client, colleague: Client, row: Submission, button: str
) -> None:
    theirs = form_of(colleague, row)
    form = form_of(staff_client, row)
    before, entries = stored(row), LogLine.objects.count()
    response = staff_client.post(url_of(row), form | {button: "1"})
    assert response.status_code == 302
    assert (stored(row), LogLine.objects.count()) == (before, entries)
    shown = text_of(staff_client.get(response.url), ".messagelist")
    assert "Nothing was changed, so nothing was saved." in shown
    assert "successfully" not in shown
    assert colleague.post(url_of(row), theirs | {"status": "waiting"}).status_code == 302, (
        "nothing of theirs is refused"
    )
    row.refresh_from_db()
    assert row.status == "waiting"


def test_note_alone_counts_as_a_change(staff_client: Client, row: Submission) -> None:
    assert save(staff_client, row, notes__0__text="Called back.").status_code == 302
    assert stored(row)["version"] == 1
    assert Note.objects.count() == 1


def test_answers_that_set_a_level_are_marked_and_no_others(staff_client: Client) -> None:
    case = Submission.objects.submit(answers(self_harm="plan", supporters="one_or_two", health="often"))
    rows = parse(staff_client.get(url_of(case))).select(".case tr")
    marked = {" ".join(row.text.split()) for row in rows if "marked" in row.get_attribute_list("class")}
    texts = [QUESTIONS[key].text for key in ("self_harm", "supporters")]
    assert len(marked) == 2
    assert all(any(row.startswith(text) for row in marked) for text in texts), marked


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "just now"), (59, "just now"), (60, "1 minute ago"), (7260, "2 hours ago")]
)
def test_time_is_told_in_its_largest_unit(seconds: int, words: str) -> None:
    with time_machine.travel("2026-11-23 12:00:00Z", tick=False):
        assert ago(timezone.now() - timedelta(seconds=seconds)).replace("\xa0", " ") == words


@pytest.mark.parametrize(("seconds", "warned"), [(14 * 60 + 59, True), (15 * 60, False)])
def test_case_that_a_colleague_opened_within_15_minutes_says_so(
    staff_client: Client, row: Submission, seconds: int, warned: bool
) -> None:
    with time_machine.travel("2026-11-23 12:00:00Z", tick=False) as clock:
        signed_in(superuser("ann")).get(url_of(row))
        clock.shift(seconds)
        assert ("This case was opened by ann" in staff_client.get(url_of(row)).content.decode()) == warned


def test_one_form_adds_one_note_however_many_it_holds(staff_client: Client) -> None:
    case = Submission.objects.submit(IOP)
    many = {f"notes-{place}-text": "Called." for place in range(300)}
    assert send(staff_client, case, form_of(staff_client, case) | many | {"notes-TOTAL_FORMS": "300"}).status_code < 500
    assert Note.objects.count() <= 1


def test_note_is_taken_from_a_template_of_the_center_with_or_without_own_words(
    staff_client: Client, row: Submission, center_tells: Any
) -> None:
    center_tells(note_templates="Called, no answer.\nLeft a voicemail; say nothing else.")
    options = [option.text for option in parse(staff_client.get(url_of(row))).select("[name=notes-0-template] option")]
    assert options == ["", "Called, no answer.", "Left a voicemail; say nothing else."]
    save(staff_client, row, notes__0__template="Called, no answer.")
    save(staff_client, row, notes__0__template="Called, no answer.", notes__0__text="Try at two.")
    save(staff_client, row, notes__0__text="She called back.")
    texts = ["Called, no answer.", "Called, no answer.\nTry at two.", "She called back."]
    assert [note.text for note in row.notes.all()] == texts
    long = save(staff_client, row, notes__0__template="Called, no answer.", notes__0__text="x" * 3990)
    assert "at most 4000 characters (it has 4009)" in text_of(long, ".errors")
    response = save(staff_client, row, notes__0__template="Invented.")
    assert response.status_code == 200
    assert row.notes.count() == 3


# The interview sheet


def test_print_is_an_interview_by_subject_with_room_to_write_and_the_result_on_the_last_page(
    staff_client: Client, center_tells: Any
) -> None:
    center_tells(redisclosure="Do not pass this on.")
    row = submit(WORST)
    page = parse(staff_client.get(url_of(row, "print")))
    sheet = page.select_one(".interview")
    assert [head.text for head in sheet.select("tbody th")] == list(SUBJECTS.values())
    asked = [cell.contents[0] for cell in sheet.select("tbody td:first-child")]
    assert asked == [QUESTIONS[key].text for keys in BY_SUBJECT.values() for key in keys]
    assert [cell.text for cell in sheet.select("tbody td + td")] == [""] * len(QUESTIONS)
    before, result = str(page).split('class="last-page"')
    reasons = row.recommendation.reasons
    urgent = {reason.key for reason in reasons if (reason.dimension, reason.level) == ("urgency", "now")}
    for reason in reasons:
        assert (reason.text in before) == (reason.key in urgent), reason.key
        assert reason.text in result
    assert "A program where you stay" not in before
    assert len(page.select(".answers")) == 0
    assert [each.text for each in page.select(".redisclosure")] == ["Do not pass this on."] * 2


def test_interview_that_is_not_urgent_begins_with_the_answers(staff_client: Client) -> None:
    row = submit(answers(past_withdrawal="severe"))
    assert row.urgency == Urgency.SOON
    before, result = staff_client.get(url_of(row, "print")).content.decode().split('class="last-page"')
    for reason in row.recommendation.reasons:
        assert reason.text not in before
        assert reason.text in result


def test_every_question_is_of_one_subject() -> None:
    assert sorted(key for keys in BY_SUBJECT.values() for key in keys) == sorted(QUESTIONS)
    assert all(BY_SUBJECT.values())


# What fresh eyes stumbled over


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


def test_save_and_next_goes_through_all_that_is_due_and_ends(staff_client: Client) -> None:
    rows = [submit(IOP, due_at=timezone.now() - timedelta(hours=hours)) for hours in (3, 2, 1)]
    seen, row = [rows[0].pk], rows[0]
    for _ in rows:
        answer = save(staff_client, row, notes__0__text="Looked.", _next="1")
        row = Submission.objects.filter(pk__in=[row.pk for row in rows if f"/{row.pk}/" in answer.url]).first() or row
        seen.append(row.pk)
    assert seen == [row.pk for row in rows] + [rows[2].pk]
    assert answer.url == CASES


def test_note_that_was_struck_out_can_be_written_again(staff_client: Client) -> None:
    row = submit(IOP)
    save(staff_client, row, notes__0__text="She called.")
    staff_client.post(url_of(row, "strike-out"), {"entry": f"note/{row.notes.get().pk}"})
    save(staff_client, row, notes__0__text="She called.")
    assert [note.struck_at is None for note in row.notes.all()] == [False, True]


def test_review_is_not_stored_twice_by_back_and_save(staff_client: Client) -> None:
    row = submit(IOP)
    for _ in range(2):
        save(staff_client, row, _agree="1")
    assert row.reviews.count() == 1


def test_button_that_agrees_does_not_turn_another_choice_round(staff_client: Client) -> None:
    row = submit(IOP)
    refused = save(staff_client, row, _agree="1", reviews__0__program="inpatient", reviews__0__reason="Needs a bed.")
    assert "You chose one program, and pressed the button for another" in errors(refused)
    assert "Needs a bed." in refused.content.decode()
    assert not row.reviews.exists()


def test_next_step_that_is_past_is_refused_in_words(staff_client: Client) -> None:
    assert "This time is over." in errors(save(staff_client, submit(IOP), next_step="noon"))


def test_case_stays_with_someone_who_lost_the_right_to_it_until_it_is_changed(staff_client: Client) -> None:
    ann = member("ann", "reviewer")
    row = submit(IOP, assigned_to=ann)
    ann.groups.clear()
    save(staff_client, row, notes__0__text="Looked.")
    assert row.assigned_to == ann


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


def test_case_whose_program_was_damaged_in_the_database_still_opens(staff_client: Client) -> None:
    row = submit(IOP)
    overwrite(row, program="nonsense")
    assert staff_client.get(url_of(row)).status_code == 200
