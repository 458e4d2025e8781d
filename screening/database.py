"""How writes are committed, and what to make of a database that does not say how one ended."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

T = TypeVar("T")


def one_commit() -> AbstractContextManager[None]:
    """Commit what is written within once on SQLite, where each commit waits for the disk, and locks the whole file.

    On PostgreSQL what comes first is committed by itself: others would wait for the rows that count attempts.
    """
    return transaction.atomic() if connection.vendor == "sqlite" else nullcontext()


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Commit what is written within at once, and wait for whoever does so under the same name, in any process.

    SQLite lets only one transaction write at a time. On PostgreSQL the lock is one of the transaction's.
    """
    with transaction.atomic(savepoint=False):
        if connection.vendor == "postgresql":
            number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        yield


def look_again(work: Callable[[], T]) -> T:
    """Do what may be done twice: it finds what is there already, and then does no more.

    If the connection is lost on the way it may have been done, and if a row is there already another process has done
    it, or has drawn the same number: then do it once more. Raise an OperationalError if the database can't be reached.
    """
    try:
        return work()
    except (OperationalError, IntegrityError) as error:
        if connection.in_atomic_block or (isinstance(error, OperationalError) and not _is_lost(error)):
            raise  # it was refused, and nothing was done
        if isinstance(error, OperationalError):
            connection.close()
        return work()


def _is_lost(error: OperationalError) -> bool:
    """Whether the connection was lost on the way. If none could be had, to ask again makes people wait twice."""
    from psycopg_pool import PoolTimeout  # of no use with SQLite

    return not isinstance(error.__cause__, PoolTimeout) and not connection.is_usable()
