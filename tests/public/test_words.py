"""The text of the public pages is marked for translation, plain and kind."""

import calendar
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import polib
import pytest
import textstat
from bs4 import BeautifulSoup
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext, trans_real

from screening import explanation
from screening.explanation import explain, rules_of
from screening.models import in_words
from screening.questionnaire import QUESTIONS, SECTIONS
from screening.rules import CURRENT, recommend
from tests.answers import KINDS, WORST
from tests.public.addresses import SpanishClient, every_page

pytestmark = [
    pytest.mark.django_db,  # the result page looks for a saved result
    pytest.mark.sqlite_is_enough,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # textstat leaves a file open
]

MARK = "⟦{}⟧"
# Names, numbers, letters and titles are the same in every language.
SAME = re.compile(
    r"^[\W\d]*$|^FindTreatment\.gov$|^Country Road Recovery Center$|^[\d\W]*https?://\S+$|^([A-Z]\d?\s?)+$|^(\w{5}-){4}\w{5}$|^\w{4}-\w{4}$|^Español$"
)
AS_PUBLISHED = "style, script, code, .sources ol, .sources dl"
# Words that no page uses.
BANNED = r"\b(eligible|fail\w*|score\w*|addicts?|alcoholics?|clean|dirty|abus\w+|patients?|relapse\w*|level \d)\b|%"
GRADE = 5.0  # of whole pages
GRADE_OF_A_TEXT, GRADE_OF_PRIVACY = 6.0, 8.0  # of one with eight words or more
EASE = 65.0
CATALOGUE = settings.BASE_DIR / "locale" / "es" / "LC_MESSAGES" / "django.po"
# Words of three syllables and more, not among the 3,000 best known. Before you add one: is there a plainer one?
HARD_WORDS = """
alcohol answering approval area automated buprenorphine circumstance circumstances clinician computer connection
continue counseling database diagnosis domestic easier emergency encrypted epilepsy example families flexible
happening heroin inpatient insurance intensive internet maternal medical methadone notices outpatient overdose
overlook prenatal prescription privacy recovery reference securely security serious suicide therapist therapy
urgency veterans video violence whatever whoever
"""
MONTHS = {month.lower() for month in (*calendar.month_abbr, *calendar.month_name) if month}


@cache
def pages_in(language: str) -> list[tuple[str, str]]:
    return [*every_page(SpanishClient if language == "es" else Client)]


def texts(html: str) -> list[str]:
    """Return the texts that are shown or read out, without the sources, which are quoted as published."""
    soup = BeautifulSoup(html, "lxml")
    for element in soup.select(AS_PUBLISHED):
        element.decompose()
    attributes = [str(element["aria-label"]) for element in soup.select("[aria-label]")]
    return [text for text in (*map(str.strip, soup.stripped_strings), *attributes) if text]


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put marks around every translated text."""
    explanation._in_words.cache_clear()

    def mark(function: Callable[..., str]) -> Callable[..., str]:
        return lambda *args, **kwargs: MARK.format(function(*args, **kwargs))

    for name in ("gettext", "pgettext", "ngettext"):
        monkeypatch.setattr(translation._trans, name, mark(getattr(trans_real, name)))
    yield
    explanation._in_words.cache_clear()


def test_every_word_is_marked_for_translation(marked: None) -> None:
    bare = set()
    for name, html in every_page():
        depth = 0
        for text in texts(html):
            unmarked = ""
            for character in text:
                depth += (character == "⟦") - (character == "⟧")
                unmarked += "" if depth or character in "⟦⟧" else character
            if not SAME.match(unmarked.strip()):
                bare.add((name, unmarked.strip()))
    assert not bare


def sentences(html: str) -> Iterator[str]:
    """Yield the sentences; the end of an element ends a sentence, too."""
    soup = BeautifulSoup(html, "lxml")
    for element in soup.select(f"{AS_PUBLISHED}, .lines .number"):
        element.decompose()
    for element in soup.select(
        "p, li, dd, dt, h1, h2, h3, h4, q, .level, legend, label, caption, figcaption, summary, td, th, .said"
    ):
        element.append(". ")
    for sentence in re.split(r"[.!?:](?:\s|$)", soup.get_text(" ")):
        if len(sentence.split()) > 2:
            yield sentence


def as_text(parts: Iterable[str]) -> str:
    return "".join(f"{' '.join(part.split())}. " for part in parts)


def reading_grade(parts: Iterable[str]) -> float:
    """Return the Flesch-Kincaid grade level (Kincaid et al. 1975); the listed hard words count as plain ones."""
    text = re.sub(rf"\b({'|'.join(HARD_WORDS.split())})\b", "word", as_text(parts), flags=re.I)
    return float(textstat.flesch_kincaid_grade(text))


def test_reading_grade_knows_hard_words_from_plain_ones() -> None:
    assert reading_grade(["The cat sat on the mat", "It was a big cat"]) < 2
    assert reading_grade(["Individualised multidisciplinary interventions necessitate comprehensive evaluation"]) > 12


def test_every_page_reads_at_grade_five_or_lower() -> None:
    grades = {name: reading_grade(sentences(html)) for name, html in pages_in("en")}
    assert {name: round(grade, 1) for name, grade in grades.items() if grade > GRADE} == {}


@pytest.fixture
def in_spanish() -> Iterator[None]:
    textstat.set_lang("es")
    yield
    textstat.set_lang("en_US")


def reading_ease(parts: Iterable[str]) -> float:
    """Return the reading ease of Spanish text by Szigriszt Pazos (1993)."""
    return float(textstat.szigriszt_pazos(as_text(parts)))


def test_every_spanish_page_reads_quite_easily(in_spanish: None) -> None:
    # From 65 on a text is "bastante fácil" on the scale INFLESZ (Barrio Cantalejo 2008).
    measured = {name: reading_ease(sentences(html)) for name, html in pages_in("es")}
    assert {name: round(ease) for name, ease in measured.items() if ease < EASE} == {}


def test_every_spanish_reason_and_notice_reads_quite_easily(in_spanish: None) -> None:
    with translation.override("es"):
        for said in (CURRENT.rules, CURRENT.notices):
            assert reading_ease(re.split(r"[.!?]\s*", " ".join(gettext(each.text) for each in said))) >= EASE


def test_every_reason_and_notice_reads_at_grade_five_or_lower() -> None:
    # The grade of a single short text depends on a word or two, so all reasons are graded together.
    for said in (CURRENT.rules, CURRENT.notices):
        assert reading_grade(part for each in said for part in re.split(r"[.!?]\s*", each.text) if part) <= GRADE


def test_every_text_of_eight_words_reads_at_grade_six_or_lower() -> None:
    hard = {}
    for entry in polib.pofile(str(CATALOGUE)):
        for text in filter(None, (entry.msgid, entry.msgid_plural)):
            words = re.sub(r"<[^>]+>|&\w+;", " ", re.sub(r"%\(\w+\)[sd]", "five", text))
            in_privacy = "templates/public/privacy.html" in dict(entry.occurrences)
            grade = reading_grade(re.split(r"[.!?:](?:\s|$)", words))
            if len(words.split()) >= 8 and grade > (GRADE_OF_PRIVACY if in_privacy else GRADE_OF_A_TEXT):
                hard[text] = round(grade, 1)
    assert hard == {}


def test_hard_words_are_those_that_nothing_plainer_says() -> None:
    parts = [part for _name, html in pages_in("en") for part in sentences(html)]
    text = re.sub(r"https?://\S+|\S+@\S+|\S+\.md\b|testserver", "", as_text(dict.fromkeys(parts)))
    hard = {word.lower() for word in textstat.difficult_words_list(text, syllable_threshold=3)}
    assert hard - MONTHS == set(HARD_WORDS.split())


def test_words_are_person_first_and_never_judge() -> None:
    banned = {
        (name, match[0])
        for name, html in pages_in("en")
        for text in texts(html)
        for match in re.finditer(BANNED, text, re.I)
    }
    assert not banned


def test_every_answer_set_can_be_explained_in_words() -> None:
    for given in (*KINDS.values(), WORST):
        recommendation = in_words(recommend(given))
        explanation = explain(recommendation, given, rules_of(recommendation.rules_version))
        assert {card.dimension for card in explanation.cards} >= {"need", "support", "duties"}
        for card in explanation.cards:
            assert card.reasons
        assert all((explanation.headline, explanation.program, explanation.because))
        assert sum(cell.here for _need, cells in explanation.grid for cell in cells) == 1


def test_every_section_says_why_it_asks() -> None:
    assert all(section.why for section in SECTIONS)
    assert all(question.topic and question.missing for question in QUESTIONS.values())
