"""What the tests share: a person at the pages, and staff at the desk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client

from screening import audit
from screening.models import Submission
from screening.public.promises import PROMISES
from screening.questionnaire import PAGES
from tests.answers import on_page


@dataclass
class Person:
    """Walks through the pages as a browser would."""

    client: Client

    def post(self, slug: str, data: dict[str, str]) -> Any:
        return self.client.post(f"/questions/{slug}/", data)

    def answers_every_page(self, given: dict[str, str]) -> Any:
        response = None
        for page in PAGES:
            response = self.post(page.slug, on_page(page, given))
            assert response.status_code == 302
        return response

    def finishes(self, given: dict[str, str], action: str) -> Any:
        """Answers, presses one of the two buttons, and opens the result."""
        self.answers_every_page(given)
        response = self.client.post("/check/", {"action": action})
        assert (response.status_code, response.url) == (302, "/result/")
        return self.client.get("/result/")


def on_desk(client: Client, submission: Submission) -> dict[str, str]:
    """What a browser sends from the page of a submission where nothing was typed."""
    html = client.get(f"/admin/screening/submission/{submission.pk}/change/").content
    sent = {}
    for field in BeautifulSoup(html, "html.parser").select("#submission_form [name]"):
        if field.name == "select":
            chosen = field.select_one("option[selected]")
            sent[str(field["name"])] = str(chosen["value"]) if chosen else ""
        elif field.get("type") not in ("submit", "checkbox"):
            sent[str(field["name"])] = str(field.get("value", ""))
    return sent


@pytest.fixture(autouse=True, scope="session")
def tests_may_empty_the_log() -> Iterator[None]:
    """Between tests with a server of their own every table is emptied; nobody but they may do that to the log."""
    empty = BaseDatabaseOperations.execute_sql_flush

    def unguarded(operations: BaseDatabaseOperations, statements: Any) -> None:
        audit.drop_triggers()
        empty(operations, statements)
        audit.create_triggers()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", unguarded)
        yield


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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A promise on the privacy page whose test did not pass fails the run, even where the test was never run."""
    config = session.config
    whole = config.args == config.getini("testpaths") and not (config.option.keyword or config.option.ignore)
    if not whole or config.option.collectonly:
        return
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")

    def those(*outcomes: str) -> set[str]:
        return {report.nodeid.partition("[")[0] for outcome in outcomes for report in reporter.stats.get(outcome, [])}

    named = {f"tests/{test}" for promises in PROMISES.values() for promise in promises for test in promise.tests}
    if broken := sorted(named - (those("passed") - those("failed", "error", "skipped", "xfailed"))):
        reporter.write_line("Promises on the privacy page whose test did not pass: " + ", ".join(broken), red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
