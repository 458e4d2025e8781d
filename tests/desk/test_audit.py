"""The audit log has an entry for every view and action, and shows any tampering."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from screening import audit, audit_checks, audit_triggers
from screening.desk.audit_log import DETAILS, LogAdmin, detail_in_words
from screening.desk.model_admin import CappedPaginator
from screening.models import Action, Contact, LogHead, LogLine, LogLink, Note, Review, Submission
from tests.answers import URGENT
from tests.desk.helpers import CASES, PASSWORD, form_of, member, signed_in, submit, superuser, url_of
from tests.desk.test_roles import EVERYONE, PAGES
from tests.helpers import output_of, parse, run_at_once

pytestmark = pytest.mark.django_db
NEW_PASSWORD = {"old_password": PASSWORD} | dict.fromkeys(("new_password1", "new_password2"), "x9!kfh3lq0f7")


def lines() -> list[tuple[str, str, str, str]]:
    """Return (actor, action, reference, detail) of each entry, the oldest first."""
    return [*LogLine.objects.order_by("number").values_list("actor", "action", "reference", "detail")]


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


# Content


def test_every_view_and_deed_at_the_desk_leaves_a_line(staff_client: Client) -> None:
    row = submit(call=True)
    page = url_of(row)
    typed = {"status": "waiting", "notes-0-text": "Called.", "reviews-0-program": "iop"}
    deeds: list[tuple[Callable[[], Any], list[tuple[str, str, str]]]] = [
        (lambda: staff_client.get("/admin/"), [("front_page", "", "")]),
        (lambda: staff_client.get(f"{CASES}?queue=mine"), [("listed", "", "list=submission; filters=queue")]),
        (lambda: staff_client.post(CASES), [("listed", "", "list=submission; filters=")]),
        (lambda: staff_client.get(page), [("opened", row.reference, "")]),
        (
            lambda: staff_client.post(page, sent | typed),
            [
                ("changed", row.reference, "status=waiting"),
                ("reviewed", row.reference, ""),
                ("noted", row.reference, ""),
            ],
        ),
        (lambda: staff_client.post(url_of(row, "reveal")), [("revealed", row.reference, "")]),
        (lambda: staff_client.get(url_of(row, "print")), [("printed", row.reference, "")]),
        (lambda: staff_client.post(url_of(row, "withdraw")), [("withdrawn", row.reference, "")]),
        (
            lambda: staff_client.post(CASES, {"action": "assign_to_me", "_selected_action": [row.pk]}),
            [("listed", "", "list=submission; filters="), ("changed", row.reference, "assigned_to=staff")],
        ),
        (
            lambda: staff_client.post(f"{CASES}export/?status__exact=new", {"purpose": "quality", "confirm": "on"}),
            [("exported", "", "count=0; purpose=quality; filters=status")],
        ),
        (lambda: staff_client.get("/admin/agreement/"), [("compared", "", "")]),
        (lambda: staff_client.get("/admin/replay/?to=2026.1"), [("replayed", "", "version=2026.1")]),
        (lambda: staff_client.get("/admin/screening/logline/"), [("read_log", "", "list=logline; filters=")]),
        (lambda: staff_client.get("/admin/auth/user/"), [("listed", "", "list=user; filters=")]),
        (lambda: staff_client.post("/admin/logout/"), [("signed_out", "", "")]),
    ]
    sent = form_of(staff_client, row)
    for deed, expected in deeds:
        before = LogLine.objects.count()
        assert deed().status_code in (200, 302)
        assert lines()[before:] == [("staff", *line) for line in expected]
    assert (Note.objects.count(), Review.objects.count()) == (1, 1)


def test_refusal_leaves_a_line_that_names_page_and_reference(client: Client) -> None:
    row = submit(call=True)
    client.force_login(member("visitor"))
    refusals: list[tuple[Callable[[], Any], tuple[str, str]]] = [
        (
            lambda: client.get(url_of(row)),
            (row.reference, "method=GET; page=screening_submission_change"),
        ),
        (
            lambda: client.post(url_of(row, "reveal")),
            (row.reference, "method=POST; page=screening_submission_reveal"),
        ),
        (lambda: client.get(f"{CASES}999/print/"), ("", "method=GET; page=screening_submission_print")),
        (lambda: client.get("/admin/screening/logline/"), ("", "method=GET; page=screening_logline_changelist")),
        (lambda: client.get("/admin/agreement/"), ("", "method=GET; page=agreement")),
    ]
    for deed, expected in refusals:
        assert deed().status_code == 403
        assert lines()[-1] == ("visitor", "refused", *expected)


def test_log_holds_no_answers_and_not_how_a_case_ended(staff_client: Client) -> None:
    row = submit(URGENT, call=True)
    sent = form_of(staff_client, row) | {"status": "closed", "outcome": "inpatient", "notes-0-text": "Very ill."}
    assert staff_client.post(url_of(row), sent).status_code == 302
    assert lines()[-2][3] == "status=closed; outcome=changed"
    text = str(lines())
    for word in ("inpatient", "Very ill.", "405", *URGENT):
        assert word not in text


def test_deed_whose_line_cannot_be_written_does_not_happen(staff_client: Client, monkeypatch: Any) -> None:
    row = submit(call=True)
    sent = form_of(staff_client, row) | {"status": "closed", "outcome": "iop", "notes-0-text": "Called."}
    before = Submission.objects.values().get()

    def broken(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(LogLine, "save", broken)
    staff_client.raise_request_exception = False
    for response in (
        staff_client.get(url_of(row)),
        staff_client.get(CASES),
        staff_client.get("/admin/"),
        staff_client.post(url_of(row), sent),
        staff_client.post(url_of(row, "reveal")),
        staff_client.post(url_of(row, "withdraw")),
        staff_client.get(url_of(row, "print")),
        staff_client.post(f"{CASES}export/", {"purpose": "quality", "confirm": "on"}),
        staff_client.post(CASES, {"action": "wait", "_selected_action": [row.pk]}),
        staff_client.post("/admin/password_change/", NEW_PASSWORD),
        staff_client.post("/admin/logout/"),
    ):
        assert response.status_code == 503
        assert row.reference not in response.content.decode()
    assert Submission.objects.values().get() == before
    assert (Note.objects.count(), Contact.objects.count()) == (0, 1)
    assert User.objects.get().check_password(PASSWORD)


# Tampering


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


def test_superusers_have_no_page_to_change_the_log(staff_client: Client) -> None:
    staff_client.get("/admin/")
    number = LogLine.objects.get().number
    page = "/admin/screening/logline/"
    for address in (f"{page}{number}/change/", f"{page}{number}/delete/", f"{page}add/", f"{page}{number}/history/"):
        assert staff_client.get(address).status_code == 404
        assert staff_client.post(address, {"post": "yes", "who": "nobody"}).status_code == 404
    staff_client.post(page, {"action": "delete_selected", "_selected_action": [number], "post": "yes"})
    assert LogLine.objects.filter(number=number).exists()


@pytest.fixture
def written(staff_client: Client) -> list[LogLine]:
    for _ in range(3):
        row = submit(call=True)
        staff_client.get("/admin/")
        staff_client.get(url_of(row))
    assert "The log ends with 6:" in verify()
    return [*LogLine.objects.order_by("number")]


COLUMNS = "at, account, who, what, reference, detail, key, seal"


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
    assert lines()[-1][:2] == ("manage.py", "damage")
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


# Readers


def test_case_shows_its_history_and_who_else_has_just_opened_it(staff_client: Client) -> None:
    row = submit(call=True)
    ann = signed_in(superuser("ann"))
    page = url_of(row)
    assert "This case was opened by" not in staff_client.get(page).content.decode()
    assert "This case was opened by" not in staff_client.get(page).content.decode()
    html = ann.get(page).content.decode()
    assert "This case was opened by staff, just now." in html
    assert html.count("<td>staff</td>") == 2
    assert "This case was opened by ann" in staff_client.get(page).content.decode()


def test_log_is_searched_by_action_account_and_reference(staff_client: Client) -> None:
    row = submit(call=True)
    staff_client.get(url_of(row))
    log = "/admin/screening/logline/"

    def count(query: str) -> int:
        return staff_client.get(log + query).content.decode().count('class="field-timestamp')

    assert count("?action__exact=opened") == 1
    assert count(f"?q={row.reference[:4]}-{row.reference[4:]}") == 1
    assert count("?q=staff") == LogLine.objects.filter(actor="staff").count()
    assert count("?q=nobody") == 0
    for crafted in ("?hash__startswith=a", "?detail__contains=x", "?who__exact=staff", "?action__exact=%00"):
        assert staff_client.get(log + crafted).status_code in (302, 400)


def test_times_that_the_person_is_told_come_from_the_log(staff_client: Client) -> None:
    row = submit(call=True)
    assert audit.opened_at(row.reference) == []
    staff_client.get(url_of(row))
    staff_client.get(url_of(row, "print"))
    first, second = audit.opened_at(row.reference)
    assert first <= second <= timezone.now()


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


def test_opening_a_case_again_at_once_adds_a_second_entry(staff_client: Client) -> None:
    """The person is promised that each opening is recorded."""
    case = submit()
    for opened in (1, 2, 3):
        assert staff_client.get(url_of(case)).status_code == 200
        assert LogLine.objects.filter(reference=case.reference, action=Action.OPENED).count() == opened


def test_keys_of_details_have_words() -> None:
    """Every page that can refuse, every filter and every list of the desk."""
    pages = {name for name, methods in PAGES.items() if any(who != EVERYONE for who in methods.values())}
    assert set(DETAILS["page"][1]) == pages
    admins = admin.site._registry.values()
    filters = {lookup.partition("__")[0] for each in admins for lookup in getattr(each, "lookups", ())}
    assert set(DETAILS["filters"][1]) == {"", "q", *filters}
    assert set(DETAILS["list"][1]) == {each.opts.model_name for each in admins}


def test_details_are_shown_in_words() -> None:
    line = LogLine(detail="method=POST; page=screening_submission_change")
    assert detail_in_words(line) == "tried to: send; page: a case"
    assert (
        detail_in_words(LogLine(detail="list=submission; filters=q,queue"))
        == "list: submissions; filters: search, work"
    )
    assert (
        detail_in_words(LogLine(detail="Status: Closed, Outcome")) == "Status: Closed, Outcome"
    )  # of an earlier version


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


def test_entries_older_than_the_list_counts_can_be_opened(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CappedPaginator, "MOST", 6)
    monkeypatch.setattr(LogAdmin, "list_per_page", 3)
    monkeypatch.setattr(LogAdmin, "list_max_show_all", 3)
    for place in range(20):
        audit.record(Action.FRONT_PAGE, f"person {place:02}")
    seen: list[str] = []
    query = "?action__exact=front_page"
    while query:
        for page in (1, 2):
            shown = parse(staff_client.get(f"/admin/screening/logline/{query}&p={page}"))
            seen += [cell.text for cell in shown.select("td.field-actor") if cell.text not in seen]
        link = next((link for link in shown.select("p.paginator a") if link.text == "Older entries"), None)
        query = str(link["href"]) if link else ""
    assert seen == [f"person {place:02}" for place in reversed(range(20))]


def test_command_chains_the_log_for_another_server() -> None:
    audit.record(Action.FRONT_PAGE, "someone")
    assert output_of("chain_log") == "1 entries chained.\n"
    assert audit_checks.quick_faults() == []
