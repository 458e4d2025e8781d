"""The register of hazards: complete, on the page that anyone can read, and the same in docs/safety.md."""

from pathlib import Path

import pytest
from django.test import Client

from tests.hazards import HAZARDS, as_markdown, shown
from tests.helpers import parse

pytestmark = pytest.mark.sqlite_is_enough

ROOT = Path(__file__).parents[1]


def test_register_is_short_and_each_entry_says_everything() -> None:
    assert 5 <= len(HAZARDS) <= 20
    for fold in shown():
        lines = fold.select("li")
        assert len(lines) == 5
        assert all(line.text.partition(": ")[2].strip() for line in lines)
        assert HAZARDS[fold.summary.text].split(), f"no test keeps: {fold.summary.text}"


@pytest.mark.parametrize("test", sorted({test for tests in HAZARDS.values() for test in tests.split()}))
def test_each_test_that_is_named_exists(test: str) -> None:
    # That it passes, too, is checked at the end of a whole run: tests/conftest.py.
    file, name = test.split("::")
    assert f"def {name}(" in (ROOT / "tests" / file).read_text()


def test_document_is_what_the_register_says() -> None:
    said = "python -m tests.hazards > docs/safety.md"
    assert (ROOT / "docs/safety.md").read_text() == "\n".join(as_markdown()) + "\n", f"run {said}"


def test_page_on_how_it_works_shows_each_hazard_that_has_tests_and_no_other() -> None:
    page = parse(Client().get("/how-it-works/"))
    folds = [fold.summary.text for fold in page.select("section[aria-labelledby=hazards] details")]
    assert folds == list(HAZARDS)
