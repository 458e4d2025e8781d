"""The audit log has an entry for every view and action, and shows any tampering."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from screening import audit
from screening.desk.audit_log import DETAILS, LogAdmin, detail_in_words
from screening.desk.model_admin import CappedPaginator
from screening.models import Action, Contact, LogLine, Note, Review, Submission
from tests.answers import URGENT
from tests.conftest import Person
from tests.desk.helpers import CASES, PASSWORD, form_of, member, signed_in, submit, superuser, url_of
from tests.desk.test_roles import EVERYONE, PAGES
from tests.helpers import parse

pytestmark = pytest.mark.django_db
NEW_PASSWORD = {"old_password": PASSWORD} | dict.fromkeys(("new_password1", "new_password2"), "x9!kfh3lq0f7")


def lines() -> list[tuple[str, str, str, str]]:
    """Return (actor, action, reference, detail) of each entry, the oldest first."""
    return [*LogLine.objects.order_by("number").values_list("actor", "action", "reference", "detail")]


# Content


def test_every_view_and_deed_at_the_desk_leaves_a_line(staff_client: Client, center_tells: Any) -> None:
    center_tells(redisclosure="Do not pass this on.")
    row = submit(call=True)
    page = url_of(row)
    typed = {"status": "in_progress", "notes-0-text": "Called.", "reviews-0-program": "iop"}
    deeds: list[tuple[Callable[[], Any], list[tuple[str, str, str]]]] = [
        (lambda: staff_client.get("/admin/"), [("front_page", "", "")]),
        (lambda: staff_client.get(f"{CASES}?queue=mine"), [("listed", "", "list=submission; filters=queue")]),
        (lambda: staff_client.post(CASES), [("listed", "", "list=submission; filters=")]),
        (lambda: staff_client.get(page), [("opened", row.reference, "")]),
        (
            lambda: staff_client.post(page, sent | typed),
            [
                ("changed", row.reference, "status=in_progress"),
                ("noted", row.reference, ""),
                ("reviewed", row.reference, ""),
            ],
        ),
        (lambda: staff_client.post(url_of(row, "reveal")), [("revealed", row.reference, "")]),
        (lambda: staff_client.get(url_of(row, "print")), [("printed", row.reference, "")]),
        (lambda: staff_client.post(url_of(row, "withdraw")), [("withdrawn", row.reference, "")]),
        (
            lambda: staff_client.post(CASES, {"action": "assign_to_me", "_selected_action": [row.pk]}),
            [("listed", "", "list=submission; filters="), ("changed", row.reference, "assigned_to=staff")],
        ),
        (
            lambda: staff_client.post(f"{CASES}export/?status__exact=new", {"purpose": "quality", "confirm": "on"}),
            [("exported", "", "count=0; format=csv; purpose=quality; filters=status")],
        ),
        (lambda: staff_client.get("/admin/how-we-are-doing/"), [("compared", "", "")]),
        (lambda: staff_client.get("/admin/assisted/"), [("listed", "", "list=assisted")]),
        (lambda: staff_client.get("/admin/center/"), [("listed", "", "list=center")]),
        (lambda: staff_client.get("/admin/screening/logline/"), [("read_log", "", "list=logline; filters=")]),
        (lambda: staff_client.get("/admin/auth/user/"), [("listed", "", "list=user; filters=")]),
        (lambda: staff_client.post("/admin/logout/"), [("signed_out", "", "")]),
    ]
    sent = form_of(staff_client, row)
    for deed, expected in deeds:
        before = LogLine.objects.count()
        assert deed().status_code in (200, 302)
        assert lines()[before:] == [("staff", *line) for line in expected]
    assert (Note.objects.count(), Review.objects.count()) == (1, 1)


def test_refusal_leaves_a_line_that_names_page_and_reference(client: Client) -> None:
    row = submit(call=True)
    client.force_login(member("visitor"))
    refusals: list[tuple[Callable[[], Any], tuple[str, str]]] = [
        (
            lambda: client.get(url_of(row)),
            (row.reference, "method=GET; page=screening_submission_change"),
        ),
        (
            lambda: client.post(url_of(row, "reveal")),
            (row.reference, "method=POST; page=screening_submission_reveal"),
        ),
        (lambda: client.get(f"{CASES}999/print/"), ("", "method=GET; page=screening_submission_print")),
        (lambda: client.get("/admin/screening/logline/"), ("", "method=GET; page=screening_logline_changelist")),
        (lambda: client.get("/admin/how-we-are-doing/"), ("", "method=GET; page=figures")),
    ]
    for deed, expected in refusals:
        assert deed().status_code == 403
        assert lines()[-1] == ("visitor", "refused", *expected)


def test_log_holds_no_answers_and_not_how_a_case_ended(staff_client: Client) -> None:
    row = submit(URGENT, call=True)
    sent = form_of(staff_client, row) | {"status": "closed", "outcome": "inpatient", "notes-0-text": "Very ill."}
    assert staff_client.post(url_of(row), sent).status_code == 302
    assert lines()[-2][3] == "status=closed; outcome=changed"
    text = str(lines())
    for word in ("inpatient", "Very ill.", "405", *URGENT):
        assert word not in text


def test_deed_whose_line_cannot_be_written_does_not_happen(staff_client: Client, monkeypatch: Any) -> None:
    row = submit(call=True)
    sent = form_of(staff_client, row) | {"status": "closed", "outcome": "iop", "notes-0-text": "Called."}
    before = Submission.objects.values().get()

    def broken(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(LogLine, "save", broken)
    staff_client.raise_request_exception = False
    for response in (
        staff_client.get(url_of(row)),
        staff_client.get(CASES),
        staff_client.get("/admin/"),
        staff_client.post(url_of(row), sent),
        staff_client.post(url_of(row, "reveal")),
        staff_client.post(url_of(row, "withdraw")),
        staff_client.get(url_of(row, "print")),
        staff_client.post(f"{CASES}export/", {"purpose": "quality", "confirm": "on"}),
        staff_client.post(CASES, {"action": "wait", "_selected_action": [row.pk], "confirm": "yes"}),
        staff_client.post("/admin/password_change/", NEW_PASSWORD),
        staff_client.post("/admin/logout/"),
    ):
        assert response.status_code == 503
        assert row.reference not in response.content.decode()
    assert Submission.objects.values().get() == before
    assert (Note.objects.count(), Contact.objects.count()) == (0, 1)
    assert User.objects.get().check_password(PASSWORD)


def test_superusers_have_no_page_to_change_the_log(staff_client: Client) -> None:
    staff_client.get("/admin/")
    number = LogLine.objects.get().number
    page = "/admin/screening/logline/"
    for address in (f"{page}{number}/change/", f"{page}{number}/delete/", f"{page}add/", f"{page}{number}/history/"):
        assert staff_client.get(address).status_code == 404
        assert staff_client.post(address, {"post": "yes", "who": "nobody"}).status_code == 404
    staff_client.post(page, {"action": "delete_selected", "_selected_action": [number], "post": "yes"})
    assert LogLine.objects.filter(number=number).exists()


# Readers


def test_case_shows_its_history_and_who_else_has_just_opened_it(staff_client: Client) -> None:
    row = submit(call=True)
    ann = signed_in(superuser("ann"))
    page = url_of(row)
    assert "This case was opened by" not in staff_client.get(page).content.decode()
    assert "This case was opened by" not in staff_client.get(page).content.decode()
    html = ann.get(page).content.decode()
    assert "This case was opened by staff, just now." in html
    assert html.count("<td>staff</td>") == 1
    assert "This case was opened by ann" in staff_client.get(page).content.decode()


def test_log_is_searched_by_action_account_and_reference(staff_client: Client) -> None:
    row = submit(call=True)
    staff_client.get(url_of(row))
    log = "/admin/screening/logline/"

    def count(query: str) -> int:
        return staff_client.get(log + query).content.decode().count('class="field-timestamp')

    assert count("?action__exact=opened") == 1
    assert count(f"?q={row.reference[:4]}-{row.reference[4:]}") == 1
    assert count("?q=staff") == LogLine.objects.filter(actor="staff").count()
    assert count("?q=nobody") == 0
    for crafted in ("?hash__startswith=a", "?detail__contains=x", "?who__exact=staff", "?action__exact=%00"):
        assert staff_client.get(log + crafted).status_code in (302, 400)


@pytest.mark.sqlite_is_enough
def test_entries_about_a_case_are_found_by_their_index(staff_client: Client) -> None:
    """PostgreSQL uses it by itself, once a table is large; SQLite only if the query says what the index says."""
    person = Person(Client())
    person.finishes(URGENT, "save")
    case = Submission.objects.get()
    asked = 0
    log = f"/admin/screening/logline/?q={case.reference}"
    for client, page in ((staff_client, url_of(case)), (staff_client, log), (person.client, "/result/")):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        for sql in [query["sql"] for query in queries if f"\"reference\" = '{case.reference}'" in query["sql"]]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                plan = str(cursor.fetchall())
            assert "INDEX log_reference (reference=?" in plan, sql
            asked += 1
    assert asked >= 4


def test_times_that_the_person_is_told_come_from_the_log(staff_client: Client) -> None:
    row = submit(call=True)
    assert audit.opened_at(row.reference) == []
    staff_client.get(url_of(row))
    staff_client.get(url_of(row, "print"))
    first, second = audit.opened_at(row.reference)
    assert first <= second <= timezone.now()


def test_opening_a_case_again_at_once_adds_a_second_entry(staff_client: Client) -> None:
    """The person is promised that each opening is recorded."""
    case = submit()
    for opened in (1, 2, 3):
        assert staff_client.get(url_of(case)).status_code == 200
        assert LogLine.objects.filter(reference=case.reference, action=Action.OPENED).count() == opened


def test_keys_of_details_have_words() -> None:
    """Every page that can refuse, every filter and every list of the desk."""
    pages = {name for name, methods in PAGES.items() if any(who != EVERYONE for who in methods.values())}
    assert set(DETAILS["page"][1]) == pages
    admins = admin.site._registry.values()
    filters = {lookup.partition("__")[0] for each in admins for lookup in getattr(each, "lookups", ())}
    assert set(DETAILS["filters"][1]) == {"", "q", *filters}
    own = {"assisted", "center", "figures", "own_account", "slip", "unsafe"}
    assert set(DETAILS["list"][1]) == {each.opts.model_name for each in admins} | own


def test_details_are_shown_in_words() -> None:
    line = LogLine(detail="method=POST; page=screening_submission_change")
    assert detail_in_words(line) == "tried to: send; page: a case"
    assert detail_in_words(LogLine(detail="list=submission; filters=q,queue")) == "list: cases; filters: search, work"
    assert (
        detail_in_words(LogLine(detail="Status: Closed, Outcome")) == "Status: Closed, Outcome"
    )  # of an earlier version


def test_entries_older_than_the_list_counts_can_be_opened(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CappedPaginator, "MOST", 6)
    monkeypatch.setattr(LogAdmin, "list_per_page", 3)
    monkeypatch.setattr(LogAdmin, "list_max_show_all", 3)
    for place in range(20):
        audit.record(Action.FRONT_PAGE, f"person {place:02}")
    seen: list[str] = []
    query = "?action__exact=front_page"
    while query:
        for page in (1, 2):
            shown = parse(staff_client.get(f"/admin/screening/logline/{query}&p={page}"))
            seen += [cell.text for cell in shown.select("td.field-actor") if cell.text not in seen]
        link = next((link for link in shown.select("p.paginator a") if link.text == "Older entries"), None)
        query = str(link["href"]) if link else ""
    assert seen == [f"person {place:02}" for place in reversed(range(20))]
