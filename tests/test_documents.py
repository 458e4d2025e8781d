"""What the documents name is there: files, headings, tests, commands, settings, words of the desk, pictures, units."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

pytestmark = pytest.mark.sqlite_is_enough

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "docs/deploy"
DOCUMENTS = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")]
DOCUMENTS += sorted((ROOT / "docs").rglob("*.md"))
SERVICES = sorted(DEPLOY.glob("*.service"))
UNITS = [*SERVICES, *sorted(DEPLOY.glob("*.timer"))]
BLOCK = r"(?m)^ {4,}(.*)"
COMMAND = r"(?:manage\.py|(?:^|[;&|] *)screening) +([a-z]\w*)([^;&|\n]*)"  # the second as docs/deploy/screening runs it
SENTENCE = r"(\w+ [\w ]+)"  # the name of a test, in words
TARGET = r"(?:^|[;&|] *|\w=\S+ +)make +([a-z][\w-]*)()"


def named(pattern: str) -> Iterator[tuple[str, str, str]]:
    """Yield (file, name, what follows) of all that the code in the documents, or a unit, has one type or start."""
    for document in DOCUMENTS:
        text = re.sub(r"^### Removed$.*?(?=^##)", "", document.read_text(), flags=re.M | re.S)  # of the changelog
        pieces = re.findall(BLOCK, text) + re.findall(r"`([^`]+)`", re.sub(BLOCK, "", text))
        for piece in pieces:
            yield from ((document.name, *found) for found in re.findall(pattern, " ".join(piece.split())))
    for unit in SERVICES:
        yield from ((unit.name, *found) for found in re.findall(pattern, unit.read_text()))


def anchors(document: Path) -> set[str]:
    """Return what a link may name after its #, as hosts of repositories make it of a heading."""
    headings = re.findall(r"(?m)^#+ (.*)", document.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_link_leads_to_a_file_or_heading_that_exists(document: Path) -> None:
    text = document.read_text()
    for link in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text):
        path, _hash, anchor = link.partition("#")
        if not re.match(r"[a-z]+:", link):
            target = (document.parent / path) if path else document
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_test_that_a_document_names_by_its_sentence_exists(document: Path) -> None:
    for words, file in re.findall(rf"\[{SENTENCE}\]\(([^)\s]+/test_\w+\.py)\)", document.read_text()):
        assert f"def test_{words.replace(' ', '_')}(" in (document.parent / file).read_text(), words


def test_each_measure_of_security_names_code_and_tests() -> None:
    rows = re.findall(r"(?m)^\| (.+) \|$", (ROOT / "docs/security-model.md").read_text())
    measures = [row for row in rows if not row.startswith("measure |")]
    assert len(measures) > 30
    for row in measures:
        _measure, code, tests, _decisions = (cell.strip() for cell in row.split("|"))
        assert re.fullmatch(r"(\[[\w.]+\]\(\S+\)(, |$))+", code), row
        assert re.fullmatch(rf"(\[{SENTENCE}\]\(\.\./tests/\S*test_\w+\.py\)(; |$))+", tests), row


def test_words_of_the_desk_in_the_guide_for_staff_are_those_of_the_desk() -> None:
    files = [*(ROOT / "templates/admin").rglob("*.html"), *(ROOT / "screening/desk").glob("*.py")]
    files += [*(ROOT / "screening/models").glob("*.py"), ROOT / "screening/static/screening/desk.js"]
    desk = " ".join(" ".join(file.read_text() for file in files).split())
    guide = " ".join((ROOT / "docs/staff-guide.md").read_text().split())
    words = re.findall(r"(?<!\*)\*(?!\*)([^*]+)\*(?!\*)", guide)
    assert len(words) > 40
    assert [each for each in words if not all(part.strip() in desk for part in each.split("…"))] == []


def test_every_picture_is_in_a_document_with_its_words_taken_by_the_script_and_small() -> None:
    script = (ROOT / "benchmarks/screenshots.py").read_text()
    shown = "".join(document.read_text() for document in DOCUMENTS)
    for picture in (ROOT / "docs/images").iterdir():
        assert re.search(rf'<img src="\S*images/{picture.name}"[^>]* alt="[^"]{{20,}}"', shown), picture.name
        assert f'"{picture.stem}"' in script, picture.name
        assert picture.stat().st_size < (70_000 if picture.name.startswith("tour-desk") else 50_000), picture.name


@pytest.mark.parametrize(
    ("name", "places"),
    [
        pytest.param(name, places, id=name)
        for name in sorted({name for _file, name, _rest in named(COMMAND)})
        for places in [[(file, rest) for file, each, rest in named(COMMAND) if each == name]]
    ],
)
def test_command_that_a_document_names_exists_with_its_options(name: str, places: list[tuple[str, str]]) -> None:
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    for file, rest in places:
        for option in re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", rest):
            assert option in parser._option_string_actions, f"{file}: {name} {option}"


def test_target_of_make_that_a_document_names_exists() -> None:
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text())
    found = {name for _file, name, _rest in named(TARGET)}
    assert len(found) > 5
    assert found <= set(targets)


def test_list_of_commands_is_whole() -> None:
    listed = re.findall(r"(?m)^\| `(\w+)", (ROOT / "docs/commands.md").read_text().partition("## manage.py")[2])
    assert set(listed) <= set(get_commands())
    assert {name for name, app in get_commands().items() if app == "screening"} - {"makemessages"} <= set(listed)


def test_settings_that_a_new_site_writes_down_are_in_the_list_of_settings() -> None:
    written = re.findall(r"(?m)^    (?:# )?([A-Z_]+)='", (ROOT / "docs/deploy.md").read_text())
    rows = re.findall(r"(?m)^\| (`.*?) \|", (ROOT / "docs/settings.md").read_text())
    assert {"SECRET_KEY", "DATA_KEYS", "ALLOWED_HOSTS", "DATABASE_URL", "EMAIL_HOST"} <= set(written)
    assert set(written) <= set(re.findall(r"`([A-Z_]+)`", " ".join(rows)))


def test_every_file_for_a_server_is_one_that_the_document_installs() -> None:
    lines = re.findall(r"(?m)^    (?:install|sed) .*", (ROOT / "docs/deploy.md").read_text())
    named_files = {file.name for line in lines for each in re.findall(r"docs/\S+", line) for file in ROOT.glob(each)}
    assert named_files == {file.name for file in DEPLOY.iterdir()}


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_unit_starts_what_exists_and_may_do_as_little_as_the_server(service: Path) -> None:
    (started,) = re.findall(r"(?m)^ExecStart=(.+)", service.read_text())
    program, *arguments = started.split()
    assert os.access(program.replace("/srv/screening/.venv", sys.prefix), os.X_OK)
    for argument in arguments:
        if module := re.fullmatch(r"(?:python:)?(intake_site\.\w+)", argument):
            assert find_spec(module[1])
        elif argument.endswith(".py"):
            assert (ROOT / argument).exists()
    limits = [file.read_text().partition("# What it may do")[2].split("\n\n")[0].split() for file in SERVICES]
    limits = [[word for word in each if "=" in word] for each in limits]
    assert {"ProtectSystem=strict", "NoNewPrivileges=yes"} <= set(limits[0])
    assert limits == [limits[0]] * len(SERVICES)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_unit_is_one_that_systemd_understands(unit: Path, tmp_path: Path) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.read(unit)
    own = {".timer": {"Timer", "Install"}, ".service": {"Service"}}[unit.suffix]
    assert {"Unit"} | own == set(parser) - {"DEFAULT", "Install"} | own
    if program := shutil.which("systemd-analyze"):  # where there is none, the syntax must do
        for file in UNITS:
            text = file.read_text().replace("/srv/screening/.venv", sys.prefix).replace("/srv/screening", str(ROOT))
            (tmp_path / file.name).write_text(text)
        said = subprocess.run([program, "verify", "--man=no", tmp_path / unit.name], capture_output=True, text=True)
        assert (said.returncode, [line for line in said.stderr.split("\n") if "screening" in line]) == (0, [])


def test_command_for_operators_is_one_that_a_shell_understands() -> None:
    script = DEPLOY / "screening"
    assert subprocess.run(["sh", "-n", script]).returncode == 0
    assert script.read_text().rstrip().endswith('exec runuser -u screening -- .venv/bin/python manage.py "$@"')
