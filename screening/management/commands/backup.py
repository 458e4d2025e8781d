"""Makes a backup, and restores it into a scratch database to see that it is whole."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from screening import backup, erased
from screening.management.streaming import every_few_seconds
from screening.models import JobRun

NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z\.backup")  # of ours; whatever else is in the folder is left alone
UNVERIFIED, SCRATCH = ".unverified", "scratch-"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Raise a CommandError if another backup is being made in this folder."""
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError("Another backup is being made here. Wait until it is done.") from None
        yield


class Command(BaseCommand):
    help = "Writes everything into one encrypted file, verifies it, and deletes the oldest. Safe beside the site."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="where to; best on another disk")
        parser.add_argument("--keep", type=int, default=7, help="how many to keep (7 when not given)")

    def handle(self, *args: Any, folder: Path, keep: int, **options: Any) -> None:
        if keep < 1:
            raise CommandError("--keep takes how many backups to keep: 1 or more.")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone(folder):
                path, said = self._made(folder)
                ours = sorted(each for each in folder.iterdir() if NAME.fullmatch(each.name) and each != path)
                for old in ours[: max(0, len(ours) + 1 - keep)]:
                    old.unlink()
            JobRun.finished(JobRun.Job.BACKUP)
        except (OSError, DatabaseError) as error:
            raise CommandError(f"The backup failed: {error}") from None
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes. {said}")

    def _made(self, folder: Path) -> tuple[Path, str]:
        """Make a backup, and verify it; return where it is, and what restoring it said."""
        for left in (*folder.glob(f"*{UNVERIFIED}"), *folder.glob(f"{SCRATCH}*")):  # by a run that was killed
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        path = folder / f"{timezone.now():%Y-%m-%dT%H%M%SZ}.backup"
        unverified = path.with_suffix(UNVERIFIED)
        try:
            backup.write(unverified, every_few_seconds(self))
            erased.directory().mkdir(mode=0o700, exist_ok=True)  # the list is there from now on
            said = self._verified(unverified)
            unverified.rename(path)
        finally:
            unverified.unlink(missing_ok=True)
        return path, said

    def _verified(self, path: Path) -> str:
        """Restore it as someone would who needs it, into a scratch database; return what that says."""
        with TemporaryDirectory(dir=path.parent, prefix=SCRATCH) as scratch:
            environment = os.environ | {
                "DATABASE_URL": f"sqlite:///{scratch}/db.sqlite3",
                "VAR_DIR": scratch,
                "SECRET_KEY": settings.SECRET_KEY,
                "DATA_KEYS": ",".join(settings.DATA_KEYS),
            }
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "restore", str(path)]
            command += ["--erased", str(erased.directory()), "--verbosity=0"]
            ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own words
        if ran.returncode:
            raise CommandError("The backup could not be restored, and was not kept.")
        return ran.stdout.strip()
