"""Sessions of the staff: how they are stored, and how long they last."""

import hmac
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp import DEVICE_ID_SESSION_KEY

from screening.encryption import cipher, derive_key
from screening.models import StaffMember

IDLE_TIMEOUT, ABSOLUTE_TIMEOUT = 15 * 60, 8 * 3600  # seconds
WRITE_INTERVAL = 30  # seconds between writes of the time of the latest request
TEMPORARY = "temporary"  # session key: a manager chose the password that this session began with
WITH_TEMPORARY = ("password_change", "login", "logout")  # the pages that are open to such a session
VERIFIED = "verified"  # session key; django-otp forgets a second factor when its device is deleted, this does not


class SessionStore(DatabaseSessionStore):
    """Store sessions under a hash of their key: a copy of the database lets nobody in."""

    def _get_session_from_db(self) -> Any:
        found = self.model.objects.filter(session_key=_hash(self.session_key), expire_date__gt=timezone.now()).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(_hash(session_key))

    def create_model_instance(self, data: Any) -> Any:
        instance = super().create_model_instance(data)
        instance.session_key = _hash(instance.session_key)
        return instance

    def delete(self, session_key: str | None = None) -> None:
        if session_key or self.session_key:
            super().delete(_hash(session_key or self.session_key))


def _hash(session_key: str | None) -> str:
    return hmac.digest(derive_key(settings.SECRET_KEY, "session"), (session_key or "").encode(), "sha256").hex()[:40]


class SessionTimeoutMiddleware:
    """End a session of the desk that is over, before its page is asked.

    A session ends 15 minutes after its latest request (idle timeout), 8 hours after its sign-in (absolute timeout),
    and at once if its second factor was reset: whoever holds it must not set up the next one. Only pages of the desk
    are checked, and count as requests, but not what the script asks by itself; public pages touch no session. The view
    then meets an anonymous user. While its password is one that a manager chose, a session may only change it.

    A form without a valid CSRF token is answered before this runs; that answer shows nothing of a case.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        match = request.resolver_match
        if not (match and "admin" in match.app_names and request.user.is_authenticated):
            return None
        session, now = request.session, int(time.time())
        if "signed_in_at" not in session:
            start(request)
        was_reset = VERIFIED in session and not is_verified(request)
        idle, age = now - session["last_request_at"], now - session["signed_in_at"]
        set_back = min(idle, age) < -300  # by more than two machines' clocks may differ: nobody knows how long it was
        if was_reset or set_back or idle > IDLE_TIMEOUT or age > ABSOLUTE_TIMEOUT:
            if match.url_name == "pulse":  # the form that is on its way finds the session, and is kept
                return HttpResponse(status=403)
            account = request.user.pk
            logout(request)
            session["timed_out"] = account
            return None
        if idle > WRITE_INTERVAL and (match.url_name != "pulse" or request.method == "POST"):
            session["last_request_at"] = now
        if session.get(TEMPORARY) and is_verified(request) and match.url_name not in WITH_TEMPORARY:
            return redirect("admin:password_change")
        return None


def hold(request: HttpRequest, texts: dict[str, str]) -> bool:
    """Keep field -> text for whoever was signed out, until they open the page again; return whether it is kept."""
    account = request.session.pop("timed_out", None)
    if account and texts:
        held = json.dumps([account, request.path, texts])
        request.session["held"] = cipher("held text").encrypt(held)
    return bool(account and texts)


def given_back(request: HttpRequest) -> dict[str, str]:
    """Return what this account had typed on this page when it was signed out, once; empty for all others."""
    held = request.session.get("held") if request.method == "GET" else None
    with suppress(InvalidToken):
        account, path, texts = json.loads(cipher("held text").decrypt(held)) if held else (0, "", {})
        if (account, path) == (request.user.pk, request.path):
            del request.session["held"]
            messages.info(request, _("What you had typed is back in its place. It is not saved yet."))
            return cast(dict[str, str], texts)
    return {}


def is_verified(request: HttpRequest) -> bool:
    """Whether the second factor was given, or is not required on this machine."""
    return not settings.SECOND_FACTOR or cast(Any, request.user).is_verified()


def end_all(account: Any) -> None:
    """End every session of an account, on every device."""
    for session in SessionStore.get_model_class().objects.filter(expire_date__gt=timezone.now()):
        if SessionStore().decode(session.session_data).get(SESSION_KEY) == str(account.pk):
            session.delete()


def start(request: HttpRequest) -> None:
    """Start both timeouts, and note whether the password is temporary: setting another one ends the session."""
    request.session["signed_in_at"] = request.session["last_request_at"] = int(time.time())
    member = StaffMember.objects.filter(account=request.user.pk, password_is_temporary=True)
    request.session[TEMPORARY] = member.exists()


def start_unverified(request: HttpRequest) -> None:
    """Start both timeouts after a password: even whoever was signed in already must give the second factor again."""
    for key in (VERIFIED, DEVICE_ID_SESSION_KEY):
        request.session.pop(key, None)
    start(request)
