"""Bad configurations are refused at start or reported by the system checks, with a hint."""

import os
import re
import runpy
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils import timezone

from intake_site.checks import approved_rules
from screening import audit, audit_triggers, rules
from screening.models import Action, ErasureCount, Submission
from screening.rules.current import Approval
from tests.answers import IOP
from tests.helpers import database_begins_anew

pytestmark = pytest.mark.sqlite_is_enough

ROOT = Path(__file__).resolve().parent.parent
GOOD = {
    "SECRET_KEY": "kR4mZ0tWqJ8vXs2LhYc6NdBf1PgUe9AoTi3Ky7MwCz5Rj0QxHs8Vb",
    "DATA_KEYS": "pL9sGh3TnVb7Xw1QzKd5Rm2YcJf8Ue0AoTi6Wy4MvBk3Sj7NxZq1Wd",
    "ALLOWED_HOSTS": "screening.example.org",
    "BEHIND_PROXY": "on",
    "SECURITY_CONTACT": "mailto:safe@example.org",
    "VAR_DIR": "/nonexistent",
}
UNAPPROVED = "intake_site.W019"  # it comes with the project, whatever the settings
LONG = "Zq3Wv7Xt1Lm9Kc5Jd8Rb2Ys6Nf4Hg0PaUeTiOkMwCzBxVyQjSl"


def settings_of(environment: dict[str, str]) -> dict[str, Any]:
    """Return the settings under an environment. Raises ImproperlyConfigured as at start."""
    with pytest.MonkeyPatch.context() as patch:
        for name in {*os.environ} - {"PATH", "HOME"}:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        return {
            name: value
            for name, value in runpy.run_path(str(ROOT / "intake_site/settings.py")).items()
            if name.isupper()
        }


def messages(environment: dict[str, str] | None = None, **changed: Any) -> dict[str, checks.CheckMessage]:
    """Return id -> message of `check --deploy` under such settings."""
    values = settings_of(GOOD | (environment or {})) | changed
    values.pop("DATABASES")  # the tests keep their database
    with override_settings(**values):
        reported = checks.run_checks(include_deployment_checks=True)
        # The browser tests set the variable of async.E001; W017 depends on the day, see test_help_lines.py.
        return {
            str(each.id): each
            for each in reported
            if not each.is_silenced() and each.id not in ("async.E001", "intake_site.W017", UNAPPROVED)
        }


@pytest.fixture
def erased_today(db: None) -> None:
    ErasureCount.objects.create(day=timezone.localdate(), reason=ErasureCount.Reason.CONTACT)
    with override_settings(DATA_KEYS=[GOOD["DATA_KEYS"]]):
        database_begins_anew()


def test_good_configuration_has_no_messages(erased_today: None) -> None:
    assert messages() == {}


@pytest.mark.parametrize(
    ("environment", "error"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY has 5 characters"),
        ({"DATA_KEYS": ""}, "DATA_KEYS is not set"),
        ({"DATA_KEYS": f"{LONG},short"}, "DATA_KEYS has 5 characters"),
        ({"DATA_KEYS": GOOD["SECRET_KEY"]}, "DATA_KEYS holds a key that SECRET_KEY uses too"),
        ({"DATA_KEYS": LONG, "SECRET_KEY_FALLBACKS": LONG}, "DATA_KEYS holds a key that SECRET_KEY uses too"),
        ({"DEBUG": "maybe"}, "DEBUG is 'maybe'. Set it to on or off."),
        ({"RETENTION_DAYS": "0"}, "RETENTION_DAYS is '0'. Set it to a number from 1 to 3650."),
        ({"RETENTION_DAYS": "for ever"}, "Set it to a number from 1 to 3650."),
        ({"CONTACT_RETENTION_DAYS": "-1"}, "CONTACT_RETENTION_DAYS is '-1'"),
        ({"EMAIL_PORT": "smtp"}, "EMAIL_PORT is 'smtp'. Set it to a number from 1 to 65535."),
        ({"DATABASE_URL": "mysql://a:b@c/d"}, "DATABASE_URL must begin with postgresql:// or sqlite://"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL can't be read"),
        ({"SITE_URL": "screening.example.org"}, "SITE_URL is 'screening.example.org'"),
        ({"SITE_URL": "http://127.0.0.1:notaport"}, "SITE_URL is 'http://127.0.0.1:notaport'"),
        ({"SITE_URL": "http://127.0.0.1:99999"}, "SITE_URL is"),
        ({"SITE_URL": "http://[::1"}, "SITE_URL is"),
        ({"SITE_URL": "https://ex\u00e4mple..org"}, "SITE_URL is"),
        ({"SECURITY_CONTACT": "me"}, "SECURITY_CONTACT must begin with mailto:, https:// or tel:+"),
    ],
)
def test_invalid_setting_is_refused_at_start(environment: dict[str, str], error: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_of(GOOD | environment)
    assert error in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"ALLOWED_HOSTS": "*"}, "E001"),
        ({"ALLOWED_HOSTS": "a.example.org,*.example.org"}, "E001"),
        ({"ALLOWED_HOSTS": ".example.org"}, "W001"),
        ({"ALLOWED_HOSTS": ""}, "W002"),
        ({"DEBUG": "on"}, "E002"),
        ({"HTTPS": "off"}, "E003"),
        ({"CSRF_TRUSTED_ORIGINS": "http://screening.example.org"}, "E004"),
        ({"CSRF_TRUSTED_ORIGINS": "https://*.example.org"}, "E004"),
        ({"BEHIND_PROXY": "off"}, "W003"),
        ({"SECRET_KEY": "ab" * 30}, "E008"),
        ({"SECRET_KEY_FALLBACKS": "old"}, "E007"),
        ({"DATA_KEYS": "x" * 60}, "E008"),
        ({"DATA_KEYS": f"{LONG},{LONG}"}, "W004"),
        ({"EMAIL_HOST": "mail.example.org", "EMAIL_TLS": "off", "EMAIL_FROM": "a@example.org"}, "E022"),
        ({"EMAIL_HOST": "mail.example.org", "EMAIL_USER": "me@example.org"}, "W006"),
        ({"ERROR_MAIL_TO": "me@example.org"}, "W007"),
        ({"EMAIL_HOST": "mail.example.org"}, "E023"),
        ({"EMAIL_HOST": "mail.example.org", "EMAIL_FROM": "a@example.org"}, "W015"),
        ({"CONTACT_RETENTION_DAYS": "91"}, "E025"),
        ({"RETENTION_DAYS": "400"}, "W008"),
        ({"SECURITY_CONTACT": ""}, "W010"),
        ({"SECOND_FACTOR": "off"}, "E032"),
        ({"EMAIL_HOST": "mail.example.org", "SITE_URL": "http://screening.example.org"}, "E033"),
    ],
)
def test_bad_environment_is_reported_with_a_hint(
    erased_today: None, environment: dict[str, str], expected: str
) -> None:
    message = messages(environment)[f"intake_site.{expected}"]
    assert message.hint
    assert message.level == (checks.ERROR if expected[0] == "E" else checks.WARNING)


def test_key_file_that_others_can_read_is_reported(erased_today: None, tmp_path: Path) -> None:
    path = tmp_path / "data_keys"
    path.write_text(LONG)
    path.chmod(0o644)
    tmp_path.chmod(0o755)
    assert messages({"VAR_DIR": str(tmp_path)})["intake_site.E010"].hint == f"chmod 600 {path}"
    tmp_path.chmod(0o700)
    assert messages({"VAR_DIR": str(tmp_path)}) == {}
    tmp_path.chmod(0o755)
    path.chmod(0o600)
    assert messages({"VAR_DIR": str(tmp_path)}) == {}


def test_database_that_others_can_read_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "db.sqlite3").touch(0o644)
    assert "Others on this machine can read" in check_deploy(VAR_DIR=str(tmp_path))


@pytest.mark.django_db
def test_missing_data_key_is_reported(erased_today: None) -> None:
    with override_settings(DATA_KEYS=[GOOD["DATA_KEYS"]]):
        Submission.objects.submit(IOP)
    assert messages() == {}
    assert messages({"DATA_KEYS": f"{LONG},{GOOD['DATA_KEYS']}"}) == {}
    assert "rotate_keys" in messages({"DATA_KEYS": LONG})["intake_site.E031"].msg


@pytest.mark.django_db
def test_retention_that_never_ran_or_no_longer_runs_is_reported() -> None:
    assert "forget_expired" in str(messages()["intake_site.W013"].hint)
    ErasureCount.objects.create(
        day=timezone.localdate(), reason=ErasureCount.Reason.CONTACT, last_run_at=timezone.now() - timedelta(days=3)
    )
    assert "was last erased on" in messages()["intake_site.W014"].msg


@pytest.mark.django_db
def test_log_that_was_tampered_with_is_reported(erased_today: None) -> None:
    assert "intake_site.E034" not in messages()
    audit_triggers.drop()
    assert messages()["intake_site.E034"].hint == "manage.py verify_log says where."
    audit_triggers.create()
    audit.record(Action.FRONT_PAGE, "someone")  # under the keys of the tests
    assert "intake_site.E034" in messages()
    assert "intake_site.E034" not in messages({"DATA_KEYS": LONG}), "the keys are what is wrong"


def check_deploy(**environment: str) -> str:
    """Run the command in its own process; return what it prints."""
    call = [sys.executable, "manage.py", "check", "--deploy"]
    variables = {"PATH": os.environ["PATH"]} | GOOD | environment
    ran = subprocess.run(call, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def test_command_makes_the_directory_and_the_database_for_its_own_user(tmp_path: Path) -> None:
    place = tmp_path / "new" / "var"
    ran = subprocess.run(
        [sys.executable, "manage.py", "migrate", "screening", "0001", "--verbosity=0"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | GOOD | {"VAR_DIR": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert [oct(path.stat().st_mode & 0o777) for path in (place, place / "db.sqlite3")] == ["0o700", "0o600"]


def test_command_asks_sqlite_itself_how_it_writes(tmp_path: Path) -> None:
    output = check_deploy(VAR_DIR=str(tmp_path))
    assert set(re.findall(r"intake_site\.\w+", output)) - {"intake_site.W017", "intake_site.W019"} == {
        "intake_site.E035"
    }
    assert "manage.py migrate" in output
    lax = tmp_path / "lax.py"
    lax.write_text(
        "from intake_site.settings import *\n"
        "DATABASES['default']['OPTIONS']['init_command'] = 'PRAGMA synchronous=NORMAL; PRAGMA secure_delete=OFF;'\n"
    )
    output = check_deploy(
        DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3", DJANGO_SETTINGS_MODULE="lax", PYTHONPATH=str(tmp_path)
    )
    for number in ("E029", "E030", "W011"):
        assert f"intake_site.{number}" in output


def test_emptied_sqlite_file_does_not_make_each_page_wait(tmp_path: Path) -> None:
    name = tmp_path / "db.sqlite3"
    options = settings_of(GOOD | {"DATABASE_URL": f"sqlite:///{name}"})["DATABASES"]["default"]["OPTIONS"]
    with closing(sqlite3.connect(name)) as running:
        running.executescript("PRAGMA journal_mode=WAL; CREATE TABLE kept (text)")
        os.truncate(name, 0)
        started = time.monotonic()
        with closing(sqlite3.connect(name)) as page, pytest.raises(sqlite3.OperationalError):
            page.executescript(options["init_command"])
        assert time.monotonic() - started < 3


def test_command_says_when_the_database_cannot_be_reached(tmp_path: Path) -> None:
    nowhere = "postgresql://nobody@database.invalid/none?connect_timeout=1"
    output = check_deploy(DATABASE_URL=nowhere, VAR_DIR=str(tmp_path))
    assert "The way to the database may not be encrypted." in output
    assert "The database can't be reached" in output
    assert "HINT: Look at DATABASE_URL" in output


def test_rules_that_nobody_approved_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert approved_rules in checks.registry.registry.get_checks(include_deployment_checks=True)
    (message,) = approved_rules(None)
    assert (message.id, rules.CURRENT.version in message.msg) == (UNAPPROVED, True)
    approval = Approval("Ann Example", "medical director", "MD 1", rules.VERSIONS[-1].released, "0" * 64)
    monkeypatch.setattr(rules, "VERSIONS", (replace(rules.VERSIONS[-1], approval=approval),))
    assert [*approved_rules(None)] == []


def test_facts_that_send_people_or_mail_nowhere_are_reported(erased_today: None, center_tells: Any) -> None:
    center_tells(phone="")
    assert "intake_site.E036" in messages()
    center_tells(mail_to="desk@example.org")
    assert "intake_site.W016" in messages()
    mail = {"EMAIL_HOST": "mail.example.org", "EMAIL_FROM": "a@example.org", "ERROR_MAIL_TO": "me@example.org"}
    assert not {"intake_site.E036", "intake_site.W016"} & set(messages(mail))
