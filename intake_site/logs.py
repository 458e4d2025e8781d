"""Logs of errors: where they happened and of which kind, never with which values.

An exception's message can hold anything that a person typed (a database quotes the row that it refused), and so can
the message of any library. So neither is logged; only our own loggers write messages, in words and counts.
"""

import json
import logging
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
OUR_LOGGERS = ("screening", "intake_site")
FRAMES = 12  # of the traceback, the innermost


def is_refusal(record: logging.LogRecord) -> bool:
    """Whether it tells of a hostile request that was refused. Django calls that an error; it is one of the sender's."""
    return record.name.startswith("django.security.")


class NoValues(logging.Formatter):
    """One line for what and where; below it the type and the frames of each exception in the chain."""

    def format(self, record: logging.LogRecord) -> str:
        lines = [" ".join(filter(None, self.told(record).values()))]
        for error, frames in _errors(record):
            lines += [f"  {error}", *(f"    {frame}" for frame in frames)]
        return "\n".join(lines)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """In UTC, and so said: the server's first process has no time zone of ours yet."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def told(self, record: logging.LogRecord) -> dict[str, str]:
        return {
            "time": self.formatTime(record),
            "level": "WARNING" if is_refusal(record) else record.levelname,
            "logger": record.name,
            "status": str(getattr(record, "status_code", "")),
            "page": _page(record),
            "message": record.getMessage() if record.name.partition(".")[0] in OUR_LOGGERS else "",
            "place": f"({record.module}:{record.lineno})",
        }


class JsonLines(NoValues):
    """The same as one line of JSON, for programs that read logs."""

    def format(self, record: logging.LogRecord) -> str:
        errors = [{"error": error, "frames": frames} for error, frames in _errors(record)]
        told = self.told(record) | ({"errors": errors} if errors else {})
        return json.dumps({name: value for name, value in told.items() if value})


def _errors(record: logging.LogRecord) -> Iterator[tuple[str, list[str]]]:
    """Yield the type and the frames of each exception in the chain."""
    error = record.exc_info[1] if record.exc_info else None
    while error:
        # A wrong setting is reported in our own words to whoever starts the server.
        starting = isinstance(error, ImproperlyConfigured) and record.name == "gunicorn.error"
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        named = [f"{_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
        yield f"{type(error).__name__}{f': {error}' if starting else ''}", named
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _page(record: logging.LogRecord) -> str:
    """Return the name of the requested page; not its address, into which someone may have typed a code."""
    request = getattr(record, "request", None)
    if request is None:
        return ""
    match = getattr(request, "resolver_match", None)
    return match.view_name if match else "no page"


def _short(filename: str) -> str:
    path = Path(filename)
    ours = path.is_relative_to(ROOT) and "site-packages" not in path.parts
    return str(path.relative_to(ROOT)) if ours else "/".join(path.parts[-3:])


class ErrorMail(logging.Handler):
    """A handler that mails errors to ADMINS: one in ten minutes at most, one at a time, and no page waits for it."""

    every = 600.0  # seconds
    sent_at = float("-inf")
    sending = threading.Thread()

    def emit(self, record: logging.LogRecord) -> None:
        if is_refusal(record) or time.monotonic() - self.sent_at < self.every or self.sending.is_alive():
            return
        self.sent_at = time.monotonic()
        self.sending = threading.Thread(target=self._send, args=[self.format(record)], daemon=True)
        self.sending.start()

    def _send(self, text: str) -> None:
        from django.core.mail import mail_admins  # settings are not ready when logging is

        try:
            mail_admins("An error on the site", text)
        except Exception as error:
            logging.getLogger(__name__).warning("an error could not be mailed: %s", type(error).__name__)
