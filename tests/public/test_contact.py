"""The request for a call: its own form and consent, encrypted, and never shown again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from screening.encryption import cipher
from screening.models import Contact, Submission
from screening.public.contact import consent_words
from tests.answers import IOP, TODAY, URGENT
from tests.conftest import Person
from tests.desk.helpers import CASES, listed, member_with_permissions, url_of
from tests.helpers import parse, text_of
from tests.leaks import database_files

pytestmark = pytest.mark.django_db
WISHES = {
    "name": "Robin Quill",
    "phone": "(405) 555-0123",
    "may_text": "on",
    "email": "robin@example.org",
    "best_time": "Tuesdays at noon",
    "to_others": "say it is the dentist",
    "agree": "on",
}


def test_result_offers_a_call_and_the_request_reaches_the_desk(person: Person, staff_client: Client) -> None:
    result = parse(person.finishes(URGENT, "save"))
    assert result.find("a", href="/contact/").text == "Ask us to call you"
    response = person.client.post("/contact/", WISHES, follow=True)
    assert response.redirect_chain == [("/contact/", 302)]
    assert "you asked us to call." in parse(response).main.text
    html = staff_client.get(url_of(Submission.objects.get())).content.decode()
    for words in (WISHES["best_time"], WISHES["to_others"], "OK to text", "No voicemail"):
        assert words in html
    details = [WISHES[key] for key in ("name", "phone", "email")]
    assert not any(words in html for words in details)
    html = staff_client.post(url_of(Submission.objects.get(), "reveal")).content.decode()
    assert all(words in html for words in (*details, consent_words()))
    assert "Wants a call" in staff_client.get(CASES).content.decode()
    assert "You asked us to call. See or change this" in person.client.get("/result/").content.decode()


@pytest.mark.parametrize(
    ("left_out", "error"),
    [
        ({"phone", "email"}, "Write a phone number or an e-mail address"),
        ({"agree"}, "Tick the box if you agree"),
        ({"phone"}, ""),
        ({"email"}, ""),
        ({"name", "best_time", "to_others", "may_text", "email"}, ""),
    ],
)
def test_only_a_phone_or_email_and_the_consent_are_required(person: Person, left_out: set[str], error: str) -> None:
    person.finishes(IOP, "save")
    response = person.client.post("/contact/", {key: value for key, value in WISHES.items() if key not in left_out})
    assert response.status_code == (422 if error else 302)
    assert Contact.objects.count() == (0 if error else 1)
    if error:
        assert error in parse(response).select_one("[role=alert]").text


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("phone", "555-0123", "with the area code"),
        ("phone", "405 555 012", "with the area code"),
        ("phone", "none of your business", "with the area code"),
        ("email", "robin at example", "like name@example.com"),
        ("name", "x" * 101, "at most 100 characters"),
        ("to_others", "x" * 201, "at most 200 characters"),
        ("best_time", "null\x00byte", "holds a hidden sign that we can’t keep"),
    ],
)
def test_bad_input_gets_a_clear_error_and_loses_nothing_typed(
    person: Person, field: str, value: str, error: str
) -> None:
    person.finishes(IOP, "save")
    response = person.client.post("/contact/", WISHES | {field: value})
    assert response.status_code == 422
    soup = parse(response)
    assert error in soup.select_one("[role=alert]").text
    link = soup.select_one("[role=alert] a")["href"]
    assert soup.select_one(str(link))["name"] == field
    for key in ("name", "phone", "email", "best_time", "to_others"):
        assert soup.select_one(f"#id_{key}")["value"] == (WISHES | {field: value})[key].replace("\0", "\ufffd")
    assert soup.select_one("#id_may_text").has_attr("checked")
    assert not soup.select_one("#id_may_voicemail").has_attr("checked")
    assert not Contact.objects.exists()


def at(day: str) -> Any:
    zone = timezone.get_current_timezone()
    return time_machine.travel(datetime.fromisoformat(day).replace(tzinfo=zone), tick=False)


def windows(client: Client) -> list[str]:
    return [radio.parent.text.strip() for radio in parse(client.get("/contact/")).select("[name=window]")]


def test_times_to_be_called_in_follow_the_hours(person: Person, center_tells: Any) -> None:
    with at("2026-11-27 15:30"):  # a Friday
        person.finishes(IOP, "save")
        assert windows(person.client) == [
            "As soon as you can",
            "Today after 5",
            "Tomorrow in the morning",
            "Tomorrow in the afternoon",
            "Tomorrow after 5",
            "Sunday, Nov. 29 in the morning",
        ]
        center_tells(**{f"hours_{day}": "9:00-13:00" for day in range(5)}, closed="2026-11-30")
        assert windows(person.client)[:3] == [
            "As soon as you can",
            "Tuesday, Dec. 1 in the morning",
            "Tuesday, Dec. 1 in the afternoon",
        ]


@pytest.mark.parametrize(
    ("given", "window", "due_at"),
    [
        (IOP, "2026-11-28-morning", "2026-11-28 08:00"),
        (IOP, "2026-11-27-evening", "2026-11-27 17:00"),
        (IOP, "", "2026-11-27 15:30"),
        (URGENT, "2026-11-28-morning", "2026-11-27 15:30"),  # who is in danger is called at once
    ],
)
def test_chosen_time_is_when_the_case_is_due(
    person: Person, staff_client: Client, given: dict[str, str], window: str, due_at: str
) -> None:
    with at("2026-11-27 15:30"):
        person.finishes(given, "save")
        assert person.client.post("/contact/", WISHES | {"window": window}).status_code == 302
        row = Submission.objects.get()
        assert f"{timezone.localtime(row.due_at):%Y-%m-%d %H:%M}" == due_at
        shown = Contact.objects.get().best_time
        assert shown.endswith("Tuesdays at noon")
        assert shown.startswith("tomorrow in the morning; ") == (window == "2026-11-28-morning")


@pytest.mark.parametrize("window", ["2026-11-27-morning", "never", "x" * 9000])
def test_time_that_is_over_or_never_was_is_one_line_and_nothing_typed_is_lost(person: Person, window: str) -> None:
    with at("2026-11-27 15:30"):
        person.finishes(IOP, "save")
        response = person.client.post("/contact/", WISHES | {"window": window})
        assert response.status_code == 422
        assert "This time is over, or was changed. Choose again." in parse(response).select_one("[role=alert]").text
        assert parse(response).select_one("#id_best_time")["value"] == WISHES["best_time"]


def test_hidden_marks_that_turn_text_round_are_not_kept(person: Person) -> None:
    person.finishes(IOP, "save")
    person.client.post("/contact/", WISHES | {"name": "Ro\u202ebin\u200f", "to_others": "\u2066say\u2069 it"})
    contact = Contact.objects.get()
    assert (contact.name, contact.to_others) == ("Robin", "say it")


def test_it_is_kept_encrypted_and_with_the_words_that_were_agreed_to(person: Person) -> None:
    person.finishes(IOP, "save")
    person.client.post("/contact/", WISHES)
    contact = Contact.objects.get()
    assert (contact.name, contact.phone, contact.email) == (WISHES["name"], WISHES["phone"], WISHES["email"])
    assert (contact.may_text, contact.may_voicemail) == (True, False)
    assert contact.consent == consent_words()
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, phone, email, best_time, to_others FROM screening_contact")
        stored = cursor.fetchone()
    assert not any(word.lower() in text.lower() for text in stored for word in WISHES.values() if len(word) > 3)
    assert [cipher("column").decrypt(text) for text in stored[:3]] == [contact.name, contact.phone, contact.email]


def test_what_was_typed_is_never_shown_again_to_whoever_holds_the_device(person: Person) -> None:
    person.finishes(IOP, "save")
    person.client.post("/contact/", WISHES)
    for address in ("/contact/", "/result/", "/check/", "/erase/", "/"):
        response = person.client.get(address)
        assert response.status_code == 200
        for key in ("name", "phone", "email", "best_time", "to_others"):
            assert WISHES[key] not in response.content.decode()


def test_later_request_takes_the_place_of_the_earlier(person: Person) -> None:
    person.finishes(IOP, "save")
    person.client.post("/contact/", WISHES)
    person.client.post("/contact/", {"phone": "405-555-0199", "agree": "on"})
    contact = Contact.objects.get()
    assert (contact.phone, contact.name, contact.may_text) == ("405-555-0199", "", False)


def test_taking_it_back_erases_it(person: Person) -> None:
    person.finishes(IOP, "save")
    person.client.post("/contact/", WISHES)
    response = person.client.post("/contact/", {"action": "withdraw"}, follow=True)
    assert not Contact.objects.exists()
    assert Submission.objects.count() == 1
    assert (
        parse(response).select_one("[role=status]").text == "Your request is cancelled, and what you wrote is erased."
    )
    assert parse(response).select_one("#id_phone")
    person.client.post("/contact/", WISHES)
    assert "cancelled" not in person.client.get("/contact/?note=withdrawn").content.decode()


@pytest.mark.parametrize("given", [TODAY, URGENT], ids=["today", "now"])
@pytest.mark.parametrize("action", ["view", "save"])
def test_nobody_is_watching_is_said_whenever_help_comes_first(
    person: Person, database_goes_down: Callable[[], None], action: str, given: dict[str, str]
) -> None:
    person.finishes(given, action)
    assert "No one is watching this page." in text_of(person.client.get("/contact/"), "main")
    Submission.objects.all().delete()
    assert "No one is watching this page." in text_of(person.client.post("/contact/", WISHES), "main")
    database_goes_down()
    assert "No one is watching this page." in text_of(person.client.post("/contact/", WISHES), "main")


def test_request_without_cookies_says_so_and_loses_nothing_typed() -> None:
    response = Client(enforce_csrf_checks=True).post("/contact/", WISHES)
    assert response.status_code == 403
    assert "your browser may refuse cookies" in text_of(response, "[role=status]")
    assert parse(response).select_one("#id_best_time")["value"] == WISHES["best_time"]


def test_form_says_not_to_wait_for_a_call_in_danger(person: Person) -> None:
    person.finishes(IOP, "save")
    page = parse(person.client.get("/contact/"))
    assert "If you may be in danger, please don’t wait for us:" in page.main.text
    assert [link["href"] for link in page.select("main p .call")] == ["tel:988", "tel:911"]


def test_request_that_did_not_reach_us_says_that_nobody_is_watching_where_help_comes_first(person: Person) -> None:
    strict = Client(enforce_csrf_checks=True)
    person.has_answered(TODAY)
    strict.cookies = person.client.cookies
    assert "No one is watching this page." in text_of(strict.post("/contact/", WISHES), "main")


def test_who_kept_nothing_is_asked_to_save_first_and_then_goes_on(person: Person) -> None:
    person.finishes(IOP, "view")
    soup = parse(person.client.get("/contact/"))
    assert "please save them first" in soup.main.text
    assert not soup.select("[name=phone]")
    form = {field["name"]: field["value"] for field in soup.select("form [name=then], form button[name]")}
    assert person.client.post("/check/", form).url == "/contact/"
    assert person.client.post("/contact/", WISHES).status_code == 302
    assert Contact.objects.get().submission == Submission.objects.get()


def test_without_a_saved_screening_there_is_nothing_to_ask_for(person: Person) -> None:
    assert person.client.get("/contact/").url == "/return/"
    person.has_answered(IOP)
    assert person.client.get("/contact/").url == "/return/"


@pytest.mark.parametrize("lost", ["unsaved", "erased", "left"])
def test_request_that_cannot_be_kept_says_why_and_loses_nothing_typed(person: Person, lost: str) -> None:
    person.finishes(IOP, "view" if lost == "unsaved" else "save")
    Submission.objects.all().delete()
    if lost == "left":
        person.client.cookies.clear()
    response = person.client.post("/contact/", WISHES)
    page = parse(response)
    assert response.status_code == 409
    assert "We can’t keep this: your answers are not saved here" in page.select_one("[role=alert]").text
    assert page.select_one("#id_best_time")["value"] == WISHES["best_time"]
    assert page.select_one("#id_may_text").has_attr("checked")
    assert not Contact.objects.exists()


@pytest.mark.parametrize(("given", "watched"), [(IOP, True), (TODAY, False), (URGENT, False)])
def test_request_ends_on_a_page_that_confirms_it(person: Person, given: dict[str, str], watched: bool) -> None:
    result = parse(person.finishes(given, "save"))
    assert ("No one is watching this page." not in text_of(person.client.get("/contact/"), "main")) == watched
    page = parse(person.client.post("/contact/", WISHES, follow=True))
    assert page.h1.text == "We have your request"
    assert page.select_one(".code").text == result.select_one(".code").text
    assert page.select_one(".reference").text == result.select_one(".reference").text
    assert ("No one is watching this page." not in page.text) == watched
    assert bool(page.select(".numbers a[href^=tel]")) != watched
    links = {link.text: str(link["href"]) for link in page.select("main .calls a")}
    assert links == {"Back to my result": "/result/", "Change what I wrote": "/contact/?change"}
    assert parse(person.client.get(links["Change what I wrote"])).select_one("#id_phone")
    assert page.select_one("button[value=withdraw]").text == "Cancel my request and erase what I wrote"


def test_database_that_is_down_loses_nothing_typed(person: Person, database_goes_down: Callable[[], None]) -> None:
    person.finishes(IOP, "save")
    database_goes_down()
    response = person.client.post("/contact/", WISHES)
    assert response.status_code == 503
    assert parse(response).select_one("#id_best_time")["value"] == WISHES["best_time"]
    assert "What you typed is still here." in parse(response).select_one("[role=alert]").text


def test_database_that_is_down_is_reported_for_each_action(
    person: Person, database_goes_down: Callable[[], None]
) -> None:
    person.finishes(IOP, "save")
    person.client.post("/contact/", WISHES)
    database_goes_down()
    for response, words in (
        (
            person.client.post("/contact/", {"action": "withdraw"}),
            "We can’t be sure that this is erased.",
        ),
        (person.client.get("/contact/"), "We can’t take this right now."),
    ):
        assert response.status_code == 503
        (alert,) = parse(response).select("[role=alert]")
        assert words in alert.text


def test_result_is_still_shown_where_only_the_requests_for_a_call_are_out_of_reach(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OperationalError("no such table")

    person.finishes(IOP, "save")
    monkeypatch.setattr(Contact.objects, "unexpired", broken)
    assert person.client.get("/result/").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("then", [{"action": "withdraw"}, {"phone": "405 555 0199", "agree": "on"}])
def test_what_was_taken_back_or_replaced_is_not_left_in_the_database_file(person: Person, then: dict[str, str]) -> None:
    if connection.vendor != "sqlite":
        return  # PostgreSQL clears its files by itself: docs/operate.md
    person.finishes(IOP, "save")
    person.client.post("/contact/", WISHES)
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM screening_contact")
        (stored,) = cursor.fetchone()

    assert stored.encode() in database_files()
    person.client.post("/contact/", then)
    assert stored.encode() not in database_files()


def test_desk_has_a_queue_of_those_who_are_urgent_and_want_a_call(person: Person, staff_client: Client) -> None:
    person.finishes(URGENT, "save")
    person.client.post("/contact/", WISHES)
    Submission.objects.submit(URGENT)
    asked, other = map(str, Submission.objects.order_by("pk"))
    assert listed(staff_client, "?queue=urgent") == [asked]
    assert listed(staff_client, "?queue=nobody_to_reach") == [other]
    person.client.post("/contact/", {"action": "withdraw"})
    assert not Submission.objects.filter(wants_call=True).exists()


def test_who_may_read_answers_only_is_not_shown_how_to_reach_the_person(person: Person, client: Client) -> None:
    person.finishes(IOP, "save")
    person.client.post("/contact/", WISHES)
    user = member_with_permissions("reader", "view_submission")
    client.force_login(user)
    html = client.get(url_of(Submission.objects.get())).content.decode()
    reveal = url_of(Submission.objects.get(), "reveal")
    assert "They asked for a call. A colleague" in html
    for words in (WISHES["phone"], WISHES["best_time"], WISHES["to_others"]):
        assert words not in html
    assert client.post(reveal).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_contact"))
    assert WISHES["phone"] not in client.get(url_of(Submission.objects.get())).content.decode()
    assert WISHES["phone"] in client.post(reveal).content.decode()


@pytest.mark.parametrize(
    "query", ["contact__name=x", "contact__phone__contains=4", "contact__name__isnull=0", "contact__isempty=0"]
)
def test_contact_details_cannot_be_probed_by_the_address(staff_client: Client, query: str) -> None:
    assert staff_client.get(f"{CASES}?{query}").status_code == 400
