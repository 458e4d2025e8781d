"""What stands around every page: headers, cookies, and the way out."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from screening.questionnaire import PAGES
from tests.answers import IOP, on_page
from tests.conftest import Person

pytestmark = pytest.mark.django_db
PUBLIC = ("/", "/questions/safety/", "/help/", "/how-it-works/", "/rules.json", "/paper/", "/no/such/page/", "/leave/")


def every_response() -> list[Any]:
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff", password="a long enough one"))
    admin = ("/admin/", "/admin/screening/submission/", "/admin/login/")
    return [Client().get(address) for address in PUBLIC] + [staff.get(address) for address in admin]


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
        features = response["Permissions-Policy"].split(", ")
        assert all(feature.endswith("=()") for feature in features)
        assert {"camera=()", "geolocation=()", "microphone=()"} <= set(features)


def test_no_page_holds_anything_inline() -> None:
    for response in every_response():
        html = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=", html)


def test_leaving_clears_the_cookies_and_leads_elsewhere(person: Person, settings: Any) -> None:
    settings.LEAVE_URL = "https://weather.test/"
    for page in PAGES:
        person.post(page.slug, on_page(page, IOP))
    person.client.get("/check/")
    response = person.client.get("/leave/")
    assert (response.status_code, response.url) == (302, "https://weather.test/")
    assert response["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert "no-store" in response["Cache-Control"]
    for name in (settings.DRAFT_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.SESSION_COOKIE_NAME):
        assert response.cookies[name]["max-age"] == 0
    assert person.client.get("/check/").url.startswith("/questions/safety/")


def test_every_public_page_has_the_way_out() -> None:
    for address in PUBLIC[:-1]:
        if address != "/rules.json":
            assert 'href="/leave/"' in Client().get(address).content.decode()


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
