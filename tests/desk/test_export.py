"""The export of the filtered list as CSV."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from screening.desk import export
from screening.models import LogLine, Note, Review, Submission
from screening.questionnaire import QUESTIONS
from tests.answers import CLOSE_CALL, INPATIENT, IOP, KINDS, URGENT
from tests.desk.helpers import CASES, ask_for_call, submit
from tests.helpers import parse

pytestmark = pytest.mark.django_db
NOTICE = "Do not pass this on: 42 CFR part 2."
EXPORT = f"{CASES}export/"
PURPOSE = {"purpose": "quality", "confirm": "on"}


@pytest.fixture(autouse=True)
def notice(center_tells: Any) -> None:
    center_tells(redisclosure=NOTICE)


def table(response: Any) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode()
    return [*csv.DictReader(StringIO(text))]


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    response = client.post(EXPORT + query, PURPOSE)
    assert isinstance(response, StreamingHttpResponse)
    return table(response)


def test_columns_that_the_file_needs_come_at_once(staff_client: Client) -> None:
    for given in KINDS.values():
        submit(given)
    with CaptureQueriesContext(connection) as queries:
        lines = list(export.table(Submission.objects.all(), User.objects.get(), "quality"))
    assert len(lines) == len(KINDS) + 1
    assert len(queries) < len(KINDS)


def test_file_holds_every_submission_of_the_list_with_its_answers(staff_client: Client) -> None:
    rows = {str(row): (row, given) for given in KINDS.values() for row in [Submission.objects.submit(given)]}
    lines = exported(staff_client)
    assert [line["reference"] for line in lines] == [str(row) for row in Submission.objects.all()]
    for line in lines:
        row, given = rows[line["reference"]]
        assert {key: line[key] for key in QUESTIONS} == given
        assert (line["program"], line["need"], line["status"]) == (row.program, row.result["need"], "new")
        assert line["rules"].split() == list(dict.fromkeys(reason["key"] for reason in row.result["reasons"]))


def test_only_what_the_filters_leave_is_exported_and_links_carry_them(staff_client: Client) -> None:
    for given in (IOP, INPATIENT, URGENT):
        Submission.objects.submit(given)
    assert {line["urgency"] for line in exported(staff_client, "?queue=nobody_to_reach")} == {"now"}
    reference = Submission.objects.first().reference
    assert len(exported(staff_client, f"?q={reference}")) == 1
    link = parse(staff_client.get(f"{CASES}?channel__exact=online")).find("a", string="Export this list")
    assert link["href"] == f"{EXPORT}?channel__exact=online"
    assert "3 cases as a file" in staff_client.get(link["href"]).content.decode()
    for crafted in ("?answers__icontains=plan", "?code__startswith=a", "?channel__exact=%00", "?received_at__gte=x"):
        assert staff_client.post(EXPORT + crafted, PURPOSE).status_code in (302, 400)


def test_no_name_number_note_reason_or_test_record_is_exported(staff_client: Client) -> None:
    row = Submission.objects.submit(IOP)
    author = User.objects.get()
    ask_for_call(row)
    Note.objects.create(submission=row, text="Called her sister.", author=author)
    Review.objects.create(submission=row, program="inpatient", agrees=False, reason="Alone at home.", author=author)
    submit(URGENT, is_test=True)
    submit(URGENT, received_at=timezone.now() - timedelta(days=91))
    (line,) = exported(staff_client)
    assert (line["judged"], line["wants_call"]) == ("inpatient", "yes")
    text = str(line)
    for words in ("405", "Called", "Alone", author.get_username(), row.code):
        assert words not in text


def test_purpose_is_asked_for_and_logged_before_anything_is_sent(staff_client: Client) -> None:
    Submission.objects.submit(IOP)
    for sent in ({}, {"purpose": "quality"}, {"confirm": "on"}, {"purpose": "=1+1", "confirm": "on"}):
        response = staff_client.post(EXPORT, sent)
        assert response.status_code == 422
        assert "Nothing was exported yet." in response.content.decode()
    checked = parse(staff_client.post(EXPORT, {"purpose": "report"}))
    assert checked.select_one("[value=report][checked]")
    assert not LogLine.objects.filter(action="exported").exists()
    response = staff_client.post(EXPORT, PURPOSE)
    assert LogLine.objects.filter(action="exported").count() == 1  # before any row of the file is read
    assert response["Content-Disposition"] == f'attachment; filename="submissions-{timezone.localdate()}.csv"'
    assert len(table(response)) == 1


FORMULAS = (
    '=HYPERLINK("//evil.example")',
    *("+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "|calc", "%0A=1", "\uff1d1"),
)


@pytest.mark.parametrize("hostile", FORMULAS)
def test_no_cell_is_taken_for_a_formula(staff_client: Client, hostile: str) -> None:
    submit(answers=IOP | {"job": hostile}, language=hostile[:16])
    (line,) = exported(staff_client)
    for cell in (line["job"], line["language"]):
        assert cell.startswith("'")
    assert line["job"].lstrip("'") == hostile


def test_damaged_rows_are_exported_as_far_as_they_can_be_read(staff_client: Client) -> None:
    submit(result=[], answers="x")
    sound = submit()
    assert sorted(line["need"] for line in exported(staff_client)) == ["", sound.result["need"]]


def test_result_that_is_still_hidden_from_who_exports_stays_hidden(staff_client: Client) -> None:
    row = submit(CLOSE_CALL, blind=True)
    other = User.objects.create_user("other", is_staff=True)
    Review.objects.create(submission=row, program="iop", agrees=True, blind=True, author=other)
    (line,) = exported(staff_client)
    for column in ("program", "close_call", "need", "support", "duties", "rules", "outcome", "judged"):
        assert line[column] == "hidden"
    assert exported(staff_client, "?queue=either") == []


def test_dictionary_says_what_every_column_and_value_means(staff_client: Client) -> None:
    lines = table(staff_client.get(f"{EXPORT}columns.csv"))
    assert {line["column"] for line in lines} == set(export.COLUMNS)
    for key, question in QUESTIONS.items():
        ours = [line for line in lines if line["column"] == key]
        assert {line["meaning"] for line in ours} == {question.text}
        assert {line["value"]: line["value in words"] for line in ours} == dict(question.options)
    Submission.objects.submit(IOP)
    (line,) = exported(staff_client)
    for column in ("urgency", "program", "close_call", "need", "support", "duties", "status", "wants_call"):
        assert line[column] in {each["value"] for each in lines if each["column"] == column}


def test_file_of_any_length_is_read_in_a_constant_number_of_queries(
    staff_client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        Submission.objects.submit(IOP)
    response = staff_client.post(EXPORT, PURPOSE)
    with django_assert_max_num_queries(3):
        assert len(table(response)) == 30


def test_page_that_counts_what_would_be_exported_leaves_an_entry(staff_client: Client) -> None:
    submit()
    staff_client.get(f"{CASES}export/?q=BCDFGHJK")
    line = LogLine.objects.latest("number")
    assert (line.action, line.detail) == ("listed", "list=submission; filters=q")


def test_nothing_is_exported_without_the_notice_on_redisclosure(staff_client: Client, center_tells: Any) -> None:
    center_tells(redisclosure="")
    response = staff_client.post(EXPORT, PURPOSE)
    assert response.status_code == 422
    assert "until a manager has written the notice on redisclosure" in parse(response).select_one(".errornote").text
    assert parse(response).select_one("input[value=quality][checked]")
    assert not LogLine.objects.filter(action="exported").exists()


def test_every_row_carries_the_notice(staff_client: Client) -> None:
    for given in (IOP, INPATIENT):
        Submission.objects.submit(given)
    assert [line["redisclosure"] for line in exported(staff_client)] == [NOTICE] * 2


def test_export_for_research_has_no_reference_and_no_time_of_day(staff_client: Client) -> None:
    row = submit(IOP)
    (line,) = table(staff_client.post(EXPORT, PURPOSE | {"purpose": "research"}))
    assert "reference" not in line
    assert line["received"] == f"{timezone.localtime(row.received_at):%Y-%m-%d}"
    assert str(row) not in str(line)
    (line,) = exported(staff_client)
    assert line["reference"] == str(row)
    assert line["received"] == f"{timezone.localtime(row.received_at):%Y-%m-%dT%H:%M}"
