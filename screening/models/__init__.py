"""All that the database holds, but accounts: submissions, what staff add to them, and what remains of it."""

from screening.audit import LogHead, LogLine
from screening.models.contact import Contact
from screening.models.counts import Attempts, CountedHour, Forgotten
from screening.models.staff import Mail, Note, Review, hides_result, result_shown_to
from screening.models.submission import (
    OPEN,
    RANKS,
    URGENCIES,
    URGENT,
    WANTS_CALL,
    Outcome,
    Program,
    Status,
    Submission,
    Urgency,
    in_words,
    kept_since,
)

__all__ = [
    "OPEN",
    "RANKS",
    "URGENCIES",
    "URGENT",
    "WANTS_CALL",
    "Attempts",
    "Contact",
    "CountedHour",
    "Forgotten",
    "LogHead",
    "LogLine",
    "Mail",
    "Note",
    "Outcome",
    "Program",
    "Review",
    "Status",
    "Submission",
    "Urgency",
    "hides_result",
    "in_words",
    "kept_since",
    "result_shown_to",
]
