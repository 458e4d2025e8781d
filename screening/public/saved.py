"""What a draft opens of what is kept, and saving it (docs/decisions/0022)."""

from dataclasses import replace

from django.db import DatabaseError

from screening import return_codes
from screening.database import look_again
from screening.draft import Draft, Finished
from screening.models import Submission
from screening.questionnaire import known


def kept(*codes: str, expired: bool = False) -> list[Submission]:
    """Return what is kept under these codes, and note that they have reached a browser. Raise a DatabaseError."""
    found = Submission.objects.with_codes(*codes, expired=expired) if codes else []
    for unclaimed in [row.pk for row in found if not row.claimed]:
        Submission.objects.filter(pk=unclaimed).update(claimed=True)
    return found


def any_kept(*codes: str) -> bool:
    """Return whether something is kept under these codes; True if the database can't be asked."""
    try:
        return bool(kept(*codes))
    except DatabaseError:
        return True


def _saved(draft: Draft, *, expired: bool = False) -> tuple[Draft, Submission | None]:
    """Return this draft as it is once it is saved, and its row, if there is one."""
    if draft.finished == Finished.SAVED:
        return draft, next(iter(kept(draft.code, expired=expired)), None)
    codes = return_codes.following(draft.code)
    found = [(code, row) for code in codes for row in Submission.objects.with_codes(code)]
    code, row = found[0] if found else (codes[0], None)
    return replace(draft, code=code, finished=Finished.SAVED), row


def opened(draft: Draft, *, expired: bool = False) -> tuple[Draft, Submission | None]:
    """Return the row that this draft opens, and the draft under its code. Raise a DatabaseError.

    "Keep nothing" may have been pressed during the save. Such a draft opens the row of exactly its answers, until the
    code has reached a browser: what was copied before the save opens nothing after it.
    """
    saved, row = _saved(draft, expired=expired) if draft.finished else (draft, None)
    if row is None or draft.finished == Finished.SAVED:
        return draft, row
    if row.claimed or known(row.readable_answers) != known(draft.answers):
        return replace(draft, code_needed=True), None
    return saved, row


def save(draft: Draft, spam_signs: str) -> tuple[Draft, Submission]:
    """Save a draft once; return it as saved, and its row, which may hold what an older tab saved."""
    saved, row = _saved(draft)
    if draft.finished == Finished.SAVED and row is None:
        # Erased meanwhile, or its time was up: its code opens nothing more. Each press leads to the same new one.
        saved, row = _saved(replace(draft.as_new_draft(), code=return_codes.following(draft.code)[0]))
    row = row or look_again(lambda: Submission.objects.submit(draft.answers, saved.code, spam_signs=spam_signs))
    return saved, row
