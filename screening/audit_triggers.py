"""Triggers of the audit log: the database itself refuses to change or delete an entry or a link, whoever asks.

Their definitions are compared with ours, and so are those of the tables, which could leave an entry out.
"""

import re
from typing import Any

from django.db import connection

from screening.models.audit import LogLine, LogLink

REFUSAL = "the log is only added to"
TRIGGERS = "The database no longer refuses to change lines: its triggers are not those of this version."
TABLES_CHANGED = (
    "The database may leave out lines: a table of the log is not as this version made it. Go back to a backup from "
    "before that, or have someone who knows the database find out who changed it."
)
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


def problems() -> list[str]:
    """Return a sentence for each way in which the triggers or the tables are not those of this version."""
    return [*([] if _triggers_are_ours() else [TRIGGERS]), *([] if _tables_are_ours() else [TABLES_CHANGED])]


def _triggers_are_ours() -> bool:
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


def _tables_are_ours() -> bool:
    """Return whether nothing about the tables leaves out an entry or a link without an error."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # a column or a check may say ON CONFLICT IGNORE
            cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name IN (%s, %s)", [*TABLES])
            editor = connection.schema_editor()
            expected: Any = [_columns(editor.table_sql(model)[0]) for model in (LogLine, LogLink)]
            return bool(sorted(_columns(sql) for (sql,) in cursor.fetchall()) == sorted(expected))
        cursor.execute(  # a rule may do something instead, a policy hide what is there
            "SELECT relkind::text, relpersistence::text, relrowsecurity FROM pg_class "
            "WHERE oid IN (%s::regclass, %s::regclass) "
            "AND NOT EXISTS (SELECT FROM pg_rewrite WHERE ev_class = pg_class.oid)",
            [*TABLES],
        )
        return bool(cursor.fetchall() == [("r", "p", False)] * len(TABLES))


def _columns(table: str) -> list[str]:
    """Split a CREATE TABLE: its columns may be in any order, depending on the version in which they were added."""
    start, columns, end = re.split(r"\((.*)\)", table, maxsplit=1, flags=re.S)
    return [start, end, *sorted(columns.split(", "))]
