"""A database of an earlier version becomes one of this version, with all that it holds and a sound log."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.sqlite_is_enough
ROOT = Path(__file__).resolve().parent.parent


def migrated_from(migration: str, folder: Path, *words: str) -> Any:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.earlier_database", migration, *words],
        cwd=ROOT,
        env=os.environ | {"VAR_DIR": str(folder), "DATABASE_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize(("migration", "entries"), [("0006_reviews", 0), ("0008_standard_names", 5)])
def test_upgrade_keeps_everything_and_begins_sound(migration: str, entries: int, tmp_path: Path) -> None:
    after = migrated_from(migration, tmp_path)
    assert after["under the wrong keys"].startswith("DATA_KEYS does not open what is stored.")
    assert after["start under the wrong keys"].startswith("DATA_KEYS does not open what is stored in this database.")
    assert after["answers"]
    assert after["reasons"] == after["reasons then"]
    assert after["by code"]
    assert not after["in clear"]
    assert after["sealed"] == [True, True]
    assert after["log"] == entries
    assert after["verify_log"].startswith(f"The log ends with {entries}:")
    assert after["verify_results"].startswith("1 checked: 1 agree")
    assert after["rotate_keys"].startswith("0 moved")


def test_log_that_was_damaged_before_an_upgrade_says_so_afterwards(tmp_path: Path) -> None:
    after = migrated_from("0008_standard_names", tmp_path, "damaged")
    assert "damage from line 1 on was accepted: 1 problems" in after["verify_log"]
    assert "The log ends with 6:" in after["verify_log"]
