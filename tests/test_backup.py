"""Backups: everything comes back on either database, but what was erased since; and nothing else is taken for one."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from screening import accounts, audit, audit_checks, audit_triggers, backup, erased, retention
from screening.management import streaming
from screening.models import Action, Contact, JobRun, Note, Phone, RecoveryCode, Review, Submission
from tests.answers import CLOSE_CALL, IOP, URGENT
from tests.desk.helpers import ask_for_call, submit, superuser
from tests.helpers import database_begins_anew, output_of, run_at_once

pytestmark = pytest.mark.django_db(transaction=True)
OTHER_KEY = "Zq3Wv7Xt1Lm9Kc5Jd8Rb2Ys6Nf4Hg0PaUeTiOkMwCzBxVyQjSl"
HARD = "“Línea”\u2028\u0085 \\ ' \" \t\n% %s \U0001f600"


@pytest.fixture(autouse=True)
def var(tmp_path: Path, settings: Any) -> Path:
    settings.VAR_DIR = tmp_path / "var"
    settings.VAR_DIR.mkdir()
    return tmp_path


@pytest.fixture
def cases(var: Path) -> list[Submission]:
    """Some of everything that a desk writes."""
    ann = superuser("ann")
    Phone.new(ann)
    RecoveryCode.renew(ann)
    made = [submit(given, call=True) for given in (IOP, URGENT, CLOSE_CALL)]
    for case in made:
        Note.objects.create(submission=case, text=HARD, author=ann)
        Review.objects.create(submission=case, program="iop", agrees=False, author=ann)
        audit.record(Action.OPENED, ann, case.reference)
    audit.chain(everything=True)
    return made


def nothing(_rows: int) -> None: ...


def made(folder: Path, *options: str) -> Path:
    """Make a backup by the command; return the newest."""
    output_of("backup", str(folder / "out"), *options)
    return max((folder / "out").glob("*.backup"))


def empty() -> None:
    """Leave the database as `migrate` makes it."""
    audit_triggers.drop()
    call_command("flush", interactive=False, verbosity=0)
    connection.close()


def read(path: Path) -> list[Any]:
    """Return what a backup says, but for the time that it was made."""
    with path.open("rb") as file:
        return [*backup.opened(file)][1:]


def elsewhere(var: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a new SQLite database."""
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{var}/new.sqlite3",
        "DJANGO_SETTINGS_MODULE": "intake_site.settings",
    }
    environment |= {"VAR_DIR": str(var), "DATA_KEYS": ",".join(settings.DATA_KEYS)}
    ran = [sys.executable, "manage.py", *command]
    return subprocess.run(ran, env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True)


def test_every_row_comes_back_in_the_same_database(cases: list[Submission], var: Path) -> None:
    path = made(var)
    before = read(path)
    empty()
    assert not Submission.objects.exists()
    done = backup.restore(path, None, nothing)
    assert (done.rows["screening_submission"], done.broken_seals, done.erased_again) == (3, 0, 0)
    backup.write(var / "again", nothing)
    assert read(var / "again") == before
    assert [*Note.objects.values_list("text", flat=True)] == [HARD] * 3
    assert not [*audit_checks.faults()]
    assert submit(IOP).pk not in {case.pk for case in cases}, "keys go on after those that came back"
    assert audit_triggers.problems() == []


def test_every_row_comes_back_on_sqlite_wherever_it_was(cases: list[Submission], var: Path) -> None:
    path = made(var)
    assert "3 cases" in elsewhere(var, "restore", str(path)).stdout
    assert elsewhere(var, "backup", str(var / "second")).returncode == 0
    (second,) = (var / "second").glob("*.backup")
    assert sorted(map(str, read(second))) == sorted(map(str, read(path)))


def test_backup_holds_no_word_and_no_row_in_the_clear(cases: list[Submission], var: Path) -> None:
    held = made(var).read_bytes()
    for word in ("ann", "screening_submission", cases[0].reference, cases[0].code):
        assert word.encode() not in held
    assert held != made(var, "--keep", "1").read_bytes()


def test_backup_is_of_one_moment_and_hinders_nobody_who_saves(cases: list[Submission]) -> None:
    def save() -> None:
        submit(IOP)
        connection.close()

    lines = backup.contents()
    said = [next(lines)]
    thread = threading.Thread(target=save)
    thread.start()
    thread.join(10)
    assert not thread.is_alive(), "who saves waits for the backup"
    held = "\n".join([*said, *lines])
    assert Submission.objects.count() == 4
    assert held.count(cases[0].code) == 1
    (later,) = Submission.objects.exclude(pk__in=[case.pk for case in cases])
    assert later.code not in held


def damaged(path: Path) -> Iterator[tuple[str, bytes, str]]:
    """Yield (how, the bytes of a backup so damaged, what must be said)."""
    whole, start = path.read_bytes(), len(backup.FIRST_LINE) + backup.NAME + backup.RANDOM
    for cut in (start - 20, start - 1, start, start + 2, start + 5, len(whole) // 2, len(whole) - 1):
        yield f"cut at {cut}", whole[:cut], "cut off"
    for place in (start - 1, start, start + 10, len(whole) - 1):
        yield f"changed at {place}", whole[:place] + bytes([whole[place] ^ 64]) + whole[place + 1 :], "damaged"
    yield "longer", whole + b"x", "damaged"
    yield "twice", whole + whole[start:], "damaged"
    yield "of another kind", b"SQLite format 3\0" * 100, "no backup"
    yield "empty", b"", "no backup"


def test_damaged_backup_is_refused_in_one_line_and_nothing_is_lost(
    cases: list[Submission], var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "FRAME", 2000)  # so that there are many
    path = made(var)
    empty()
    for how, content, words in damaged(path):
        (var / "bad").write_bytes(content)
        with pytest.raises(CommandError, match=words) as refused:
            call_command("restore", str(var / "bad"))
        assert "\n" not in str(refused.value), how
        assert not Submission.objects.exists(), how
        assert audit_triggers.problems() == [], how
    backup.restore(path, None, nothing)
    assert Submission.objects.count() == 3


def test_frames_cannot_change_places_or_be_left_out(
    cases: list[Submission], var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "FRAME", 2000)
    whole = made(var).read_bytes()
    start = place = len(backup.FIRST_LINE) + backup.NAME + backup.RANDOM
    frames = []
    while place < len(whole):
        end = place + backup.LENGTH + int.from_bytes(whole[place : place + backup.LENGTH])
        frames.append(whole[place:end])
        place = end
    assert len(frames) > 3
    for others in ([frames[1], frames[0], *frames[2:]], [frames[0], *frames[2:]], [frames[0], *frames], frames[-1:]):
        (var / "bad").write_bytes(whole[:start] + b"".join(others))
        with pytest.raises(backup.Unusable, match="damaged"):
            read(var / "bad")


def test_backup_under_other_keys_is_refused_and_under_an_earlier_key_restored(
    cases: list[Submission], var: Path, settings: Any
) -> None:
    path, key = made(var), settings.DATA_KEYS
    empty()
    settings.DATA_KEYS = [OTHER_KEY]
    with pytest.raises(CommandError, match="other DATA_KEYS"):
        call_command("restore", str(path))
    settings.DATA_KEYS = [OTHER_KEY, *key]
    assert "3 cases" in output_of("restore", str(path))


def test_keys_that_open_the_file_and_not_what_is_in_it_are_refused(
    cases: list[Submission], var: Path, settings: Any
) -> None:
    settings.DATA_KEYS = [OTHER_KEY, *settings.DATA_KEYS]
    path = made(var)
    empty()
    settings.DATA_KEYS = [OTHER_KEY]
    database_begins_anew()
    with pytest.raises(CommandError, match="does not open what is in this backup"):
        call_command("restore", str(path))
    assert not Submission.objects.exists()


def test_backup_of_another_version_is_refused_and_named(
    cases: list[Submission], var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = backup._migrations()
    later = [["screening", "9999_later"] if app == "screening" else [app, name] for app, name in known]
    monkeypatch.setattr(backup, "_migrations", lambda: later)
    backup.write(var / "later", nothing)
    monkeypatch.setattr(backup, "_migrations", lambda: known)
    empty()
    with pytest.raises(CommandError, match=r"Another version .* screening\.9999_later"):
        call_command("restore", str(var / "later"))


def test_database_in_use_is_left_as_it_is(cases: list[Submission], var: Path) -> None:
    path = made(var)
    newer = submit(IOP)
    with pytest.raises(CommandError, match=r"holds 4 cases and 1 accounts\. Nothing was changed"):
        call_command("restore", str(path))
    assert Submission.objects.filter(pk=newer.pk).exists()


def test_what_was_erased_since_is_erased_again(cases: list[Submission], var: Path) -> None:
    again, gone, withdrawn = cases
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        Contact.objects.withdraw(again.pk)
    ask_for_call(again)  # anew, before the backup
    path = made(var)
    with time_machine.travel(timezone.now() - timedelta(minutes=2)):  # as on a machine whose clock is behind
        retention.erase(gone)
    Contact.objects.withdraw(withdrawn.pk)
    empty()
    assert "2 erased or closed again" in output_of("restore", str(path))
    assert {*Submission.objects.values_list("reference", flat=True)} == {again.reference, withdrawn.reference}
    assert [*Contact.objects.values_list("pk", flat=True)] == [again.pk]
    assert Submission.objects.get(pk=withdrawn.pk).wants_call is False


def test_contact_details_that_expired_since_are_erased_again(cases: list[Submission], var: Path) -> None:
    path = made(var)
    long_ago = timezone.now() - timedelta(days=settings.CONTACT_RETENTION_DAYS + 1)
    Submission.objects.filter(pk=cases[0].pk).update(status="closed", status_at=long_ago, due_at=None)
    retention.erase_expired(clock_is_right=True)
    empty()
    output_of("restore", str(path))
    assert {*Contact.objects.values_list("pk", flat=True)} == {case.pk for case in cases[1:]}


def test_list_of_erasures_holds_no_person_and_names_none_without_the_keys(
    cases: list[Submission], settings: Any
) -> None:
    references = [case.reference for case in cases]
    retention.erase(*cases)
    (file,) = erased.directory().iterdir()
    assert file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode & 0o077 == 0
    listed = [*erased.noted(erased.directory(), 0)]
    assert len({*listed}) == 3
    assert not any(reference in file.read_text() for reference in references)
    settings.DATA_KEYS = [OTHER_KEY]
    erased.note(erased.CASE, references)
    assert len({*erased.noted(erased.directory(), 0)}) == 6


def test_account_that_was_closed_since_is_closed_again(cases: list[Submission], var: Path) -> None:
    eve, left, back = (superuser(name) for name in ("eve", "left", "back"))
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        accounts.close(back, "ann")
    accounts.reopen(back, "ann")
    path = made(var)
    accounts.close(left, "ann")
    empty()
    said = output_of("restore", str(path))
    assert "1 erased or closed again" in said
    assert "Passwords, roles and second factors of staff are as they were then" in said
    open_now = {*User.objects.filter(is_active=True).values_list("username", flat=True)}
    assert open_now == {"ann", eve.username, "back"}


def test_line_of_the_list_that_was_cut_short_spoils_no_other(cases: list[Submission], var: Path) -> None:
    path = made(var)
    retention.erase(cases[0])
    (file,) = erased.directory().iterdir()
    for half in (f"\n{time.time():.3f} f95d4a15", "\n\n", "\n1795"):
        with file.open("a") as written:
            written.write(half)
        erased.note(erased.CASE, [cases[1].reference])
    empty()
    assert "2 erased or closed again" in output_of("restore", str(path))
    assert [case.pk for case in Submission.objects.all()] == [cases[2].pk]


def test_what_was_on_the_list_but_not_yet_committed_is_erased_again(cases: list[Submission], var: Path) -> None:
    erased.note(erased.CONTACT, [cases[0].reference])  # a withdrawal that the backup does not see yet
    path = made(var)
    empty()
    assert "1 erased or closed again" in output_of("restore", str(path))


def test_list_that_cannot_be_written_holds_up_no_erasure(cases: list[Submission], settings: Any) -> None:
    settings.VAR_DIR = Path("/proc/nowhere")
    retention.erase(*cases)
    assert not Submission.objects.exists()


def test_erasure_is_on_the_list_before_it_is_committed(cases: list[Submission]) -> None:
    with transaction.atomic():
        retention.erase(cases[0])
        assert [*erased.noted(erased.directory(), 0)]
        transaction.set_rollback(True)


def test_list_goes_with_the_last_backup_that_it_is_for(var: Path) -> None:
    erased.note(erased.CASE, ["ABCDEFGH"])
    (this_month,) = erased.directory().iterdir()
    old = erased.directory() / f"{timezone.now() - timedelta(days=settings.RETENTION_DAYS + 31):%Y-%m}"
    old.write_text("")
    erased.forget_old()
    assert [*erased.directory().iterdir()] == [this_month]


def test_restore_without_a_list_says_that_people_may_be_back(cases: list[Submission], var: Path) -> None:
    path = made(var)
    empty()
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("restore", str(path), "--erased", str(var / "nowhere"))
    assert not Submission.objects.exists()
    erased.directory().rename(var / "elsewhere")
    assert "may be back" in output_of("restore", str(path))


def test_only_the_newest_are_kept_and_each_is_for_its_owner_alone(cases: list[Submission], var: Path) -> None:
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        (var / "out").mkdir(exist_ok=True)
        (var / "out" / f"{day}T000000Z.backup").write_text("")
    others = {"of someone else", "before-update.backup", "0.backup", "2099-01-01T000000Z.backup"}
    for name in others:
        (var / "out" / name).write_text("")
    output_of("backup", str(var / "out"), "--keep", "3")
    (path,) = (var / "out").glob(f"{timezone.now():%Y-%m}*.backup")
    assert {file.name for file in (var / "out").iterdir()} == {"2026-01-03T000000Z.backup", path.name, ".lock"} | others
    assert path.stat().st_mode & 0o077 == 0


def test_what_a_killed_run_left_is_taken_away(cases: list[Submission], var: Path) -> None:
    (var / "out" / "scratch-x").mkdir(parents=True)
    for name in ("scratch-x/db.sqlite3", "2026-01-01T000000Z.unverified"):
        (var / "out" / name).write_text("")
    path = made(var)
    assert {file.name for file in (var / "out").iterdir()} == {path.name, ".lock"}


def test_two_backups_at_once_do_not_spoil_each_other(cases: list[Submission], var: Path) -> None:
    first, second = run_at_once(*[lambda: made(var)] * 2)
    assert {type(first), type(second)} == {CommandError, type(var)}
    assert "Another backup" in str(first) + str(second)
    assert len([*(var / "out").glob("*.backup")]) == 1


@pytest.mark.parametrize("failing", ["disk", "verification"])
def test_backup_that_is_not_whole_is_not_kept(
    cases: list[Submission], var: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*_given: Any) -> None:
        raise OSError("no space left")

    if failing == "disk":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(backup, "FIRST_LINE", b"program-fit backup 0\n")
    with pytest.raises(CommandError, match=r"The backup failed|not kept"):
        call_command("backup", str(var / "out"))
    assert [file.name for file in (var / "out").iterdir()] == [".lock"]
    assert JobRun.last(JobRun.Job.BACKUP) is None


def test_folder_that_takes_no_backup_is_told_in_one_line(cases: list[Submission], var: Path) -> None:
    (var / "file").write_text("")
    for folder in (var / "file", var / "file" / "below", Path("/proc/nowhere")):
        with pytest.raises(CommandError, match=r"^The backup failed: .*") as refused:
            call_command("backup", str(folder))
        assert "\n" not in str(refused.value)


def test_backup_is_kept_where_the_database_can_write_nothing_any_more(
    cases: list[Submission], var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_job: object) -> None:
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(JobRun, "finished", full)
    with pytest.raises(CommandError, match=r"^The backup failed: database or disk is full$"):
        call_command("backup", str(var / "out"))
    assert len([*(var / "out").glob("*.backup")]) == 1


def test_backup_remembers_when_it_was_verified(cases: list[Submission], var: Path) -> None:
    made(var)
    last = JobRun.last(JobRun.Job.BACKUP)
    assert last
    assert timezone.now() - last < timedelta(minutes=1)


def test_backup_and_restore_say_how_far_they_are(
    cases: list[Submission], var: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(streaming, "PROGRESS_INTERVAL", 0.0)
    call_command("backup", str(var / "out"))
    (path,) = (var / "out").glob("*.backup")
    empty()
    call_command("restore", str(path))
    assert capsys.readouterr().err.count(" ...\n") > 10


@pytest.mark.parametrize(("hours_ago", "begins"), [(19, False), (21, True), (-1, True)])
def test_daily_job_begins_once_a_day_whatever_the_clock_said(hours_ago: int, begins: bool) -> None:
    every = timedelta(hours=20)
    assert JobRun.begin(JobRun.Job.PROBLEMS, every)
    assert not JobRun.begin(JobRun.Job.PROBLEMS, every)
    JobRun.objects.update(finished_at=timezone.now() - timedelta(hours=hours_ago))
    assert JobRun.begin(JobRun.Job.PROBLEMS, every) is begins
