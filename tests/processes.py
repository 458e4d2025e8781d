"""The site in its own processes, and a browser without a window: for tests of the whole."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

from bs4 import BeautifulSoup

from screening.questionnaire import PAGES
from tests.answers import on_page
from tests.helpers import free_port

ROOT = Path(__file__).resolve().parent.parent


def environment(var: Path, port: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"VAR_DIR": str(var), "PORT": port}


class Browser:
    """Cookies of its own, no script. Errors of the server are answers like any others."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.status = 0  # of the latest answer

    def get(self, address: str, form: dict[str, str] | None = None) -> str:
        """Return the page that the address leads to. Raise a URLError, or another OSError, if none came."""
        try:
            response = self.opener.open(self.url + address, urlencode(form).encode() if form else None, timeout=60)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            self.status = response.status
            return str(response.read().decode())

    def send(self, page: str, address: str, typed: dict[str, str]) -> str:
        """Fill in the form of a page, and send it to this address."""
        hidden = BeautifulSoup(page, "lxml").select("form[method=post] input[type=hidden]")
        return self.get(address, {str(field["name"]): str(field.get("value", "")) for field in hidden} | typed)

    def post(self, address: str, typed: dict[str, str]) -> str:
        """Open the page of this address, and send its form back to it."""
        return self.send(self.get(address), address, typed)

    def answers_every_page(self, given: dict[str, str]) -> None:
        for page in PAGES:
            self.post(f"/questions/{page.slug}/", on_page(page, given))


class Site(Browser):
    """A running `make run` in its own directory, and a browser that looks at it."""

    def __init__(self, var: Path, **variables: str) -> None:
        self.port = str(free_port())
        super().__init__(f"http://127.0.0.1:{self.port}")
        self.var, self.variables = var, variables
        self.start()

    def start(self) -> None:
        self.log = (self.var.parent / f"log-{self.port}").open("a")
        started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "intake_site.local"],
            cwd=ROOT,
            env=environment(self.var, self.port) | self.variables,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        while True:
            try:
                self.get("/help/")
                break
            except OSError:
                assert self.process.poll() is None, self.output()
                assert time.monotonic() - started < 60, self.output()
                time.sleep(0.05)

    def output(self) -> str:
        return Path(self.log.name).read_text()

    @property
    def password(self) -> str:
        """The password of the first account, `staff`, as the first start printed it."""
        (password,) = re.findall(r"password\s+(\S{16})\n", self.output())
        return str(password)

    def add_demo_submissions(self) -> None:
        subprocess.run(
            [sys.executable, "-m", "intake_site.demo"],
            cwd=ROOT,
            env=environment(self.var, self.port) | {"HTTPS": "off"},
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a management command beside the site."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment(self.var, self.port) | {"HTTPS": "off"} | self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.log.close()

    def kill(self) -> None:
        """Kill the server and its workers, as a loss of power would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        self.log.close()
