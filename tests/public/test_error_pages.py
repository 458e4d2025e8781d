"""Error pages are kind, link back, show the crisis numbers and need no database (all tests but one have none)."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client

from screening.desk.submissions import SubmissionAdmin
from screening.models import Submission
from screening.public import questions
from tests.answers import IOP
from tests.desk.helpers import form_of, url_of
from tests.helpers import parse

pytestmark = pytest.mark.sqlite_is_enough


def raising(error: type[Exception]) -> object:
    def view(request: HttpRequest, *args: object) -> None:
        raise error("cannot_leave")

    return view


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (SuspiciousOperation, 400, "could not read that"),
        (PermissionDenied, 403, "not open to you"),
        (RuntimeError, 500, "not your fault"),
        (OperationalError, 503, "try again in a few minutes"),
    ],
)
def test_error_page(monkeypatch: pytest.MonkeyPatch, error: type[Exception], status: int, words: str) -> None:
    monkeypatch.setattr(questions, "first_gap", raising(error))
    assert_kind(Client(raise_request_exception=False).get("/check/"), status, words)


def test_error_page_has_the_crisis_numbers_twice_in_the_page_and_in_its_foot() -> None:
    page = parse(Client().get("/nowhere/"))
    for part in ("main", "footer"):
        assert {"tel:988", "tel:911"} <= {link["href"] for link in page.select(f"{part} a")}


def test_unknown_address_has_a_kind_page() -> None:
    assert_kind(Client().get("/no/such/page/"), 404, "find that page")


def test_host_that_is_not_ours_has_a_kind_page() -> None:
    assert_kind(Client().get("/", headers={"host": "elsewhere.example"}), 400, "could not read that")


def test_csrf_failure_has_a_kind_page() -> None:
    assert_kind(
        Client(enforce_csrf_checks=True).post("/check/", {"action": "save"}), 403, "your browser may refuse cookies"
    )


def assert_kind(response: object, status: int, words: str) -> None:
    html = response.content.decode()
    assert response.status_code == status
    assert words in html
    assert "cannot_leave" not in html
    for href in ("tel:988", "tel:911", "/", "/check/"):
        assert f'href="{href}"' in html


@pytest.mark.django_db
def test_errors_at_the_desk_look_like_the_desk_and_give_back_what_was_written(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Submission.objects.submit(IOP)
    form = form_of(staff_client, row) | {"notes-0-text": "A long note."}
    staff_client.raise_request_exception = False

    def down(*args: object) -> None:
        raise OperationalError

    monkeypatch.setattr(SubmissionAdmin, "save_related", down)
    for response, status in ((staff_client.get("/admin/nothing/"), 404), (staff_client.post(url_of(row), form), 503)):
        assert response.status_code == status
        page = parse(response)
        assert "Program fit: staff desk" in page.title.text
        assert "your answers are still on this device" not in page.text
        assert [area.text for area in page.select("textarea")] == (["A long note."] if status == 503 else [])
