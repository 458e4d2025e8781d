"""`manage.py check_setup`: each thing that can be wrong with a running site is named, and what is right is not."""

import datetime
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core import checks, mail
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from intake_site import live_checks, server
from intake_site.headers import HEADERS
from screening import clock, retention
from screening.models import ErasureCount, JobRun, Notification, Phone, Review, Submission
from screening.rules import sources
from tests.answers import IOP
from tests.desk.helpers import member, submit

pytestmark = pytest.mark.django_db
FAULTS = {
    "drops a header": "E043",
    "drops HSTS": "E043",
    "is in error": "E042",
    "believes SCRIPT_NAME": "E044",
    "believes X-Forwarded-Host": "E045",
    "takes any body": "E046",
    "waits for any body": "E046",
    "waits for a body": "W022",
}


class Careless(BaseHTTPRequestHandler):
    """The site behind its proxy, as it should be, but for one `fault`."""

    fault = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        moved = self.headers["SCRIPT_NAME"] if self.fault == "believes SCRIPT_NAME" else None
        host = self.headers["X-Forwarded-Host"] if self.fault == "believes X-Forwarded-Host" else None
        self._answer(502 if self.fault == "is in error" else 200, f'<a href="//{host or "x"}{moved or ""}/help/">')

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        if length > 256_000 and self.fault != "waits for any body":
            self._answer(200 if self.fault == "takes any body" else 413, "")
        else:
            self.connection.settimeout(None if self.fault == "waits for a body" or length > 256_000 else 0.5)
            self.close_connection = True
            with suppress(OSError):
                self.rfile.read(length)

    def _answer(self, status: int, text: str) -> None:
        self.close_connection = True
        self.send_response(status)
        sent = HEADERS | {
            "X-Frame-Options": "DENY",
            "Cache-Control": "no-store",
            "Strict-Transport-Security": "max-age=1",
        }
        for fault, name in (("drops a header", "Content-Security-Policy"), ("drops HSTS", "Strict-Transport-Security")):
            if self.fault == fault:
                del sent[name]
        for name, value in (sent | {"Content-Length": str(len(text))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_given: Any) -> None: ...


def certificate(folder: Path, days: int) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that ends in so many days; return it, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name, ends = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), now + timedelta(days=days)
    number = x509.random_serial_number()
    made = x509.CertificateBuilder(name, name, key.public_key(), number, now - timedelta(days=9), ends)
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = made.sign(key, hashes.SHA256())
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    return paths


@pytest.fixture
def serve(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Give what serves the site over TLS, with one fault, at SITE_URL."""
    settings.HTTPS = True
    monkeypatch.setattr(live_checks, "SILENCE", 2)
    monkeypatch.setattr(live_checks, "PATIENCE", 2)
    trusting = ssl.create_default_context
    started: list[ThreadingHTTPServer] = []

    def begin(fault: str = "", days: int = 90, trusted: bool = True) -> None:
        certified, key = certificate(tmp_path, days)
        served = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Careless,), {"fault": fault}))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certified, key)
        served.socket = context.wrap_socket(served.socket, server_side=True)
        threading.Thread(target=served.serve_forever, daemon=True).start()
        started.append(served)
        settings.SITE_URL = f"https://localhost:{served.server_port}"
        if trusted:
            monkeypatch.setattr(ssl, "create_default_context", lambda: trusting(cafile=certified))

    yield begin
    for each in started:
        each.shutdown()
        each.server_close()


def ids(*found: Iterator[checks.CheckMessage]) -> list[str]:
    return [str(message.id).removeprefix("intake_site.") for each in found for message in each]


def outside() -> list[str]:
    site = live_checks.Site()
    return ids(live_checks.site_from_outside(site), live_checks.proxy(site))


def test_site_as_it_should_be_has_no_message(serve: Callable[..., None]) -> None:
    serve()
    assert outside() == []


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_proxy_does_wrong_is_named(serve: Callable[..., None], fault: str) -> None:
    serve(fault)
    assert outside() == [FAULTS[fault]]


def test_certificate_is_watched(serve: Callable[..., None]) -> None:
    serve(days=13)
    assert outside() == ["W021"]
    serve(days=-1)
    assert outside() == ["E040"]


def test_certificate_that_browsers_refuse_is_named(serve: Callable[..., None]) -> None:
    serve(trusted=False)
    assert outside() == ["E040"]


@pytest.mark.parametrize("address", ["https://localhost:1", "https://no.such.host.invalid", "https://"])
def test_site_that_does_not_answer_is_named(settings: Any, address: str) -> None:
    settings.SITE_URL = address
    assert outside() == ["E041"]


def test_site_without_tls_is_named(serve: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    serve()
    answers = SimpleNamespace(answer=lambda *_given, **_where: (SimpleNamespace(status=200), ""))
    assert ids(live_checks._plain_http(answers)) == ["E047"]  # type: ignore[arg-type]
    answers.answer = lambda *_given, **_where: (SimpleNamespace(status=301), "")
    assert ids(live_checks._plain_http(answers)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(("free", "found"), [(150e6, ["E049"]), (500e6, ["W049"]), (2e9, [])])
def test_disk_is_watched(monkeypatch: pytest.MonkeyPatch, free: float, found: list[str]) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=int(free)))
    assert ids(live_checks.disk()) == found


def test_clock_that_has_jumped_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert ids(live_checks.time_of_day()) == []
    long_ago = timezone.now() - clock.JUMP - timedelta(hours=1)
    ErasureCount.objects.create(day=long_ago.date(), reason="contact", last_run_at=long_ago)
    assert ids(live_checks.time_of_day()) == ["E050"]


@pytest.mark.parametrize(("said", "found"), [("no\n", ["W024"]), ("yes\n", []), ("", [])])
def test_clock_that_nothing_sets_is_named(monkeypatch: pytest.MonkeyPatch, said: str, found: list[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "run", lambda *_given, **_more: SimpleNamespace(stdout=said))
    assert ids(live_checks.time_of_day()) == found


def test_mail_is_sent_on_request_and_a_refusal_told(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids(live_checks.mail("")) == []
    assert mail.outbox == []
    assert ids(live_checks.mail("owner@example.org")) == ["E055"], "there is no mail server"
    settings.EMAIL_HOST = "mail.example.org"
    assert ids(live_checks.mail("owner@example.org")) == []
    assert [each.to for each in mail.outbox] == [["owner@example.org"]]
    settings.EMAIL_BACKEND = "no.such.backend"
    assert ids(live_checks.mail("owner@example.org")) == ["E051"]


def test_mail_that_could_not_be_sent_is_counted() -> None:
    Notification.objects.create(reason="account", to="a@example.org", attempts=1)
    assert ids(live_checks.mail("")) == ["E052"]


def test_backup_and_verified_log_must_be_recent() -> None:
    assert ids(live_checks.jobs()) == ["E053", "W025"]
    JobRun.finished(JobRun.Job.BACKUP)
    JobRun.finished(JobRun.Job.VERIFY_LOG)
    assert ids(live_checks.jobs()) == []
    JobRun.objects.update(finished_at=timezone.now() - timedelta(days=3))
    assert ids(live_checks.jobs()) == ["E053"]
    JobRun.objects.update(finished_at=timezone.now() + timedelta(days=1))
    assert ids(live_checks.jobs()) == ["E053", "W025"], "the clock was ahead"
    JobRun.objects.update(finished_at=timezone.now() - timedelta(days=36))
    assert ids(live_checks.jobs()) == ["E053", "W025"]


def test_changed_row_is_an_error(settings: Any) -> None:
    case, author = submit(IOP), member("ann")
    Review.objects.create(submission=case, program="iop", agrees=True, author=author)
    assert ids(live_checks.seals()) == []
    Review.objects.update(program="inpatient")
    Submission.objects.update(urgency=3)
    (message,) = live_checks.seals()
    assert message.msg == "2 rows were changed in the database."
    settings.DATA_KEYS = ["another-key" * 6]
    assert ids(live_checks.seals()) == [], "it is not the rows that were changed"


def test_staff_without_a_second_factor_are_counted() -> None:
    ann, _closed = member("ann"), member("ben")
    _closed.is_active = False
    _closed.save()
    assert ids(live_checks.accounts()) == ["W026"]
    phone = Phone.new(ann)
    assert ids(live_checks.accounts()) == ["W026"], "it is not confirmed yet"
    phone.confirmed = True
    phone.save()
    assert ids(live_checks.accounts()) == []


def test_sources_must_be_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = max(source.checked for source in sources.SOURCES.values())
    monkeypatch.setattr(timezone, "localdate", lambda: newest + timedelta(days=170))
    assert ids(live_checks.sources()) == []
    monkeypatch.setattr(timezone, "localdate", lambda: newest + timedelta(days=181))
    assert ids(live_checks.sources()) == ["W027"]


def test_durability_of_postgresql_is_asked_of_the_server() -> None:
    found = [message.msg for message in live_checks.durability()]
    # The tests' own server is set to be fast.
    names = ("fsync", "full_page_writes", "synchronous_commit") if connection.vendor == "postgresql" else ()
    assert sorted(found) == [f"PostgreSQL may lose what it confirmed: {name}." for name in names]


def test_command_tells_the_most_dangerous_first_and_exits_by_it(settings: Any, center_tells: Any) -> None:
    settings.SITE_URL = "https://localhost:1"
    center_tells(phone="")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_setup", stdout=out)
    assert ended.value.code == 2
    levels = [line.partition(":")[0] for line in out.getvalue().splitlines() if line.startswith(("ERROR", "Warning"))]
    assert levels == sorted(levels), "errors come first"
    assert {"ERROR", "Warning"} == {*levels}
    for words in (
        "does not answer at https://localhost:1",
        "The center has no phone",
        "Backup, verified",
        "HTTPS is off",
    ):
        assert words in out.getvalue()
    assert out.getvalue().index("HTTPS is off") < out.getvalue().index("The center has no phone")


@pytest.mark.parametrize(
    ("found", "code", "last"),
    [
        ([], 0, "All is well."),
        ([checks.Warning("w")], 1, "0 errors, 1 warnings."),
        ([checks.Error("e"), checks.Warning("w")], 2, "1 errors, 1 warnings."),
    ],
)
def test_exit_status_is_that_of_monitoring(monkeypatch: pytest.MonkeyPatch, found: Any, code: int, last: str) -> None:
    monkeypatch.setattr(live_checks, "problems", lambda _address: found)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_setup", stdout=out)
    assert (ended.value.code, out.getvalue().splitlines()[-1]) == (code, last)


def test_owner_gets_one_mail_a_day_about_problems_and_none_without(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_HOST, settings.ADMINS = "mail.example.org", [("", "owner@example.org")]
    settings.SITE_URL = "https://localhost:1"
    for _hour in range(3):
        server.run_hourly_jobs()
    (row,) = Notification.objects.filter(reason="problems")
    assert row.to == "owner@example.org"
    assert "Backup, verified: it was never done." in row.text
    monkeypatch.setattr(live_checks, "problems", list)
    JobRun.objects.update(finished_at=timezone.now() - timedelta(days=1))
    server.run_hourly_jobs()
    assert Notification.objects.filter(reason="problems").count() == 1


def test_checks_that_fail_hold_up_nothing_that_erases(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    settings.EMAIL_HOST = "mail.example.org"
    monkeypatch.setattr(live_checks, "problems", lambda: 1 // 0)
    monkeypatch.setattr(retention, "truncate_journal", lambda: done.append("journal"))
    with pytest.raises(ZeroDivisionError):
        server.run_hourly_jobs()
    assert done, "bytes of what was erased may stay in the journal"


def test_problems_without_a_database_are_told_all_the_same(
    database_goes_down: Callable[[], None], settings: Any
) -> None:
    settings.SITE_URL = "https://localhost:1"
    database_goes_down()
    assert {"intake_site.E028", "intake_site.E041"} <= {message.id for message in live_checks.problems()}
