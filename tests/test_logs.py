"""Mail about errors: beside the page, and no more than one in ten minutes. What it holds is tested in test_leaks.py."""

import logging
import threading
import time
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

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
