"""Headers, cookies and Leave now, on every page."""

import gzip
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import get_resolver

from intake_site.compression import CompressionMiddleware
from intake_site.headers import NO_STORE
from screening.public import questions
from screening.questionnaire import PAGES
from tests.answers import IOP, KINDS, WORST, on_page, random_answers
from tests.conftest import Person
from tests.desk.helpers import CASES, PASSWORD, signed_in, superuser
from tests.public.addresses import NOT_FOUND, STATES, SpanishClient, pages_in, public_addresses
from tests.test_urls import routes

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]


def every_response() -> list[Any]:
    staff = signed_in(superuser("staff"))
    admin = ("/admin/", CASES, "/admin/login/")
    return [Client().get(address) for address in (*public_addresses(), NOT_FOUND)] + [staff.get(page) for page in admin]


def test_policy_lets_in_nothing_but_our_own_files() -> None:
    for response in every_response():
        policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
        assert policy.pop("default-src") == "'none'"
        assert policy.pop("base-uri") == "'none'"
        assert policy.pop("frame-ancestors") == "'none'"
        assert set(policy) == {"script-src", "style-src", "img-src", "font-src", "connect-src", "form-action"}
        assert set(policy.values()) == {"'self'"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Referrer-Policy", "same-origin"),
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("X-Robots-Tag", "noindex"),
    ],
)
def test_header_is_on_every_page(name: str, value: str) -> None:
    assert {response.get(name) for response in every_response()} == {value}


def test_no_page_may_use_the_device() -> None:
    for response in every_response():
        features = response["Permissions-Policy"].split(",")
        assert all(feature.endswith("=()") for feature in features)
        assert {"camera=()", "geolocation=()", "microphone=()"} <= set(features)


def test_no_page_holds_anything_inline() -> None:
    for response in every_response():
        html = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=", html)


def test_leave_clears_cookies_and_goes_to_a_neutral_site(person: Person, settings: Any, center_tells: Any) -> None:
    center_tells(leave_url="https://weather.test/")
    for page in PAGES:
        person.post(page.slug, on_page(page, IOP))
    person.client.get("/check/")
    response = person.client.get("/leave/")
    assert (response.status_code, response.url) == (302, "https://weather.test/")
    assert response["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert "no-store" in response["Cache-Control"]
    for name in (settings.DRAFT_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.SESSION_COOKIE_NAME):
        assert response.cookies[name]["max-age"] == 0
    assert person.client.get("/check/").url == "/"


def test_every_public_page_has_the_way_out() -> None:
    for state in STATES:
        for address, response in pages_in(state):
            assert 'href="/leave/"' in response.content.decode(), (state, address)


def test_every_public_page_leads_to_the_privacy_page() -> None:
    for state in STATES:
        for address, response in pages_in(state):
            assert 'href="/privacy/"' in response.content.decode(), (state, address)


def test_start_page_explains_leaving_and_what_it_cannot_do() -> None:
    html = Client().get("/").content.decode()
    for words in ("Shift key three times", "history", "watches your screen"):
        assert words in html


def test_cookies_end_with_the_browser_and_are_out_of_reach_of_scripts(person: Person) -> None:
    person.post(PAGES[0].slug, on_page(PAGES[0], IOP))
    person.client.get("/")
    for morsel in person.client.cookies.values():
        assert not morsel["max-age"]
        assert not morsel["expires"]
        assert morsel["httponly"]
        assert morsel["samesite"] == "Lax"
    assert settings.DRAFT_COOKIE_NAME in person.client.cookies


def after_saving(given: dict[str, str]) -> list[tuple[str, str]]:
    """Save these answers; return (address, title) of each page that follows."""
    person = Person(Client())
    person.finishes(given, "save")
    seen = []
    for address in public_addresses():
        response = person.client.get(address)
        if response.status_code == 200 and "html" in response["Content-Type"]:
            (title,) = re.findall(r"<title>(.*)</title>", response.content.decode())
            seen.append((address, title))
    return seen


def test_titles_and_addresses_are_the_same_for_every_result() -> None:
    seen = [after_saving(given) for given in KINDS.values()]
    assert all(each == seen[0] for each in seen)
    assert not [title for _address, title in seen[0] if re.search(r"alcohol|drug|inpatient|urgent", title, re.I)]


def addresses_of_the_resolver() -> list[str]:
    """Return an address for every route, with 1 or the first alternative for each of its parameters."""
    found = []
    for route, _name in routes(get_resolver().url_patterns):
        plain = re.sub(r"\(\?P<\w+>(\w+)[^)]*\)", r"\1", route)
        found.append("/" + re.sub(r"<[^>]+>", "1", plain).replace("^", "").removesuffix("$"))
    return found


def test_no_answer_but_a_static_file_may_be_stored_and_none_has_headers_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    staff, fails = signed_in(superuser("staff")), Client(raise_request_exception=False)
    everywhere = [*addresses_of_the_resolver(), NOT_FOUND, "/static/no-such-file.css", "/privacy", "/?note=%00"]
    answers = [client.get(address) for address in everywhere for client in (Client(), staff)]
    answers += [Client(enforce_csrf_checks=True).post(address) for address in everywhere]
    answers.append(Client().get("/", headers={"host": "elsewhere.example"}))
    answers.append(Client().delete("/check/"))
    answers.append(Client().post("/return/", b"x" * 300_000, content_type="text/plain"))
    monkeypatch.setattr(questions, "read_draft", lambda request: 1 / 0)
    answers.append(fails.get("/check/"))
    assert {answer.status_code for answer in answers} >= {200, 302, 301, 400, 403, 404, 405, 413, 500}
    for answer in answers:
        assert answer["Cache-Control"] == NO_STORE, answer.request["PATH_INFO"]
        of_its_content = {"Content-Type", "Content-Length", "Content-Language", "Content-Disposition", "Location"}
        of_its_content |= {"Allow", "Vary", "Clear-Site-Data"}
        names = set(answer.headers) - of_its_content
        assert names == set(answers[0].headers) - of_its_content, answer.request["PATH_INFO"]


def test_static_file_is_kept(settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = True
    response = Client().get("/static/screening/site.css")
    response.close()
    cache = response["Cache-Control"]
    assert "public" in cache
    assert "no-store" not in cache


def test_answers_of_an_earlier_visitor_do_not_come_along_into_a_staff_session(person: Person) -> None:
    superuser("staff")
    person.finishes(IOP, "save")
    anonymous = {name: morsel.value for name, morsel in person.client.cookies.items()}
    wrong = person.client.post("/admin/login/", {"username": "staff", "password": "not the one"})
    assert settings.DRAFT_COOKIE_NAME not in wrong.cookies
    person.client.post("/admin/login/", {"username": "staff", "password": PASSWORD})
    assert person.client.get("/admin/").status_code == 200
    now = {name: morsel.value for name, morsel in person.client.cookies.items()}
    assert now[settings.DRAFT_COOKIE_NAME] == ""
    assert not {value for value in anonymous.values() if value} & set(now.values())
    assert person.client.get("/result/").url == "/"


def test_secure_site_sends_strict_transport_security_and_host_cookies(tmp_path: Path) -> None:
    """A site with HTTPS runs in its own process, because the tests run without."""
    program = """
import django; django.setup()
from django.core.management import call_command; call_command("migrate", verbosity=0)
from django.test import Client
client = Client()
response = client.get("/", secure=True)
assert response["Strict-Transport-Security"] == "max-age=31536000", response.headers
assert client.get("/").status_code == 301
client.get("/questions/emergency/", secure=True)
client.post("/questions/emergency/", {"emergency": "none"}, secure=True)
assert set(client.cookies) == {"__Host-csrf", "__Host-draft"}, client.cookies
for morsel in client.cookies.values():
    assert morsel["secure"] and morsel["httponly"] and morsel["path"] == "/" and not morsel["domain"]
response = client.get("/leave/", secure=True)
assert {"__Host-csrf", "__Host-draft", "__Host-session"} <= set(response.cookies), response.cookies
for name, morsel in response.cookies.items():
    assert morsel["secure"] and morsel["max-age"] == 0, name
"""
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    environment |= {"SECRET_KEY": "x" * 50, "DATA_KEYS": "y" * 50, "ALLOWED_HOSTS": "testserver"}
    call = [sys.executable, "-c", program]
    ran = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_pages_are_compressed_but_for_the_desk(person: Person, staff_client: Client) -> None:
    def encoding(client: Client, address: str) -> str:
        return str(client.get(address, headers={"Accept-Encoding": "gzip"}).get("Content-Encoding", ""))

    person.finishes(IOP, "save")
    for address in ("/", "/check/", "/result/", "/privacy/", NOT_FOUND):
        assert encoding(person.client, address) == "gzip"
    assert person.client.get("/result/").get("Content-Encoding") is None
    for address in ("/admin/", CASES, "/admin/login/"):
        assert encoding(staff_client, address) == ""
    lengths = {len(Client().get("/", headers={"Accept-Encoding": "gzip"}).content) for _time in range(20)}
    assert len(lengths) > 5  # padded at random


def test_code_is_sent_as_it_is_in_a_page_whose_length_does_not_tell_it(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess = "ABCDE-FGHJK"
    codes = [f"{guess}-MNPQR-STVWX-YZ234", "ZZZZZ-YYYYY-XXXXX-WWWWW-VVVVV", "-".join(["AAAAA"] * 5)]
    lengths = set()
    monkeypatch.setattr(CompressionMiddleware, "max_random_bytes", 1)  # all are padded alike
    for code in codes:
        page = f"<p>{guess}</p><p>{code}</p>" + "<p>Call us.</p>" * 50 + f"<p>{code} {guess}</p>"
        middleware = CompressionMiddleware(lambda _request, page=page: HttpResponse(page))
        answer = middleware(rf.get("/result/", headers={"Accept-Encoding": "gzip"}))
        assert gzip.decompress(answer.content).decode() == page
        assert answer.content.count(code.encode()) == 2
        assert int(answer["Content-Length"]) == len(answer.content) < len(page) / 2
        lengths.add(len(answer.content))
    assert len(lengths) == 1


@pytest.mark.parametrize("between", ["-", "", " ", "–"])
def test_code_that_someone_typed_in_another_way_is_not_compressed_either(rf: RequestFactory, between: str) -> None:
    typed = between.join(["ABCDE", "FGHJK", "MNPQR", "STVWX", "YZ234"])
    page = f"<p>{typed}</p>" + "<p>Call us.</p>" * 50 + f"<p>{typed}</p>"
    answer = CompressionMiddleware(lambda _request: HttpResponse(page))(
        rf.get("/", headers={"Accept-Encoding": "gzip"})
    )
    assert gzip.decompress(answer.content).decode() == page
    assert answer.content.count(typed.encode()) == 2


def test_result_is_short_whatever_was_answered(db: None) -> None:
    chance = random.Random(1)
    for given in (*KINDS.values(), WORST, *(random_answers(chance) for _time in range(20))):
        person = Person(SpanishClient(headers={"Accept-Encoding": "gzip"}))
        length = len(person.finishes(given, "save").content)
        assert length <= 10_000, given


def test_page_is_sent_without_what_only_indents_it(person: Person) -> None:
    for state in STATES:
        for address, response in pages_in(state):
            assert not re.search(r"\n\s", response.content.decode()), address
            assert int(response["Content-Length"]) == len(response.content)
            assert "<textarea" not in response.content.decode()  # whose text would change


def test_no_page_shows_what_was_asked_with_its_address(person: Person) -> None:
    person.finishes(IOP, "view")
    for address in {*public_addresses()} - {"/.well-known/security.txt"}:
        for name in ("x", "note", "change", "from", "next"):
            page = Client()
            page.cookies.update(person.client.cookies)
            assert "qzx81" not in page.get(f"{address}?{name}=qzx81").content.decode(), (address, name)


def test_what_is_no_page_keeps_its_spaces(rf: RequestFactory) -> None:
    for kind, sent in (("text/html; charset=utf-8", b"a\nb"), ("text/plain", b"a\n  b")):
        answer = CompressionMiddleware(lambda _request, kind=kind: HttpResponse("a\n  b", kind))(rf.get("/"))
        assert answer.content == sent
