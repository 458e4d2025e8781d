"""What only an edit of settings.py could break: cookies, headers, middleware, logs. The environment can't."""

from typing import Any

import pytest

from tests.test_checks import GOOD, settings_of

pytestmark = pytest.mark.sqlite_is_enough

EXPECTED: dict[str, Any] = {
    "USE_X_FORWARDED_HOST": None,  # not set: it would trust what anybody can send
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "SESSION_COOKIE_HTTPONLY": None,  # Django's default is on
    "CSRF_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": None,  # Django's default is Lax
    "CSRF_COOKIE_SAMESITE": None,
    "SESSION_COOKIE_NAME": "__Host-session",
    "CSRF_COOKIE_NAME": "__Host-csrf",
    "DRAFT_COOKIE_NAME": "__Host-draft",
    "CSRF_COOKIE_AGE": None,
    "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
    "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",  # the cookie one can be read
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 365 * 24 * 3600,
    "SECURE_REFERRER_POLICY": "same-origin",  # stricter breaks forms, laxer tells other sites
    "X_FRAME_OPTIONS": "DENY",
}
MIDDLEWARE = {
    "intake_site.headers.more_headers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "screening.desk.sessions.SessionTimeoutMiddleware",
}


@pytest.mark.parametrize("behind_proxy", ["on", "off"])
def test_settings_of_a_site_for_others_are_strict(behind_proxy: str) -> None:
    settings = settings_of(GOOD | {"BEHIND_PROXY": behind_proxy})
    assert {name: settings.get(name) for name in EXPECTED} == EXPECTED
    assert ("SECURE_PROXY_SSL_HEADER" in settings) == (behind_proxy == "on")
    assert set(settings["MIDDLEWARE"]) >= MIDDLEWARE
    assert settings["LOGGING"]["formatters"]["words"]["()"] == "intake_site.logs.NoValues"
