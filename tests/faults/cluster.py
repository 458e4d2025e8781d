"""Three PostgreSQL servers with synchronous replication, which Patroni and etcd have fail over by themselves.

All of it runs on this machine, from Debian's packages (patroni, etcd-server, postgresql), as `nobody` where the tests
run as root: PostgreSQL refuses to run as root.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.helpers import free_port

NODES = ("one", "two", "three")
SETTLED = 6.0  # seconds; Patroni looks every 5
NEEDED = "the fail-over tests need Debian's packages patroni, etcd-server and postgresql: run make test-faults as root"
# A leader that is gone for 20 s has a successor.
SETTINGS = """
scope: screening
name: {name}
restapi: {{listen: "127.0.0.1:{api}", connect_address: "127.0.0.1:{api}"}}
etcd3: {{host: "127.0.0.1:{etcd}"}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 5
    retry_timeout: 5
    synchronous_mode: true
    postgresql: {{use_pg_rewind: true, parameters: {{max_connections: 100, wal_log_hints: "on"}}}}
  initdb: [{{encoding: UTF8}}, data-checksums]
postgresql:
  listen: "127.0.0.1:{port}"
  connect_address: "127.0.0.1:{port}"
  data_dir: {data}
  bin_dir: {binaries}
  pgpass: {data}.pgpass
  pg_hba: ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
  authentication:
    superuser: {{username: postgres, password: postgres}}
    replication: {{username: replicator, password: replicator}}
    rewind: {{username: rewinder, password: rewinder}}
  parameters: {{unix_socket_directories: {home}}}
"""


class Node:
    """One server and the Patroni that looks after it."""

    def __init__(self, cluster: "Cluster", name: str) -> None:
        self.cluster, self.name = cluster, name
        self.port, self.api = free_port(), free_port()
        self.data = cluster.home / name
        self.settings = cluster.home / f"{name}.yml"
        self.settings.write_text(
            SETTINGS.format(
                name=name,
                api=self.api,
                etcd=cluster.etcd_port,
                port=self.port,
                data=self.data,
                binaries=cluster.binaries,
                home=cluster.home,
            )
        )
        self.start()

    def start(self) -> None:
        self.patroni = self.cluster.run("patroni", str(self.settings))

    def asked(self) -> dict[str, Any]:
        """Return what Patroni tells of this server; {} if it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.api}/patroni", timeout=2) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))
        except (OSError, ValueError):
            return {}

    @property
    def is_leader(self) -> bool:
        told = self.asked()
        return told.get("role") in ("master", "primary") and told.get("state") == "running"

    @property
    def follows(self) -> bool:
        """Whether it has everything that the leader has, as it comes."""
        told = self.asked()
        return told.get("role") == "replica" and told.get("state") == "running" and "xlog" in told

    def processes(self) -> Iterator[int]:
        """Yield the number of Patroni, then of the server, its children first."""
        yield self.patroni.pid
        try:
            server = int((self.data / "postmaster.pid").read_text().split()[0])
            children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        except (OSError, IndexError, ValueError):
            return
        yield from (*map(int, children), server)

    def signal(self, number: int) -> None:
        """Send a signal to all that belongs to this node, as if its machine had lost its power, or been stopped."""
        for process in [*self.processes()]:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.patroni.wait()


class Cluster:
    """Raise RuntimeError if it does not come up."""

    def __init__(self) -> None:
        servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not (servers and all(map(shutil.which, ("patroni", "etcd")))):
            raise RuntimeError(NEEDED)
        self.binaries = servers[0].parent  # Debian's patroni knows the one of the same release
        self.user = "nobody" if os.geteuid() == 0 else None
        self.home = Path(tempfile.mkdtemp(prefix="test-cluster-"))
        self.home.chmod(0o700)
        if self.user:
            shutil.chown(self.home, self.user)
        self.etcd_port, peer = free_port(), free_port()
        client, between = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{peer}"
        self.etcd = self.run(
            *("etcd", "--data-dir", str(self.home / "etcd"), "--unsafe-no-fsync"),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", between, "--initial-advertise-peer-urls", between),
            *("--initial-cluster", f"default={between}"),
        )
        self.nodes = [Node(self, name) for name in NODES]
        try:
            self.wait_until_whole(120)
        except BaseException:
            self.remove()
            raise

    def run(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.home / "log").open("ab") as log:
            return subprocess.Popen(command, user=self.user, cwd=self.home, stdout=log, stderr=log)

    @property
    def url(self) -> str:
        """Where the site finds whichever server leads."""
        hosts, ports = ",".join(["127.0.0.1"] * len(NODES)), ",".join(str(node.port) for node in self.nodes)
        return f"postgresql://postgres:postgres@/postgres?host={hosts}&port={ports}&target_session_attrs=read-write"

    @property
    def leader(self) -> Node | None:
        return next((node for node in self.nodes if node.is_leader), None)

    def wait_until_whole(self, seconds: float) -> None:
        """Wait for a leader, followed by all others, of which one confirms each commit, for longer than a round.

        While Patroni changes who confirms, no server may follow a leader that is lost: it then waits for it to return.
        """
        ends, since = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() - since < SETTLED:
            if not self.is_whole():
                since = time.monotonic()
            if time.monotonic() > ends:
                told = {node.name: node.asked() for node in self.nodes}
                raise RuntimeError(f"the cluster is not whole: {told}\n{self.log()[-3000:]}")
            time.sleep(0.5)

    def is_whole(self) -> bool:
        followers = [node.asked() for node in self.nodes if node.follows]
        return bool(self.leader) and len(followers) == 2 and any(told.get("sync_standby") for told in followers)

    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def remove(self) -> None:
        for node in self.nodes:
            node.signal(signal.SIGCONT)
            node.kill()
        self.etcd.kill()
        self.etcd.wait()
        shutil.rmtree(self.home, ignore_errors=True)
