"""The question pages, the check page and the draft cookie; none of them uses the database, but the result does."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from screening.draft import Draft
from screening.questionnaire import PAGES, QUESTIONS, Page
from tests.answers import BEST, IOP, URGENT, on_page
from tests.conftest import Person

COOKIE = settings.DRAFT_COOKIE_NAME
LAST = PAGES[-1]


def answers_in_cookie(client: Client) -> dict[str, str]:
    """Return the answers in the client's cookie."""
    request = type("Request", (), {"COOKIES": {name: morsel.value for name, morsel in client.cookies.items()}})
    return dict(Draft.read(request).answers)  # type: ignore[arg-type]


def test_start_page_leads_to_the_first_question(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert f'href="/questions/{PAGES[0].slug}/"' in response.content.decode()


@pytest.mark.parametrize("form_page", PAGES, ids=lambda page: page.slug)
def test_page_asks_its_questions_under_their_keys_and_values(person: Person, form_page: Page) -> None:
    person.answers_every_page(BEST)
    html = person.client.get(f"/questions/{form_page.slug}/").content.decode()
    asked = re.findall(r'<input type="radio" name="(\w+)" value="(\w+)"', html)
    assert asked == [(question.key, value) for question in form_page.questions for value in question.options]
    assert f"Page {PAGES.index(form_page) + 1} of {len(PAGES)}" in html


def test_each_page_leads_to_the_next_and_the_last_to_the_check_page(person: Person) -> None:
    for page, following in zip(PAGES, [*PAGES[1:], None], strict=True):
        response = person.post(page.slug, on_page(page, IOP))
        assert response.status_code == 302
        assert response.url == (f"/questions/{following.slug}/" if following else "/check/")


def test_change_link_returns_to_the_check_page(person: Person) -> None:
    person.answers_every_page(BEST)
    html = person.client.get("/check/").content.decode()
    for page in PAGES:
        for question in page.questions:
            assert f'href="/questions/{page.slug}/#id_{question.key}"' in html
    changed = on_page(PAGES[1], BEST | {"job": "cannot_leave"})
    assert person.post("job", changed).url == "/check/"
    assert answers_in_cookie(person.client) == BEST | {"job": "cannot_leave"}


def test_page_shows_what_was_chosen_before(person: Person) -> None:
    person.answers_every_page(IOP)
    html = person.client.get("/questions/job/").content.decode()
    assert re.search(r'name="job" value="cannot_leave"[^>]* checked', html)


def test_deep_link_past_a_gap_leads_to_the_gap_and_says_so(person: Person) -> None:
    person.post("safety", on_page(PAGES[0], BEST))
    for address in (f"/questions/{LAST.slug}/", "/check/", "/result/"):
        response = person.client.get(address, follow=True)
        assert response.redirect_chain == [("/questions/job/?note=gap", 302)]
        assert "something to answer here first" in response.content.decode()


def test_a_page_posted_past_a_gap_is_kept(person: Person) -> None:
    response = person.post(LAST.slug, on_page(LAST, BEST))
    assert response.url == "/questions/safety/?note=gap"
    assert answers_in_cookie(person.client) == on_page(LAST, BEST)


def test_post_to_check_with_gaps_leads_to_the_first_gap(person: Person) -> None:
    person.post("safety", on_page(PAGES[0], BEST))
    response = person.client.post("/check/", {"action": "save"})
    assert response.url == "/questions/job/?note=gap"


def test_missing_choice_keeps_the_others_and_says_what_is_open(person: Person) -> None:
    person.post("safety", on_page(PAGES[0], BEST))
    response = person.post("job", {"job": "cannot_leave"})
    html = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: " in html
    assert re.search(r'name="job" value="cannot_leave"[^>]* checked', html)
    targets = re.findall(r'<li><a href="#(\w+)">', html)
    assert targets == ["id_attendance_0"]
    assert all(f'id="{target}"' in html for target in targets)
    assert answers_in_cookie(person.client)["job"] == "cannot_leave"


@pytest.mark.parametrize("value", ["astronaut", "", "cannot_leave\x00", "<script>", "x" * 10_000])
def test_option_that_does_not_exist_is_refused_and_never_kept(person: Person, value: str) -> None:
    response = person.post("job", {"job": value, "attendance": "yes"})
    assert response.status_code == 422
    assert answers_in_cookie(person.client) == {"attendance": "yes"}
    assert "<script>" not in response.content.decode()


@pytest.mark.parametrize("key", ["emergency", "self_harm", "home_safety"])
def test_safety_answer_that_means_now_leads_to_the_numbers_first(person: Person, key: str) -> None:
    now = list(QUESTIONS[key].options)[-1]
    response = person.client.post("/questions/safety/", on_page(PAGES[0], BEST | {key: now}), follow=True)
    html = response.content.decode()
    assert response.redirect_chain == [("/help/", 302)]
    assert "Please get help now" in html
    assert 'href="tel:911"' in html
    assert 'href="/questions/job/"' in html


def test_unfinished_page_with_an_answer_that_means_now_shows_the_numbers_too(person: Person) -> None:
    response = person.post("safety", {"self_harm": "plan"})
    assert response.status_code == 422
    assert "Please get help now" in response.content.decode()


def test_help_page_shows_every_number_to_anyone(client: Client) -> None:
    html = client.get("/help/").content.decode()
    for href in ("tel:911", "tel:988", "tel:+18002221222", "tel:+18007997233", "tel:+18006624357"):
        assert f'href="{href}"' in html
    assert "Please get help now" not in html


def test_result_asks_for_the_check_page_first(person: Person) -> None:
    person.answers_every_page(BEST)
    assert person.client.get("/result/").url == "/check/"


@pytest.mark.django_db
def test_changing_an_answer_after_the_result_leads_back_to_the_check_page(person: Person) -> None:
    person.finishes(IOP, "view")
    person.post("job", on_page(PAGES[1], BEST))
    assert person.client.get("/result/").url == "/check/"


def test_unknown_action_on_the_check_page_gets_a_clear_error(person: Person) -> None:
    person.answers_every_page(BEST)
    response = person.client.post("/check/", {"action": "explode"})
    assert response.status_code == 422
    assert "Please choose one of the two buttons" in response.content.decode()


def test_cookie_is_encrypted_http_only_and_ends_with_the_session(person: Person) -> None:
    person.answers_every_page(URGENT)
    morsel = person.client.cookies[COOKIE]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert not morsel["expires"]
    assert not morsel["max-age"]
    assert not any(word in morsel.value for word in ("plan", "self_harm"))
    assert len(morsel.value) < 3000


def test_reading_a_page_never_writes_the_cookie(person: Person) -> None:
    person.answers_every_page(BEST)
    for address in ("/", "/check/", "/help/", *(f"/questions/{page.slug}/" for page in PAGES)):
        assert COOKIE not in person.client.get(address).cookies


def broken_cookies(client: Client) -> dict[str, str]:
    good = client.cookies[COOKIE].value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "SECRET_KEY", "another site's key, just as long as ours is, or longer")
        stranger = Person(Client())
        stranger.answers_every_page(BEST)
        foreign = stranger.client.cookies[COOKIE].value
    return {"tampered": good[:-6] + "AAAAAA", "foreign": foreign, "garbage": 'é"{};'}


@pytest.mark.parametrize("kind", ["tampered", "foreign", "garbage"])
def test_cookie_that_cannot_be_read_starts_again_and_keeps_the_page_just_posted(person: Person, kind: str) -> None:
    person.answers_every_page(BEST)
    person.client.cookies[COOKIE] = broken_cookies(person.client)[kind]
    response = person.client.get("/check/", follow=True)
    assert response.redirect_chain == [("/questions/safety/?note=lost", 302)]
    assert "start again here" in response.content.decode()
    person.client.cookies[COOKIE] = "tampered"
    response = person.client.post("/questions/job/", on_page(PAGES[1], BEST), follow=True)
    assert response.redirect_chain == [("/questions/safety/?note=lost_but_one", 302)]
    assert "The page you just sent is kept" in response.content.decode()
    assert answers_in_cookie(person.client) == on_page(PAGES[1], BEST)


def test_answers_expire_after_an_hour_without_a_new_page() -> None:
    with time_machine.travel("2026-11-23 02:00", tick=False) as clock:
        person = Person(Client())
        person.answers_every_page(BEST)
        clock.shift(timedelta(minutes=59))
        assert person.client.get("/check/").status_code == 200
        person.post("job", on_page(PAGES[1], IOP))
        clock.shift(timedelta(minutes=59))
        assert person.client.get("/check/").status_code == 200
        clock.shift(timedelta(minutes=2))
        assert person.client.get("/check/").url == "/questions/safety/?note=lost"


@pytest.mark.django_db
def test_answers_are_opened_for_six_hours_at_most_even_if_a_copy_is_sent_again() -> None:
    def opens_after(hours: float, copy: Client) -> bool:
        with time_machine.travel(begun, tick=False) as clock:
            for _ in range(int(hours * 2)):
                clock.shift(timedelta(minutes=30))
                copy.post("/check/", {"action": "view"})
            clock.move_to(begun + timedelta(hours=hours))
            return bool(copy.get("/result/").status_code == 200)

    begun = datetime(2026, 11, 23, 2, tzinfo=UTC)
    for action in ("view", "save", "return"):
        for hours, opens in ((5.9, True), (6.1, False)):
            with time_machine.travel(begun, tick=False):
                client = Client()
                html = Person(client).finishes(BEST, "view" if action == "view" else "save").content
                if action == "return":
                    (code,) = re.findall(rb'<p class="code">([^<]*)', html)
                    client = Client()
                    client.post("/return/", {"code": code.decode()})
            assert opens_after(hours, client) == opens


def test_clock_of_another_machine_may_be_five_minutes_behind(person: Person) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False) as clock:
        person.answers_every_page(BEST)
        for seconds, status in ((61, 200), (299, 200), (301, 302)):
            clock.move_to(datetime(2026, 11, 23, 12, tzinfo=UTC) - timedelta(seconds=seconds))
            assert person.client.get("/check/").status_code == status


def test_cookie_of_an_older_key_still_opens_while_the_key_is_replaced(person: Person, settings: Any) -> None:
    person.answers_every_page(BEST)
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "a new key, every bit as long as the old one was, and then some"
    assert person.client.get("/check/").status_code == 302
    person.client.cookies.clear()
    settings.SECRET_KEY = old
    person.answers_every_page(BEST)
    settings.SECRET_KEY_FALLBACKS = [old]
    settings.SECRET_KEY = "a new key, every bit as long as the old one was, and then some"
    assert person.client.get("/check/").status_code == 200


def test_clearing_removes_the_answers(person: Person) -> None:
    person.answers_every_page(BEST)
    response = person.client.post("/", follow=True)
    assert "Your answers are gone from this device" in response.content.decode()
    assert person.client.get("/check/").url == "/questions/safety/?note=gap"


@pytest.mark.django_db
def test_every_page_forbids_storing(person: Person) -> None:
    person.answers_every_page(BEST)
    person.client.post("/check/", {"action": "view"})
    for address in ("/", "/questions/job/", "/check/", "/result/", "/help/"):
        assert "no-store" in person.client.get(address)["Cache-Control"]


def test_form_without_its_csrf_cookie_comes_back_with_its_choices() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/questions/job/", {"job": "cannot_leave"})
    html = response.content.decode()
    assert response.status_code == 403
    assert re.search(r'name="job" value="cannot_leave"[^>]* checked', html)
    assert "Please send this page once more" in html
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', html)[0]
    again = client.post("/questions/job/", {"job": "cannot_leave", "attendance": "yes", "csrfmiddlewaretoken": token})
    assert again.status_code == 302


def test_unknown_page_of_questions_is_not_found(client: Client) -> None:
    assert client.get("/questions/payment/").status_code == 404


def test_two_tabs_lose_nothing(person: Person) -> None:
    """The second tab posts a page after the first has posted the next one."""
    person.post("safety", on_page(PAGES[0], BEST))
    person.post("job", on_page(PAGES[1], BEST))
    response = person.post("safety", on_page(PAGES[0], BEST | {"self_harm": "past"}))
    assert response.url == "/questions/family/"
    assert answers_in_cookie(person.client) == on_page(PAGES[0], BEST) | {"self_harm": "past"} | on_page(PAGES[1], BEST)


def test_lost_answers_are_reported_even_on_an_incomplete_page() -> None:
    client = Client()
    client.cookies[COOKIE] = "of another site"
    response = client.post("/questions/job/", {"job": "none"})
    assert response.status_code == 422
    assert "We could not read your earlier answers" in response.content.decode()
    assert answers_in_cookie(client) == {"job": "none"}


def test_lost_answers_are_reported_beside_urgent_help() -> None:
    client = Client()
    client.cookies[COOKIE] = "of another site"
    response = client.post("/questions/safety/", on_page(PAGES[0], URGENT), follow=True)
    html = response.content.decode()
    assert "Please get help now" in html
    assert "We could not read your earlier answers" in html


def test_urgent_help_is_shown_even_after_a_csrf_failure() -> None:
    response = Client(enforce_csrf_checks=True).post("/questions/safety/", on_page(PAGES[0], URGENT))
    assert response.status_code == 403
    assert "Please get help now" in response.content.decode()


def test_reading_a_page_never_deletes_the_cookie(client: Client) -> None:
    client.cookies[COOKIE] = "of another site"
    for address in ("/", "/questions/safety/", "/questions/care/", "/check/", "/result/", "/help/"):
        assert COOKIE not in client.get(address).cookies


def test_note_that_no_longer_fits_is_not_shown(person: Person) -> None:
    assert "Your answers are gone" in person.client.get("/?note=cleared").content.decode()
    person.post(PAGES[0].slug, on_page(PAGES[0], BEST))
    assert "Your answers are gone" not in person.client.get("/?note=cleared").content.decode()
