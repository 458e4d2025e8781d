"""The staff desk: what staff find, what they can set, and what nobody can change."""

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from screening import rate_limits, reference_numbers
from screening.models import Note, Status, Submission
from screening.questionnaire import QUESTIONS
from tests.answers import CLOSE_CALL, IOP, KINDS, URGENT
from tests.desk.helpers import (
    CASES,
    PASSWORD,
    form_of,
    listed,
    member,
    member_with_permissions,
    save,
    superuser,
    url_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_in_gate]


def test_anonymous_visitors_are_sent_to_sign_in(client: Client) -> None:
    submission = Submission.objects.submit(IOP)
    for address in ("/admin/", CASES, url_of(submission)):
        assert client.get(address).url.startswith("/admin/login/")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?status__exact=closed", {"inpatient"}),
        ("?status__exact=new", {"iop", "close call", "today", "urgent"}),
        ("?assigned_to__isnull=True", {"iop", "close call", "inpatient", "today", "urgent"}),
        ("?channel__exact=paper", set()),
        ("?received_at__gte=2999-01-01+00:00:00%2B00:00", set()),
        ("?queue=due&status__exact=new", {"today", "urgent"}),
    ],
)
def test_list_filters(staff_client: Client, query: str, names: set[str]) -> None:
    rows = {name: Submission.objects.submit(given) for name, given in KINDS.items()}
    Submission.objects.filter(pk=rows["inpatient"].pk).update(status=Status.CLOSED, due_at=None)
    assert set(listed(staff_client, query)) == {str(rows[name]) for name in names}


@pytest.mark.parametrize("query", ["urgency__exact=3", "program__exact=iop", "close_call__exact=1", "code__exact=1"])
def test_list_can_be_filtered_by_nothing_else(staff_client: Client, query: str) -> None:
    """Not by a result either, which may be hidden."""
    Submission.objects.submit(IOP)
    assert staff_client.get(f"{CASES}?{query}").status_code == 400


def test_page_shows_answers_in_words_reasons_as_seen_and_the_rules_version(staff_client: Client) -> None:
    submission = Submission.objects.submit(CLOSE_CALL)
    html = staff_client.get(url_of(submission)).content.decode()
    for key, value in CLOSE_CALL.items():
        assert QUESTIONS[key].text in html
        assert QUESTIONS[key].options[value] in html
    for reason in submission.result["reasons"]:
        assert reason["text"] in html
    assert submission.rules_version in html
    assert "They were told: “You have work or family that can’t wait" in html
    assert BeautifulSoup(html, "lxml").select_one(".grid .here")


def test_reasons_stay_as_the_person_saw_them_when_a_rule_is_reworded(staff_client: Client) -> None:
    submission = Submission.objects.submit(IOP)
    submission.result["reasons"][0]["text"] = "Words of an older version."
    submission.save()
    assert "Words of an older version." in staff_client.get(url_of(submission)).content.decode()


def test_staff_set_the_status_and_add_a_note_with_author_and_time(staff_client: Client) -> None:
    submission = Submission.objects.submit(IOP)
    response = save(staff_client, submission, status="in_progress", notes__0__text="Called, no answer.")
    assert response.status_code == 302
    submission.refresh_from_db()
    note = Note.objects.get()
    assert submission.status == "in_progress"
    assert (note.text, note.author.get_username(), note.submission) == ("Called, no answer.", "staff", submission)
    html = staff_client.get(url_of(submission)).content.decode()
    assert "Called, no answer." in html
    assert not re.search(r"<textarea[^>]*>[^<]*Called", html)


def test_staff_without_the_right_to_save_are_shown_no_box_for_a_note(client: Client) -> None:
    client.force_login(member_with_permissions("reader", "view_submission", "view_note", "add_note"))
    response = client.get(url_of(Submission.objects.submit(IOP)))
    assert response.status_code == 200
    assert "<textarea" not in response.content.decode()


def test_note_cannot_be_changed_or_deleted(staff_client: Client) -> None:
    submission = Submission.objects.submit(IOP)
    save(staff_client, submission, notes__0__text="As it was.")
    note = Note.objects.get()
    crafted = form_of(staff_client, submission) | {
        "notes-TOTAL_FORMS": "1",
        "notes-INITIAL_FORMS": "1",
        "notes-0-id": str(note.pk),
        "notes-0-submission": str(submission.pk),
        "notes-0-text": "As I want it.",
        "notes-0-DELETE": "on",
    }
    staff_client.post(url_of(submission), crafted)
    assert Note.objects.get(pk=note.pk).text == "As it was."


def test_answers_and_result_cannot_be_edited_added_or_deleted(staff_client: Client) -> None:
    submission = Submission.objects.submit(IOP)
    before = Submission.objects.values("answers", "result", "program", "urgency", "close_call", "rules_version").get()
    crafted = {"answers": "{}", "result": "{}", "program": "inpatient", "urgency": "3", "rules_version": "9"}
    assert save(staff_client, submission, **crafted).status_code == 302
    assert Submission.objects.values(*before).get() == before
    assert staff_client.get(f"{CASES}add/").status_code == 404
    assert staff_client.post(url_of(submission, "delete"), {"post": "yes"}).status_code == 404
    staff_client.post(CASES, {"action": "delete_selected", "_selected_action": [submission.pk], "post": "yes"})
    assert Submission.objects.count() == 1


def test_status_that_does_not_exist_is_refused_and_the_note_is_kept(staff_client: Client) -> None:
    submission = Submission.objects.submit(IOP)
    response = save(staff_client, submission, status="lost", notes__0__text="Half a note")
    assert response.status_code == 200
    assert "Half a note" in response.content.decode()
    assert not Note.objects.exists()


def test_staff_without_permission_see_nothing(client: Client) -> None:
    submission = Submission.objects.submit(IOP)
    client.force_login(member("visitor"))
    assert client.get(CASES).status_code == 403
    assert client.get(url_of(submission)).status_code == 403


def test_staff_who_may_only_view_cannot_set_the_status(client: Client) -> None:
    submission = Submission.objects.submit(IOP)
    client.force_login(member_with_permissions("reader", "view_submission"))
    assert client.get(url_of(submission)).status_code == 200
    assert save(client, submission, status="closed", outcome="iop").status_code == 403
    submission.refresh_from_db()
    assert submission.status == "new"


def test_name_of_a_row_in_the_log_carries_nothing_of_the_person() -> None:
    submission = Submission.objects.submit(URGENT)
    assert str(submission) == reference_numbers.formatted(submission.reference)


def test_list_takes_a_constant_number_of_queries(staff_client: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(20):
        Submission.objects.submit(IOP)
    listed(staff_client)
    with django_assert_max_num_queries(12):
        assert len(listed(staff_client)) == 20


def test_unreadable_result_is_reported_and_the_answers_are_still_shown(staff_client: Client) -> None:
    submission = Submission.objects.submit(IOP)
    damaged: list[Any] = [[], {}, "x", submission.result | {"need": "enormous"}, submission.result | {"reasons": [7]}]
    for result in damaged:
        Submission.objects.filter(pk=submission.pk).update(result=result)
        html = staff_client.get(url_of(submission)).content.decode()
        assert "The stored result can't be read." in html
        assert QUESTIONS["job"].options[IOP["job"]] in html.replace("&#x27;", "'")
    damaged = [[], "x", {"job": ["x"], "shoe_size": 9}]
    for given in damaged:
        Submission.objects.filter(pk=submission.pk).update(answers=given)
        assert staff_client.get(url_of(submission)).status_code == 200


def test_answers_cannot_be_probed_by_the_address(staff_client: Client) -> None:
    Submission.objects.submit(IOP)
    for query in (
        "answers__job=cannot_leave",
        "answers__contains=x",
        "result__need=low",
        "code__startswith=1",
        "status__regex=((",
        "received_at__year=99999999",
        "spam_signs__contains=t",
    ):
        assert staff_client.get(f"{CASES}?{query}").status_code == 400


@pytest.mark.parametrize(
    "field",
    ["status__exact", "channel__exact", "assigned_to__id__exact", "assigned_to__isnull", "queue", "q"],
)
@pytest.mark.parametrize("value", ["", "x", "9" * 30, "-1", "%00", "((", "1,2", "%F0%9F%98%80", "' OR 1=1 --"])
def test_filter_with_a_made_up_value_is_no_server_error(staff_client: Client, field: str, value: str) -> None:
    assert staff_client.get(f"{CASES}?{field}={value}", follow=True).status_code in (200, 400)


@pytest.mark.parametrize(
    "query",
    [
        *("received_at__gte=99999999-01-01", "received_at__lt=x", "received_at__gte=9999-12-31"),
        *("received_at__gte=0001-01-01T00:00:00%2B14:00", "received_at__lt=9999-12-31T23:59:59-14:00"),
        *("o=99.-1.x", "p=99", "all="),
    ],
)
def test_list_asked_for_in_a_made_up_way_is_no_server_error(staff_client: Client, query: str) -> None:
    assert staff_client.get(f"{CASES}?{query}", follow=True).status_code in (200, 400)


def test_wrong_passwords_are_limited_for_each_address(monkeypatch: pytest.MonkeyPatch) -> None:
    superuser("staff")
    monkeypatch.setattr(rate_limits, "SIGN_IN", rate_limits.Limit("sign in", per_client=3, total=100, reserved=2))

    def sign_in(password: str, address: str) -> str:
        client = Client(REMOTE_ADDR=address)
        response = client.post("/admin/login/", {"username": "staff", "password": password}, follow=True)
        return "in" if client.session.get("_auth_user_id") else response.content.decode()

    for _ in range(5):
        assert sign_in(PASSWORD, "192.0.2.1") == "in"
    for _ in range(3):
        assert "Please enter the correct username" in sign_in("wrong", "192.0.2.1")
    for password in ("wrong", PASSWORD):
        assert "Too many wrong passwords" in sign_in(password, "192.0.2.1")
    assert sign_in(PASSWORD, "192.0.2.2") == "in"
