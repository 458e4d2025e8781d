"""Triggers of the audit log: the database itself refuses to change or delete an entry or a link, whoever asks."""

from typing import Any

from django.db import connection

REFUSAL = "the log is only added to"
TABLES = {"screening_logline": "log_keeps", "screening_loglink": "links_keep"}  # -> the start of its triggers' names
VERBS = {"sqlite": ("UPDATE", "DELETE"), "postgresql": ("UPDATE", "DELETE", "TRUNCATE")}
BODY = f" BEGIN RAISE EXCEPTION '{REFUSAL}'; END "  # of PostgreSQL's function
# pg_trigger.tgtype of a trigger before the statement: 2, and the bit of its verb
TYPES = {"UPDATE": 2 + 16, "DELETE": 2 + 8, "TRUNCATE": 2 + 32}


def _triggers(tables: Any = TABLES) -> dict[str, tuple[str, str]]:
    """Return name -> (table, verb)."""
    verbs = VERBS[connection.vendor]
    return {f"{TABLES[table]}_{verb.lower()}": (table, verb) for table in tables for verb in verbs}


def _statement(name: str, table: str, verb: str) -> str:
    start = f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
    if connection.vendor == "sqlite":
        return f"{start}BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    return f"{start}FOR EACH STATEMENT EXECUTE FUNCTION log_is_kept()"


def create(tables: Any = TABLES) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"CREATE OR REPLACE FUNCTION log_is_kept() RETURNS trigger LANGUAGE plpgsql AS $${BODY}$$")
        for name, (table, verb) in _triggers(tables).items():
            cursor.execute(_statement(name, table, verb))


def drop(tables: Any = TABLES) -> None:
    with connection.cursor() as cursor:
        for name, (table, _verb) in _triggers(tables).items():
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def are_in_place() -> bool:
    """Whether the triggers of the tables are ours, and do what ours do: their definitions are compared."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN (%s, %s)", [*TABLES]
            )
            expected: Any = {(name, _statement(name, *what)) for name, what in _triggers().items()}
        else:
            cursor.execute(
                "SELECT tgname, tgrelid::regclass::text, tgtype, tgenabled::text, tgqual IS NULL AND tgattr = '', "
                "proname, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
                "WHERE tgrelid IN (%s::regclass, %s::regclass) AND NOT tgisinternal",
                [*TABLES],
            )
            expected = {
                (name, table, TYPES[verb], "O", True, "log_is_kept", BODY)
                for name, (table, verb) in _triggers().items()
            }
        return bool(set(cursor.fetchall()) == expected)
