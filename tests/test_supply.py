"""What the project stands on: few packages, each with a reason and a hash; and what `make audit` says of them."""

import json
import re
import runpy
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = pytest.mark.sqlite_is_enough
ROOT = Path(__file__).resolve().parent.parent
AUDIT = ROOT / "scripts/audit.py"


def test_at_most_ten_packages_run_and_each_has_its_reason_in_the_readme() -> None:
    asked = (ROOT / "requirements.in").read_text().split("\n")[:-1]
    assert 1 <= len(asked) <= 10
    table = (ROOT / "README.md").read_text().partition("## What it stands on")[2].partition("\n\nFor the checks")[0]
    reasons = dict(re.findall(r"(?m)^\| ([\w.\[\]-]+) \| (.{10,}) \|$", table))
    assert {re.split(r"[~=><;]", line)[0].strip().partition("[")[0] for line in asked} == {
        name.partition("[")[0] for name in reasons
    }


@pytest.mark.parametrize("name", [path.name for path in sorted(ROOT.glob("requirements*.txt"))])
def test_every_pin_has_a_hash(name: str) -> None:
    entries = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text()).splitlines()
    pins = [entry for entry in entries if entry.strip() and not entry.startswith("#")]
    assert pins
    assert all(re.match(r"[\w.-]+(\[[\w,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", pin) for pin in pins)


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "None, in 1 packages."),
        ([{"name": "a", "skip_reason": "not found"}], 3, "Not known of 1 packages: the index can't be reached"),
        (None, 3, "Not known of all packages"),
        (
            [
                {"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]},
                {"name": "b", "skip_reason": "?"},
            ],
            1,
            "a 1: X-1, mended in 2",
        ),
    ],
)
def test_audit_tells_what_is_known_and_what_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], packages: Any, status: int, words: str
) -> None:
    def run(command: list[str], **_options: Any) -> Any:
        vulnerable = json.dumps({"dependencies": packages}) if packages else ""
        said = {"pip-audit": vulnerable, "detect-secrets": '{"results": {}}', "pip-licenses": "Django BSD"}
        return SimpleNamespace(stdout=said[Path(command[0]).name])

    monkeypatch.setattr(subprocess, "run", run)
    assert runpy.run_path(str(AUDIT))["main"]() == status
    printed = capsys.readouterr().out
    assert words in printed
    assert "Django BSD" in printed


def test_secret_in_a_file_fails_the_audit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    leaked = {"results": {"var.py": [{"line_number": 7, "type": "Private Key"}]}}
    monkeypatch.setattr(subprocess, "run", lambda *_given, **_more: SimpleNamespace(stdout=json.dumps(leaked)))
    assert runpy.run_path(str(AUDIT))["secrets"]() == 1
    assert "var.py:7: Private Key" in capsys.readouterr().out


def test_ci_runs_the_test_command_and_nothing_else() -> None:
    workflow = (ROOT / ".github/workflows/test.yml").read_text()
    assert re.findall(r"(?m)^ *- run: (.*)$", workflow) == ["make test"]
    assert "make test" in (ROOT / ".ci/run").read_text()


def test_make_alone_lists_every_target() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    makefile = (ROOT / "Makefile").read_text()
    (targets,) = re.findall(r"(?m)^\.PHONY: (.*)$", makefile)
    assert re.findall(r"(?m)^make ([\w-]+) +\S", listed) == targets.split()
    documented = (ROOT / "docs/commands.md").read_text()
    assert all(f"`make {target}`" in documented for target in targets.split() if target != "help")
