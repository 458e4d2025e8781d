"""Saving: once per draft, with the result as the person saw it, and without losing an answer."""

import itertools
import time
from collections.abc import Callable
from contextlib import nullcontext

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from screening import return_codes, rules
from screening.draft import Draft
from screening.models import Submission
from screening.public import saved
from screening.questionnaire import PAGE_BY_SLUG, QUESTIONS
from tests.answers import BEST, CLOSE_CALL, INPATIENT, IOP, KINDS, on_page
from tests.conftest import Person
from tests.desk.helpers import url_of
from tests.helpers import parse, run_at_once
from tests.leaks import database

COOKIE = settings.DRAFT_COOKIE_NAME
REFERENCE = "So that they find your answers, give them this reference:"


@pytest.mark.django_db
@pytest.mark.parametrize("name", KINDS)
def test_save_keeps_the_answers_and_the_result_that_the_person_sees(person: Person, name: str) -> None:
    html = person.finishes(KINDS[name], "save").content.decode()
    submission = Submission.objects.get()
    assert submission.answers == KINDS[name]
    assert submission.recommendation == rules.recommend(KINDS[name])
    assert submission.rules_version == rules.CURRENT.version
    assert submission.language == "en"
    for reason in submission.result["reasons"]:
        assert reason["text"] in html.replace("&#x27;", "'")


@pytest.mark.django_db
def test_nothing_reaches_the_database_before_save_or_without_it(person: Person) -> None:
    before = database()
    person.finishes(IOP, "view")
    assert database() == before


@pytest.mark.django_db
def test_saving_twice_or_replaying_an_old_cookie_saves_once(person: Person) -> None:
    person.has_answered(IOP)
    before = person.client.cookies[COOKIE].value
    for _ in range(3):
        person.client.post("/check/", {"action": "save"})
        person.client.get("/result/")
        person.client.cookies[COOKIE] = before
    assert Submission.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_draft_that_is_pressed_in_several_processes_is_saved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the lock of a process does not help, and each of them is in another minute of the draft."""
    codes_of, calls = saved._codes, itertools.count()

    def by_turns(draft: Draft) -> dict[str, int]:
        codes = codes_of(draft)
        return codes if next(calls) % 2 else dict(reversed(codes.items()))

    monkeypatch.setattr(saved, "_lock", lambda _draft: nullcontext())
    monkeypatch.setattr(saved, "_codes", by_turns)
    draft = Draft(answers=IOP, started_at=int(time.time()) - 119)
    done = run_at_once(*[lambda: saved.save(draft, RequestFactory().post("/check/"))] * 8)
    assert {row for _draft, row in done} == {Submission.objects.get()}


@pytest.mark.django_db(transaction=True)
def test_saving_at_the_same_moment_saves_once() -> None:
    code = return_codes.generate()
    rows = run_at_once(*[lambda: Submission.objects.submit(CLOSE_CALL, code)] * 8)
    assert rows == [Submission.objects.get()] * 8


@pytest.mark.django_db
def test_result_is_read_from_the_saved_row(person: Person) -> None:
    person.finishes(IOP, "save")
    submission = Submission.objects.get()
    submission.result["reasons"][0]["text"] = "What was said on that day."
    submission.save()
    assert "What was said on that day." in person.client.get("/result/").content.decode()


@pytest.mark.django_db
def test_answers_changed_after_saving_are_a_draft_of_their_own(person: Person) -> None:
    person.finishes(IOP, "save")
    person.post("job", on_page(PAGE_BY_SLUG["job"], BEST))
    assert person.client.get("/result/").url == "/check/"
    person.client.post("/check/", {"action": "save"})
    assert [saved.answers for saved in Submission.objects.order_by("pk")] == [IOP, BEST]


@pytest.mark.django_db
def test_older_tab_that_saves_other_answers_of_the_same_draft_is_warned(person: Person) -> None:
    person.has_answered(IOP)
    unsaved = person.client.cookies[COOKIE].value
    person.client.post("/check/", {"action": "save"})
    person.client.cookies[COOKIE] = unsaved
    person.post("job", on_page(PAGE_BY_SLUG["job"], BEST))
    response = person.client.post("/check/", {"action": "save"}, follow=True)
    assert response.redirect_chain == [("/check/?note=saved_before", 302)]
    assert "not saved yet" in response.content.decode()
    assert Submission.objects.count() == 1
    assert person.client.post("/check/", {"action": "save"}).url == "/result/"
    assert [saved.answers for saved in Submission.objects.order_by("pk")] == [IOP, BEST]


@pytest.mark.django_db
def test_whole_screening_works_while_the_database_is_down(
    person: Person, database_goes_down: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    database_goes_down()
    person.has_answered(IOP)
    response = person.client.post("/check/", {"action": "save"})
    assert response.status_code == 503
    assert "save right now" in response.content.decode()
    assert "cannot_leave" not in caplog.text
    assert person.client.post("/check/", {"action": "view"}).url == "/result/"
    assert person.client.get("/result/").status_code == 200


@pytest.mark.django_db
def test_saved_result_can_still_be_seen_while_the_database_is_down(
    person: Person, database_goes_down: Callable[[], None]
) -> None:
    before = parse(person.finishes(INPATIENT, "save"))
    database_goes_down()
    after = person.client.get("/result/")
    assert after.status_code == 200
    soup = parse(after)
    for section in ("main h1", ".lead", "section.why", ".code"):
        texts = [page.select_one(section).text for page in (before, soup)]
        assert texts[0] == texts[1]
    assert "We can’t look up what you saved right now." in soup.select_one(".saved").text
    assert soup.select_one(".done a[href='/erase/']")


@pytest.mark.django_db
def test_answers_that_are_not_complete_are_never_saved() -> None:
    for given in ({}, IOP | {"job": "astronaut"}, {key: IOP[key] for key in list(QUESTIONS)[1:]}):
        with pytest.raises(ValueError, match=r"missing|unknown"):
            Submission.objects.submit(given)
    assert not Submission.objects.exists()


@pytest.mark.django_db
def test_old_row_with_a_question_that_is_no_longer_asked_can_be_read(staff_client: Client) -> None:
    submission = Submission.objects.submit(IOP)
    submission.answers |= {"shoe_size": "nine"}
    submission.answers.pop("job")
    submission.save()
    html = staff_client.get(url_of(submission)).content.decode()
    assert "shoe_size" in html
    assert QUESTIONS["job"].text not in html


@pytest.mark.django_db
def test_keep_nothing_pressed_while_a_save_is_under_way_does_not_deny_the_save(person: Person) -> None:
    person.has_answered(IOP)
    unsaved = person.client.cookies[COOKIE].value
    person.client.post("/check/", {"action": "save"})
    person.client.cookies[COOKIE] = unsaved
    person.client.post("/check/", {"action": "view"})
    html = person.client.get("/result/").content.decode()
    assert "Your code" in html
    assert "We kept nothing" not in html


@pytest.mark.django_db
def test_note_of_an_earlier_save_goes_once_these_answers_are_saved(person: Person) -> None:
    person.finishes(IOP, "save")
    assert "not saved yet" not in person.client.get("/check/?note=saved_before").content.decode()
