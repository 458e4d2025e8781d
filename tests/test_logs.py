"""Mail about errors: beside the page, and no more than one in ten minutes. What it holds is tested in test_leaks.py."""

import json
import logging
import sys
import threading
import time
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from intake_site import logs
from tests.test_checks import GOOD, settings_of

pytestmark = pytest.mark.sqlite_is_enough
ERROR = logging.makeLogRecord({"name": "screening", "levelno": logging.ERROR, "msg": "failed"})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(("seconds", "mails"), [(0, 1), (599, 1), (600, 2)])
def test_second_error_is_mailed_only_after_ten_minutes(
    clock: list[float], seconds: int, mails: int, settings: Any
) -> None:
    settings.ADMINS = [("", "owner@example.org")]
    handler = logs.ErrorMail()
    handler.setFormatter(logs.NoValues())
    for wait in (0, seconds):
        clock[0] += wait
        handler.emit(ERROR)
        handler.sending.join()
    assert len(mail.outbox) == mails


@pytest.mark.parametrize(
    "hostile",
    [
        lambda client: client.get("/", headers={"host": "elsewhere.example"}),
        lambda client: client.post("/return/", b"x" * 3_000_000, content_type="application/x-www-form-urlencoded"),
        lambda client: client.post("/return/", {str(number): "" for number in range(1001)}),
        lambda client: client.post("/return/", b"x", content_type="multipart/form-data; boundary=?"),
    ],
    ids=["host", "too much", "too many", "malformed"],
)
def test_refusal_of_a_hostile_request_is_a_warning_and_never_mailed(hostile: Any, settings: Any) -> None:
    settings.ADMINS = [("", "owner@example.org")]
    written, mailer = StringIO(), logs.ErrorMail(level="ERROR")
    handlers = [logging.StreamHandler(written), mailer]
    for handler in handlers:
        handler.setFormatter(logs.NoValues())
        logging.getLogger().addHandler(handler)
    try:
        assert 400 <= hostile(Client()).status_code < 500
    finally:
        for handler in handlers:
            logging.getLogger().removeHandler(handler)
    if mailer.sending.ident:
        mailer.sending.join()
    assert mail.outbox == []
    assert " WARNING " in written.getvalue()
    assert " ERROR " not in written.getvalue()


def test_page_does_not_wait_for_the_mail_about_its_error_and_there_is_one_at_a_time(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ADMINS = [("", "owner@example.org")]
    answers, asked = threading.Event(), []

    def slow(*args: object) -> None:
        asked.append(args)
        answers.wait(20)

    monkeypatch.setattr(EmailBackend, "send_messages", slow)
    handler = logs.ErrorMail()
    handler.every = 0.0
    handler.setFormatter(logs.NoValues())
    started = time.monotonic()
    for _error in range(3):
        handler.emit(ERROR)
    assert time.monotonic() - started < 5
    answers.set()
    handler.sending.join()
    assert len(asked) == 1


def test_json_says_the_same_as_the_words_in_one_object_a_line() -> None:
    try:
        try:
            raise ValueError("405 555 0123")
        except ValueError as error:
            raise RuntimeError("Robin\n{}") from error
    except RuntimeError:
        record = logging.LogRecord("django.request", logging.ERROR, __file__, 7, "Robin", None, sys.exc_info())
    line = logs.JsonLines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["logger"], told["place"]) == ("ERROR", "django.request", "(test_logs:7)")
    assert [each["error"] for each in told["errors"]] == ["RuntimeError", "ValueError"]
    assert datetime.fromisoformat(told["time"]).utcoffset() == timedelta(0)
    assert all(" in test_json_says_the_same" in each["frames"][-1] for each in told["errors"])
    words = logs.NoValues().format(record)
    for secret in ("Robin", "0123"):
        assert secret not in line + words
    for each in told["errors"]:
        assert all(frame in words for frame in each["frames"])


@pytest.mark.parametrize(("chosen", "formatter"), [("", "NoValues"), ("text", "NoValues"), ("json", "JsonLines")])
def test_format_of_the_log_is_a_setting(chosen: str, formatter: str) -> None:
    made = settings_of(GOOD | {"LOG_FORMAT": chosen})["LOGGING"]["formatters"]["words"]["()"]
    assert made == f"intake_site.logs.{formatter}"


def test_unknown_format_of_the_log_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT is 'xml'"):
        settings_of(GOOD | {"LOG_FORMAT": "xml"})
