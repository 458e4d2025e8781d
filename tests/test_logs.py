"""Mail about errors: at once, and then no more than one in ten minutes. What it holds is tested in test_leaks.py."""

import logging
from typing import Any

import pytest
from django.core import mail

from intake_site import logs

pytestmark = pytest.mark.sqlite_is_enough


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
        handler.emit(logging.makeLogRecord({"name": "screening", "levelno": logging.ERROR, "msg": "failed"}))
    assert len(mail.outbox) == mails
