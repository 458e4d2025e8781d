"""Whoever has the database, but not the keys, can't change the audit log unseen."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from screening import audit, audit_checks, audit_triggers
from screening.models import Action, LogHead, LogLine, LogLink
from tests.desk.helpers import member, signed_in
from tests.helpers import output_of, run_at_once

pytestmark = pytest.mark.django_db
COLUMNS = "at, account, who, what, reference, detail, key, seal"


def verify(*options: str) -> str:
    return output_of("verify_log", *options)


def tamper(sql: str) -> None:
    """Run SQL without the triggers, as an attacker with the database but not the keys could.

    "#3" stands for the number of the entry at position 3 of the chain.
    """
    numbers = dict(LogLink.objects.values_list("position", "line_id"))
    audit_triggers.drop()
    with connection.cursor() as cursor:
        for statement in re.sub(r"#(\d+)", lambda match: str(numbers[int(match[1])]), sql).split("; "):
            cursor.execute(statement)
    audit_triggers.create()


def found() -> list[str]:
    audit.chain(everything=True)
    return [sentence for _position, sentence in audit_checks.faults()]


def replace_all() -> None:
    with connection.cursor() as cursor:
        cursor.execute("REPLACE INTO screening_logline SELECT * FROM screening_logline")


def test_database_itself_refuses_to_change_a_line_or_to_take_one_away(staff_client: Client) -> None:
    staff_client.get("/admin/")
    audit.chain()
    for deed in (
        lambda: LogLine.objects.update(actor="nobody"),
        lambda: LogLine.objects.all().delete(),
        lambda: LogLine.objects.get().save(),
        lambda: LogLine.objects.get().delete(),
        lambda: LogLink.objects.update(accepted=True),
        lambda: LogLink.objects.all().delete(),
        *([replace_all] if connection.vendor == "sqlite" else []),
    ):
        with pytest.raises(DatabaseError, match="the log is only added to"), transaction.atomic():
            deed()


@pytest.fixture
def written(staff_client: Client) -> list[LogLine]:
    staff = User.objects.get()
    for reference in ("XW9RRZ78", "QZ28B2Z4", "HWCTQ85T"):
        audit.record(Action.FRONT_PAGE, staff)
        audit.record(Action.OPENED, staff, reference)
    assert "The log ends with 6:" in verify()
    return [*LogLine.objects.order_by("number")]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE screening_logline SET who = 'nobody' WHERE number = #3",
        "UPDATE screening_logline SET account = NULL WHERE number = #3",
        "UPDATE screening_logline SET what = 'listed' WHERE number = #3",
        "UPDATE screening_logline SET at = '2026-01-01T00:00:00Z' WHERE number = #3",
        "UPDATE screening_logline SET reference = 'BCDFGHJK' WHERE number = #3",
        "UPDATE screening_logline SET detail = 'x' WHERE number = #3",
        "UPDATE screening_logline SET seal = 'x' WHERE number = #3",
        "UPDATE screening_logline SET key = 'x' WHERE number = #3",
        "UPDATE screening_logline SET number = 30 WHERE number = #3",
        "DELETE FROM screening_logline WHERE number = #1",
        "DELETE FROM screening_logline WHERE number = #3",
        "DELETE FROM screening_logline WHERE number = #6",
        "DELETE FROM screening_logline",
        "DELETE FROM screening_loglink WHERE position = 1",
        "DELETE FROM screening_loglink WHERE position = 3",
        "DELETE FROM screening_loglink WHERE position = 6",
        "DELETE FROM screening_loglink",
        "DELETE FROM screening_logline WHERE number = #3; DELETE FROM screening_loglink WHERE position = 3",
        "DELETE FROM screening_logline WHERE number = #6; DELETE FROM screening_loglink WHERE position = 6",
        "UPDATE screening_loglink SET hash = 'x' WHERE position = 3",
        "UPDATE screening_loglink SET accepted = (1 = 1) WHERE position = 3",
        "UPDATE screening_loglink SET position = 7 WHERE position = 3",
        "UPDATE screening_loglink SET line_id = 0 WHERE position = 3; "
        "UPDATE screening_loglink SET line_id = #3 WHERE position = 4; "
        "UPDATE screening_loglink SET line_id = #4 WHERE position = 3",
        "DELETE FROM screening_loghead",
        "UPDATE screening_loghead SET position = 5",
        "UPDATE screening_loghead SET hash = 'x'",
        "UPDATE screening_loghead SET seal = ''",
        "DELETE FROM screening_logline; DELETE FROM screening_loglink; DELETE FROM screening_loghead",
        f"INSERT INTO screening_logline (number, {COLUMNS}) SELECT 7, {COLUMNS} FROM screening_logline "
        "WHERE number = #6",
        f"INSERT INTO screening_logline (number, {COLUMNS}) SELECT 7, {COLUMNS} FROM screening_logline "
        "WHERE number = #6; "
        "INSERT INTO screening_loglink (position, line_id, accepted, hash) VALUES (7, 7, (1 = 1), 'x')",
    ],
)
def test_any_tampering_is_found_and_stays_found_when_the_log_goes_on(
    written: list[LogLine], staff_client: Client, sql: str
) -> None:
    tamper(sql)
    with pytest.raises(CommandError, match="The log is not as it was written"):
        verify()
    assert staff_client.get("/admin/").status_code == 200  # the desk keeps working
    with pytest.raises(CommandError, match="The log is not as it was written"):
        verify()


def test_rewriting_the_whole_chain_without_the_keys_is_found(written: list[LogLine]) -> None:
    before = ""
    for link in LogLink.objects.order_by("position").select_related("line"):
        link.line.actor = "nobody"
        before = link.chained_hash(before)
        tamper(f"UPDATE screening_logline SET who = 'nobody' WHERE number = #{link.position}")
        tamper(f"UPDATE screening_loglink SET hash = '{before}' WHERE position = {link.position}")
    tamper(f"UPDATE screening_loghead SET hash = '{before}'")
    assert found() == [*(f"Line {place} was not written by this site." for place in range(1, 7)), audit_checks.END]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE screening_logline SET who = 'nobody'",
        "UPDATE screening_logline SET at = '2026-01-01T00:00:00Z'",
        "UPDATE screening_logline SET number = number + 1",
        "UPDATE screening_logline SET key = 'unknown!'",
        f"INSERT INTO screening_logline (number, {COLUMNS}) SELECT number + 1, {COLUMNS} FROM screening_logline",
    ],
)
def test_in_the_seconds_before_it_is_chained_an_entry_cannot_be_changed_or_copied(sql: str) -> None:
    audit.record(Action.OPENED, "someone", "BCDFGHJK")
    tamper(sql)
    audit.chain()
    assert len(found()) == 1
    assert len(audit_checks.quick_faults()) == 1
    audit.record(Action.FRONT_PAGE, "someone")
    assert audit.chain() == 1, "what the site itself writes is chained beside it"


def test_in_the_seconds_before_it_is_chained_an_entry_can_be_deleted_and_afterwards_not() -> None:
    """What an attacker with the database gains, as decision 0020 says."""
    audit.record(Action.OPENED, "someone")
    tamper("DELETE FROM screening_logline")
    assert found() == []
    audit.record(Action.OPENED, "someone")
    assert audit.chain() == 1
    tamper("DELETE FROM screening_logline")
    assert found() == ["Lines 1 to 1 are missing."]


def test_database_restored_to_an_earlier_state_is_detected_by_the_noted_hash(written: list[LogLine]) -> None:
    noted = audit.last_entry()
    kept = LogHead(position=5, hash=LogLink.objects.get(position=5).hash)
    kept.seal = kept.valid_seals()[0]  # as an old backup had it
    tamper("DELETE FROM screening_logline WHERE number = #6; DELETE FROM screening_loglink WHERE position = 6")
    tamper(f"UPDATE screening_loghead SET position = 5, hash = '{kept.hash}', seal = '{kept.seal}'")
    assert "The log ends with 5:" in verify()
    with pytest.raises(CommandError):
        verify("--noted", noted)
    audit.record(Action.FRONT_PAGE, "someone else")
    audit.chain()
    assert LogHead.objects.get().position == 6
    with pytest.raises(CommandError):
        verify("--noted", noted)
    with pytest.raises(CommandError, match="takes what an earlier run printed"):
        verify("--noted", "yesterday")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM screening_logline WHERE number = #4",
        "UPDATE screening_logline SET who = 'nobody' WHERE number = #4",
        "DELETE FROM screening_loglink WHERE position = 4",
        "UPDATE screening_loghead SET seal = ''",
        "DELETE FROM screening_loghead",
    ],
)
def test_accepted_damage_is_told_and_fails_no_later_run_while_a_new_one_does(written: list[LogLine], sql: str) -> None:
    noted = f"3:{LogLink.objects.get(position=3).hash}"
    tamper(sql)
    assert "Accepted. The log goes on with a line that says so." in verify("--accept")
    assert LogLine.objects.filter(actor="manage.py").latest("number").action == "damage"
    for _ in range(2):
        out = verify("--noted", noted)  # the chain before the damage is as it was
        assert "damage from line" in out
        assert "was accepted: 1 problems." in out
        audit.record(Action.FRONT_PAGE, "someone")
    tamper("UPDATE screening_logline SET who = 'someone' WHERE number = #4")
    with pytest.raises(CommandError, match="1 problems"):
        verify()


@pytest.mark.parametrize("key", ["0ther" * 20, "n3w" * 20])
def test_line_under_a_wrong_key_is_told_and_the_log_goes_on(written: list[LogLine], settings: Any, key: str) -> None:
    right = settings.DATA_KEYS
    settings.DATA_KEYS = [key]
    audit.record(Action.FRONT_PAGE, "someone")
    settings.DATA_KEYS = right
    audit.record(Action.FRONT_PAGE, "someone")
    assert audit.chain() == 1
    (told,) = found()
    assert "was not written under these DATA_KEYS" in told
    settings.DATA_KEYS = [*right, key]
    assert found() == [], "with its key it is as good as any"


def planted(name: str, *statements: str) -> None:
    with connection.cursor() as cursor:
        on = " ON screening_logline" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER {name}{on}")
        for statement in statements:
            cursor.execute(statement)


def harmless_triggers() -> dict[str, tuple[str, ...]]:
    """Return what could stand in the place of the trigger against deleting: something that refuses nothing."""
    start = "CREATE TRIGGER log_keeps_delete BEFORE DELETE ON screening_logline"
    if connection.vendor == "sqlite":
        return {
            "none": (),
            "nothing": (f"{start} BEGIN SELECT 1; END",),
            "sometimes": (f"{start} WHEN 1 = 0 BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END",),
            "another table": (
                "CREATE TRIGGER log_keeps_delete BEFORE DELETE ON screening_note "
                "BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END",
            ),
        }
    nothing = "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
    call = "EXECUTE FUNCTION log_is_kept()"
    return {
        "none": (),
        "nothing": (nothing, f"{start} FOR EACH STATEMENT EXECUTE FUNCTION nothing()"),
        "its function does nothing": (
            f"{start} FOR EACH STATEMENT {call}",
            nothing.replace("CREATE FUNCTION nothing", "CREATE OR REPLACE FUNCTION log_is_kept"),
        ),
        "sometimes": (f"{start} FOR EACH ROW WHEN (OLD.number = 0) {call}",),
        "disabled": (
            f"{start} FOR EACH STATEMENT {call}",
            "ALTER TABLE screening_logline DISABLE TRIGGER log_keeps_delete",
        ),
    }


@pytest.mark.parametrize(
    "kind", ["none", "nothing", "its function does nothing", "sometimes", "disabled", "another table"]
)
def test_trigger_that_refuses_nothing_is_reported_whatever_its_name(kind: str) -> None:
    if kind not in harmless_triggers():
        return  # the other database has no such thing
    assert found() == []
    planted("log_keeps_delete", *harmless_triggers()[kind])
    assert found() == audit_checks.quick_faults() == [audit_triggers.TRIGGERS]
    verify("--accept")
    assert found() == [], "accepting puts ours back"


def tables_that_leave_out() -> dict[str, tuple[str, ...]]:
    """Return what could make the database leave out entries, without an error and with our triggers in place."""
    if connection.vendor == "sqlite":
        (sql,) = sql_of("SELECT sql FROM sqlite_master WHERE name = 'screening_logline'")
        columns = ", ".join(sql_of("SELECT name FROM pragma_table_info('screening_logline')"))
        move = f"INSERT INTO other ({columns}) SELECT {columns} FROM screening_logline"
        back = ("DROP TABLE screening_logline", "ALTER TABLE other RENAME TO screening_logline")
        other = sql.replace("screening_logline", "other")
        left_out = "CASE WHEN who = 'guest' THEN NULL ELSE 1 END"
        ignore = f", out int GENERATED ALWAYS AS ({left_out}) NOT NULL ON CONFLICT IGNORE)"
        return {
            "generated column": (other[:-1] + ignore, move, *back),
        }
    return {
        "rule": ("CREATE RULE out AS ON INSERT TO screening_logline WHERE NEW.who = 'guest' DO INSTEAD NOTHING",),
        "rule of links": ("CREATE RULE out AS ON INSERT TO screening_loglink DO INSTEAD NOTHING",),
        "policy": ("ALTER TABLE screening_logline ENABLE ROW LEVEL SECURITY",),
        "unlogged": ("ALTER TABLE screening_loglink SET UNLOGGED",),
    }


def sql_of(query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize("kind", ["generated column", "rule", "rule of links", "policy", "unlogged"])
def test_table_that_leaves_out_entries_is_reported_and_is_not_accepted(kind: str) -> None:
    if kind not in tables_that_leave_out():
        return  # the other database has no such thing
    assert found() == []
    tamper("; ".join(tables_that_leave_out()[kind]))
    assert audit_checks.quick_faults() == [audit_triggers.TABLES_CHANGED]
    with pytest.raises(CommandError, match="can't be"):
        verify("--accept")
    assert audit_triggers.TABLES_CHANGED in found()


def test_seal_moves_to_the_newest_key_and_only_where_it_was_valid(written: list[LogLine], settings: Any) -> None:
    old = settings.DATA_KEYS
    audit.record(Action.FRONT_PAGE, "someone")
    settings.DATA_KEYS = ["n3w" * 20, *old]
    assert (audit.reseal(), audit.reseal()) == ("moved", "there")
    settings.DATA_KEYS = ["n3w" * 20]
    assert "The log ends with 7:" in verify(), "entries keep the seals that they have"
    settings.DATA_KEYS = ["0ther" * 20]
    assert audit.reseal() == "lost"
    with pytest.raises(CommandError):
        verify()


def test_entries_are_chained_whenever_they_were_committed_and_wherever_the_clock_stood() -> None:
    now = timezone.now()
    with time_machine.travel(now + timedelta(days=365)):
        audit.record(Action.FRONT_PAGE, "in a year that has not come")
        assert audit.chain() == 1
    audit.record(Action.FRONT_PAGE, "someone")
    assert audit.chain() == 1
    with time_machine.travel(now - timedelta(days=2)):
        audit.record(Action.FRONT_PAGE, "committed after a long time")
    assert audit.chain() == 0
    assert audit.chain(everything=True) == 1
    assert found() == []


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_the_log_and_all_of_it_is_chained_once() -> None:
    def write() -> None:
        for _ in range(10):
            audit.record(Action.FRONT_PAGE, "someone")

    results = run_at_once(*[write] * 4, *[audit.chain] * 4)
    assert not [result for result in results if isinstance(result, Exception)]
    assert "The log ends with 40:" in verify()


@pytest.mark.django_db(transaction=True)
def test_open_transaction_with_an_entry_holds_up_no_other() -> None:
    if connection.vendor == "sqlite":
        return  # it has one writer at a time
    with transaction.atomic():
        audit.record(Action.FRONT_PAGE, "slow")
        assert run_at_once(lambda: audit.record(Action.FRONT_PAGE, "fast").actor) == ["fast"]
        assert run_at_once(audit.chain) == [1]
    assert "The log ends with 2:" in verify()


@pytest.mark.parametrize("check", [lambda: [*audit_checks.faults()], audit_checks.quick_faults])
def test_links_that_are_added_while_the_log_is_checked_are_no_fault(check: Callable[[], Any]) -> None:
    """The server chains beside `verify_log` and beside the front page."""
    added: list[str] = []

    def chain_after_the_end_was_read(execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        if not added and 'FROM "screening_loghead"' in sql:
            added.append(sql)
            audit.record(Action.FRONT_PAGE, "someone")
            assert audit.chain() == 1
        return result

    with connection.execute_wrapper(chain_after_the_end_was_read):
        assert check() == []
    assert added


def test_chain_that_was_cut_off_with_an_earlier_end_is_not_made_anew() -> None:
    """A backup, or the journal of a file, holds earlier rows of the end with seals that fit."""
    for _ in range(3):
        audit.record(Action.FRONT_PAGE, "someone")
    audit.chain()
    end = LogHead.objects.get()
    for action in (Action.OPENED, Action.FRONT_PAGE, Action.FRONT_PAGE):
        audit.record(action, "someone")
        audit.chain()
    tamper("DELETE FROM screening_logline WHERE number = #4")
    tamper("DELETE FROM screening_loglink WHERE position > 3")
    end.save()
    assert audit.chain() == 0
    assert [fault.endswith("is the rest of a chain cut off.") for fault in found()] == [True, True]
    assert len(audit_checks.quick_faults()) == 1
    audit_checks.accept("owner")
    audit.record(Action.FRONT_PAGE, "someone")
    assert audit.chain() == 1
    assert found() == []


def test_entries_that_are_missing_are_named_by_their_places() -> None:
    for _ in range(8):
        audit.record(Action.FRONT_PAGE, "someone")
    audit.chain()
    tamper("DELETE FROM screening_logline WHERE number IN (#3, #4, #5)")
    assert found() == ["Lines 3 to 5 are missing."]
    tamper("DELETE FROM screening_logline WHERE number = #7")
    assert found() == ["Lines 3 to 5 are missing.", "Lines 7 to 7 are missing."]


def test_desk_says_that_the_log_was_tampered_with_to_those_who_may_see_it(staff_client: Client) -> None:
    auditor, contact = signed_in(member("auditor", "auditor")), signed_in(member("contact", "contact"))
    says = "The log is not as this site wrote it."
    front, log = "/admin/", "/admin/screening/logline/"
    for client, page in ((staff_client, front), (staff_client, log), (auditor, front), (auditor, log)):
        assert says not in client.get(page).content.decode()
    audit.chain()
    tamper("UPDATE screening_loghead SET seal = ''")
    for client, page in ((staff_client, front), (staff_client, log), (auditor, front), (auditor, log)):
        assert says in client.get(page).content.decode()
    assert says not in contact.get(front).content.decode()
