"""What a request costs the database: nothing before something is saved, and the same however much is stored."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from screening import context_processors, explanation
from screening.models import Submission
from screening.public import question_page
from screening.questionnaire import PAGES
from screening.templatetags import pure
from tests.answers import CLOSE_CALL, IOP, KINDS, on_page
from tests.conftest import Person
from tests.public.addresses import DRAWN, STATES, SpanishClient, every_page, public_addresses

pytestmark = pytest.mark.django_db
COSTS = {  # queries of each page that has any; a page that is not here has none
    "viewed": {"/result/": 1, "/contact/": 1},
    "saved": {"/check/": 1, "/result/": 4, "/contact/": 3},
    "asked for a call": {"/check/": 1, "/result/": 4, "/contact/": 3},
}
TRANSACTION = ("BEGIN", "COMMIT")


@contextmanager
def statements() -> Iterator[list[str]]:
    """Give the statements that are sent to the database within."""
    sent: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield sent
    sent += [query["sql"] for query in queries]


@pytest.mark.parametrize("stored", [0, 40])
@pytest.mark.parametrize("state", STATES)
def test_pages_ask_the_database_as_often_however_much_is_stored(state: str, stored: int) -> None:
    for place in range(stored):
        Submission.objects.submit([*KINDS.values()][place % len(KINDS)])
    person = Person(Client())
    STATES[state](person)
    found = {}
    for address in public_addresses():
        client = Client()
        client.cookies.update(person.client.cookies)
        with statements() as sent:
            client.get(address)
        if sent:
            found[address] = len(sent)
    assert found == {"/readyz": 2} | COSTS.get(state, {})


def test_answers_cost_no_query(person: Person) -> None:
    with statements() as sent:
        for page in PAGES:
            person.client.get(f"/questions/{page.slug}/")
            person.post(page.slug, on_page(page, CLOSE_CALL))
        person.client.post("/check/", {"action": "view"})
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_first_save_is_six_statements_and_one_commit_more_than_its_limit() -> None:
    Person(Client()).finishes(IOP, "save")  # it makes the window of the hour
    person = Person(Client())
    person.has_answered(CLOSE_CALL)
    with statements() as sent:
        assert person.client.post("/check/", {"action": "save"}).url == "/result/"
    within = [statement for statement in sent if not statement.startswith(TRANSACTION)]
    locks = sum("pg_advisory_xact_lock" in statement for statement in within)
    assert locks == (connection.vendor == "postgresql")
    assert len(within) - locks == 6, within
    assert sent.count("COMMIT") == 1
    begins = next(place for place, statement in enumerate(sent) if statement.startswith("BEGIN"))
    # On PostgreSQL the counts of the limit are committed by themselves, so that nobody waits for this save.
    before = [statement for statement in sent[:begins] if "INSERT" in statement]
    assert len(before) == (connection.vendor == "postgresql")
    assert all("screening_attempts" in statement for statement in before)


@pytest.mark.django_db(transaction=True)
def test_save_that_fails_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch, person: Person) -> None:
    person.has_answered(IOP)

    def fail(*_given: object, **_more: object) -> None:
        assert Submission.objects.exists()
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr("screening.models.submission.Count.add", fail)
        assert person.client.post("/check/", {"action": "save"}).status_code == 503
    assert not Submission.objects.exists()
    assert person.client.post("/check/", {"action": "save"}).url == "/result/"
    assert Submission.objects.get().answers == IOP


def test_address_that_a_stranger_makes_up_is_not_kept(client: Client) -> None:
    def kept_after(word: str) -> list[int]:
        for prefix in ("", "/es"):
            assert client.get(f"{prefix}/questions/{word}/").status_code == 404
        return [each.cache_info().misses for each in (pure._rendered, context_processors._address)]

    assert kept_after("made-up") == kept_after("made-up-too")


@pytest.mark.sqlite_is_enough
@time_machine.travel("2026-11-29 12:00Z", tick=False)
def test_what_is_kept_says_what_is_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page in every state, in one language and the other and the first again, as when nothing was kept."""

    def shown() -> list[tuple[str, str]]:
        pages = [*every_page(), *every_page(SpanishClient), *every_page()]
        return [(name, DRAWN.sub("", html)) for name, html in pages]

    with monkeypatch.context() as patch:
        patch.setattr(pure, "_rendered", pure._rendered.__wrapped__)
        patch.setattr(question_page, "_blank", question_page._blank.__wrapped__)
        patch.setattr(explanation, "_in_words", explanation._in_words.__wrapped__)
        built = shown()
    assert shown() == built
    kept = pure._rendered.cache_info()
    assert kept.hits > kept.misses > 0
