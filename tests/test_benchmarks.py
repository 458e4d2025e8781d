"""The benchmarks still run; what they measure is no part of the tests."""

import os
import re
import subprocess
import sys

import pytest

from tests.processes import ROOT

pytestmark = pytest.mark.sqlite_is_enough
SITE = {"DATABASE_URL", "DJANGO_SETTINGS_MODULE", "TEST_DATABASE"}


@pytest.mark.parametrize(
    "command",
    [
        "rules --rounds 1",
        "pages --rounds 1 --times 2",
        "saves --rounds 1 --saves 4 --browsers 2",
        pytest.param("memory --journeys 2", marks=pytest.mark.full),
        "profile",
    ],
)
def test_benchmark_runs(command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in SITE}
    module, *options = command.split()
    ran = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"\d+\.\d+ (µs|ms)", ran.stdout)
