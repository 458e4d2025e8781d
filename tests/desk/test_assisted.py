"""A screening with someone: by mouse or by letters, saved only if they agreed; and the bench of the clinical lead."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory

from screening import return_codes, rules
from screening.desk import assisted
from screening.models import Channel, LogLine, Notification, Submission
from screening.questionnaire import QUESTIONS, SECTIONS
from screening.rules import recommend, versions, what_if
from screening.rules.personas import PERSONAS
from screening.rules.worksheet import letters
from tests.answers import BEST, CLOSE_CALL, INPATIENT, IOP, KINDS, URGENT, WORST, answers, random_answers
from tests.desk.helpers import CASES, listed, member, signed_in, submit
from tests.helpers import parse, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_in_gate]

ROOT = Path(__file__).parents[2]
PAGE = "/admin/assisted/"
AGREED = {"agreed": "on", "channel": "phone", "action": "save"}


@pytest.fixture
def contact() -> Client:
    return signed_in(member("cora", "contact"))


def letters_of(given: dict[str, str]) -> str:
    return "".join(letters(key)[list(QUESTIONS[key].options).index(given[key])] for key in QUESTIONS)


def ticked(response: Any) -> dict[str, str]:
    return {str(radio["name"]): str(radio["value"]) for radio in parse(response).select("input[type=radio][checked]")}


@pytest.mark.parametrize("kind", KINDS)
def test_letters_of_the_paper_and_ticks_give_the_same_result(contact: Client, kind: str) -> None:
    given = KINDS[kind]
    by_letters = contact.post(PAGE, {"letters": letters_of(given).lower()})
    by_mouse = contact.post(PAGE, given)
    assert by_letters.status_code == by_mouse.status_code == 200
    assert ticked(by_letters) == given
    assert text_of(by_letters, ".to-do") == text_of(by_mouse, ".to-do")
    assert not parse(by_letters).select_one("[name=letters]").get("value")


def test_letters_in_the_readme_are_those_of_its_persona(contact: Client) -> None:
    (typed,) = re.findall(r"from the paper form at `/paper/`: `([A-Z ]+)`", (ROOT / "README.md").read_text())
    (cal,) = (person for person in PERSONAS if person.name == "Cal")
    assert ticked(contact.post(PAGE, {"letters": typed})) == cal.answers


def compare(explanation: Any, given: dict[str, str]) -> None:
    expected = recommend(given)
    assert explanation.recommendation.decision == expected.decision
    assert [reason.key for reason in explanation.recommendation.reasons] == [reason.key for reason in expected.reasons]


def test_result_is_that_of_the_rules(contact: Client) -> None:
    draw = random.Random(16)
    for given in (random_answers(draw) for _number in range(40)):
        response = contact.post(PAGE, {"letters": letters_of(given)})
        ((_version, explanation, _error, _beside),) = response.context["results"]
        compare(explanation, given)
        assert explanation.program in text_of(response, ".to-do")


@pytest.mark.full
def test_result_is_that_of_the_rules_over_ten_thousand_sets(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leave out what takes most of the time, and is not compared: to render, and to find what did not matter."""
    monkeypatch.setattr(what_if, "what_did_not_matter", lambda *args: ())
    draw, cora = random.Random(17), member("cora", "contact")
    for given in (random_answers(draw) for _number in range(10_000)):
        request = rf.post(PAGE, {"letters": letters_of(given)})
        request.user = cora
        response: Any = assisted.page(request, {})
        ((_version, explanation, _error, _beside),) = response.context_data["results"]
        compare(explanation, given)


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("F" + "A" * 18, "Question 1, about an emergency right now, has no F: its letters are A to C."),
        ("A" * 18 + "Z", "Question 19, about treatment you had before, has no Z: its letters are A to E."),
        ("AH" + "A" * 17, "Question 2, about an overdose in the past month, has no H: its letters are A to C."),
        ("A" * 20, "These are 20 letters, for 19 questions."),
    ],
)
def test_letter_that_no_option_has_is_one_line_and_what_was_typed_stays(contact: Client, typed: str, line: str) -> None:
    response = contact.post(PAGE, {"letters": typed})
    assert response.status_code == 422
    assert line in [item.text for item in parse(response).select(".errors li")]
    assert parse(response).select_one("[name=letters]")["value"] == typed
    assert "to-do" not in response.content.decode()
    assert not parse(response).select("[name=agreed]")


def test_dash_and_a_row_that_is_too_short_leave_questions_open_and_keep_the_others(contact: Client) -> None:
    response = contact.post(PAGE, {"letters": "1a, 2a. a–b"})
    assert response.status_code == 422
    places = {0: 0, 1: 0, 2: 0, 4: 1}
    keys = list(QUESTIONS)
    assert ticked(response) == {keys[at]: list(QUESTIONS[keys[at]].options)[place] for at, place in places.items()}
    links = parse(response).select(".errors li a")
    assert [link.text for link in links] == [str(at + 1) for at in range(len(keys)) if at not in places]
    assert all(parse(response).select_one(str(link["href"])) for link in links)


def test_letters_may_stand_in_a_numbered_list(contact: Client) -> None:
    row = ", ".join(f"{number}. {letter}" for number, letter in enumerate(letters_of(URGENT), start=1))
    assert len(row) > 100
    assert ticked(contact.post(PAGE, {"letters": row})) == URGENT


@pytest.mark.parametrize("sent", [{"letters": "AAB"}, {"emergency": "none", "overdose": "no", "self_harm": "past"}])
def test_who_was_signed_out_meanwhile_gets_back_the_row_of_letters(contact: Client, sent: dict[str, str]) -> None:
    contact.logout()
    response = contact.post(PAGE, sent)
    assert response.status_code == 403
    (row,) = [field.text.strip() for field in parse(response).select("textarea")]
    assert row == "AAB" + "-" * 16
    contact.force_login(User.objects.get())
    assert len(ticked(contact.post(PAGE, {"letters": row}))) == 3


def test_who_signs_in_again_finds_the_row_of_letters_in_its_place() -> None:
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        client = signed_in(member("cara", "contact"))
        client.get(PAGE)
        clock.shift(16 * 60)
        client.post(PAGE, {"letters": "AAB"})
        client.force_login(User.objects.get(username="cara"))
        assert parse(client.get(PAGE)).select_one("#id_letters")["value"] == "AAB" + "-" * 16


def test_what_the_center_lacks_is_said_to_the_person(contact: Client, center_tells: Any) -> None:
    center_tells(inpatient=True)
    assert "We don’t have such a program." in text_of(contact.post(PAGE, IOP), ".to-do")
    said = text_of(contact.post(PAGE, INPATIENT | {"opioids": "sick"}), ".to-do")
    assert "does not have this: Medicine for opioids." in said
    assert "We don’t have" not in said


def test_a_tick_after_the_letters_counts(contact: Client) -> None:
    first = contact.post(PAGE, {"letters": letters_of(BEST)})
    second = contact.post(PAGE, ticked(first) | {"letters": "", "constant_care": "always"})
    assert "A program where you stay" in text_of(second, ".to-do")


def test_page_has_the_words_to_read_out(contact: Client) -> None:
    page = parse(contact.get(PAGE))
    for section in SECTIONS:
        assert section.why in page.text
        for question in section.questions:
            assert question.text in page.text
            assert question.hint in page.text
            for letter, text in zip(letters(question.key), question.options.values(), strict=True):
                assert f"{letter}  {text}" in page.text


def test_urgent_result_says_first_what_to_say_at_once(contact: Client) -> None:
    shown = parse(contact.post(PAGE, URGENT)).select_one(".to-do")
    assert "Please get help now" in shown.text
    assert "Say at once, and stay on the line" in shown.text
    assert "911" in shown.text
    assert "988" in shown.text
    assert "Say at once" not in text_of(contact.post(PAGE, IOP), ".to-do")


def test_danger_comes_before_the_questions_that_are_still_open(contact: Client) -> None:
    for sent, number in (
        ({"letters": "AAF"}, "988"),
        ({"home_safety": "danger"}, "911"),
        ({"emergency": "medical"}, "naloxone"),
    ):
        response = contact.post(PAGE, sent)
        assert "Please get help now" in text_of(response, ".to-do")
        assert number in text_of(response, ".to-do")
    assert not parse(contact.post(PAGE, {"letters": "AAA"})).select(".to-do")


# Saving


def save(client: Client, given: dict[str, str], **sent: str) -> Any:
    """Ask for the result of these answers, then save it; return the slip, or the page that refused."""
    page = parse(client.post(PAGE, given))
    hidden = {name: str(page.select_one(f"[name={name}]")["value"]) for name in ("page", "shown")}
    return client.post(PAGE, given | hidden | AGREED | sent, follow=True)


def code_of(slip: Any) -> str:
    return str(parse(slip).select_one(".slip .code").text)


def test_nothing_is_saved_or_logged_about_a_person_who_does_not_agree(contact: Client) -> None:
    contact.post(PAGE, INPATIENT)
    for missing, line in (("agreed", "Ask first, and tick this if they agree."), ("channel", "Say how you screened.")):
        response = save(contact, INPATIENT, **{missing: ""})
        assert response.status_code == 422
        assert line in text_of(response, ".errors")
        assert ticked(response).items() >= INPATIENT.items()
        assert "A program where you stay" in text_of(response, ".to-do")
    assert not Submission.objects.exists()
    assert not LogLine.objects.exclude(reference="").exists()


@pytest.mark.parametrize("channel", [channel for channel in Channel if channel != Channel.ONLINE])
def test_saved_with_its_channel_a_slip_and_a_line_in_the_log_and_never_blind(
    contact: Client, settings: Any, channel: Channel
) -> None:
    settings.BLIND_PERCENT = 100
    slip = save(contact, INPATIENT, channel=channel)
    row = Submission.objects.get()
    assert (row.answers, row.channel, row.blind) == (INPATIENT, channel, False)
    code, reference = (element.text for element in parse(slip).select(".slip .code"))
    assert Submission.objects.with_code(return_codes.parse(code)) == row
    assert reference.replace("-", "") == row.reference
    (line,) = LogLine.objects.filter(reference=row.reference)
    assert (line.action, line.actor, line.details) == ("assisted", "cora", {"channel": channel})


@pytest.mark.parametrize("sent", [{"channel": "online"}, {"channel": "smoke"}])
def test_channel_that_staff_cannot_choose_is_refused(contact: Client, sent: dict[str, str]) -> None:
    assert save(contact, IOP, **sent).status_code == 422
    assert not Submission.objects.exists()


def test_only_answers_whose_result_was_shown_are_saved(contact: Client) -> None:
    for changed, result in (
        ({"constant_care": "always"}, "A program where you stay"),
        ({"letters": "C"}, "get help now"),
    ):
        page = parse(contact.post(PAGE, IOP))
        hidden = {name: str(page.select_one(f"[name={name}]")["value"]) for name in ("page", "shown")}
        response = contact.post(PAGE, IOP | hidden | AGREED | changed)
        assert response.status_code == 422
        assert "The answers have changed." in text_of(response, ".errors")
        assert result in text_of(response, ".to-do")
        assert not Submission.objects.exists()
        again = ticked(response) | hidden | AGREED
        again["shown"] = str(parse(response).select_one("[name=shown]")["value"])
        assert contact.post(PAGE, again).url == f"{PAGE}slip/"
        Submission.objects.all().delete()


def test_page_that_is_posted_twice_and_a_slip_that_is_reloaded_save_once(contact: Client) -> None:
    page = parse(contact.post(PAGE, IOP))
    hidden = {name: str(page.select_one(f"[name={name}]")["value"]) for name in ("page", "shown")}
    slips = [contact.post(PAGE, IOP | hidden | AGREED, follow=True) for _press in range(2)]
    slips.append(contact.get(f"{PAGE}slip/"))
    assert len({text_of(slip, ".slip") for slip in slips}) == 1
    assert Submission.objects.count() == LogLine.objects.filter(action="assisted").count() == 1


def test_what_its_person_erased_is_not_saved_again_by_the_back_button(contact: Client) -> None:
    page = parse(contact.post(PAGE, IOP))
    hidden = {name: str(page.select_one(f"[name={name}]")["value"]) for name in ("page", "shown")}
    contact.post(PAGE, IOP | hidden | AGREED)
    Submission.objects.all().delete()
    assert contact.get(f"{PAGE}slip/").url == PAGE
    response = contact.post(PAGE, IOP | hidden | AGREED)
    assert response.status_code == 422
    assert "its person has erased it since" in text_of(response, ".errors")
    assert not Submission.objects.exists()


def test_two_people_with_the_same_answers_get_two_codes(contact: Client) -> None:
    assert code_of(save(contact, IOP)) != code_of(save(contact, IOP))
    assert Submission.objects.count() == 2


def test_corrected_answers_of_the_same_page_are_a_case_of_their_own(contact: Client) -> None:
    page = parse(contact.post(PAGE, IOP))
    token = str(page.select_one("[name=page]")["value"])
    first = save(contact, IOP, page=token)
    second, again = (save(contact, INPATIENT, page=token) for _press in range(2))
    assert code_of(first) != code_of(second) == code_of(again)
    assert Submission.objects.count() == 2


def test_slip_is_of_this_session_alone_and_its_code_is_nowhere_in_the_database_in_plain(contact: Client) -> None:
    code = code_of(save(contact, IOP))
    assert signed_in(member("carl", "contact")).get(f"{PAGE}slip/").url == PAGE
    for session in Session.objects.all():
        assert code not in str(session.get_decoded())
        assert return_codes.parse(code) not in str(session.get_decoded())


def test_slip_under_a_key_that_is_gone_leads_back_to_the_page(contact: Client, settings: Any) -> None:
    save(contact, IOP)
    settings.DATA_KEYS = ["another key, long enough to be one, and as random as it gets"]
    assert contact.get(f"{PAGE}slip/").url == PAGE


def test_person_opens_it_with_the_code_of_the_slip(contact: Client) -> None:
    person = Client()
    assert person.post("/return/", {"code": code_of(save(contact, CLOSE_CALL))}).url == "/result/"
    assert "Both could fit" in parse(person.get("/result/")).h1.text


def test_urgent_one_is_mailed_as_any_other(contact: Client, center_tells: Any) -> None:
    center_tells(mail_to="desk@example.org")
    save(contact, IOP)
    assert not Notification.objects.exists()
    for given in (URGENT, answers(self_harm="attempt")):
        save(contact, given)
    assert [notification.reason for notification in Notification.objects.all()] == ["urgent"] * 2


def test_channel_is_shown_filtered_and_counted_apart(contact: Client) -> None:
    online, by_phone = submit(), submit(channel="phone")
    assert len(listed(contact)) == 2
    assert listed(contact, "?channel__exact=phone") == [str(by_phone)]
    assert listed(contact, "?channel__exact=online") == [str(online)]
    assert "By phone" in text_of(contact.get(CASES), "#result_list")
    assert "By phone" in text_of(contact.get(f"{CASES}{by_phone.pk}/change/"), ".to-do")


# The bench


def test_clinical_lead_sees_released_versions_side_by_side_and_others_do_not(contact: Client) -> None:
    lead = signed_in(member("lea", "clinical lead"))
    sent = WORST | {"rules_2026.1": "on"}
    shown = [heading.text for heading in parse(lead.post(PAGE, sent)).select(".to-do h2")]
    assert shown == [f"Result by rules {rules.CURRENT.version}", "Result by rules 2026.1"]
    assert len(parse(contact.post(PAGE, sent)).select(".to-do")) == 1
    assert not parse(contact.get(PAGE)).select("[name^=rules_]")
    offered = [str(box["name"]) for box in parse(lead.get(PAGE)).select("[name^=rules_]")]
    earlier = [version for version in versions.released_versions() if version != rules.CURRENT.version]
    assert offered == [f"rules_{version}" for version in earlier]


def test_bench_answers_an_earlier_version_with_what_stood_for_a_new_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    lead = signed_in(member("lea", "clinical lead"))
    given = BEST | {"mind": "not_coping"}
    results = lead.post(PAGE, given | {"rules_2026.1": "on"}).context["results"]
    expected = versions.released("2026.1").decide({**given, "mind": "yes"})
    assert results[1][1].recommendation.decision == expected


def test_version_that_cannot_be_asked_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lead = signed_in(member("lea", "clinical lead"))
    monkeypatch.setattr(versions, "frozen_hashes", dict)
    versions.released.cache_clear()
    response = lead.post(PAGE, BEST | {"rules_2026.1": "on"})
    versions.released.cache_clear()
    assert response.status_code == 200
    assert "is not as it was frozen" in text_of(response, ".to-do")
