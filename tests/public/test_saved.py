"""What a draft opens once it was saved: a copy of its cookie from before the save opens nothing."""

import threading
import time
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from screening import retention, return_codes
from screening.draft import Draft
from screening.models import Contact, ErasureCount, Notification, Submission
from screening.public import saved
from tests.answers import BEST, IOP
from tests.conftest import Person
from tests.desk.helpers import ask_for_call
from tests.helpers import database_begins_anew, parse, run_at_once
from tests.leaks import database

pytestmark = pytest.mark.django_db
COOKIE = settings.DRAFT_COOKIE_NAME
CALL = {"phone": "405 555 0123", "agree": "on"}
OLD, NEW = (f"{name} key, as long as a key must be and as random as it gets" for name in ("the old", "a new"))


def copy_of(cookie: str) -> Person:
    """Another browser that was given this cookie."""
    client = Client()
    client.cookies[COOKIE] = cookie
    return Person(client)


def answers_and_is_copied(person: Person) -> Person:
    person.has_answered(IOP)
    return copy_of(person.client.cookies[COOKIE].value)


def saves(person: Person) -> str:
    """Press "save" and see the result; return the code."""
    person.client.post("/check/", {"action": "save"})
    return parse(person.client.get("/result/")).select_one("p.code").text


@pytest.mark.parametrize("pressed", ["", "view", "save"])
def test_copy_from_before_the_save_sees_changes_and_erases_nothing(person: Person, pressed: str) -> None:
    thief = answers_and_is_copied(person)
    code = saves(person)
    person.client.post("/contact/", CALL)
    if pressed:
        thief.client.post("/check/", {"action": pressed})
    before, reference = database(), parse(person.client.get("/result/")).select_one(".reference").text
    for address, data in (
        ("/check/", None),
        ("/result/", None),
        ("/contact/", None),
        ("/contact/", {"phone": "405 555 0199", "agree": "on"}),
        ("/contact/", {"action": "withdraw"}),
        ("/erase/", None),
        ("/erase/", {}),
    ):
        client = thief.client
        response = client.get(address, follow=True) if data is None else client.post(address, data, follow=True)
        for secret in (code, code.replace("-", ""), reference, "you asked us to call", "It is erased", "gone, for us"):
            assert secret not in response.content.decode()
    assert database() == before
    assert parse(person.client.get("/result/")).select_one("p.code").text == code
    person.client.post("/erase/")
    assert not Submission.objects.exists()


def test_copy_that_is_saved_again_is_told_so_and_makes_no_second_copy(person: Person) -> None:
    copy = answers_and_is_copied(person)
    saves(person)
    for _ in range(2):
        response = copy.client.post("/check/", {"action": "save"})
        assert response.url == "/check/?note=saved_already"
        assert COOKIE not in response.cookies, "it could take the place of the one that holds the code"
        assert "Answers were saved here already" in copy.client.get(response.url).content.decode()
    assert Submission.objects.count() == 1
    copy.client.post("/check/", {"action": "view"})
    html = copy.client.get("/result/").content.decode()
    assert "We kept nothing" not in html
    assert "Answers that were saved here before are still kept." in html


def test_save_whose_answer_was_lost_is_found_by_pressing_again(person: Person) -> None:
    unanswered = answers_and_is_copied(person)
    person.client.post("/check/", {"action": "save"})
    assert unanswered.client.post("/check/", {"action": "save"}).url == "/result/"
    code = parse(unanswered.client.get("/result/")).select_one("p.code").text
    assert Submission.objects.get() == Submission.objects.with_code(return_codes.parse(code))
    assert unanswered.client.post("/contact/", CALL).status_code == 302
    assert Contact.objects.get().submission == Submission.objects.get()


def test_code_cannot_be_computed_from_a_copy_and_is_found_while_keys_are_changed(person: Person, settings: Any) -> None:
    settings.DATA_KEYS = [OLD]
    database_begins_anew()
    draft = return_codes.generate()
    (code,) = return_codes.following(draft)
    assert return_codes.parse(code) == code != draft
    again = answers_and_is_copied(person)
    person.client.post("/check/", {"action": "save"})
    settings.DATA_KEYS = [NEW, OLD]
    assert code == return_codes.following(draft)[1] != return_codes.following(draft)[0]
    assert again.client.post("/check/", {"action": "save"}).url == "/result/"
    assert Submission.objects.count() == 1


@pytest.mark.parametrize("changed", [IOP, BEST])
def test_copy_finds_out_nothing_of_what_was_saved_by_trying_answers(person: Person, changed: dict[str, str]) -> None:
    copy = answers_and_is_copied(person)
    saves(person)
    copy.has_answered(changed)
    response = copy.client.post("/check/", {"action": "save"})
    assert (response.status_code, response.url) == (302, "/check/?note=saved_already")
    assert Submission.objects.count() == 1


def test_copy_that_saves_first_loses_the_code_to_who_saves_later(person: Person) -> None:
    thief = answers_and_is_copied(person)
    thief.client.post("/check/", {"action": "save"})  # and does not look at the result, which would be noticed
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        person.client.post("/check/", {"action": "save"})
        person.client.post("/check/", {"action": "save"})
        code = parse(person.client.get("/result/")).select_one("p.code").text
        person.client.post("/contact/", CALL)
        assert code not in thief.client.get("/result/").content.decode()
        assert "It is erased" in thief.client.post("/erase/").content.decode(), "of what it saved, nothing is left"
        assert (Submission.objects.count(), Contact.objects.count()) == (1, 1)
        assert parse(person.client.get("/result/")).select_one("p.code").text == code


def test_code_of_a_save_is_the_same_a_minute_later_and_whoever_sees_it_keeps_it(person: Person) -> None:
    copy = answers_and_is_copied(person)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        person.client.post("/check/", {"action": "save"})
        clock.shift(60)
        copy.client.post("/check/", {"action": "save"})
        codes = {saves(each) for each in (person, copy)}
        assert len(codes) == 1
        clock.shift(600)
        assert codes == {saves(person)}


@pytest.mark.parametrize("began", ["saved", "not saved"])
def test_who_comes_back_after_an_hour_is_not_told_that_all_is_erased_if_something_was_saved(
    person: Person, began: str
) -> None:
    person.has_answered(BEST)
    if began == "saved":
        saves(person)
    with time_machine.travel(timezone.now() + timedelta(minutes=70)):
        person.finishes(IOP, "save")
        html = person.client.post("/erase/").content.decode()
    assert ("Not all of it is erased" in html) == (began == "saved")
    assert Submission.objects.count() == (began == "saved")


def test_lost_save_is_not_forgotten_when_another_code_is_typed(person: Person) -> None:
    unanswered = answers_and_is_copied(person)
    person.client.post("/check/", {"action": "save"})  # and the answer to it is lost
    code = return_codes.generate()
    Submission.objects.submit(BEST, code)
    unanswered.client.post("/return/", {"code": code})
    assert "Not all of it is erased" in unanswered.client.post("/erase/").content.decode()
    assert Submission.objects.count() == 1


def test_keys_that_change_between_presses_after_an_erasure_make_no_second_copy(person: Person, settings: Any) -> None:
    settings.DATA_KEYS = [OLD]
    database_begins_anew()
    person.finishes(IOP, "save")
    again = copy_of(person.client.cookies[COOKIE].value)
    retention.erase(Submission.objects.get())
    person.client.post("/check/", {"action": "save"})
    settings.DATA_KEYS = [NEW, OLD]
    assert saves(again) == saves(person)
    assert Submission.objects.count() == 1


# At the same moment


def at_once(person: Person, *requests: tuple[str, dict[str, str]]) -> list[int]:
    """Send these from one browser at the same moment; return the statuses in their order."""
    cookie, statuses = person.client.cookies[COOKIE].value, [0] * len(requests)

    def send(number: int) -> None:
        statuses[number] = copy_of(cookie).client.post(*requests[number]).status_code

    assert run_at_once(*[partial(send, number) for number in range(len(requests))]) == [None] * len(requests)
    return statuses


@pytest.mark.django_db(transaction=True)
def test_call_that_is_asked_for_twice_at_once_is_kept_and_both_are_told(person: Person) -> None:
    person.finishes(IOP, "save")
    for _ in range(5):
        Contact.objects.all().delete()
        assert at_once(person, *[("/contact/", CALL)] * 4) == [302] * 4
        assert Contact.objects.count() == 1


def test_nobody_waits_for_the_save_of_someone_else_and_no_lock_is_left() -> None:
    drafts = [Draft.read(HttpRequest()) for _person in range(300)]
    locks = [saved._lock(draft) for draft in drafts]
    assert len({*map(id, locks)}) == 300
    assert saved._lock(drafts[7]) is locks[7], "of one's own earlier press one does"
    del locks
    assert not {draft.code for draft in drafts} & {*saved.LOCKS}


@pytest.mark.django_db(transaction=True)
def test_erasing_waits_for_a_save_that_was_pressed_before(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.finishes(IOP, "view")
    manager: Any = type(Submission.objects)
    begun, insert = threading.Event(), manager.insert

    def slowly(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        time.sleep(0.5)
        return insert(*args, **kwargs)

    monkeypatch.setattr(manager, "insert", slowly)
    eraser = copy_of(person.client.cookies[COOKIE].value)

    def erase() -> None:
        assert begun.wait(10)
        assert "It is erased" in eraser.client.post("/erase/").content.decode()

    save = partial(person.client.post, "/check/", {"action": "save"})
    saving, erasing = run_at_once(save, erase)
    assert (saving.status_code, erasing) == (302, None)
    assert not Submission.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_request_that_is_made_and_taken_back_at_once_is_there_or_not_with_all_of_it(
    person: Person, center_tells: Any
) -> None:
    center_tells(mail_to="desk@example.com")
    person.finishes(IOP, "save")
    for _ in range(5):
        assert at_once(person, *[("/contact/", CALL), ("/contact/", {"action": "withdraw"})] * 2) == [302] * 4
        there = Contact.objects.exists()
        assert Submission.objects.get().wants_call == there
        assert Notification.objects.exists() == there


@pytest.mark.django_db(transaction=True)
def test_erasing_twice_at_once_beside_a_request_erases_once() -> None:
    for number in range(1, 11):
        saved = Submission.objects.submit(IOP)
        ask_for_call(saved)
        request = Contact(submission=saved, phone="405 555 0199", may_text=True, may_voicemail=True)
        erasing, asking = partial(retention.erase, saved), request.save
        for result in run_at_once(erasing, asking, erasing, asking):
            assert result is None or isinstance(result, Submission.DoesNotExist)
        assert not Submission.objects.exists()
        assert not Contact.objects.exists()
        assert ErasureCount.objects.get(reason="erased").count == number


def test_draft_with_other_answers_neither_opens_nor_erases_what_was_saved_from_it(person: Person) -> None:
    other = answers_and_is_copied(person)
    person.client.post("/check/", {"action": "save"})  # and the answer to it is lost
    other.has_answered(BEST)
    other.client.post("/check/", {"action": "view"})
    assert parse(other.client.get("/result/")).select_one(".reference") is None
    assert other.client.post("/erase/").status_code == 409
    assert other.client.cookies[COOKIE].value, "what it holds is not lost"
    assert Submission.objects.get().answers == IOP
