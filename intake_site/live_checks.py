"""What `manage.py check_setup` asks beside the system checks: it needs the site to run, and the network or the day.

Each check yields messages like a system check: what is wrong, and what to do.
"""

import http.client
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.checks import CheckMessage, run_checks
from django.core.mail import send_mail
from django.db import connection
from django.utils import timezone

from intake_site import checks, headers, health
from intake_site.checks import MAX_HELP_LINE_AGE, _error, _warning
from screening import clock, notifications
from screening.models import JobRun, Notification
from screening.models.keys import Canary, broken_seals
from screening.rules.sources import FOR_HELPERS, SOURCES

PATIENCE = 10.0  # seconds to wait for an answer of the site
SILENCE = 30  # seconds after which a body that does not come must have been refused
ELSEWHERE = "/elsewhere"  # where SCRIPT_NAME would move every link
BODY = 1_000_000  # bytes, more than any honest form has
LOOK_AT = {301: "Look at BEHIND_PROXY, and whether the proxy sets X-Forwarded-Proto.", 400: "Look at ALLOWED_HOSTS."}


class Site:
    """The site as others reach it, at SITE_URL."""

    def __init__(self) -> None:
        address = urlsplit(settings.SITE_URL)
        self.host, self.is_encrypted = address.hostname or "", address.scheme == "https"
        self.port = address.port or (443 if self.is_encrypted else 80)

    def connect(self, *, encrypted: bool = True, port: int | None = None) -> socket.socket:
        """Raise an OSError; an SSLError if the certificate is not valid."""
        plain = socket.create_connection((self.host, port or self.port), PATIENCE)
        context = ssl.create_default_context()
        return context.wrap_socket(plain, server_hostname=self.host) if encrypted and self.is_encrypted else plain

    def answer(self, *more: str, method: str = "GET", **where: Any) -> tuple[http.client.HTTPResponse, str]:
        """Ask for the start page with these header lines; return the answer and its text. Raise an OSError."""
        lines = [f"{method} / HTTP/1.1", f"Host: {self.host}", "Connection: close", *more, "", ""]
        with closing(self.connect(**where)) as connected:
            connected.sendall("\r\n".join(lines).encode())
            response = http.client.HTTPResponse(connected, method=method)
            response.begin()
            return response, response.read().decode(errors="replace")

    def days_of_certificate(self) -> float:
        with closing(self.connect()) as connected:
            ends = connected.getpeercert()["notAfter"]  # type: ignore[attr-defined]
        return (ssl.cert_time_to_seconds(ends) - time.time()) / 86400


def site_from_outside(site: Site) -> Iterator[CheckMessage]:
    """HTTPS, and the headers as they come through the proxy."""
    try:
        response, _text = site.answer()
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason
        yield _error(40, f"Browsers refuse the certificate of {settings.SITE_URL}: {reason}.", "Have it renewed.")
        return
    except (OSError, http.client.HTTPException) as error:
        yield _error(
            41,
            f"The site does not answer at {settings.SITE_URL} ({type(error).__name__}).",
            "Look whether the server and the proxy run, and whether SITE_URL is the address that people use.",
        )
        return
    if response.status != 200:
        hint = LOOK_AT.get(response.status, "Look whether the server runs (systemctl status screening.service).")
        yield _error(42, f"The start page is answered by {response.status}.", hint)
    wanted = headers.HEADERS | {
        "Strict-Transport-Security": "max-age=" if settings.HTTPS else "",
        "X-Frame-Options": "DENY",
        "Cache-Control": headers.NO_STORE,
    }
    missing = [name for name, value in wanted.items() if value and value not in (response.headers[name] or "")]
    if response.status == 200 and missing:
        yield _error(43, f"The proxy changes or drops {', '.join(missing)}.", "Have it pass all headers as they are.")
    if site.is_encrypted and site.days_of_certificate() < 14:
        yield _warning(21, "The certificate ends within two weeks.", "See why: certbot renew --dry-run")


def proxy(site: Site) -> Iterator[CheckMessage]:
    """What the proxy must refuse or drop; that the site answers at all is asked before."""
    try:
        _response, text = site.answer(f"SCRIPT_NAME: {ELSEWHERE}", f"Script-Name: {ELSEWHERE}")
        if ELSEWHERE in text:
            yield _error(44, "A visitor can move the site by SCRIPT_NAME.", "nginx: underscores_in_headers off;")
        _response, text = site.answer("X-Forwarded-Host: elsewhere.example", "Forwarded: host=elsewhere.example")
        if "elsewhere.example" in text:
            yield _error(45, "A visitor can rename the site by X-Forwarded-Host.", "Have the proxy clear it.")
        if not _is_refused(site):
            yield _error(46, f"A body of {BODY:,} bytes is taken.", "nginx: client_max_body_size 256k;")
        yield from _plain_http(site)
        yield from _slow_body(site)
    except (OSError, http.client.HTTPException):
        return


def _is_refused(site: Site) -> bool:
    """Whether the proxy says that a body is too long before any of it comes; else it waits, and would keep it all."""
    try:
        return site.answer(f"Content-Length: {BODY}", method="POST")[0].status == 413
    except (OSError, http.client.HTTPException):
        return False


def _plain_http(site: Site) -> Iterator[CheckMessage]:
    """Without TLS there must be nothing but the way to HTTPS, whatever a visitor says of their connection."""
    try:
        response, _text = site.answer("X-Forwarded-Proto: https", encrypted=False, port=80)
    except (OSError, http.client.HTTPException):
        return  # nothing answers there
    if response.status == 200:
        yield _error(47, "The site answers without TLS.", "Have the proxy set X-Forwarded-Proto itself.")


def _slow_body(site: Site) -> Iterator[CheckMessage]:
    with closing(site.connect()) as connected:
        connected.sendall(f"POST / HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: 99\r\n\r\nx".encode())
        connected.settimeout(SILENCE)
        try:
            connected.recv(1)  # an answer, or the end of the connection
        except TimeoutError:
            yield _warning(
                22, f"A body that does not come is awaited longer than {SILENCE} seconds.", "client_body_timeout 10s;"
            )


def durability() -> Iterator[CheckMessage]:
    """Whether PostgreSQL confirms only what a loss of power can't undo."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name FROM pg_settings WHERE setting = 'off' "
                "AND name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
            )
            for (name,) in cursor.fetchall():
                hint = f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();"
                yield _error(48, f"PostgreSQL may lose what it confirmed: {name}.", hint)


def disk() -> Iterator[CheckMessage]:
    free = health.free_disk()
    if free < 5 * health.LEAST_DISK:
        serious = _error if free < health.LEAST_DISK else _warning
        yield serious(49, f"{free // 1_000_000:,} MB are free in {settings.VAR_DIR}.", "Make room on the disk.")


def time_of_day() -> Iterator[CheckMessage]:
    """Whether the clock is right: times decide when something is due, and when it is erased."""
    if clock.has_jumped():
        yield _error(
            50, "The clock may be wrong, or the site was off for days: nothing expired is erased.",
            "If the clock is right: manage.py forget_expired --clock-is-right",
        )  # fmt: skip
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            away = abs((cursor.fetchone()[0] - timezone.now()).total_seconds())
        if away > 5:
            yield _warning(23, f"The clock of the database is {away:,.0f} seconds away.", "Set both by NTP.")
    if shutil.which("timedatectl"):
        asked = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
        said = subprocess.run(asked, capture_output=True, text=True)  # noqa: S603 - our own words
        if said.stdout.strip() == "no":
            yield _warning(24, "Nothing sets the clock of this machine.", "timedatectl set-ntp true")


def mail(send_to: str) -> Iterator[CheckMessage]:
    """Whether mail to staff leaves; with an address, by a real one."""
    if send_to and not settings.EMAIL_HOST:
        yield _error(55, "No mail can be sent: there is no mail server.", "Set EMAIL_HOST.")
    elif send_to:
        try:
            send_mail("Program fit: a test", "Mail from the site arrives.\n", None, [send_to])
        except Exception as error:  # a mail server may say anything
            yield _error(
                51, f"The test mail was not taken: {type(error).__name__} {error}", "Look at EMAIL_HOST and the rest."
            )
    if unsent := notifications.unsent():
        yield _error(52, f"{unsent:,} notifications to staff could not be sent.", "Look at EMAIL_HOST and the log.")


def jobs() -> Iterator[CheckMessage]:
    """The last runs of what timers of the machine do; what the server does itself is among the system checks."""
    for job, most, serious, command in (
        (JobRun.Job.BACKUP, timedelta(days=2), _error, "backup /var/backups/screening"),
        (JobRun.Job.VERIFY_LOG, timedelta(days=35), _warning, "verify_log"),
    ):
        last = JobRun.last(job)
        if last is None or timezone.now() - last > most:
            when = f"was last done on {last:%Y-%m-%d}" if last else "was never done"
            number = 53 if serious is _error else 25
            yield serious(number, f"{job.label}: it {when}.", f"Have a timer run it: manage.py {command}")


def seals() -> Iterator[CheckMessage]:
    """Whether a row that is written once was changed in the database."""
    if not Canary.is_dead() and (broken := broken_seals()):  # no seal fits under other keys, which is told already
        yield _error(54, f"{broken:,} rows were changed in the database.", "manage.py verify_results says which.")


def accounts() -> Iterator[CheckMessage]:
    """Staff who can sign in with a password alone."""
    staff = User.objects.filter(is_active=True, is_staff=True)
    if without := staff.exclude(totpdevice__confirmed=True).count():
        yield _warning(
            26, f"{without:,} accounts have no second factor yet.",
            "Have them sign in and set it up, or close them, at the desk under Accounts.",
        )  # fmt: skip


def sources() -> Iterator[CheckMessage]:
    """Guidance changes: whoever runs the site must look again from time to time."""
    oldest = min(source.checked for source in {*SOURCES.values(), *FOR_HELPERS})
    age = (timezone.localdate() - oldest).days
    if age > MAX_HELP_LINE_AGE:
        yield _warning(
            27, f"A source of the rules was last checked {age} days ago.",
            "Compare it, and set the day in screening/rules/sources.toml.",
        )  # fmt: skip


def problems(send_to: str = "") -> list[CheckMessage]:
    """Return everything that is wrong, errors before warnings, and in each the most dangerous first."""
    site = Site()
    ordered = [checks.keys(None), checks.reachable(None), site_from_outside(site), proxy(site), checks.database(None)]
    if health.is_migrated():
        ordered += [durability(), disk(), time_of_day(), seals(), mail(send_to), jobs(), accounts()]
    ordered += [checks.staff(None), checks.help_lines(None), sources(), checks.approved_rules(None)]
    ours = [message for found in ordered for message in found]
    others = [message for message in run_checks(include_deployment_checks=True) if message not in ours]
    told = [message for message in ours + others if not message.is_silenced()]
    if not settings.HTTPS:  # which is told already; what Django adds names nothing that one can set
        told = [message for message in told if not str(message.id).startswith("security.")]
    return sorted(told, key=lambda message: -message.level)


def mail_problems() -> None:
    """Tell the owner once a day what is wrong, if anything is."""
    if settings.EMAIL_HOST and JobRun.begin(JobRun.Job.PROBLEMS, timedelta(hours=20)) and (found := problems()):
        text = "\n\n".join(f"{message.msg}\n{message.hint}" for message in found)
        to = [address for _name, address in settings.ADMINS]
        notifications.notify_managers(Notification.Reason.PROBLEMS, text, to or None)
