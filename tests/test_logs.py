"""Mail about errors: beside the page, and no more than one in ten minutes. What it holds is tested in test_leaks.py."""

import logging
import threading
import time
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from intake_site import logs

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
