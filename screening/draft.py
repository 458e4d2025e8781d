"""Drafts: the answers in progress, in one encrypted cookie. Until the person saves, the server stores nothing.

The cookie is session-only and HttpOnly. It is refused an hour after the last page was sent, and six hours after the
first: a copy is of no use for longer. Only a POST writes it: a slow GET must never put old answers over newer ones.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Self

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from screening import return_codes
from screening.encryption import Cipher, cipher, fernet_time
from screening.models.counts import SKEW
from screening.typed import typed

IDLE_SECONDS = 60 * 60
LONGEST_SECONDS = 6 * 60 * 60
AHEAD = int(SKEW.total_seconds())  # another machine's clock may be ahead
MAX_EARLIER_CODES = 60  # saves that one browser remembers: a cookie holds no more than 4096 characters


class Finished(StrEnum):
    """How the person asked for the result, if they did; also the values of the two buttons."""

    NOT_YET = ""
    SAVED = "save"
    VIEWED = "view"


def _cipher() -> Cipher:
    """Encrypt under SECRET_KEY, and decrypt under it or an older one that is being replaced."""
    return cipher("answers in progress", [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])


@dataclass(frozen=True)
class Draft:
    """One screening in one browser."""

    code: str = field(default_factory=return_codes.generate)  # saved, the return code; before, what that follows from
    answers: Mapping[str, str] = field(default_factory=dict)
    finished: Finished = Finished.NOT_YET
    started_at: int = 0  # when it was first written, in seconds since 1970; 0 before
    earlier_codes: Sequence[str] = ()  # of what was saved here before the answers changed, to be erased with the rest
    code_needed: bool = False  # something else was saved here, which only its own code opens and erases
    unreadable: bool = False  # there was a cookie, but it was tampered with, foreign, or too old

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        cookie = typed(request.COOKIES, settings.DRAFT_COOKIE_NAME, 5000)
        if not cookie:
            return cls()
        try:
            now = int(time.time())
            stored = json.loads(_cipher().decrypt(cookie))
            idle = now - (stored.pop("written_at", 0) or fernet_time(cookie))  # by an earlier version
            draft = cls(**stored | {"finished": Finished(stored["finished"])})
            if -AHEAD <= idle <= IDLE_SECONDS and not 0 < draft.started_at <= now - LONGEST_SECONDS:
                return draft
        except (InvalidToken, TypeError, ValueError, KeyError):
            pass
        return cls(unreadable=True, code_needed=cls._may_have_saved(cookie))

    @staticmethod
    def _may_have_saved(cookie: str) -> bool:
        """Return whether something was saved with a cookie that is not accepted any more, or True if nobody knows."""
        try:
            stored = json.loads(_cipher().decrypt(cookie))
            return bool(stored["finished"] == Finished.SAVED or stored["earlier_codes"] or stored["code_needed"])
        except (InvalidToken, TypeError, ValueError, KeyError):
            return True

    def write(self, response: HttpResponseBase) -> None:
        """Set the cookie, which restarts its hour."""
        now = int(time.time())
        stored = {name: getattr(self, name) for name in STORED}
        stored |= {"started_at": self.started_at or now, "written_at": now}
        text = json.dumps(stored, separators=(",", ":"))
        response.set_cookie(
            settings.DRAFT_COOKIE_NAME,
            _cipher().encrypt(text),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )

    def answered(self, answers: Mapping[str, str]) -> Self:
        """Put these answers over the earlier ones. One that was saved becomes a new draft if they differ."""
        merged = {**self.answers, **answers}
        if merged == self.answers:
            return self
        draft = self.as_new_draft() if self.finished == Finished.SAVED else self
        return replace(draft, answers=merged, finished=Finished.NOT_YET)

    def as_new_draft(self) -> Self:
        """The same answers under a new code; the code of what was saved is remembered, or else said to be needed."""
        has_code = self.finished == Finished.SAVED
        codes = [*self.earlier_codes, self.code] if has_code else self.earlier_codes
        code_needed = self.code_needed or not has_code or len(codes) > MAX_EARLIER_CODES
        draft = replace(self, code=return_codes.generate(), finished=Finished.NOT_YET, code_needed=code_needed)
        return replace(draft, earlier_codes=codes[-MAX_EARLIER_CODES:])


STORED = [each.name for each in fields(Draft) if each.name != "unreadable"]


def clear(response: HttpResponseBase) -> None:
    """Have the browser drop the answers."""
    response.delete_cookie(settings.DRAFT_COOKIE_NAME, samesite="Lax")
