"""What to make of a database that does not say how something ended."""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection

T = TypeVar("T")


def look_again(work: Callable[[], T]) -> T:
    """Do what may be done twice. If the connection is lost on the way it may have been done: then do it once more.

    Raise an OperationalError if the database can't be reached.
    """
    try:
        return work()
    except OperationalError:
        if connection.in_atomic_block or connection.is_usable():
            raise  # it was refused, and nothing was done
        connection.close()
        return work()
