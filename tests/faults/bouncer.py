"""pgbouncer in transaction mode between the site and PostgreSQL: each transaction may come over another connection."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.databases import PostgreSQL
from tests.faults.conftest import answered, press_save
from tests.helpers import free_port
from tests.processes import ROOT, Site

SETTINGS = """
[databases]
postgres = host={server.socket} dbname=postgres user=tests
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
"""
CONNECTIONS, BROWSERS = 3, 12
# As docs/scaling.md tells those who run commands.
(WITHOUT_LIMITS,) = re.findall('PGOPTIONS="(.+)"', (ROOT / "docs/scaling.md").read_text())


@pytest.fixture
def through(server: PostgreSQL) -> Iterator[str]:
    """Run pgbouncer with few connections; give the address of the database behind it."""
    if not (command := shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")):
        pytest.fail("this needs Debian's package pgbouncer: run make test-faults as root", pytrace=False)
    port = free_port()
    settings = server.home / "pgbouncer.ini"
    settings.write_text(SETTINGS.format(server=server, port=port, connections=CONNECTIONS))
    with (server.home / "pgbouncer.log").open("ab") as log:
        process = subprocess.Popen([command, str(settings)], user=server.user, stdout=log, stderr=log)
    yield f"postgresql://tests@127.0.0.1:{port}/postgres"
    process.terminate()
    process.wait()


def warned(site: Site) -> list[str]:
    """Return the statements by which the check says that limits are set."""
    checking = site.command("check", "--deploy", "--database", "default")
    told, _errors = checking.communicate()
    return re.findall(r"ALTER ROLE \w+ SET \w+ = \d+;", told)


def test_site_works_through_a_pooler_and_its_pages_keep_their_limits(
    server: PostgreSQL, through: str, tmp_path: Path
) -> None:
    site = Site(tmp_path / "var", DATABASE_URL=through, POOLER="on", WORKERS="2")
    try:
        statements = warned(site)
        assert len(statements) == 3
        with psycopg.connect(server.url, autocommit=True) as direct:
            for statement in statements:
                direct.execute(statement)
            direct.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        time.sleep(1)  # until pgbouncer and the site have seen it
        assert warned(site) == []
        with psycopg.connect(through) as pooled:
            assert pooled.execute("SHOW statement_timeout").fetchone() == ("10s",)
        browsers = answered(site, BROWSERS)
        with ThreadPoolExecutor(BROWSERS) as pool:
            assert all(pool.map(press_save, browsers))
        with psycopg.connect(server.url) as direct:
            assert direct.execute("SELECT count(*) FROM screening_submission").fetchone() == (BROWSERS,)
            query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            (open_now,) = direct.execute(query).fetchone() or ()
            assert open_now <= CONNECTIONS + 1, "those of the pooler, and this one"
        verified, _errors = site.command("verify_results").communicate()
        assert f"{BROWSERS} checked: {BROWSERS} agree" in verified
        with psycopg.connect(server.url, autocommit=True) as direct:
            direct.execute("ALTER ROLE tests SET statement_timeout = 1")  # ms, for all that takes long
        site.variables |= {"DATABASE_URL": server.url, "POOLER": "off", "PGOPTIONS": WITHOUT_LIMITS}
        verified, _errors = site.command("verify_results").communicate()
        assert f"{BROWSERS} checked: {BROWSERS} agree" in verified
    finally:
        site.kill()


def test_control_without_the_setting_the_pooler_refuses_what_pages_ask_of_it(through: str, tmp_path: Path) -> None:
    site = Site(tmp_path / "var", DATABASE_URL=through, WORKERS="1")
    try:
        (browser,) = answered(site, 1)
        assert not press_save(browser)
        assert browser.status == 503
    finally:
        site.kill()
