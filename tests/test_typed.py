"""Whatever comes from outside has a longest length before anything else touches it."""

import ast
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from screening import rate_limits
from screening.models import RateLimitWindow
from screening.typed import Limited, typed
from tests.desk.helpers import CASES, PASSWORD, form_of, signed_in, submit, superuser, url_of
from tests.helpers import parse
from tests.public.addresses import STATES, pages_in

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]
ROOT = Path(__file__).parents[1]
SENT = {"POST", "GET", "COOKIES", "META", "headers", "FILES", "body"}  # attributes of a request
MARKS = "\u0344\u0323" * 16_000  # combining marks, whose normal form takes time quadratic in their number


def direct_reads(path: Path) -> Iterator[str]:
    """Yield each place that takes a value out of a request by an index or a method."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript | ast.Attribute):
            sent, by_store = node.value, isinstance(node.ctx, ast.Store)
            if isinstance(sent, ast.Attribute) and sent.attr in SENT and not by_store:
                of = sent.value.id if isinstance(sent.value, ast.Name) else "?"
                if of in ("request", "asked", "?"):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}"


def test_nothing_reads_a_request_but_through_the_one_helper() -> None:
    sources = [*(ROOT / "screening").rglob("*.py"), *(ROOT / "intake_site").rglob("*.py")]
    assert [place for path in sources for place in direct_reads(path)] == []


@pytest.mark.parametrize("line", ['request.POST["a"]', "self.request.GET.get('a')", "request.META.items()"])
def test_direct_read_would_be_noticed(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_typed.ROOT", tmp_path)
    (tmp_path / "view.py").write_text(line)
    assert [*direct_reads(tmp_path / "view.py")] == ["view.py:1"]


def test_helper_cuts_from_either_side_and_takes_what_is_missing_for_nothing() -> None:
    assert [typed({"a": "12345"}, "a", 2), typed({"a": "12345"}, "a", 2, end=True), typed({}, "a", 2)] == [
        "12",
        "45",
        "",
    ]


def every_page() -> Iterator[Any]:
    for state in STATES:
        yield from pages_in(state)
    case, account = submit(), superuser("lead")
    client = signed_in(account)
    yield "/admin/login/", Client().get("/admin/login/")
    for address in (
        CASES,
        f"{url_of(case)}",
        "/admin/screening/logline/",
        "/admin/password_change/",
        "/admin/auth/user/",
    ):
        yield address, client.get(address)
    other = superuser("other")
    for address in ("add/", f"{other.pk}/change/", f"{other.pk}/password/"):
        yield address, client.get(f"/admin/auth/user/{address}")


def test_every_field_to_type_in_says_how_much_it_takes() -> None:
    seen = 0
    for address, response in every_page():
        assert response.status_code in (200, 404), address
        for field in parse(response).select("textarea, input:not(.hidden, [hidden])"):
            if field.get("type", "text") in ("text", "password", "email", "tel", "search"):
                seen += 1
                assert int(str(field.get("maxlength") or 0)) in range(1, 4001), (address, field)
    assert seen > 20


def our_forms(form: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    for each in form.__subclasses__():
        if each.__module__.startswith("screening"):
            yield each
        yield from our_forms(each)


def test_every_text_field_of_our_forms_has_a_limit() -> None:
    found = set(our_forms())
    assert len(found) > 8
    for form in found:
        for name, field in form.base_fields.items() if hasattr(form, "base_fields") else ():
            limited = issubclass(form, Limited) or not isinstance(field, forms.CharField) or field.max_length
            assert limited, (form, name)


def test_text_beyond_the_limit_is_refused_before_the_form_looks_at_it() -> None:
    class Form(Limited, AdminAuthenticationForm):
        pass

    User.objects.create_superuser("staff", password="x" * 300)
    form = Form(data={"username": "staff", "password": "x" * 300})
    assert not form.is_valid()
    assert set(form.errors) == {"password"}


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/return/", "code"),
        ("/contact/", "name"),
        ("/check/", "action"),
        ("/questions/emergency/", "emergency"),
        ("/admin/login/", "username"),
        ("/admin/login/", "password"),
        ("/admin/login/", "next"),
    ],
)
def test_long_text_costs_no_time(address: str, field: str) -> None:
    started = time.process_time()
    response = Client().post(address, {"username": "a", "password": PASSWORD} | {field: MARKS})
    assert response.status_code < 500
    assert time.process_time() - started < 1


def test_long_search_of_staff_is_refused_and_finds_nothing(staff_client: Client) -> None:
    for address in (CASES, "/admin/auth/user/", "/admin/screening/logline/"):
        response = staff_client.get(address, {"q": "a " * 2000})
        assert response.status_code == 200
        assert "at most 256 characters" in response.content.decode()


def test_longest_honest_form_is_taken(staff_client: Client) -> None:
    case, longest = submit(), "\U0001f600" * 4000
    case.refresh_from_db()
    sent = form_of(staff_client, case) | {
        "notes-0-text": longest,
        "reviews-0-program": "iop",
        "reviews-0-reason": longest,
    }
    response = staff_client.post(url_of(case), sent)
    assert response.status_code == 302
    assert case.notes.get().text == longest


@pytest.mark.parametrize("address", ["/return/", "/", "/admin/login/"])
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_larger_form_gets_a_kind_page_and_is_not_read(address: str, content_type: str) -> None:
    response = Client().post(address, b"code=" + b"x" * 256 * 1024, content_type=content_type)
    assert response.status_code == 413
    assert "too much" in response.content.decode()


def test_file_is_kept_nowhere(rf: Any) -> None:
    request = rf.post("/return/", {"code": "abc", "file": SimpleUploadedFile("a.txt", b"x" * 1000)})
    assert (request.POST["code"], request.FILES, request.upload_handlers) == ("abc", {}, [])


def test_last_address_that_was_forwarded_counts_however_long_the_header(settings: Any, rf: Any) -> None:
    settings.BEHIND_PROXY = True
    window = RateLimitWindow(secret="x")
    one, same, other = (
        rate_limits.client_hash(rf.get("/", headers={"x-forwarded-for": sent}), window)
        for sent in ("192.0.2.1", "198.51.100.7," * 1000 + " 192.0.2.1", "192.0.2.1," * 1000 + " 198.51.100.7")
    )
    assert one == same != other
