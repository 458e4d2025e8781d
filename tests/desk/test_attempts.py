"""Attempts to reach a person: one press each, kept as they were made, each with the time of the next."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from screening import due, requests
from screening.desk.reach import TWICE
from screening.models import Contact, LogLine, Status, Submission, Try
from tests.answers import IOP, URGENT
from tests.desk.helpers import (
    CASES,
    ask_for_call,
    due_of,
    form_of,
    listed,
    member,
    save,
    send,
    signed_in,
    submit,
    url_of,
)
from tests.helpers import overwrite, parse, run_at_once, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact() -> Client:
    return signed_in(member("cora", "contact"))


def tried(client: Client, case: Submission, result: str) -> Any:
    """Press a button, as if the one before had been pressed long ago."""
    Try.objects.update(made_at=timezone.now() - timedelta(hours=1))
    response = client.post(url_of(case, "attempt"), {"result": result}, follow=True)
    case.refresh_from_db()
    return response


def offered(response: Any) -> list[str]:
    return [str(button["value"]) for button in parse(response).select("button[name=result], button[name=_tried]")]


@pytest.mark.parametrize("result", Try.Result.values)
def test_attempt_is_one_press_on_the_case_and_beside_the_number(contact: Client, result: str) -> None:
    row = submit(IOP, call=True)
    for page in (contact.get(url_of(row)), contact.post(url_of(row, "reveal"))):
        assert result in offered(page)
    (form,) = parse(page).select("form#attempt")
    assert form["action"] == url_of(row, "attempt")
    shown = text_of(tried(contact, row, result), ".tries")
    assert shown.startswith(f"{Try.Result(result).label}, cora,")
    made = Try.objects.get()
    assert (made.submission, made.result, made.author.get_username()) == (row, result, "cora")
    assert row.status == Status.IN_PROGRESS
    (line,) = LogLine.objects.filter(action="tried", reference=row.reference)
    assert line.details == {"result": result}
    told = f"Tried to reach the person: result: {Try.Result(result).label}"
    assert told in text_of(contact.get(url_of(row)), "table")


def test_attempt_on_the_case_saves_what_was_written_with_it(contact: Client) -> None:
    row = submit(IOP, call=True)
    assert save(contact, row, _tried="no_answer", notes__0__text="Rang twice.").status_code == 302
    assert (row.tries.get().result, row.notes.get().text) == ("no_answer", "Rang twice.")
    assert abs(due_of(row) - timezone.now() - timedelta(hours=4)) < timedelta(seconds=9)
    assert save(contact, row, _tried="voicemail", next_step="hours").status_code == 302
    assert abs(due_of(row) - timezone.now() - timedelta(hours=2)) < timedelta(seconds=9)  # chosen by hand
    assert save(contact, row, _tried="reached", outcome="iop").status_code == 302
    assert (row.status, row.due_at, row.tries.count()) == ("closed", None, 3)


def test_attempt_on_the_case_needs_the_right_to_see_the_number(contact: Client) -> None:
    row = submit(IOP, call=True)
    save(signed_in(member("rita", "reviewer")), row, _tried="reached")
    assert not Try.objects.exists()


@pytest.mark.parametrize(("given", "waits"), [(IOP, (4, 24, 72, 72)), (URGENT, (4, 24, 24, 24))])
def test_each_attempt_in_vain_sets_when_to_try_again(contact: Client, given: dict[str, str], waits: Any) -> None:
    row = submit(given, call=True)
    for number, hours in enumerate(waits, start=1):
        page = tried(contact, row, "no_answer" if number % 2 else "voicemail")
        assert abs(due_of(row) - timezone.now() - timedelta(hours=hours)) < timedelta(seconds=9)
        assert ("If it is time to stop" in page.content.decode()) == (number >= 3)
    tried(contact, row, "reached")
    assert abs(due_of(row) - timezone.now() - timedelta(days=1)) < timedelta(seconds=9)
    page = tried(contact, row, "no_answer")
    assert abs(due_of(row) - timezone.now() - timedelta(hours=4)) < timedelta(seconds=9)
    assert "If it is time to stop" not in page.content.decode()


@pytest.mark.parametrize("result", ["wrong_number", "asked_not"])
def test_who_cannot_be_called_waits_until_they_ask_again(contact: Client, result: str) -> None:
    row = submit(IOP, call=True)
    tried(contact, row, result)
    assert row.due_at == due.NO_TIME
    Contact.objects.get().save()
    assert listed(contact, "?queue=due") == [str(row)]


def test_voicemail_is_neither_offered_nor_taken_where_they_do_not_want_one(contact: Client) -> None:
    row = submit(IOP)
    ask_for_call(row, may_voicemail=False)
    row.refresh_from_db()
    assert "voicemail" not in offered(contact.get(url_of(row)))
    tried(contact, row, "voicemail")
    assert not Try.objects.exists()
    assert row.status == Status.NEW


@pytest.mark.parametrize("result", ["", "shouted", "x" * 9000])
def test_result_that_does_not_exist_changes_nothing(contact: Client, result: str) -> None:
    row = submit(IOP, call=True)
    assert tried(contact, row, result).status_code == 200
    assert contact.get(url_of(row, "attempt")).status_code == 302
    assert not Try.objects.exists()


def test_double_click_is_one_attempt_and_two_colleagues_are_two(contact: Client) -> None:
    row = submit(IOP, call=True)
    for _click in range(2):
        contact.post(url_of(row, "attempt"), {"result": "no_answer"})
    assert Try.objects.count() == 1
    signed_in(member("carl", "contact")).post(url_of(row, "attempt"), {"result": "no_answer"})
    assert Try.objects.count() == 2
    Try.objects.update(made_at=timezone.now() - TWICE)
    contact.post(url_of(row, "attempt"), {"result": "no_answer"})
    assert Try.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_colleagues_at_the_same_moment_lose_nothing() -> None:
    row = submit(IOP, call=True)
    clients = [signed_in(member(name, "contact")) for name in ("cora", "carl")]
    run_at_once(*(lambda each=each: each.post(url_of(row, "attempt"), {"result": "no_answer"}) for each in clients))
    row.refresh_from_db()
    assert Try.objects.count() == 2
    assert row.version == 3  # the request, and each attempt
    assert abs(due_of(row) - timezone.now() - timedelta(days=1)) < timedelta(minutes=1)


def test_attempt_on_a_case_that_was_erased_says_so(contact: Client) -> None:
    row = submit(IOP, call=True)
    Submission.objects.all().delete()
    response = contact.post(url_of(row, "attempt"), {"result": "no_answer"}, follow=True)
    assert "This case is gone." in response.content.decode()


def test_closed_case_takes_no_attempt(contact: Client) -> None:
    row = submit(IOP, call=True, status=Status.CLOSED, outcome="declined")
    assert not offered(contact.get(url_of(row)))
    tried(contact, row, "no_answer")
    assert not Try.objects.exists()


def test_author_strikes_out_an_attempt_and_it_stays_to_be_seen(contact: Client) -> None:
    row = submit(IOP, call=True)
    tried(contact, row, "reached")
    made = Try.objects.get()
    other = signed_in(member("carl", "contact"))
    assert not parse(other.get(url_of(row))).select("button[name=entry]")
    other.post(url_of(row, "strike-out"), {"entry": f"try/{made.pk}"})
    assert Try.objects.get().struck_at is None
    (button,) = parse(contact.get(url_of(row))).select("button[name=entry]")
    for number in (button["value"], button["value"], "x", "try/x", "case/1", ""):
        contact.post(url_of(row, "strike-out"), {"entry": number})
    page = parse(contact.get(url_of(row)))
    assert page.select_one(".tries del").text.startswith("Reached, cora,")
    assert not page.select("button[name=entry]")
    assert LogLine.objects.filter(action="struck_out", reference=row.reference).count() == 1
    assert text_of(contact.get(CASES), ".field-tried") == ""


def test_author_strikes_out_a_note_and_nobody_else_does(contact: Client) -> None:
    row = submit(IOP)
    save(contact, row, notes__0__text="Of another person.")
    (button,) = parse(contact.get(url_of(row))).select("button[name=entry]")
    other = signed_in(member("carl", "contact"))
    other.post(url_of(row, "strike-out"), {"entry": button["value"]})
    assert not parse(other.get(url_of(row))).select("del, button[name=entry]")
    contact.post(url_of(row, "strike-out"), {"entry": button["value"]})
    assert text_of(contact.get(url_of(row)), "del") == "Of another person."


def test_list_shows_the_number_of_attempts_and_the_last_one(
    contact: Client, django_assert_max_num_queries: Any
) -> None:
    rows = [submit(IOP, call=True) for _number in range(3)]
    for row in rows[:2]:
        tried(contact, row, "voicemail")
    tried(contact, rows[0], "no_answer")
    shown = [cell.text.replace("\xa0", " ") for cell in parse(contact.get(CASES)).select(".field-tried")]
    assert shown == ["", "1×: left a voicemail, 1 hour ago", "2×: no answer, just now"]
    with django_assert_max_num_queries(14):
        contact.get(CASES)


def test_reviewer_sees_attempts_and_adds_none(contact: Client) -> None:
    row = submit(IOP, call=True)
    tried(contact, row, "no_answer")
    reviewer = signed_in(member("rita", "reviewer"))
    assert "No answer, cora," in text_of(reviewer.get(url_of(row)), ".tries")
    assert not offered(reviewer.get(url_of(row)))
    assert reviewer.post(url_of(row, "attempt"), {"result": "reached"}).status_code == 403
    assert Try.objects.count() == 1


def test_number_can_be_dialled_however_it_was_written(contact: Client) -> None:
    for written in ("(405) 555-0123", "405.555.0123", "+1 405 555 0123", "1-405-555-0123"):
        row = submit(IOP)
        ask_for_call(row, phone=written)
        link = parse(contact.post(url_of(row, "reveal"))).select_one("a.phone")
        assert (link["href"], link.text) == ("tel:+14055550123", written)


def test_attempts_go_with_their_case(contact: Client) -> None:
    row = submit(IOP, call=True)
    tried(contact, row, "reached")
    overwrite(row, received_at=timezone.now() - timedelta(days=91))
    Submission.objects.all().delete()
    assert not Try.objects.exists()


@pytest.mark.parametrize("result", ["wrong_number", "asked_not"])
def test_attempt_that_put_a_case_away_for_good_and_is_struck_out_brings_it_back(contact: Client, result: str) -> None:
    row = submit(URGENT, call=True)
    save(contact, row, _tried=result)
    assert row.due_at == due.NO_TIME
    words = str(Try.Result(result).label)
    assert words in text_of(contact.get(url_of(row)), ".wishes")
    assert listed(contact, "?queue=urgent") == []
    assert listed(contact, "?queue=nobody_to_reach") == [str(row)]
    contact.post(url_of(row, "strike-out"), {"entry": f"try/{row.tries.get().pk}"})
    row.refresh_from_db()
    assert due_of(row) <= timezone.now()
    assert listed(contact, "?queue=urgent") == [str(row)]
    assert words not in text_of(contact.get(url_of(row)), ".wishes")


def test_wish_not_to_be_called_ends_with_the_next_request(contact: Client) -> None:
    row = submit(IOP, call=True)
    save(contact, row, _tried="asked_not")
    Contact.objects.get().delete()
    requests.store(Contact(submission=row, phone="405 555 0123", may_text=True, may_voicemail=True, consent="Yes."))
    assert "Asked not to be called" not in text_of(contact.get(url_of(row)), ".wishes")


def test_attempt_of_a_save_that_was_refused_goes_with_the_next(contact: Client) -> None:
    row = submit(IOP, call=True)
    stale = form_of(contact, row)
    save(signed_in(member("carl", "reviewer")), row, notes__0__text="I know her.")
    refused = send(contact, row, stale, _tried="no_answer")
    assert "“No answer” is recorded when you save" in " ".join(text_of(refused, ".work").split())
    assert not Try.objects.exists()
    save(contact, row, _tried=str(parse(refused).select_one("input[name=_tried]")["value"]))
    assert Try.objects.get().result == "no_answer"


def test_attempt_that_cannot_be_recorded_says_so(contact: Client) -> None:
    closed, quiet = submit(IOP, call=True, status="closed", outcome="iop"), submit(IOP)
    ask_for_call(quiet, may_voicemail=False)
    for row, result in ((closed, "reached"), (quiet, "voicemail")):
        answer = contact.post(url_of(row, "attempt"), {"result": result}, follow=True)
        assert "Nothing was recorded" in answer.content.decode()
    assert not Try.objects.exists()


@pytest.mark.parametrize("struck", ["note", "no_answer"])
def test_wish_not_to_be_called_stands_when_something_else_is_struck_out(contact: Client, struck: str) -> None:
    row = submit(IOP, call=True)
    save(contact, row, _tried="no_answer", notes__0__text="Rang long.")
    save(signed_in(member("carl", "contact")), row, _tried="asked_not")
    entry = row.notes.get() if struck == "note" else row.tries.get(result="no_answer")
    contact.post(url_of(row, "strike-out"), {"entry": f"{'note' if struck == 'note' else 'try'}/{entry.pk}"})
    entry.refresh_from_db()
    row.refresh_from_db()
    assert entry.struck_at
    assert row.due_at == due.NO_TIME


def test_case_stays_put_away_while_a_second_attempt_says_so(contact: Client) -> None:
    row = submit(IOP, call=True)
    for result in ("wrong_number", "asked_not"):
        save(contact, row, _tried=result)
    for result, waits in (("wrong_number", True), ("asked_not", False)):
        contact.post(url_of(row, "strike-out"), {"entry": f"try/{row.tries.get(result=result).pk}"})
        row.refresh_from_db()
        assert (row.due_at == due.NO_TIME) == waits
