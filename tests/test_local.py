"""`make run` in its own process: what it creates and prints, and a submission from the first page to the desk."""

import gzip
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from intake_site.local import make_secret
from screening.help_lines import tel
from screening.questionnaire import PAGES
from tests.answers import CLOSE_CALL, IOP, on_page
from tests.processes import ROOT, Site, environment

pytestmark = pytest.mark.sqlite_is_enough

KEYS = {"SECRET_KEY": "x" * 50, "DATA_KEYS": "y" * 50}


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("local") / "var"


@pytest.fixture(scope="module")
def first(var: Path) -> Iterator[Site]:
    site = Site(var)
    yield site
    site.stop()


def test_first_run_makes_a_secret_and_an_account_and_the_job_gets_done(first: Site, var: Path) -> None:
    secret, data_keys = var / "secret_key", var / "data_keys"
    for made in (secret, data_keys, var / "db.sqlite3"):
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert len(secret.read_text()) >= 50
    assert len(data_keys.read_text()) >= 50
    assert secret.read_text() != data_keys.read_text()
    for page in PAGES:
        first.post(f"/questions/{page.slug}/", on_page(page, IOP))
    result = first.post("/check/", {"action": "save"})
    assert "may be a good place to start" in result
    (reference,) = re.findall(r'class="reference">(.{4}-.{4})<', result)
    first.post("/admin/login/", {"username": "staff", "password": first.password, "next": "/admin/"})
    assert reference in first.get("/admin/screening/submission/")


def test_style_sheet_is_compressed_and_cached_for_good(first: Site) -> None:
    (address,) = re.findall(r'href="(/static/screening/site\.\w+\.css)"', first.get("/"))
    request = urllib.request.Request(first.url + address, headers={"Accept-Encoding": "br"})
    with first.opener.open(request) as response:
        assert response.headers["Content-Encoding"] == "br"
        assert "immutable" in response.headers["Cache-Control"]
        assert len(response.read()) < 5000


def on_the_wire(site: Site, address: str, data: dict[str, str] | None = None) -> tuple[str, int, int]:
    """Return the page, and the bytes of its body and of its head as they were sent."""
    sent = urllib.parse.urlencode(data).encode() if data else None
    request = urllib.request.Request(site.url + address, sent, {"Accept-Encoding": "gzip, br"})
    with site.opener.open(request) as response:
        body = response.read()
        head = f"HTTP/1.1 {response.status} {response.reason}\r\n{response.headers}"
        page = gzip.decompress(body) if response.headers["Content-Encoding"] == "gzip" else body
        return page.decode("utf-8", "replace"), len(body), len(head.replace("\n", "\r\n"))


@pytest.mark.parametrize("prefix", ["", "/es"])
def test_pages_are_small_enough_for_a_slow_line(var: Path, prefix: str) -> None:
    site = Site(var)
    try:
        start, body, head = on_the_wire(site, f"{prefix}/")
        question, *sizes = on_the_wire(site, f"{prefix}/questions/{PAGES[0].slug}/")
        body, head = body + sizes[0], head + sizes[1]
        for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', start + question)):
            _file, *sizes = on_the_wire(site, address)
            body, head = body + sizes[0], head + sizes[1]
        assert body <= 7000
        assert body + head <= 11_000
        for page in PAGES:
            assert on_the_wire(site, f"{prefix}/questions/{page.slug}/")[1] <= 3000, page.slug
            site.post(f"{prefix}/questions/{page.slug}/", on_page(page, CLOSE_CALL))
        assert on_the_wire(site, f"{prefix}/check/")[1] <= 4000
        site.post(f"{prefix}/check/", {"action": "view"})
        assert on_the_wire(site, f"{prefix}/result/")[1] <= 7000
        site.post(f"{prefix}/check/", {"action": "save"})
        assert on_the_wire(site, f"{prefix}/result/")[1] <= 7000
    finally:
        site.stop()


def test_second_run_makes_nothing_anew_and_takes_under_three_seconds_of_a_core(first: Site, var: Path) -> None:
    """Tests beside this one lengthen seconds of the clock, so these have room: `benchmarks.memory` shows them."""
    secrets = {name: (var / name).read_text() for name in ("secret_key", "data_keys")}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    second = Site(var, WORKERS="1")
    try:
        assert {name: (var / name).read_text() for name in secrets} == secrets
        assert "password" not in second.output()
        assert time.monotonic() - started < 15
    finally:
        second.stop()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert 0.2 < after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3


def test_it_starts_again_right_after_ctrl_c_even_if_a_browser_holds_a_connection(first: Site, var: Path) -> None:
    site = Site(var, WORKERS="1")
    with socket.create_connection(("127.0.0.1", int(site.port))) as held:
        held.sendall(b"GET /help/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert held.recv(15) == b"HTTP/1.1 200 OK"
        os.killpg(site.process.pid, signal.SIGINT)  # the terminal tells all of them
        site.process.wait(20)
        site.log.close()
        try:
            site.start()
        finally:
            site.stop()
    assert site.output().count("Open  http") == 2
    assert "Traceback" not in site.output()


@pytest.mark.parametrize(
    ("port", "words"),
    [("abc", "PORT must be a number"), ("70000", "PORT must be a number"), ("", "")],
)
def test_port_that_cannot_be_used_gets_one_plain_line(first: Site, var: Path, port: str, words: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "intake_site.local"],
        cwd=ROOT,
        env=environment(var, port or first.port),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert (words or f"Port {first.port} is in use") in ran.stderr


def check_output(**variables: str) -> str:
    """Return what `manage.py check` prints under this environment."""
    kept = {"PATH": os.environ["PATH"]}
    ran = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout + ran.stderr


def test_settings_without_a_key_say_what_to_do(tmp_path: Path) -> None:
    output = check_output(VAR_DIR=str(tmp_path))
    assert output.startswith("SECRET_KEY is not set.")
    assert output.count("\n") == 1


def test_settings_name_a_switch_that_is_neither_on_nor_off() -> None:
    assert check_output(**KEYS, DEBUG="maybe") == "DEBUG is 'maybe'. Set it to on or off.\n"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"SECRET_KEY": "a"}, "SECRET_KEY has 1 characters. It needs 50 or more, at random.\n"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_one_line(variables: dict[str, str], words: str) -> None:
    output = check_output(**(KEYS | variables))
    assert words in output
    assert output.count("\n") == 1


def test_secret_left_empty_by_a_start_cut_short_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    path.touch()
    make_secret(path)
    made = path.read_text()
    assert len(made) >= 50
    make_secret(path)
    assert path.read_text() == made


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("(405) 555-0100", "tel:+14055550100"),
        ("+1 405 555 0100", "tel:+14055550100"),
        ("1-405-555-0100", "tel:+14055550100"),
        ("", ""),
    ],
)
def test_phone_is_dialled_as_it_is_written(written: str, address: str) -> None:
    assert tel(written) == address


def test_settings_are_safe_when_nothing_is_set(tmp_path: Path) -> None:
    program = (
        "from intake_site import settings as s;"
        "assert s.DEBUG is False and s.HTTPS and s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE;"
        "assert s.ALLOWED_HOSTS == ['localhost', '127.0.0.1', '[::1]'];"
        "assert s.DRAFT_COOKIE_NAME.startswith('__Host-')"
    )
    variables = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path)} | KEYS
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ("no-such-python", "There is no no-such-python here. Install Python 3.11"),
        ("old-python", "old-python is too old. Install Python 3.11"),
        ("bare-python", "bare-python has no venv module. Install it"),
    ],
)
def test_python_that_cannot_be_used_gets_one_plain_line(tmp_path: Path, python: str, words: str) -> None:
    # Stand-ins for a Python that fails the check of its version, or of its venv module.
    for name, failing in (("old-python", "version_info"), ("bare-python", "ensurepip")):
        stand_in = tmp_path / name
        stand_in.write_text(f'#!/bin/sh\ncase "$2" in *{failing}*) exit 1;; esac\n')
        stand_in.chmod(0o755)
    variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHON": python}
    ran = subprocess.run(
        [ROOT / "scripts" / "venv", "requirements.txt"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith(words)
    assert ran.stderr.count("\n") == 1
