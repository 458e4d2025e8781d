"""An answer at the code: one of a few sentences, left by staff, read by whoever has the code."""

from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from screening import replies, return_codes
from screening.models import LogLine, Reply, Submission
from tests.answers import INPATIENT, IOP, URGENT
from tests.desk.helpers import ask_for_call, form_of, member, save, send, signed_in, submit, url_of
from tests.helpers import parse

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_in_gate]
EVERY_FACT = {"walk_in": "weekdays from 9 to 5"}


@pytest.fixture
def rita(db: None) -> Client:
    return signed_in(member("rita", "reviewer"))


def saved(given: dict[str, str] = IOP) -> tuple[Submission, str]:
    """Return a case and its code."""
    code = return_codes.generate()
    return Submission.objects.submit(given, code), code


def at_the_code(code: str) -> BeautifulSoup:
    """Return the page that the code opens on another device."""
    client = Client()
    assert client.post("/return/", {"code": return_codes.formatted(code)}).status_code == 302
    return parse(client.get("/result/"))


def answers_at(code: str) -> list[str]:
    return [each.text for each in at_the_code(code).select(".reply strong")]


def offered(client: Client, row: Submission) -> dict[str, str]:
    page = parse(client.get(url_of(row)))
    return {str(option["value"]): option.text for option in page.select("[name=reply] option") if option["value"]}


@pytest.mark.parametrize("given", [IOP, INPATIENT, URGENT], ids=["iop", "inpatient", "urgent"])
@pytest.mark.parametrize("sentence", replies.SENTENCES)
def test_person_finds_every_sentence_at_the_code_with_its_day_and_whom_to_call(
    rita: Client, center_tells: Any, sentence: str, given: dict[str, str]
) -> None:
    center_tells(**EVERY_FACT)
    row, code = saved(given)
    ask_for_call(row)
    save(signed_in(member("cora", "contact")), row, _tried="no_answer")
    words = offered(rita, row).get(sentence)
    if row.is_urgent and sentence not in ("worried", "tried"):
        assert words is None  # it could calm who must not wait
        assert save(rita, row, reply=sentence).status_code == 200
        assert not Reply.objects.exists()
        return
    assert words
    assert "%" not in words
    assert answers_at(code) == []
    assert save(rita, row, reply=sentence).status_code == 302
    page = at_the_code(code)
    section = page.select_one(".replies")
    assert section.select_one(".reply strong").text == words
    assert f"Left on {date_format(timezone.localdate(), 'l, N j')}." in section.text
    assert [link["href"] for link in section.select("a.call")] == ["tel:988", "tel:911"]
    assert "No one reads this page at night." in section.text
    assert [link["href"] for link in section.select(".calls a")] == ["/contact/"]  # the only way to answer
    assert not section.select("form, input, textarea")
    assert words not in parse(Client().get("/result/")).text


def test_sentence_about_a_call_names_the_day_and_is_offered_only_after_an_attempt_in_vain(rita: Client) -> None:
    row, code = saved()
    ask_for_call(row)
    cora = signed_in(member("cora", "contact"))
    assert "tried" not in offered(rita, row)
    save(cora, row, _tried="asked_not")
    assert "tried" not in offered(rita, row)
    save(cora, row, _tried="no_answer")
    day = date_format(timezone.localdate(), "l, N j")
    assert offered(rita, row)["tried"] == f"We tried to call you on {day}. You can call us, or tell us a better time."
    save(rita, row, reply="tried")
    assert len(answers_at(code)) == 1
    cora.post(url_of(row, "strike-out"), {"entry": f"try/{row.tries.last().pk}"})
    assert answers_at(code) == []  # nobody did
    assert "We tried to call you on" in parse(rita.get(url_of(row))).select_one("[aria-labelledby=replies] del").text
    assert "tried" not in offered(rita, row)


def test_sentence_about_coming_by_is_offered_only_if_the_center_says_when(rita: Client, center_tells: Any) -> None:
    row, code = saved()
    assert "come_by" not in offered(rita, row)
    center_tells(**EVERY_FACT)
    assert offered(rita, row)["come_by"] == "Come by, you need no appointment: weekdays from 9 to 5."
    save(rita, row, reply="come_by")
    center_tells(walk_in="")
    assert answers_at(code) == [str(replies.GONE)]  # not old hours, and not a sentence with a hole


@pytest.mark.parametrize("typed", ["Call me, I love you", "agree; other", "gone", "x" * 10_000])
def test_nobody_can_type_words_there(rita: Client, typed: str) -> None:
    row, code = saved()
    response = save(rita, row, reply=typed, notes__0__text="What I typed.")
    assert "This sentence is not in the list any more. Choose again." in parse(response).text
    assert parse(response).select_one("[name=notes-0-text]").text.strip() == "What I typed."
    assert not Reply.objects.exists()
    assert answers_at(code) == []


def test_sentence_that_is_retired_is_still_read_and_offered_no_more(
    rita: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, code = saved()
    page = form_of(rita, row)
    save(rita, row, reply="agree")
    monkeypatch.setitem(replies.SENTENCES, "agree", replace(replies.SENTENCES["agree"], retired=True))
    assert answers_at(code) == [str(replies.SENTENCES["agree"].words)]
    page["seen"] = form_of(rita, row)["seen"]
    assert "This sentence is not in the list any more" in parse(send(rita, row, page, reply="agree")).text


def test_sentence_that_was_taken_out_of_the_list_is_said_to_be_gone(
    rita: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, code = saved()
    save(rita, row, reply="agree")
    monkeypatch.delitem(replies.SENTENCES, "agree")
    assert answers_at(code) == [str(replies.GONE)]
    assert str(replies.GONE) in parse(rita.get(url_of(row))).text


def test_only_who_reviews_can_leave_what_staff_think_of_the_result(rita: Client) -> None:
    row, _code = saved()
    cora = signed_in(member("cora", "contact"))
    judging = {key for key, sentence in replies.SENTENCES.items() if sentence.judges}
    assert judging == {"agree", "other", "either", "elsewhere"}
    assert judging < offered(rita, row).keys()
    assert offered(cora, row).keys() == {"question", "no_hurry", "worried"}
    assert save(cora, row, reply="other").status_code == 200
    assert not Reply.objects.exists()


def test_one_that_was_struck_out_is_shown_to_staff_alone(rita: Client) -> None:
    row, code = saved()
    for sentence in ("agree", "no_hurry"):
        save(rita, row, reply=sentence)
    assert [words[:46] for words in answers_at(code)] == [
        "We read your answers. You don’t have to decide",
        "We read your answers, and we think so too. Cal",
    ]
    first = Reply.objects.get(sentence="agree")
    signed_in(member("carl", "reviewer")).post(url_of(row, "strike-out"), {"entry": f"reply/{first.pk}"})
    assert len(answers_at(code)) == 2  # it is not his
    rita.post(url_of(row, "strike-out"), {"entry": f"reply/{first.pk}"})
    assert len(answers_at(code)) == 1
    assert "We read your answers, and we think so too." in parse(rita.get(url_of(row))).select_one("del").text


def test_same_sentence_is_not_left_twice_by_back_and_save(rita: Client) -> None:
    row, code = saved()
    save(rita, row, reply="agree")
    save(rita, row, reply="agree")
    assert len(answers_at(code)) == 1
    assert LogLine.objects.filter(action="replied").count() == 1


def test_it_is_in_the_log_and_the_history_and_is_erased_with_the_rest(rita: Client) -> None:
    row, _code = saved()
    save(rita, row, reply="question")
    line = LogLine.objects.get(action="replied")
    assert (line.actor, line.reference, line.detail) == ("rita", row.reference, "")  # the log outlives the case
    assert (
        "Left an answer at the code" in parse(rita.get(url_of(row))).select_one("section[aria-labelledby=history]").text
    )
    row.delete()
    assert not Reply.objects.exists()


def test_blind_case_shows_no_answer_of_a_colleague_and_lets_none_be_left_before_the_own_judgement(rita: Client) -> None:
    row = submit(IOP, blind=True)
    carl = member("carl", "reviewer")
    replies.leave(row, "other", carl)
    for address in (url_of(row), url_of(row, "print")):
        shown = parse(rita.get(address)).text
        assert "the other program" not in shown
    assert offered(rita, row) == {}
    save(rita, row, reply="agree", status="in_progress")
    assert Reply.objects.get().author == carl
    save(rita, row, reviews__0__program="iop", reviews__0__reason="Why.")
    assert "the other program" in parse(rita.get(url_of(row))).text
    assert "agree" in offered(rita, row)


def test_answer_can_be_left_on_a_case_that_is_closed_and_leaves_it_closed(rita: Client) -> None:
    row, code = saved()
    save(rita, row, outcome="not_reached")
    save(rita, row, reply="no_hurry")
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("closed", "not_reached")
    assert len(answers_at(code)) == 1


def test_who_saved_is_told_to_look_again(rita: Client) -> None:
    row, code = saved()
    words = "Even if you leave no number, our staff can leave you a short answer on this page."
    assert words not in at_the_code(saved(URGENT)[1]).text  # who is in danger does not wait for one
    assert words in at_the_code(code).text
    save(rita, row, reply="agree")
    assert words not in at_the_code(code).text
    assert User.objects.count() == 1
