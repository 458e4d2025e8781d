"""A site in its own processes on each database, and browsers that are about to save."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.answers import IOP
from tests.databases import PostgreSQL
from tests.processes import Browser, Site

OLD = "an-old-key" * 5


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    started = PostgreSQL()
    yield started
    started.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    variables = {"DATA_KEYS": OLD}
    if request.param == "postgresql":
        variables["DATABASE_URL"] = request.getfixturevalue("server").url
    started = Site(tmp_path / "var", **variables)
    yield started
    started.kill()


def answered(site: Site, number: int) -> list[Browser]:
    """Return browsers that have answered every page, and have not saved."""
    browsers = [Browser(site.url) for _each in range(number)]
    for browser in browsers:
        browser.answers_every_page(IOP)
    return browsers


def press_save(browser: Browser) -> bool:
    """Press "save" on the check page; return whether the answer confirms that it is kept."""
    page = browser.post("/check/", {"action": "save"})
    return browser.status == 200 and 'class="reference"' in page
