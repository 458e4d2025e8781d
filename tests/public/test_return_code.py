"""Return codes: their format, what they open, the rate limit, and erasing."""

import random
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from screening import rate_limits, return_codes
from screening.draft import MAX_EARLIER_CODES
from screening.models import Contact, ErasureCount, Note, RateLimitCount, Review, Submission
from screening.questionnaire import PAGE_BY_SLUG
from tests.answers import BEST, IOP, URGENT, answers, on_page
from tests.conftest import Person
from tests.desk.helpers import CASES, save, url_of
from tests.helpers import parse
from tests.leaks import database_files

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_in_gate]


def code_on(html: str) -> str:
    return BeautifulSoup(html, "lxml").select_one("p.code").text


def saves(person: Person, given: dict[str, str] = IOP) -> str:
    """Save the answers; return the code that the result page shows."""
    return code_on(person.finishes(given, "save").content.decode())


def come_back(code: str, client: Client | None = None) -> Any:
    return (client or Client()).post("/return/", {"code": code}, follow=True)


# The code itself


def test_code_has_120_random_bits_in_five_groups_of_five(person: Person) -> None:
    code = saves(person)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}", code)
    assert len(return_codes.SYMBOLS) ** return_codes.LENGTH == 2**120
    drawn = {return_codes.generate() for _ in range(500)}
    assert len(drawn) == 500
    assert all(len({code[place] for code in drawn}) == 32 for place in range(return_codes.LENGTH))


def test_every_mistaken_symbol_and_every_two_that_traded_places_are_noticed() -> None:
    code = return_codes.generate()
    for place, symbol in enumerate(code):
        for other in set(return_codes.SYMBOLS) - {symbol}:
            assert return_codes.parse(code[:place] + other + code[place + 1 :]) == ""
        for later in range(place + 1, len(code)):
            swapped = list(code)
            swapped[place], swapped[later] = swapped[later], swapped[place]
            assert return_codes.parse("".join(swapped)) == (code if code[place] == code[later] else "")


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: f"  {code.replace('-', ' ')}\n",
        lambda code: code.replace("-", "–"),
        lambda code: f"“{code.replace('-', '−')}”\u200b.",
        lambda code: "".join(chr(ord(symbol) + 0xFEE0) for symbol in code),
        lambda code: code.replace("0", "o").replace("1", "l"),
        lambda code: code.replace("0", "O").replace("1", "I"),
    ],
)
def test_code_may_be_typed_in_any_of_the_usual_ways(typed: Callable[[str], str]) -> None:
    generator = random.Random(1)
    for _ in range(50):
        body = "".join(generator.choices("01" + return_codes.SYMBOLS, k=return_codes.LENGTH))
        code = body + return_codes._check(body)
        assert return_codes.parse(typed(return_codes.formatted(code))) == code


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Write your code in the field."),
        (" ", "Write your code in the field."),
        ("\x00" * 25, "Write your code in the field."),
        ("BCDF-GHJK", "This looks like your reference number."),
        (" bcdf ghjk", "This looks like your reference number."),
        ("my reference: BCDF-GHJK", "This looks like your reference number."),
        ("A" * 24, "A code has 25 letters and digits, and this has 24."),
        ("A" * 26, "and this has 26."),
        ("A" * 100_000, "and this has 200."),
        ("ß" * 25, "and this has 50."),
        ("é1", "and this has 1."),
        ("U" * 25, "There is a typing mistake in this code."),
        ("A" * 25, "There is a typing mistake in this code."),
    ],
)
def test_what_is_no_code_gets_its_own_words_and_stays_in_the_field(typed: str, said: str) -> None:
    response = Client().post("/return/", {"code": typed})
    assert response.status_code == 422
    page = parse(response)
    assert said in page.select_one("[role=alert]").text
    assert page.select_one("#id_code")["value"] == typed[:200].replace("\0", "\ufffd")


# The result by its code


def test_code_shows_the_result_again_on_another_device(person: Person) -> None:
    code = saves(person, URGENT)
    response = come_back(code)
    assert response.redirect_chain == [("/result/", 302)]
    shown = [parse(page).main.text for page in (response, person.client.get("/result/"))]
    assert shown[0] == shown[1]
    assert response["Cache-Control"].count("no-store") == 1


def test_code_still_opens_a_result_whose_questionnaire_has_changed_since(person: Person) -> None:
    code = saves(person)
    submission = Submission.objects.get()
    submission.answers = {key: value for key, value in IOP.items() if key != "mind"} | {"shoe_size": "nine"}
    submission.save()
    html = come_back(code).content.decode()
    assert code_on(html) == code
    assert submission.result["reasons"][0]["text"] in html


def test_result_kept_nowhere_has_no_code(person: Person) -> None:
    html = person.finishes(IOP, "view").content.decode()
    assert "This is your code" not in html
    assert person.client.get("/erase/").status_code == 200
    assert person.client.post("/erase/").status_code == 200
    assert not ErasureCount.objects.exists()


def test_person_is_told_whether_and_when_staff_opened_it_and_not_who(person: Person, staff_client: Client) -> None:
    code = saves(person)
    User.objects.update(username="quillon")
    submission = Submission.objects.get()
    assert "Nobody on our staff has opened it on this site yet." in come_back(code).content.decode()
    staff_client.get(CASES)  # the list does not open a submission
    assert "Nobody on our staff has opened it on this site yet." in come_back(code).content.decode()
    with time_machine.travel("2026-12-01 15:04:00-06:00", tick=False):
        Submission.objects.update(received_at="2026-11-30T00:00:00Z")
        staff_client.force_login(User.objects.get())
        staff_client.get(url_of(submission))
    with time_machine.travel("2026-12-02 15:04:00-06:00", tick=False):
        staff_client.force_login(User.objects.get())
        staff_client.get(url_of(submission))
        html = come_back(code).content.decode()
    assert "On Dec. 1, 2026 at 3:04 p.m. someone on our staff first opened it on this site." in html
    assert "It was opened 2 times in all, the last time on Dec. 2, 2026 at 3:04 p.m." in html
    assert "quillon" not in html


# What a wrong code reveals


def test_wrong_expired_and_erased_codes_get_the_very_same_answer(person: Person) -> None:
    old = saves(person)
    Submission.objects.update(received_at="2020-01-01T00:00:00Z")
    erased = saves(Person(Client()), URGENT)
    gone = Client()
    come_back(erased, gone)
    gone.post("/erase/")
    pages, queries = [], []
    for code in (return_codes.formatted(return_codes.generate()), old, erased):
        client = Client()
        client.get("/return/")
        with CaptureQueriesContext(connection) as captured:
            response = client.post("/return/", {"code": code})
        assert response.status_code == 422
        assert "Nothing is kept under this code." in response.content.decode()
        pages.append(re.sub(r'value="[^"]*"', "", response.content.decode()))
        queries.append([query["sql"].split(" WHERE ")[0] for query in captured])
    assert pages[0] == pages[1] == pages[2]
    assert queries[0] == queries[1] == queries[2]


def test_database_holds_the_code_only_sealed(person: Person, settings: Any) -> None:
    code = return_codes.parse(saves(person))
    submission = Submission.objects.get()
    assert submission.code == return_codes.encrypted_hashes(code)[0]
    everything = str(list(Submission.objects.values())).upper()
    assert not [place for place in range(16) if code[place : place + 10] in everything]
    settings.DATA_KEYS = ["another key, just as long as the one before it was, or longer"]
    assert submission.code not in return_codes.encrypted_hashes(code)


# Rate limits


def wrong_attempts(number: int, address: str = "192.0.2.1") -> list[int]:
    client = Client(REMOTE_ADDR=address)
    return [client.post("/return/", {"code": return_codes.generate()}).status_code for _ in range(number)]


def test_wrong_codes_are_limited_for_each_address_and_nobody_else_is_locked_out(person: Person) -> None:
    code = saves(person)
    assert wrong_attempts(203, "192.0.2.1") == [422] * 200 + [429] * 3
    assert wrong_attempts(1, "192.0.2.2") == [422]
    assert come_back(code, Client(REMOTE_ADDR="192.0.2.3")).status_code == 200


def test_limit_says_so_and_leaves_the_crisis_numbers_and_all_else_open() -> None:
    client = Client(REMOTE_ADDR="192.0.2.1")
    for _ in range(201):
        response = client.post("/return/", {"code": return_codes.formatted(return_codes.generate())})
    assert response.status_code == 429
    assert "Please try again in an hour" in response.content.decode()
    for page in (response, *(client.get(address) for address in ("/", "/help/", "/questions/emergency/", "/return/"))):
        assert 'href="tel:988"' in page.content.decode()
    assert Person(client).finishes(BEST, "save").status_code == 200


def test_right_codes_and_typing_mistakes_are_not_counted(person: Person) -> None:
    code = saves(person)
    for _ in range(30):
        assert come_back(code).status_code == 200
        assert Client().post("/return/", {"code": code[:-1] + "*"}).status_code == 422
    assert RateLimitCount.objects.get(limit="return", client="").count == 0


def test_attempts_are_allowed_again_within_the_next_hour() -> None:
    with time_machine.travel("2026-11-23 12:59", tick=False) as clock:
        assert wrong_attempts(201)[-1] == 429
        clock.shift(timedelta(minutes=2))
        assert wrong_attempts(1) == [422]


def test_total_limit_leaves_a_fresh_address_some_attempts(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "RETURN_CODE", rate_limits.Limit("return", per_client=20, total=5, reserved=3))
    assert wrong_attempts(7, "192.0.2.1") == [422] * 5 + [429] * 2
    assert wrong_attempts(4, "192.0.2.2") == [422] * 3 + [429]
    code = saves(person)
    assert come_back(code, Client(REMOTE_ADDR="192.0.2.3")).status_code == 200


# Erasing


@time_machine.travel("2026-11-23 12:00", tick=False)
def test_erasing_takes_everything_and_leaves_a_dated_count(person: Person, staff_client: Client) -> None:
    code = saves(person)
    submission = Submission.objects.get()
    review = {"reviews__0__program": "inpatient", "reviews__0__reason": "No bed at home."}
    save(staff_client, submission, notes__0__text="Called.", **review)
    person.client.post("/contact/", {"phone": "405 555 0123", "agree": "on"})
    assert [model.objects.count() for model in (Note, Review, Contact)] == [1, 1, 1]
    other = Submission.objects.submit(URGENT)
    assert "Nobody can bring it back" in person.client.get("/erase/").content.decode()
    assert Submission.objects.count() == 2
    response = person.client.post("/erase/", follow=True)
    again = person.client.post("/erase/", follow=True)
    assert (response.status_code, response.redirect_chain) == (200, [])
    assert "What you saved is gone, for us and for you" in response.content.decode()
    assert again.redirect_chain == [("/return/", 302)]
    assert [*Submission.objects.all()] == [other]
    assert not Note.objects.exists()
    assert not Review.objects.exists()
    assert not Contact.objects.exists()
    assert [(str(row), row.count) for row in ErasureCount.objects.all()] == [("2026-11-23 erased", 1)]
    assert "Nothing is kept under this code." in come_back(code).content.decode()
    assert person.client.get("/check/").url == "/"


def test_device_that_still_has_the_answers_shows_that_they_are_no_longer_kept(person: Person) -> None:
    code = saves(person)
    other_device = Client()
    come_back(code, other_device)
    other_device.post("/erase/")
    html = person.client.get("/result/").content.decode()
    assert "What you saved is no longer kept." in html
    assert "This is your code" not in html


def test_earlier_save_of_changed_answers_is_shown_and_erased_too(person: Person) -> None:
    first = saves(person)
    person.post("job", on_page(PAGE_BY_SLUG["job"], BEST))
    assert "What you saved before you changed an answer is still kept." in person.client.get("/check/").content.decode()
    person.client.post("/check/", {"action": "view"})
    html = person.client.get("/result/").content.decode()
    assert "We kept nothing" not in html
    assert "What you saved before you changed them is still kept" in html
    person.client.post("/check/", {"action": "save"})
    result = person.client.get("/result/").content.decode()
    assert "And what you saved before you changed an answer." in result
    assert "You saved more than once on this device." in person.client.get("/erase/").content.decode()
    person.client.post("/erase/")
    assert not Submission.objects.exists()
    assert ErasureCount.objects.get().count == 2
    for code in (first, code_on(result)):
        assert "Nothing is kept under this code." in come_back(code).content.decode()


def test_older_tab_that_saved_later_does_not_hide_the_first_save_from_erasing(person: Person) -> None:
    person.has_answered(IOP)
    unsaved = person.client.cookies[settings.DRAFT_COOKIE_NAME].value
    person.client.post("/check/", {"action": "save"})
    person.client.cookies[settings.DRAFT_COOKIE_NAME] = unsaved
    person.post("job", on_page(PAGE_BY_SLUG["job"], BEST))
    assert person.client.post("/check/", {"action": "save"}).url == "/check/?note=saved_before"
    person.client.post("/erase/")
    assert not Submission.objects.exists()


def test_what_a_browser_saved_too_often_to_remember_is_said_to_stay(person: Person) -> None:
    def page(response: Any) -> str:
        return str(response.content.decode())

    first = saves(person)
    for number in range(MAX_EARLIER_CODES + 1):
        assert "this page can’t reach" not in page(person.client.get("/erase/"))
        person.post("job", on_page(PAGE_BY_SLUG["job"], (BEST, IOP)[number % 2]))
        person.client.post("/check/", {"action": "save"})
    assert len(person.client.cookies[settings.DRAFT_COOKIE_NAME].value) < 3500
    assert "Something else was saved here that this page can’t reach." in page(person.client.get("/erase/"))
    html = page(person.client.post("/erase/"))
    assert "Not all of it is erased" in html
    assert "gone, for us and for you" not in html
    assert Submission.objects.count() == 1
    come_back(first, person.client)
    assert "What you saved is gone" in page(person.client.post("/erase/"))
    assert not Submission.objects.exists()


def test_what_was_saved_but_never_answered_is_erased_with_the_rest(person: Person) -> None:
    saves(person)
    person.post("job", on_page(PAGE_BY_SLUG["job"], BEST))
    cookie = person.client.cookies[settings.DRAFT_COOKIE_NAME].value
    person.client.post("/check/", {"action": "save"})
    person.client.cookies[settings.DRAFT_COOKIE_NAME] = cookie  # the answer to it was lost
    person.client.post("/erase/")
    assert not Submission.objects.exists()


def test_what_was_erased_elsewhere_and_is_saved_again_twice_is_one_submission(person: Person) -> None:
    saves(person)
    Submission.objects.all().delete()
    cookie = person.client.cookies[settings.DRAFT_COOKIE_NAME].value
    for _press in range(2):
        person.client.cookies[settings.DRAFT_COOKIE_NAME] = cookie
        person.client.post("/check/", {"action": "save"})
    assert Submission.objects.count() == 1
    person.client.post("/erase/")
    assert not Submission.objects.exists()


def test_typing_a_code_forgets_what_else_was_saved_here_and_says_so(person: Person) -> None:
    saves(person)
    person.post("job", on_page(PAGE_BY_SLUG["job"], BEST))
    person.client.post("/check/", {"action": "save"})
    second = code_on(person.client.get("/result/").content.decode())
    come_back(second, person.client)
    assert "this page can’t reach" in person.client.get("/erase/").content.decode()
    assert "Not all of it is erased" in person.client.post("/erase/").content.decode()
    assert Submission.objects.count() == 1


def test_erasing_reaches_what_is_expired_and_not_erased_yet(person: Person) -> None:
    saves(person)
    Submission.objects.update(received_at=timezone.now() - timedelta(days=91))
    person.client.post("/erase/")
    assert not Submission.objects.exists()


def test_code_that_was_erased_is_never_used_again_on_a_device_that_still_has_it(person: Person) -> None:
    code = saves(person)
    Submission.objects.all().delete()
    check = person.client.get("/check/").content.decode()
    assert "You saved these answers." not in check
    assert "What you saved is no longer kept." in person.client.get("/contact/").content.decode()
    person.client.post("/check/", {"action": "save"})
    assert code_on(person.client.get("/result/").content.decode()) != code
    assert "Nothing is kept under this code." in come_back(code).content.decode()


def test_damaged_row_can_still_be_erased(person: Person) -> None:
    code = saves(person)
    for damage in ({"answers": "x"}, {"answers": ["x"]}, {"answers": {"job": ["x"]}}):
        Submission.objects.update(result={"need": "enormous", "support": 1, "duties": None, "reasons": {}}, **damage)
        device = Client()
        assert "What you saved is damaged" in come_back(code, device).content.decode()
    device.post("/erase/")
    assert not Submission.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_wrong_keys_are_not_taken_for_erased_and_the_code_stays_on_the_device(person: Person, settings: Any) -> None:
    code = saves(person)
    cookie = person.client.cookies[settings.DRAFT_COOKIE_NAME].value
    right, settings.DATA_KEYS = settings.DATA_KEYS, ["another key, just as long as the one before it was, or longer"]
    for response in (person.client.post("/erase/"), Client().post("/return/", {"code": code})):
        assert response.status_code == 503
        assert settings.DRAFT_COOKIE_NAME not in response.cookies
        html = response.content.decode()
        assert not [words for words in ("It is erased", "gone, for us", "Nothing is kept") if words in html]
    assert "We can’t be sure that it is erased." in person.client.post("/erase/").content.decode()
    assert "no longer kept" not in person.client.get("/result/").content.decode()
    assert person.client.post("/check/", {"action": "save"}).status_code == 503
    settings.DATA_KEYS = right
    assert person.client.post("/erase/").status_code == 200
    assert not Submission.objects.exists()
    person.client.cookies[settings.DRAFT_COOKIE_NAME] = cookie  # of the second of two clicks
    assert "What you saved is gone" in person.client.post("/erase/").content.decode()


def test_nothing_can_be_erased_while_the_database_is_down_and_it_says_so(
    person: Person, database_goes_down: Callable[[], None]
) -> None:
    saves(person)
    database_goes_down()
    response = person.client.post("/erase/")
    assert response.status_code == 503
    assert "We can’t be sure that it is erased." in response.content.decode()
    response = Client().post("/return/", {"code": return_codes.formatted(return_codes.generate())})
    assert response.status_code == 503


@pytest.mark.django_db(transaction=True)
def test_nothing_of_an_erased_submission_is_left_in_the_database_file(person: Person) -> None:
    if connection.vendor != "sqlite":
        return  # PostgreSQL clears its files by itself: vacuum removes dead rows
    given = answers(job="cannot_leave", opioids="sick")
    saves(person, given)
    reference = Submission.objects.get().reference.encode()
    assert reference in database_files()
    person.client.post("/erase/")
    assert reference not in database_files()
