"""The server in its own process: where it listens, and what it logs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.helpers import free_port

pytestmark = pytest.mark.sqlite_is_enough

ROOT = Path(__file__).resolve().parent.parent
SECRET = "ZEBROWSKI0QUILLON"
BROKEN = """
from intake_site.settings import *
TEMPLATES = []  # even the page that says that something failed fails
"""


def send(port: int, request: bytes, host: str = "127.0.0.1") -> bytes:
    with closing(socket.create_connection((host, port), timeout=20)) as connection:
        connection.sendall(request)
        return connection.recv(1000)


@contextmanager
def running(folder: Path, config: str, settings: str) -> Iterator[int]:
    """Run the server with this configuration and these settings, and its log in folder/log; yield its port."""
    chosen = free_port()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{folder}:{ROOT}", "DJANGO_SETTINGS_MODULE": settings}
    environment |= {
        "SECRET_KEY": "x" * 50,
        "DATA_KEYS": "y" * 50,
        "VAR_DIR": str(folder),
        "PORT": str(chosen),
        "WORKERS": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", f"python:{config}", "intake_site.wsgi"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment | {"HTTPS": "off"}, stdout=log, stderr=log)
    for _attempt in range(200):
        try:
            socket.create_connection(("127.0.0.1", chosen), timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield chosen
    server.terminate()
    server.wait(20)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Start a server whose every page fails; return its port."""
    (tmp_path / "broken.py").write_text(BROKEN)
    with running(tmp_path, "intake_site.server", "broken") as chosen:
        yield chosen


def test_server_is_for_this_machine_and_writes_down_nothing_that_was_sent(port: int, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="refused"):
        send(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", host="127.0.0.2")
    malformed = (
        f"{SECRET} / HTTP/9\r\n\r\n",
        f"GET /{SECRET} HTTP/1.1\r\nHost: localhost\r\n{SECRET}\r\n\r\n",
        f"GET /{SECRET} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {SECRET}\r\n\r\n",
        f"POST /{SECRET} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: {SECRET}\r\n\r\n",
        f"GET /{SECRET} HTTP/1.1\r\nHost: localhost\r\nX: {SECRET * 1000}\r\n\r\n",
    )
    for request in malformed:
        send(port, request.encode())
    for page in ("return", "privacy", SECRET):
        request = f"GET /{page}/?code={SECRET} HTTP/1.1\r\nHost: localhost\r\nCookie: draft={SECRET}\r\n\r\n"
        assert b" 500 " in send(port, request.encode())
    log = (tmp_path / "log").read_text()
    assert "gunicorn.error" in log  # the server has logged something
    assert "TemplateDoesNotExist" in log
    assert SECRET not in log
    assert "127.0.0.1" not in log
    assert SECRET.lower() not in log.lower()
