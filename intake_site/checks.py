"""System checks of `manage.py check --deploy`: each names what is wrong with the environment, and how to mend it.

The settings themselves refuse what can't even start. What only an edit of settings.py could break is held by
tests/test_settings.py.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from intake_site.postgresql import LIMITS

MAX_HELP_LINE_AGE = 180  # days


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"intake_site.E{number:03}")


def _warning(number: int, message: str, hint: str) -> Warning:
    return Warning(message, hint=hint, id=f"intake_site.W{number:03}")


@register(Tags.security, deploy=True)
def reachable(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Who may ask for pages, and under which name."""
    if any("*" in host for host in settings.ALLOWED_HOSTS):
        yield _error(1, "ALLOWED_HOSTS lets in any name.", "Name the hosts of this site: ALLOWED_HOSTS=www.example.com")
    if any(host.startswith(".") for host in settings.ALLOWED_HOSTS):
        yield _warning(1, "ALLOWED_HOSTS lets in every subdomain.", "Name each host of this site in full.")
    if set(settings.ALLOWED_HOSTS) <= {"localhost", "127.0.0.1", "[::1]"}:
        yield _warning(2, "ALLOWED_HOSTS names this machine only.", "Set it to the host name that people use.")
    if settings.DEBUG:
        yield _error(2, "DEBUG is on: errors would show answers.", "Take DEBUG out of the environment.")
    if not settings.HTTPS:
        yield _error(
            3, "HTTPS is off: answers and passwords would travel unencrypted.", "Take HTTPS out of the environment."
        )
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        if "*" in origin or not origin.startswith("https://"):
            yield _error(
                4, f"CSRF_TRUSTED_ORIGINS holds {origin}.", "Write each origin in full, like https://www.example.com"
            )
    if settings.HTTPS and not settings.BEHIND_PROXY:
        yield _warning(
            3,
            "BEHIND_PROXY is off. Behind a proxy that ends TLS, each page would lead to itself for ever.",
            "Set BEHIND_PROXY=on if a proxy in front sets X-Forwarded-Proto and X-Forwarded-For itself.",
        )


@register(Tags.translation, deploy=True)
def catalogues(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Whether the words of each language are there, compiled from its catalogue as it is now."""
    for code, language in settings.LANGUAGES:
        source = Path(settings.LOCALE_PATHS[0], code, "LC_MESSAGES", "django.po")
        compiled = source.with_suffix(".mo")
        is_there = compiled.exists() and source.exists() and compiled.stat().st_mtime >= source.stat().st_mtime
        if code != settings.LANGUAGE_CODE and not is_there:
            yield _error(35, f"The words in {language} are missing or out of date.", "Run: make install")


@register(Tags.security, deploy=True)
def keys(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Report weak or duplicate keys, and key files that others can read."""
    for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATA_KEYS"):
        value: str | Sequence[str] = getattr(settings, name)
        for secret in [value] if isinstance(value, str) else value:
            if len(secret) < 50:
                yield _error(7, f"{name} holds a key of {len(secret)} characters.", "Use 50 or more random characters.")
            elif len(set(secret)) < 10 or secret.startswith("django-insecure-"):
                yield _error(8, f"{name} holds a key that is not random.", "Use 50 or more random characters.")
    if len(set(settings.DATA_KEYS)) < len(settings.DATA_KEYS):
        yield _warning(4, "DATA_KEYS holds the same key twice.", "Name each key once, the newest first.")
    paths = [Path(settings.VAR_DIR) / name for name in ("secret_key", "data_keys")]
    connection = connections["default"]
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        paths += [Path(name + ending) for ending in ("", "-wal", "-shm")]
    if Path(settings.VAR_DIR).is_dir() and not os.access(settings.VAR_DIR, os.R_OK | os.W_OK | os.X_OK):
        yield _error(11, f"{settings.VAR_DIR} can't be read and written.", "Run this as the user of the site.")
        return
    for path in paths:
        if path.exists() and path.stat().st_mode & 0o066 and path.parent.stat().st_mode & 0o011:
            yield _error(10, f"Others on this machine can read {path}.", f"chmod 600 {path}")


@register(Tags.security, deploy=True)
def mail(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if settings.EMAIL_HOST and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        yield _error(22, "Mail would travel unencrypted.", "Take EMAIL_TLS out of the environment, or use port 465.")
    if settings.EMAIL_HOST_USER and not settings.EMAIL_HOST_PASSWORD:
        yield _warning(6, "EMAIL_USER is set without EMAIL_PASSWORD.", "Set both, or neither.")
    if settings.ADMINS and not settings.EMAIL_HOST:
        yield _warning(7, "ERROR_MAIL_TO is set, but no mail can be sent.", "Set EMAIL_HOST too.")
    if settings.EMAIL_HOST and not settings.ADMINS:
        yield _warning(15, "EMAIL_HOST is set, but nobody is notified of errors.", "Set ERROR_MAIL_TO too.")
    if settings.EMAIL_HOST and not settings.DEFAULT_FROM_EMAIL:
        yield _error(23, "Mail has no sender.", "Set EMAIL_FROM to an address of your own domain.")


@register(Tags.security, deploy=True)
def staff(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """How staff sign in, and how they are notified."""
    if not settings.SECOND_FACTOR:
        yield _error(
            32, "SECOND_FACTOR is off: a password alone opens the desk.", "Take SECOND_FACTOR out of the environment."
        )
    if settings.EMAIL_HOST and not settings.SITE_URL.startswith("https://"):
        yield _error(33, "Mail to staff would link to nowhere safe.", "Set SITE_URL: https://www.example.com")


@register(Tags.security, deploy=True)
def promises(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Check retention periods and where to report a vulnerability."""
    if settings.CONTACT_RETENTION_DAYS > settings.RETENTION_DAYS:
        yield _error(
            25, "Contact details would be promised for longer than all else.", "Set CONTACT_RETENTION_DAYS lower."
        )
    if settings.RETENTION_DAYS > 365:
        yield _warning(
            8, "Answers are kept for more than a year.", "Set RETENTION_DAYS to what your staff really needs."
        )
    if not settings.SECURITY_CONTACT:
        yield _warning(
            10, "SECURITY_CONTACT is not set.", "Set it to where to report a vulnerability: mailto:you@example.com"
        )


@register(Tags.security, deploy=True)
def help_lines(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Numbers to call change: whoever runs the site must look again from time to time."""
    from screening.help_lines import HELP_LINES

    for line in HELP_LINES.values():
        age = (timezone.localdate() - line.checked).days
        if age > MAX_HELP_LINE_AGE:
            yield _warning(
                17,
                f"Help line {line.key} was last checked {age} days ago.",
                f"Compare {line.contact} with {line.source}, and set the day in screening/help_lines.py.",
            )


@register(Tags.security, deploy=True)
def approved_rules(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Rules that no clinician has approved may run, but whoever runs the site must know."""
    from screening import rules

    if not rules.approval_of(rules.CURRENT.version):
        yield _warning(
            19,
            f"Nobody has approved rules {rules.CURRENT.version}, and every result says so.",
            "See docs/changing-the-rules.md, step 7.",
        )


@register(Tags.security, deploy=True)
def database(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """How the database writes, whether expired data was erased, whether keys and audit log fit."""
    connection = connections["default"]
    if connection.vendor == "postgresql":
        host, options = connection.settings_dict["HOST"], connection.settings_dict.get("OPTIONS", {})
        here = host in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/")
        if not here and options.get("sslmode") not in ("require", "verify-ca", "verify-full"):
            yield _warning(12, "The way to the database may not be encrypted.", "Add ?sslmode=require to DATABASE_URL.")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, OSError) as error:
        yield _error(
            28, f"The database can't be reached ({type(error).__name__}).", "Look at DATABASE_URL, and start it."
        )
        return
    if connection.vendor == "postgresql":
        yield from _what_postgresql_logs()
        if settings.POOLER:
            yield from _limits_through_a_pooler()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            pragmas = {
                name: cursor.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "secure_delete")
            }
        if pragmas["synchronous"] < 2:
            yield _error(
                29, "SQLite confirms what a loss of power can undo.", "PRAGMA synchronous=FULL in init_command."
            )
        if pragmas["secure_delete"] != 1:
            yield _error(30, "SQLite leaves what is erased in the file.", "PRAGMA secure_delete=ON in init_command.")
        if pragmas["journal_mode"] not in ("wal", "memory"):
            yield _warning(11, "SQLite makes readers wait for writers.", "PRAGMA journal_mode=WAL in init_command.")
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield _error(35, "The database is not as this version needs it.", "manage.py migrate")
        return
    yield from _facts()
    yield from _retention()
    wrong_keys = [*_opened_by_the_keys()]
    yield from wrong_keys or _log()  # no seal of the log fits under other keys


def _what_postgresql_logs() -> Iterator[CheckMessage]:
    """Its log quotes a row that it refused, with all that a person typed, unless it is told not to."""
    wanted = {
        "log_min_error_statement": "panic",
        "log_parameter_max_length_on_error": "0",
        "log_error_verbosity": "terse",
    }
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [[*wanted]])
        wrong = [name for name, setting in cursor.fetchall() if setting != wanted[name]]
    if wrong:
        statements = " ".join(f"ALTER SYSTEM SET {name} = {wanted[name]};" for name in wrong)
        yield _warning(18, "PostgreSQL may log what people typed.", f"{statements} SELECT pg_reload_conf();")


def _limits_through_a_pooler() -> Iterator[CheckMessage]:
    """A pooler lets no page set limits for itself: who connects through it has to have them."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = '0'", [[*LIMITS]])
        missing = [name for (name,) in cursor.fetchall()]
        cursor.execute("SELECT quote_ident(current_user)")
        (role,) = cursor.fetchone()
    if missing:
        statements = " ".join(f"ALTER ROLE {role} SET {name} = {LIMITS[name]};" for name in missing)
        yield _warning(20, "A page may wait for PostgreSQL without end.", statements)


def _facts() -> Iterator[CheckMessage]:
    from screening.center import facts

    told = facts()
    if not told.phone:
        yield _error(
            36, "The center has no phone: nobody can talk with its staff.", "Write it at the desk, under The center."
        )
    if told.mail_to and not settings.EMAIL_HOST:
        yield _warning(16, "Staff are to be told by mail, but no mail can be sent.", "Set EMAIL_HOST.")


def _retention() -> Iterator[CheckMessage]:
    from screening.models import ErasureCount

    hint = (
        "The server does it once a day: see whether it runs, and what its log says. By hand: manage.py forget_expired"
    )
    last = ErasureCount.last_run()
    if last is None:
        yield _warning(13, "Expired data was never erased.", hint)
    elif timezone.now() - last > timedelta(days=2):
        yield _warning(14, f"Expired data was last erased on {last:%Y-%m-%d}.", hint)


def _opened_by_the_keys() -> Iterator[CheckMessage]:
    from screening.models import refuse_wrong_keys

    try:
        refuse_wrong_keys()
    except ImproperlyConfigured as error:
        yield _error(31, str(error), "Without the right keys the server does not start.")


def _log() -> Iterator[CheckMessage]:
    from screening import audit_checks

    if found := audit_checks.quick_faults():
        yield _error(34, f"The audit log: {' '.join(found)}", "manage.py verify_log says where.")
