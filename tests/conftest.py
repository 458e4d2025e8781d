"""Fixtures: a person at the pages, a member of staff at the desk, a center, a database that goes down."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import translation

from screening import audit_triggers, center
from screening.draft import Draft
from screening.models import CenterFacts
from screening.questionnaire import PAGES
from tests.answers import FACTS, on_page
from tests.hazards import HAZARDS
from tests.helpers import database_begins_anew
from tests.public.promises import PROMISES


@dataclass
class Person:
    """A person who walks through the pages as a browser would."""

    client: Client

    def post(self, slug: str, data: dict[str, str]) -> Any:
        return self.client.post(f"/questions/{slug}/", data)

    def has_answered(self, given: dict[str, str]) -> None:
        """Put a draft with these answers into the browser, as if it had sent their pages."""
        cookies = {name: morsel.value for name, morsel in self.client.cookies.items()}
        response = HttpResponse()
        Draft.read(cast(HttpRequest, SimpleNamespace(COOKIES=cookies))).answered(given).write(response)
        self.client.cookies.update(response.cookies)

    def answers_every_page(self, given: dict[str, str]) -> None:
        for page in PAGES:
            response = self.post(page.slug, on_page(page, given))
            assert response.status_code == 302

    def finishes(self, given: dict[str, str], action: str) -> Any:
        """Have every page answered, press one of the two buttons, and open the result."""
        self.has_answered(given)
        response = self.client.post("/check/", {"action": action})
        assert (response.status_code, response.url.removeprefix("/es")) == (302, "/result/")
        return self.client.get("/result/")


@pytest.fixture(autouse=True, scope="session")
def allow_flush_of_audit_log() -> Iterator[None]:
    """Drop the triggers while Django flushes every table between transactional tests; then begin the log anew."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def without_triggers(operations: BaseDatabaseOperations, statements: Any) -> None:
        audit_triggers.drop()
        flush(operations, statements)
        audit_triggers.create()
        database_begins_anew()
        CenterFacts.objects.create(facts=FACTS)  # a migration made it, which no flush brings back

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", without_triggers)
        yield


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Begin each test in English: after a request its language stays the one in use."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def center_tells(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what gives the pages a copy of other facts; until then it is that of the tests' center. None grows old."""

    def tells(**facts: object) -> None:
        monkeypatch.setattr(center, "_facts", center.Facts(FACTS | facts))

    monkeypatch.setattr(center, "_read_at", math.inf)
    tells()
    return tells


@pytest.fixture
def sample_size(pytestconfig: pytest.Config) -> int:
    """How many random answer sets a proof draws beside the exact counts; all of them with --full."""
    return 100_000 if pytestconfig.getoption("--full") else 6_000


@pytest.fixture
def person() -> Person:
    return Person(Client())


@pytest.fixture
def staff_client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff", password="a long enough one"))
    return client


@pytest.fixture
def database_goes_down(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def cursor(*args: object, **kwargs: object) -> None:
        raise OperationalError("no database today: cannot_leave")

    return lambda: monkeypatch.setattr(BaseDatabaseWrapper, "cursor", cursor)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `full`, unless --full is given."""
    if not config.getoption("--full"):
        items[:] = [item for item in items if not item.get_closest_marker("full")]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a test that keeps a promise or controls a hazard did not pass, or did not run."""
    config = session.config
    selected = config.option.keyword or config.option.markexpr or config.option.ignore or config.option.collectonly
    if hasattr(config, "workerinput") or selected or config.args != config.getini("testpaths"):
        return
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")

    def those(*outcomes: str) -> set[str]:
        return {report.nodeid.partition("[")[0] for outcome in outcomes for report in reporter.stats.get(outcome, [])}

    kept = [*PROMISES.values(), *HAZARDS.values()]
    named = {f"tests/{test}" for tests in kept for test in tests.split()}
    if broken := sorted(named - (those("passed") - those("failed", "error", "skipped", "xfailed"))):
        reporter.write_line(f"Tests of a promise or a hazard that did not pass: {', '.join(broken)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
