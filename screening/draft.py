"""The answers in progress: one encrypted cookie. Until the person saves, the server keeps nothing.

The cookie is session-only and HttpOnly, and is refused an hour after the last page was sent. Only a POST writes it: a
slow GET must never put old answers back over newer ones.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from cryptography.fernet import InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from screening import return_codes
from screening.encryption import cipher

IDLE_SECONDS = 60 * 60
EARLIER = 30  # saves that one browser is remembered for: a cookie holds no more than 4096 letters


def _cipher() -> MultiFernet:
    """Under keys drawn from SECRET_KEY, or an older one while it is being replaced."""
    return cipher("answers in progress", [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])


@dataclass(frozen=True)
class Draft:
    """One screening in one browser. `finished` is "save" or "view" once the person has asked for the result."""

    code: str = field(default_factory=return_codes.generate)  # a save carries it, so that no draft is saved twice
    answers: Mapping[str, str] = field(default_factory=dict)
    finished: str = ""
    begun: int = 0  # when the first answers came, in seconds since 1970; 0 before
    earlier: Sequence[str] = ()  # codes of what was saved here before the answers changed, to be erased with the rest
    lost: bool = False  # there was a cookie, and it can't be read: tampered with, foreign, or an hour old

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        cookie = request.COOKIES.get(settings.DRAFT_COOKIE_NAME)
        if not cookie:
            return cls()
        try:
            return cls(*json.loads(_cipher().decrypt(cookie.encode(), ttl=IDLE_SECONDS)))
        except (InvalidToken, ValueError):
            return cls(lost=True)

    def write(self, response: HttpResponseBase) -> None:
        """Sets the cookie, and starts its hour anew."""
        parts = [self.code, self.answers, self.finished, self.begun, self.earlier]
        text = json.dumps(parts, separators=(",", ":"))
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
        draft = self.after_saving() if self.finished == "save" else self
        return replace(draft, answers=merged, finished="", begun=self.begun or int(time.time()))

    def after_saving(self) -> Self:
        """The same answers as a new draft, that knows of what was saved."""
        return replace(self, code=return_codes.generate(), finished="", earlier=(*self.earlier, self.code)[-EARLIER:])


def clear(response: HttpResponseBase) -> None:
    """Has the browser drop the answers."""
    response.delete_cookie(settings.DRAFT_COOKIE_NAME, samesite="Lax")
