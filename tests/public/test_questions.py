"""The question pages, the check page and the draft cookie; none of them uses the database, but the result does."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from screening.draft import Draft
from screening.help_lines import HELP_LINES
from screening.questionnaire import PAGE_BY_SLUG, PAGES, QUESTIONS, Page
from screening.rules import CURRENT
from tests.answers import BEST, IOP, URGENT, WORST, answers, on_page
from tests.conftest import Person
from tests.helpers import by_fernet, parse, text_of

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
    person.has_answered(BEST)
    html = person.client.get(f"/questions/{form_page.slug}/").content.decode()
    asked = re.findall(r'<input type="radio" name="(\w+)" value="(\w+)"', html)
    assert asked == [(question.key, value) for question in form_page.questions for value in question.options]


def test_each_page_leads_to_the_next_and_the_last_to_the_check_page(person: Person) -> None:
    for page, following in zip(PAGES, [*PAGES[1:], None], strict=True):
        response = person.post(page.slug, on_page(page, IOP))
        assert response.status_code == 302
        assert response.url == (f"/questions/{following.slug}/" if following else "/check/")


@pytest.mark.parametrize("key", QUESTIONS)
def test_change_link_opens_one_question_and_returns_to_its_answer(person: Person, key: str) -> None:
    person.has_answered(BEST)
    check = parse(person.client.get("/check/"))
    link = str(check.find(id=key).a["href"])
    page = parse(person.client.get(link))
    assert {radio["name"] for radio in page.select("input[type=radio]")} == {key}
    assert page.select_one(".back")["href"] == f"/check/#{key}"
    action = str(page.select_one("main form")["action"])
    assert person.client.post(action, {}).status_code == 422
    assert person.client.post(action, {key: BEST[key]}).url == f"/check/#{key}"
    other = list(QUESTIONS[key].options)[1]
    assert person.client.post(action, {key: other}).url in (f"/check/#{key}", "/help/")
    assert answers_in_cookie(person.client) == BEST | {key: other}


def test_change_of_a_question_that_the_page_does_not_ask_is_not_found(person: Person) -> None:
    person.has_answered(BEST)
    assert person.client.get("/questions/job/?change=home").status_code == 404


def test_change_with_a_gap_elsewhere_leads_to_the_gap(person: Person) -> None:
    person.has_answered({key: value for key, value in BEST.items() if key != "home"})
    response = person.client.post("/questions/job/?change=job", {"job": "cannot_leave"})
    assert response.url == "/questions/support/"


def test_back_leads_to_the_page_before_and_from_the_first_to_the_start(person: Person) -> None:
    person.has_answered(BEST)
    before = "/"
    for page in PAGES:
        address = f"/questions/{page.slug}/"
        assert parse(person.client.get(address)).select_one(".back")["href"] == before
        before = address


def test_progress_is_told_by_section(person: Person) -> None:
    person.has_answered(BEST)
    way = {page.slug: text_of(person.client.get(f"/questions/{page.slug}/"), ".way span") for page in PAGES}
    assert way["overdose"] == "Safety, 2 of 5"
    assert way["job"] == "Your job or school"
    assert way["past_treatment"] == "Health and care, 5 of 5"
    steps = parse(person.client.get("/questions/job/")).select(".progress i")
    assert [" ".join(step.get("class") or []) for step in steps] == ["done", "here", "", "", "", ""]


@pytest.mark.parametrize("prefix", ["", "/es"])
def test_title_names_the_question_by_its_section_and_place_and_never_by_an_answer(person: Person, prefix: str) -> None:
    def titles() -> dict[str, str]:
        pages = {page.slug: person.client.get(f"{prefix}/questions/{page.slug}/") for page in PAGES}
        return {slug: text_of(page, "title") for slug, page in pages.items()}

    person.has_answered(BEST)
    seen = titles()
    assert len({*seen.values()}) == len(PAGES)
    if not prefix:
        assert seen["overdose"] == "Safety: 2 of 5 – Program fit"
        assert seen["job"] == "Your job or school – Program fit"
    else:
        assert seen["overdose"].startswith("Seguridad: 2 de 5 – ")
    for page in PAGES:
        wrong = person.client.post(f"{prefix}/questions/{page.slug}/", {})
        assert text_of(wrong, "title") == f"Error: {seen[page.slug]}"
        key = page.questions[-1].key
        changing = person.client.get(f"{prefix}/questions/{page.slug}/?change={key}")
        assert text_of(changing, "title") == seen[page.slug]
    person.has_answered(WORST)
    assert titles() == seen


def test_question_alone_on_its_page_is_its_heading(person: Person) -> None:
    person.has_answered(BEST)
    for page in PAGES:
        soup = parse(person.client.get(f"/questions/{page.slug}/"))
        (heading,) = soup.select("h1")
        assert heading.text == (page.questions[0].text if len(page.questions) == 1 else page.section.title)
        assert page.section.why in soup.text


def test_errors_name_the_question_and_only_what_has_words_is_described(person: Person) -> None:
    for page in PAGES:
        soup = parse(person.post(page.slug, {}))
        assert soup.select_one("#wrong-title").text == "There is a problem"
        assert [link.text for link in soup.select(".wrong-summary li a")] == [each.missing for each in page.questions]
    assert len({question.missing for question in QUESTIONS.values()}) == len(QUESTIONS)
    for page in PAGES:
        for fieldset in parse(person.client.get(f"/questions/{page.slug}/")).select("fieldset"):
            described = fieldset.get("aria-describedby")
            assert described is None or all(fieldset.find(id=each) for each in str(described).split(" "))


def test_page_shows_what_was_chosen_before(person: Person) -> None:
    person.has_answered(IOP)
    html = person.client.get("/questions/job/").content.decode()
    assert re.search(r'name="job" value="cannot_leave"[^>]* checked', html)


def test_deep_link_past_a_gap_leads_to_the_gap_and_says_so(person: Person) -> None:
    person.post("emergency", on_page(PAGES[0], BEST))
    for address in (f"/questions/{LAST.slug}/", "/check/", "/result/"):
        response = person.client.get(address, follow=True)
        assert response.redirect_chain == [("/questions/overdose/?note=gap", 302)]
        assert "something to answer here first" in response.content.decode()


def test_a_page_posted_past_a_gap_is_kept(person: Person) -> None:
    response = person.post(LAST.slug, on_page(LAST, BEST))
    assert response.url == "/questions/emergency/?note=gap"
    assert answers_in_cookie(person.client) == on_page(LAST, BEST)


def test_post_to_check_with_gaps_leads_to_the_first_gap(person: Person) -> None:
    person.post("emergency", on_page(PAGES[0], BEST))
    response = person.client.post("/check/", {"action": "save"})
    assert response.url == "/questions/overdose/?note=gap"


def test_missing_choice_keeps_the_others_and_says_what_is_open(person: Person) -> None:
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


URGENT_ANSWERS = [(key, value) for rule in CURRENT.rules if rule.urgency == "now" for key, value in rule.when.items()]


@pytest.mark.parametrize(("key", "value"), URGENT_ANSWERS)
def test_answer_that_means_now_leads_to_the_numbers_at_the_next_tap(person: Person, key: str, value: str) -> None:
    response = person.client.post(f"/questions/{key}/", {key: value}, follow=True)
    page = parse(response)
    assert response.redirect_chain == [("/help/", 302)]
    assert page.h1.text == "Please get help now"
    assert str(page.select_one("main a[href^=tel]")["href"]) in ("tel:911", "tel:988")
    assert "No one is watching this page." in page.text
    assert page.select_one("main .actions a").text == "I’m safe now. Continue"


def test_urgent_answer_leads_to_the_numbers_also_if_another_is_missing(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No pair of today has one, so two questions are put on a page here.
    safety = replace(PAGES[0], questions=(QUESTIONS["emergency"], QUESTIONS["self_harm"]))
    monkeypatch.setitem(PAGE_BY_SLUG, "emergency", safety)
    assert person.post("emergency", {"self_harm": "plan"}).url == "/help/"
    assert answers_in_cookie(person.client) == {"self_harm": "plan"}


@pytest.mark.django_db
@pytest.mark.parametrize("before", ["", "view", "save"])
def test_urgent_answer_leads_to_the_numbers_also_when_one_is_changed(person: Person, before: str) -> None:
    if before:
        person.finishes(BEST, before)
    else:
        person.has_answered(BEST)
    assert person.client.post("/questions/self_harm/?change=self_harm", {"self_harm": "plan"}).url == "/help/"


def test_only_an_answer_just_sent_that_means_now_leads_to_the_numbers(person: Person) -> None:
    person.has_answered(URGENT)
    assert person.client.post("/questions/job/?change=job", {"job": "none"}).url == "/check/#job"
    assert person.client.post("/questions/opioids/", {"opioids": "very_sick"}).url == "/check/"
    person.has_answered(BEST)
    assert person.client.post("/questions/overdose/", {"overdose": "yes"}).url == "/check/"  # help today


def test_change_that_did_not_reach_us_is_still_a_change() -> None:
    response = Client(enforce_csrf_checks=True).post("/questions/job/?change=job", {"job": "none"})
    page = parse(response)
    assert response.status_code == 403
    assert page.select_one("main form")["action"] == "/questions/job/?change=job"
    assert {field["name"] for field in page.select("main [type=radio]")} == {"job"}


def test_numbers_of_an_urgent_answer_are_crisis_lines_and_each_stands_once(person: Person) -> None:
    person.has_answered(answers(self_harm="plan", pregnancy="yes"))
    page = parse(person.client.get("/help/"))
    buttons = [str(link["href"]) for link in page.select(".numbers a")]
    assert buttons == ["tel:988", "tel:911"]
    numbers = [str(link["href"]) for link in page.select(".numbers a, .lines .number")]
    assert len(numbers) == len(set(numbers)) == len(HELP_LINES)


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "target"), [("", "/check/"), ("view", "/result/")])
def test_numbers_lead_back_to_where_the_answers_stand(person: Person, before: str, target: str) -> None:
    if before:
        person.finishes(URGENT, before)
    else:
        person.has_answered(URGENT)
    assert parse(person.client.get("/help/")).select_one("main .actions a")["href"] == target


@pytest.mark.django_db
def test_check_page_calls_first_whom_the_result_calls_first(person: Person) -> None:
    for given, first in ((answers(emergency="medical"), "tel:911"), (URGENT, "tel:988")):
        person.has_answered(given)
        assert parse(person.client.get("/check/")).select_one(".urgent a")["href"] == first
        assert parse(person.finishes(given, "view")).select_one(".numbers a")["href"] == first


@pytest.mark.parametrize(("given", "said"), [(URGENT, True), ({"past_withdrawal": "severe"}, False)])
def test_check_page_says_beside_save_that_nobody_is_watching(person: Person, given: dict[str, str], said: bool) -> None:
    for changed, expected in ((given, said), ({"self_harm": "attempt"}, True)):
        person.has_answered(BEST | changed)
        for address in ("/check/", "/help/"):
            shown = text_of(person.client.get(address), "main")
            assert ("No one is watching this page. Saving does not send help." in shown) == expected
    page = parse(person.client.get("/check/"))
    box = page.select_one("main .urgent")
    assert box.select("a[href^=tel]")
    assert box in page.select_one("button[value=save]").find_all_previous()


def test_help_page_shows_every_number_to_anyone(client: Client) -> None:
    html = client.get("/help/").content.decode()
    for href in ("tel:911", "tel:988", "tel:+18002221222", "tel:+18007997233", "tel:+18006624357"):
        assert f'href="{href}"' in html
    assert "Please get help now" not in html


@pytest.mark.django_db
def test_result_of_answers_that_nobody_asked_for_yet_is_not_shown(person: Person) -> None:
    person.has_answered(BEST)
    assert person.client.get("/result/").url == "/check/"


def test_result_asks_for_the_check_page_first(person: Person) -> None:
    person.has_answered(BEST)
    assert person.client.get("/result/").url == "/check/"


@pytest.mark.django_db
def test_changing_an_answer_after_the_result_leads_back_to_the_check_page(person: Person) -> None:
    person.finishes(IOP, "view")
    person.post("job", on_page(PAGE_BY_SLUG["job"], BEST))
    assert person.client.get("/result/").url == "/check/"


def test_unknown_action_on_the_check_page_gets_a_clear_error(person: Person) -> None:
    person.has_answered(BEST)
    response = person.client.post("/check/", {"action": "explode"})
    assert response.status_code == 422
    assert "Please choose one of the two buttons" in response.content.decode()


def test_cookie_is_encrypted_http_only_and_ends_with_the_session(person: Person) -> None:
    person.has_answered(URGENT)
    morsel = person.client.cookies[COOKIE]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert not morsel["expires"]
    assert not morsel["max-age"]
    assert not any(word in morsel.value for word in ("plan", "self_harm"))
    assert len(morsel.value) < 3000


def test_reading_a_page_never_writes_the_cookie(person: Person) -> None:
    person.has_answered(BEST)
    for address in ("/", "/check/", "/help/", *(f"/questions/{page.slug}/" for page in PAGES)):
        assert COOKIE not in person.client.get(address).cookies


def broken_cookies(client: Client) -> dict[str, str]:
    good = client.cookies[COOKIE].value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "SECRET_KEY", "another site's key, just as long as ours is, or longer")
        stranger = Person(Client())
        stranger.has_answered(BEST)
        foreign = stranger.client.cookies[COOKIE].value
    return {"tampered": good[:-6] + "AAAAAA", "foreign": foreign, "garbage": 'é"{};'}


@pytest.mark.parametrize("kind", ["tampered", "foreign", "garbage"])
def test_cookie_that_cannot_be_read_starts_again_and_keeps_the_page_just_posted(person: Person, kind: str) -> None:
    person.has_answered(BEST)
    person.client.cookies[COOKIE] = broken_cookies(person.client)[kind]
    response = person.client.get("/check/", follow=True)
    assert response.redirect_chain == [("/questions/emergency/?note=lost", 302)]
    assert "start again here" in response.content.decode()
    person.client.cookies[COOKIE] = "tampered"
    response = person.client.post("/questions/job/", on_page(PAGE_BY_SLUG["job"], BEST), follow=True)
    assert response.redirect_chain == [("/questions/emergency/?note=lost_but_one", 302)]
    assert "The page you just sent is kept" in response.content.decode()
    assert answers_in_cookie(person.client) == on_page(PAGE_BY_SLUG["job"], BEST)


def test_answers_expire_after_an_hour_without_a_new_page() -> None:
    with time_machine.travel("2026-11-23 02:00", tick=False) as clock:
        person = Person(Client())
        person.has_answered(BEST)
        clock.shift(timedelta(minutes=59))
        assert person.client.get("/check/").status_code == 200
        person.post("job", on_page(PAGE_BY_SLUG["job"], IOP))
        clock.shift(timedelta(minutes=59))
        assert person.client.get("/check/").status_code == 200
        clock.shift(timedelta(minutes=2))
        assert person.client.get("/check/").url == "/questions/emergency/?note=lost"


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
        person.has_answered(BEST)
        for seconds, status in ((61, 200), (299, 200), (301, 302)):
            clock.move_to(datetime(2026, 11, 23, 12, tzinfo=UTC) - timedelta(seconds=seconds))
            assert person.client.get("/check/").status_code == status


def test_cookie_of_an_earlier_version_opens_for_an_hour_from_its_last_page(person: Person) -> None:
    begun = datetime(2026, 11, 23, 12, tzinfo=UTC)
    earlier = {"code": "x", "answers": BEST, "finished": "", "started_at": int(begun.timestamp())}
    earlier |= {"earlier_codes": [], "code_needed": False}
    with time_machine.travel(begun + timedelta(hours=2), tick=False) as clock:
        sent = by_fernet("answers in progress", settings.SECRET_KEY, json.dumps(earlier))
        for minutes, status in ((0, 200), (59, 200), (61, 302), (-4, 200), (-6, 302)):
            person.client.cookies[COOKIE] = sent
            clock.move_to(begun + timedelta(hours=2, minutes=minutes))
            assert person.client.get("/check/").status_code == status


def test_cookie_of_an_older_key_still_opens_while_the_key_is_replaced(person: Person, settings: Any) -> None:
    person.has_answered(BEST)
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "a new key, every bit as long as the old one was, and then some"
    assert person.client.get("/check/").status_code == 302
    person.client.cookies.clear()
    settings.SECRET_KEY = old
    person.has_answered(BEST)
    settings.SECRET_KEY_FALLBACKS = [old]
    settings.SECRET_KEY = "a new key, every bit as long as the old one was, and then some"
    assert person.client.get("/check/").status_code == 200


def test_who_left_and_comes_back_is_not_told_that_there_were_answers(client: Client) -> None:
    for address in ("/questions/home_safety/", "/check/", "/result/"):
        response = client.get(address, follow=True)
        assert response.redirect_chain == [("/", 302)]
        assert not parse(response).select("[role=status]")


def test_without_cookies_the_page_says_so_and_offers_paper_and_phone(settings: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    page = parse(client.post("/questions/job/", {"job": "cannot_leave"}))
    (note,) = page.select("[role=status]")
    assert "your browser may refuse cookies" in note.text
    assert [link["href"] for link in note.select("a")] == ["/paper/", "tel:+14055550100"]


def test_clearing_removes_the_answers(person: Person) -> None:
    person.has_answered(BEST)
    response = person.client.post("/", follow=True)
    assert "Your answers are gone from this device" in response.content.decode()
    assert person.client.get("/check/").url == "/"


@pytest.mark.django_db
def test_every_page_forbids_storing(person: Person) -> None:
    person.has_answered(BEST)
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
    person.post("emergency", {"emergency": "none"})
    person.post("overdose", {"overdose": "no"})
    response = person.post("emergency", {"emergency": "none"})
    assert response.url == "/questions/self_harm/"
    assert answers_in_cookie(person.client) == {"emergency": "none", "overdose": "no"}


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
    response = client.post("/questions/self_harm/", {"self_harm": "plan"}, follow=True)
    html = response.content.decode()
    assert "Please get help now" in html
    assert "We could not read your earlier answers" in html


def test_urgent_help_is_shown_even_after_a_csrf_failure() -> None:
    response = Client(enforce_csrf_checks=True).post("/questions/self_harm/", {"self_harm": "plan"})
    assert response.status_code == 403
    page = parse(response)
    urgent, form = page.select_one("main .urgent"), page.select_one("main form")
    assert urgent.h2.text == "Please get help now"
    assert [link["href"] for link in urgent.select("a")] == ["tel:911", "tel:988"]
    assert urgent in form.find_all_previous()


def test_reading_a_page_never_deletes_the_cookie(client: Client) -> None:
    client.cookies[COOKIE] = "of another site"
    for address in ("/", "/questions/emergency/", "/questions/health/", "/check/", "/result/", "/help/"):
        assert COOKIE not in client.get(address).cookies


def test_note_that_no_longer_fits_is_not_shown(person: Person) -> None:
    assert "Your answers are gone" in person.client.get("/?note=cleared").content.decode()
    person.post(PAGES[0].slug, on_page(PAGES[0], BEST))
    assert "Your answers are gone" not in person.client.get("/?note=cleared").content.decode()


def test_only_later_questions_fetch_what_the_pages_after_them_need(person: Person) -> None:
    def fetched(slug: str) -> list[str]:
        page = parse(person.client.get(f"/questions/{slug}/"))
        return [str(link["href"]) for link in page.select("link[rel=prefetch]")]

    person.has_answered(IOP)
    assert fetched(PAGES[0].slug) == []
    for page in PAGES[1:]:
        assert fetched(page.slug) == ["/static/screening/more.css"]
    check = parse(person.client.get("/check/"))
    assert check.select_one("link[rel=stylesheet][href='/static/screening/more.css']")
