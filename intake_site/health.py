"""Whether the site is well, for whoever watches it from outside: a word, and no detail."""

import shutil
from functools import cache

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

LEAST_DISK = 200_000_000  # bytes that must be free where the site writes


def _word(word: str, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{word}\n", status=status, content_type="text/plain")


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """Answer, and ask nothing else for it."""
    return _word("alive")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether people can be served: the database answers, is as this version needs it, and the disk has room."""
    return _word("ready") if is_migrated() and free_disk() > LEAST_DISK else _word("not ready", 503)


def free_disk() -> int:
    """Return how many bytes are free where the site writes; 0 if that is not there."""
    try:
        return shutil.disk_usage(settings.VAR_DIR).free
    except OSError:
        return 0


@cache
def _needed() -> set[tuple[str, str]]:
    """Return the last migration of each app."""
    return {*MigrationLoader(None).graph.leaf_nodes()}


def is_migrated() -> bool:
    """Whether the database can be reached, and has every migration of this version."""
    try:
        return _needed() <= MigrationRecorder(connection).applied_migrations().keys()
    except (DatabaseError, OSError):
        return False
