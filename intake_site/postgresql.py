"""PostgreSQL: no page waits for it without end, and the site is back soon after an outage."""

from typing import Any

import psycopg
from django.conf import settings
from django.db import connections

PROBE = 1.0  # seconds in which a pooled connection must answer before a page gets it
ANSWER = 12.0  # seconds in which the server must answer a page: longer than its own limit below
LIMITS = {"statement_timeout": 10_000, "lock_timeout": 3_000, "idle_in_transaction_session_timeout": 60_000}  # ms


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that gives up on a server that does not answer, even if the server has stopped altogether."""

    limit: float | None = None  # seconds; none for commands, such as migrations, that take long

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.limit if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()  # whatever comes on it later would be taken for the answer to something else
            raise psycopg.OperationalError("the server does not answer") from None

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Run what the pool asks to see whether a connection still works; Django asks through cursors."""
        self.limit = PROBE
        try:
            return super().execute(*args, **kwargs)
        finally:
            del self.limit


CONNECTIONS = 80  # of a server's usual 100, for all workers together


def pool(workers: int) -> dict[str, Any]:
    """Return the settings of the pool of each of so many workers."""
    return {
        "min_size": 1,
        "max_size": max(2, min(20, CONNECTIONS // workers)),
        "timeout": 2.5,
        "reconnect_timeout": 2,  # unbounded, the pauses between attempts to connect again grow to minutes
        "connection_class": BoundedConnection,
    }


def limit_waiting() -> None:
    """Limit how long a page waits, in this process; to be called before it first asks the database.

    Through a pooler no limit of the server's can be asked for: its role has them, see `checks.py`.
    """
    options = connections.settings["default"]["OPTIONS"]
    if "pool" not in options:
        return
    BoundedConnection.limit = ANSWER
    if not settings.POOLER:
        limits = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())
        options["options"] = f"{limits} {options.get('options', '')}".strip()
