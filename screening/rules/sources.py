"""The publications that the rules rest on, read from sources.toml."""

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from screening.questionnaire import _

# What is said of a source in our words, and so in each language; titles and publishers stay as published.
WORDS = {
    _("undated"),
    _("added to each year"),
    _("May 2023"),
    _("table 3"),
    _("chapter 5 on treatment entry"),
    _("5.5 in 100 died within a year, a fifth of them in the first month"),
}


@dataclass(frozen=True, eq=False)
class Source:
    """A publication, in its own words. `checked` is the day it was last checked."""

    title: str
    publisher: str
    year: str
    url: str
    checked: date
    passage: str = ""  # where in it stands what is cited

    def __post_init__(self) -> None:
        if not all((self.title, self.publisher, self.year, self.url)):
            raise ValueError(f"source {self.title!r} needs a title, a publisher, a year and an address")
        if not (self.year.isdigit() or self.year in WORDS) or (self.passage and self.passage not in WORDS):
            raise ValueError(f"source {self.title!r} needs its words in WORDS, so that they are translated")


_FILE = tomllib.loads(Path(__file__).with_name("sources.toml").read_text(encoding="utf-8"))
_IDS = [entry.pop("ids").split() for entry in _FILE["source"]]
# One object for each publication, whatever the number of its ids: a page lists it once.
SOURCES = {
    key: source for ids, source in zip(_IDS, [Source(**entry) for entry in _FILE["source"]], strict=True) for key in ids
}
FOR_HELPERS = tuple(Source(**entry) for entry in _FILE["for_helpers"])  # of the page for who helps someone
