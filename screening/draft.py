"""The answers in progress: one encrypted cookie. Until the person saves, the server keeps nothing.

The cookie is session-only and HttpOnly, and is refused an hour after the last page was sent. Only a POST writes it: a
slow GET must never put old answers back over newer ones.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

IDLE_SECONDS = 60 * 60


def _cipher() -> MultiFernet:
    """The cipher under keys drawn from SECRET_KEY, or an older one while it is being replaced."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [salted_hmac("screening.draft", "", secret=key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


@dataclass(frozen=True)
class Draft:
    """One screening in one browser. `finished` is "save" or "view" once the person has asked for the result."""

    key: uuid.UUID = field(default_factory=uuid.uuid4)  # a save carries it, so that no draft is saved twice
    answers: Mapping[str, str] = field(default_factory=dict)
    finished: str = ""
    lost: bool = False  # there was a cookie, and it can't be read: tampered with, foreign, or an hour old

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        cookie = request.COOKIES.get(settings.DRAFT_COOKIE_NAME)
        if not cookie:
            return cls()
        try:
            key, answers, finished = json.loads(_cipher().decrypt(cookie.encode(), ttl=IDLE_SECONDS))
            return cls(uuid.UUID(key), answers, finished)
        except (InvalidToken, ValueError):
            return cls(lost=True)

    def write(self, response: HttpResponseBase) -> None:
        """Sets the cookie, and starts its hour anew."""
        text = json.dumps([self.key.hex, self.answers, self.finished], separators=(",", ":"))
        response.set_cookie(
            settings.DRAFT_COOKIE_NAME,
            _cipher().encrypt(text.encode()).decode(),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )

    def answered(self, answers: Mapping[str, str]) -> Self:
        """With these answers over the earlier ones. One that was already saved becomes a new draft when they differ."""
        merged = {**self.answers, **answers}
        if merged == self.answers:
            return self
        key = uuid.uuid4() if self.finished == "save" else self.key
        return replace(self, key=key, answers=merged, finished="")


def clear(response: HttpResponseBase) -> None:
    """Has the browser drop the answers."""
    response.delete_cookie(settings.DRAFT_COOKIE_NAME, samesite="Lax")
