"""The style sheets of the public pages: nothing moves, and there is one scale of type and one of spacing."""

import re

import pytest
from django.conf import settings

SHEETS = settings.BASE_DIR / "screening/static/screening"
PAGES = ("site.css", "more.css")
SPACED = re.compile(r"\b(?:margin|padding|gap)[a-z-]*: ([^;}]+)")
SIZED = re.compile(r"\bfont(?:-size)?: ([^;}]+)")
LENGTH = re.compile(r"[\d.]+(?:rem|px)")


@pytest.mark.parametrize("sheet", sorted(path.name for path in SHEETS.glob("*.css")))
def test_nothing_moves(sheet: str) -> None:
    """So nothing has to stop for who asks for less motion."""
    assert not re.search(r"transition|animation|@keyframes|scroll-behavior", (SHEETS / sheet).read_text())


@pytest.mark.parametrize("sheet", PAGES)
def test_space_and_type_are_steps_of_one_scale(sheet: str) -> None:
    rules = (SHEETS / sheet).read_text()
    sizes = {size for value in SIZED.findall(rules) for size in LENGTH.findall(value)}
    assert sizes <= {"1rem"}, "the others are --small, --big, --title and --huge"
    spaces = {space for value in SPACED.findall(rules) for space in LENGTH.findall(value)}
    assert spaces <= {"5.6rem", "3rem", "14rem"}, "what stays clear of the header; the others are --s1 to --s6"
