"""What a draft opens of what is kept, saving it, and erasing (docs/decisions/0022)."""

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

from django.db import DatabaseError, connection
from django.http import HttpRequest

from screening import rate_limits, retention, return_codes, spam
from screening.database import alone, look_again, one_commit
from screening.draft import AHEAD, LONGEST_SECONDS, Draft, Finished
from screening.models import Submission
from screening.questionnaire import known

LOCKS = WeakValueDictionary[str, Any]()  # code -> the lock of its draft, while someone has it or waits for it
OF_LOCKS = Lock()


def _lock(draft: Draft) -> AbstractContextManager[Any]:
    """Return what a save and an erasure of the same draft take: of two presses, the first is done first."""
    with OF_LOCKS:
        lock: AbstractContextManager[Any] = LOCKS.setdefault(draft.code, Lock())
        return lock


def kept(*codes: str, expired: bool = False) -> list[Submission]:
    """Return what is kept under these codes, and note that they have reached a browser. Raise a DatabaseError."""
    found = [*Submission.objects.with_codes(*codes, expired=expired).values()] if codes else []
    for unclaimed in [row.pk for row in found if not row.claimed]:
        Submission.objects.filter(pk=unclaimed).update(claimed=True)
    return found


def any_kept(*codes: str) -> bool:
    """Return whether something is kept under these codes; True if the database can't be asked."""
    try:
        return bool(kept(*codes))
    except DatabaseError:
        return True


def _codes(draft: Draft) -> dict[str, int]:
    """Return the codes that a save of this draft may have got, with the minute of each; this minute's come first."""
    seconds = int(time.time()) - (draft.started_at or int(time.time()))
    now = min(max(0, seconds), LONGEST_SECONDS) // 60
    minutes = [now, *range(now - 1, -1, -1), *range(now + 1, now + 1 + AHEAD // 60)]  # another machine may be ahead
    return {code: minute for minute in minutes for code in return_codes.following(draft.code, minute)}


def _saved(draft: Draft, *, expired: bool = False) -> tuple[Draft, Submission | None]:
    """Return this draft as it is once it is saved, and its row, if there is one."""
    if draft.finished == Finished.SAVED:
        return draft, next(iter(kept(draft.code, expired=expired)), None)
    codes = _codes(draft)
    found = Submission.objects.with_codes(*codes)
    code = next((code for code in codes if code in found), next(iter(codes)))
    return replace(draft, code=code, finished=Finished.SAVED), found.get(code)


def _drawn_anew(draft: Draft, saved: Draft, row: Submission) -> tuple[Draft, Submission | None]:
    """Give a row whose code has not come back a new one, unless it got it a minute ago, in a double click.

    Else who copied the cookie and saved first would have the code of who saves later.
    """
    codes = _codes(draft)
    new = next(iter(codes))
    if codes[new] - codes[saved.code] <= 1:
        return saved, row
    unclaimed = Submission.objects.filter(pk=row.pk, code=row.code, claimed=False)
    if unclaimed.update(code=return_codes.encrypted_hashes(new)[0]):
        return replace(saved, code=new), row
    return _saved(draft)


def opened(draft: Draft, *, expired: bool = False, unpressed: bool = False) -> tuple[Draft, Submission | None]:
    """Return the row that this draft opens, and the draft under its code. Raise a DatabaseError.

    The other button may have been pressed during the save. Such a draft opens the row of exactly its answers, until
    the code has reached a browser: what was copied before the save opens nothing after it. With `unpressed`, so does
    one without a button pressed: the answer to a save may have been lost.
    """
    saved, row = _saved(draft, expired=expired) if draft.finished or unpressed else (draft, None)
    if row is None or draft.finished == Finished.SAVED:
        return draft, row
    if row.claimed or known(row.readable_answers) != known(draft.answers):
        return replace(draft, code_needed=True), None
    return saved, row


def save(draft: Draft, request: HttpRequest) -> tuple[Draft, Submission] | None:
    """Save a draft once; return it as saved, and its row, which may hold what an older tab saved.

    None if too many were saved from there within the hour. Raise a DatabaseError if it is not certain that it is saved.
    """
    number: int | None = None

    def once() -> tuple[Draft, Submission] | None:
        nonlocal number
        with one_commit():
            if number is None or connection.vendor == "sqlite":  # there a try that failed has left no count either
                number = rate_limits.SAVE.hit(request).number
            if not number:
                return None
            with alone(draft.code):
                return _save(draft, spam.signs(request.POST, draft.started_at, number))

    with _lock(draft):
        return look_again(once)


def _save(draft: Draft, spam_signs: str) -> tuple[Draft, Submission]:
    saved, row = _saved(draft)
    if draft.finished == Finished.SAVED and row is None:
        # Erased meanwhile, or its time was up: its code opens nothing more. Each press leads to the same new one.
        anew = [replace(draft.as_new_draft(), code=code) for code in return_codes.following(draft.code)]
        found = [_saved(each) for each in anew]
        saved, row = next((each for each in found if each[1]), found[0])
    elif row and draft.finished != Finished.SAVED and not row.claimed:
        saved, row = _drawn_anew(draft, saved, row)
    return saved, row or Submission.objects.insert(draft.answers, saved.code, spam_signs=spam_signs)


def erase(draft: Draft) -> tuple[Draft, bool]:
    """Erase all that this draft opens; return it as it was found, and whether that was anything.

    Raise a DatabaseError if it is not certain that all of it is gone.
    """
    tries: list[tuple[Draft, bool]] = []  # the first may have erased, and its connection was lost before it said so

    def once() -> None:
        with alone(draft.code):
            found, saved = opened(draft, expired=True, unpressed=True)
            rows = [*kept(*found.earlier_codes, expired=True), *([saved] if saved else [])]
            tries.append((found, bool(rows)))
            retention.erase(*rows)

    with _lock(draft):
        look_again(once)
    return max(tries, key=lambda each: each[1])
