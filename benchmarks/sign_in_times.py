"""Whether the time of a refused sign-in tells that a name exists: the AUC of known against unknown names.

0.5 says nothing, 1.0 everything. `--load` has that many others open pages meanwhile.
.venv/bin/python -m benchmarks.sign_in_times       # --tries 500 --load 8
"""

import argparse
import http.client
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

ACCOUNTS = """
from django.contrib.auth.models import User
users = [User(username=f"known{number}", is_staff=True) for number in range(COUNT)]
users[0].set_password("not the one that is tried")
for user in users:
    user.password = users[0].password
User.objects.bulk_create(users)
"""


def request(port: int, method: str, path: str, body: str = "", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    response.text = response.read().decode()  # type: ignore[attr-defined]
    connection.close()
    return response


def seconds_to_refuse(port: int, name: str) -> float:
    """Try a wrong password from an address of its own; return how long the answer to the POST took."""
    address = ".".join(str(random.randrange(1, 255)) for _part in range(4))
    page = request(port, "GET", "/admin/login/", **{"X-Forwarded-For": address})
    cookie = (page.getheader("Set-Cookie") or "").partition(";")[0]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)  # type: ignore[attr-defined]
    assert token
    form = urlencode({"username": name, "password": "wrong", "csrfmiddlewaretoken": token[1]})
    headers = {"X-Forwarded-For": address, "Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    start = time.perf_counter()
    answer = request(port, "POST", "/admin/login/", form, **headers)
    taken = time.perf_counter() - start
    assert answer.status == 200, answer.status
    return taken


def auc(known: list[float], unknown: list[float]) -> float:
    """The chance that a known name takes longer than an unknown one."""
    wins = sum((a > b) + 0.5 * (a == b) for a in known for b in unknown)
    return wins / (len(known) * len(unknown))


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--tries", type=int, default=500)
    options.add_argument("--load", type=int, default=0)
    given = options.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"VAR_DIR": folder, "PORT": str(port), "BEHIND_PROXY": "on", "HTTPS": "off"}
        for name in ("SECRET_KEY", "DATA_KEYS"):
            environment[name] = name * 10
        log = (Path(folder) / "log").open("w")
        server = subprocess.Popen([sys.executable, "-m", "intake_site.local"], env=environment, stdout=log, stderr=log)
        try:
            measure(port, environment, given.tries, given.load)
        finally:
            server.terminate()
            server.wait()


def measure(port: int, environment: dict[str, str], tries: int, load: int) -> None:
    while True:
        try:
            request(port, "GET", "/help/")
            break
        except OSError:
            time.sleep(0.2)
    count = tries // 10  # accounts: few tries for each name, for more would be answered otherwise
    script = ACCOUNTS.replace("COUNT", str(count))
    subprocess.run([sys.executable, "manage.py", "shell", "-v", "0", "-c", script], env=environment, check=True)
    done = threading.Event()

    def visit() -> None:
        while not done.is_set():
            request(port, "GET", "/")
            time.sleep(0.02)

    visitors = [threading.Thread(target=visit) for _number in range(load)]
    for visitor in visitors:
        visitor.start()
    names = [f"{kind}{number % count}" for number in range(tries // 2) for kind in ("known", "unknown")]
    random.shuffle(names)
    times: dict[bool, list[float]] = {True: [], False: []}
    for name in names:
        times[name.startswith("known")].append(seconds_to_refuse(port, name))
    done.set()
    for visitor in visitors:
        visitor.join()
    for known, label in ((True, "known"), (False, "unknown")):
        print(f"{label:8} median {1000 * statistics.median(times[known]):.1f} ms")
    print(f"AUC {auc(times[True], times[False]):.3f} ({tries} tries, {load} visitors beside)")


if __name__ == "__main__":
    main()
