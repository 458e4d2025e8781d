"""The register of hazards: complete, on the page that anyone can read, and the same in docs/safety.md."""

from pathlib import Path

import pytest
from django.test import Client

from screening.hazards import HAZARDS, as_markdown
from tests.helpers import parse

pytestmark = pytest.mark.sqlite_is_enough

ROOT = Path(__file__).parents[1]


def test_register_is_short_and_each_entry_says_everything() -> None:
    assert 5 <= len(HAZARDS) <= 20
    assert len({hazard.hazard for hazard in HAZARDS}) == len(HAZARDS)
    for hazard in HAZARDS:
        assert all(said.strip() for said in hazard.in_words().values())
        assert hazard.tests.split(), f"no test keeps: {hazard.hazard}"


@pytest.mark.parametrize("test", sorted({test for hazard in HAZARDS for test in hazard.tests.split()}))
def test_each_test_that_is_named_exists(test: str) -> None:
    # That it passes, too, is checked at the end of a whole run: tests/conftest.py.
    file, name = test.split("::")
    assert f"def {name}(" in (ROOT / "tests" / file).read_text()


def test_document_is_what_the_register_says() -> None:
    said = "python -m screening.hazards > docs/safety.md"
    assert (ROOT / "docs/safety.md").read_text() == "\n".join(as_markdown()) + "\n", f"run {said}"


def test_page_on_how_it_works_shows_each_hazard_with_all_that_is_said_of_it() -> None:
    page = parse(Client().get("/how-it-works/"))
    shown = [fold.summary.text for fold in page.select("section[aria-labelledby=hazards] details")]
    assert shown == [hazard.hazard for hazard in HAZARDS]
    for hazard in HAZARDS:
        for said in hazard.in_words().values():
            assert said in page.text
