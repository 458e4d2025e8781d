"""What PostgreSQL does when it stops answering, and what the site makes of it."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core import checks
from django.db import OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from intake_site import postgresql
from intake_site.postgresql import BoundedConnection
from screening.models import Canary, Contact, ErasureCount, Submission
from tests.answers import BEST, IOP
from tests.conftest import Person
from tests.helpers import run_at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server"),
]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a server process, as a machine without memory or disk does."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def pid_of(pooled: Any) -> int:
    pid: int = pooled.info.backend_pid
    return pid


def test_pooled_connection_that_no_longer_answers_is_replaced() -> None:
    pool: Any = connections["default"].pool
    pool.open()
    pooled = pool.getconn()
    pid = pid_of(pooled)
    pool.putconn(pooled)
    started = time.monotonic()
    with stopped(pid):
        assert run_at_once(lambda: Canary.objects.count()) == [1]
    assert time.monotonic() - started < 3


def test_page_gives_up_on_a_server_that_stops_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedConnection, "limit", 1.0)

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            with stopped(cursor.fetchone()[0]):
                cursor.execute("SELECT 1")

    started = time.monotonic()
    (error,) = run_at_once(ask)
    assert isinstance(error, OperationalError)
    assert time.monotonic() - started < 3
    assert run_at_once(lambda: Canary.objects.count()) == [1], "the next one gets a connection that works"


def test_site_is_back_as_soon_as_the_server_is(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = BoundedConnection.connect
    monkeypatch.setattr(BoundedConnection, "connect", refused)
    pool: Any = connections["default"].pool
    pool.open()
    pool.drain()
    started = time.monotonic()
    for error in run_at_once(*[lambda: Canary.objects.count()] * 8):
        assert isinstance(error, OperationalError)
    assert time.monotonic() - started < 3
    time.sleep(4)  # the pauses have grown, if they grow
    monkeypatch.setattr(BoundedConnection, "connect", connect)
    back = time.monotonic()
    results = run_at_once(*[lambda: Canary.objects.count()] * 8)
    if results != [1] * 8:
        results = run_at_once(*[lambda: Canary.objects.count()] * 8)
    assert results == [1] * 8
    assert time.monotonic() - back < 5


def refused(*args: Any, **kwargs: Any) -> Any:
    raise psycopg.OperationalError("connection refused")


@pytest.mark.parametrize(
    ("address", "typed"),
    [("/check/", {"action": "save"}), ("/erase/", {}), ("/contact/", {"phone": "405 555 0123", "agree": "on"})],
)
def test_nobody_waits_twice_where_no_connection_can_be_had(
    person: Person, monkeypatch: pytest.MonkeyPatch, address: str, typed: dict[str, str]
) -> None:
    if address == "/check/":
        person.has_answered(IOP)
    else:
        person.finishes(IOP, "save")
    connect = BoundedConnection.connect
    pool: Any = connections["default"].pool
    connection.close()
    monkeypatch.setattr(BoundedConnection, "connect", refused)
    pool.drain()
    started = time.monotonic()
    assert person.client.post(address, typed).status_code == 503
    assert time.monotonic() - started < 3
    monkeypatch.setattr(BoundedConnection, "connect", connect)


def test_what_was_done_is_not_denied_if_the_connection_is_lost_before_the_server_says_so(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = BaseDatabaseWrapper._commit

    def lose_the_next_answer() -> None:
        def lost(wrapper: Any) -> None:
            monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit)
            commit(wrapper)
            os.kill(pid_of(wrapper.connection), signal.SIGTERM)
            raise OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", lost)

    def posted(address: str, data: dict[str, str]) -> int:
        lose_the_next_answer()
        status: int = person.client.post(address, data).status_code
        assert BaseDatabaseWrapper._commit is commit, "it was lost"
        return status

    Person(Client()).finishes(BEST, "save")  # makes the rate limit's window
    person.has_answered(IOP)
    assert posted("/check/", {"action": "save"}) == 302
    assert person.client.get("/result/").status_code == 200
    assert Submission.objects.count() == 2
    assert posted("/contact/", {"phone": "405 555 0123", "agree": "on"}) == 302
    assert Contact.objects.count() == 1
    assert posted("/contact/", {"action": "withdraw"}) == 302
    assert not Contact.objects.exists()
    assert posted("/erase/", {}) == 200
    assert [saved.answers for saved in Submission.objects.all()] == [BEST]
    assert ErasureCount.objects.get().count == 1


def test_pages_have_limits_and_commands_have_none() -> None:
    options: dict[str, Any] = {"pool": postgresql.pool(1)}
    settings = {**connections.settings["default"], "OPTIONS": options}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BoundedConnection, "limit", None)
        patch.setitem(connections.settings, "default", settings)
        postgresql.limit_waiting()
        assert BoundedConnection.limit == postgresql.ANSWER
    parameters = psycopg.conninfo.make_conninfo(options=options["options"])
    with psycopg.connect(**connection.get_connection_params() | {"options": options["options"]}) as served:
        for name, value in postgresql.LIMITS.items():
            (shown,) = served.execute(f"SELECT setting FROM pg_settings WHERE name = '{name}'").fetchone() or ("",)
            assert shown == str(value), parameters


def test_role_of_a_pooler_without_limits_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def hints() -> list[str]:
        messages = checks.run_checks(include_deployment_checks=True)
        return [str(each.hint) for each in messages if each.id == "intake_site.W020"]

    assert hints() == [], "without a pooler each page asks for its limits"
    monkeypatch.setattr(settings, "POOLER", True)
    (hint,) = hints()
    assert set(re.findall(r"ALTER ROLE \w+ SET (\w+) = \d+;", hint)) == {*postgresql.LIMITS}
    with connection.cursor() as cursor:
        for name, value in postgresql.LIMITS.items():
            cursor.execute(f"SET {name} = {value}")
    assert hints() == []
    connection.close()


def test_server_that_may_log_what_people_typed_is_reported() -> None:
    def reported() -> list[str]:
        messages = checks.run_checks(include_deployment_checks=True)
        return [str(each.hint) for each in messages if each.id == "intake_site.W018"]

    (hint,) = reported()
    wanted = dict(re.findall(r"ALTER SYSTEM SET (\w+) = (\w+);", hint))
    assert wanted == {"log_min_error_statement": "panic", "log_error_verbosity": "terse"}
    with connection.cursor() as cursor:
        for name, value in wanted.items():
            cursor.execute(f"SET {name} = {value}")
    assert reported() == []
    connection.close()
