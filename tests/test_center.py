"""The facts of the center: hours, what is shown of programs, and the copy that each process keeps."""

import random
from collections.abc import Callable
from datetime import datetime, time, timedelta
from importlib import import_module
from time import monotonic
from typing import Any

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone, translation

from intake_site import server
from screening import center
from screening.center import CONFIRMED_FOR, SERVICES, Facts, Service, openings
from screening.models import CenterFacts
from screening.questionnaire import QUESTIONS
from screening.rules import recommend
from screening.rules.personas import PERSONAS
from tests.answers import BEST, CLOSE_CALL, INPATIENT, IOP, TODAY, answers
from tests.conftest import Person
from tests.helpers import parse


def result_page(given: dict[str, str]) -> BeautifulSoup:
    return parse(Person(Client()).finishes(given, "view"))


(ELI,) = (person.answers for person in PERSONAS if person.name == "Eli")
LEANS_TO_STAY = answers(job="can_leave", supporters="nobody", home="alone")
WEEK = {f"hours_{day}": "8:00-12:00, 1 pm-8 pm" for day in range(5)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("8:00-12:00", ((time(8), time(12)),)),
        ("1 pm-8 pm, 8-12", ((time(8), time(12)), (time(13), time(20)))),
        ("12 am – 12:30 p.m.", ((time(0), time(12, 30)),)),
        ("8 to 12", ((time(8), time(12)),)),
        ("0:00-24:00", ((time(0), time.max),)),
        ("8-12, 12-13", ((time(8), time(12)), (time(12), time(13)))),
        ("1-8 pm", ((time(13), time(20)),)),
        ("8-12 and 1-5 pm", ((time(8), time(12)), (time(13), time(17)))),
        ("10-2 pm; 6 to 9 pm", ((time(10), time(14)), (time(18), time(21)))),
        ("8 am to noon", ((time(8), time(12)),)),
        ("noon-midnight", ((time(12), time.max),)),
        ("8 am - 12 am", ((time(8), time.max),)),
        ("01:00-05:00", ((time(1), time(5)),)),
        ("0900-1700", ((time(9), time(17)),)),
        ("midnight-6 am", ((time(0), time(6)),)),
        ("9:00\N{NON-BREAKING HYPHEN}17:00", ((time(9), time(17)),)),
        ("6-18", ((time(6), time(18)),)),
        ("Closed", ()),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, expected: Any) -> None:
    assert openings(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mornings", "Write hours like"),
        ("8", "Write hours like"),
        ("8-12-14", "Write hours like"),
        ("13 pm-14", "Write hours like"),
        ("8-25", "Write hours like"),
        ("8:60-9", "Write hours like"),
        ("20:00-02:00", "end before they begin"),
        ("8-8", "end before they begin"),
        ("9-5", "In the morning, or in the afternoon"),
        ("8-12, 1-5", "In the morning, or in the afternoon"),
        ("8-9 pm", "In the morning, or in the afternoon"),
        ("22:00-2:00", "end before they begin"),
        ("6-9", "In the morning, or in the afternoon"),
        ("3-2 pm", "In the morning, or in the afternoon"),
        ("8-", "Write hours like"),
        ("8-0 pm", "Write hours like"),
        ("8-12, 11-13", "overlap"),
        ("8-12, 8-9", "overlap"),
    ],
)
def test_hours_that_cannot_be_are_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        openings(text)


@pytest.mark.parametrize(
    ("now", "is_open", "closes", "opens"),
    [  # 2026-11-23 is a Monday, 26 and 27 are closed
        ("2026-11-23 07:59", False, None, "2026-11-23 08:00"),
        ("2026-11-23 08:00", True, "2026-11-23 12:00", "2026-11-23 13:00"),
        ("2026-11-23 11:59", True, "2026-11-23 12:00", "2026-11-23 13:00"),
        ("2026-11-23 12:00", False, None, "2026-11-23 13:00"),
        ("2026-11-23 20:00", False, None, "2026-11-24 08:00"),
        ("2026-11-25 21:00", False, None, "2026-11-30 08:00"),
        ("2026-11-26 09:00", False, None, "2026-11-30 08:00"),
        ("2026-11-28 03:00", False, None, "2026-11-30 08:00"),
    ],
)
def test_phone_is_answered_within_the_hours_of_days_that_are_not_closed(
    now: str, is_open: bool, closes: str | None, opens: str
) -> None:
    facts = Facts({"phone": "(405) 555-0100", "closed": "2026-11-26\n2026-11-27"} | WEEK)
    with time_machine.travel(datetime.fromisoformat(now).replace(tzinfo=timezone.get_current_timezone()), tick=False):
        assert facts.is_open == is_open
        assert (facts.closes_at and f"{facts.closes_at:%Y-%m-%d %H:%M}") == closes
        assert f"{facts.opens_at:%Y-%m-%d %H:%M}" == opens


def test_without_hours_someone_may_answer_and_without_a_phone_nobody_does() -> None:
    assert Facts({"phone": "(405) 555-0100"}).is_open
    assert not Facts({}).is_open
    assert not Facts(WEEK).is_open
    assert Facts({"phone": "(405) 555-0100"}).opens_at is None
    everyday = Facts({"phone": "(405) 555-0100"} | {f"hours_{day}": "0:00-24:00" for day in range(7)})
    assert everyday.is_open
    assert everyday.closes_at is None


def at_three() -> Any:
    return time_machine.travel(datetime(2026, 11, 24, 3, tzinfo=timezone.get_current_timezone()), tick=False)


@pytest.mark.django_db
def test_out_of_hours_the_helpline_is_the_number_and_the_page_says_when_the_phones_open(center_tells: Any) -> None:
    center_tells(**WEEK)
    with at_three():
        page = result_page(IOP)
        assert page.select_one(".phone")["href"] == "tel:+18006624357"
        assert "Until our phones open again at 8 a.m., call:" in " ".join(page.main.text.split())
        assert "(405) 555-0100" not in page.main.text
        assert "(405) 555-0100" not in parse(Client().get("/")).text
        today = " ".join(result_page(BEST | {"self_harm": "attempt"}).select_one(".urgent").text.split())
        assert "You can also call: 1-800-662-4357" in today
    with time_machine.travel(datetime(2026, 11, 28, 3, tzinfo=timezone.get_current_timezone()), tick=False):
        assert "Until our phones open again on Monday, Nov. 30, at 8 a.m., call:" in " ".join(
            result_page(IOP).main.text.split()
        )
    with time_machine.travel(datetime(2026, 11, 24, 9, tzinfo=timezone.get_current_timezone()), tick=False):
        page = result_page(IOP)
        assert page.select_one(".phone")["href"] == "tel:+14055550100"
        assert "Until noon someone answers." in " ".join(page.main.text.split())


@pytest.mark.django_db
def test_center_that_is_closed_for_long_says_that_nobody_answers(center_tells: Any) -> None:
    center_tells(**WEEK, closed="\n".join(str(datetime(2026, 11, 20).date() + timedelta(day)) for day in range(40)))
    with at_three():
        assert "Nobody answers our phones these days. Call: Call 1-800-662-4357" in text_of_main(IOP)


def text_of_main(given: dict[str, str]) -> str:
    return " ".join(result_page(given).main.text.split())


def test_hours_are_shown_as_they_were_read() -> None:
    assert center.hours_in_words(openings("1-8 pm")) == "1 p.m. – 8 p.m."
    assert center.hours_in_words(openings("8-noon, 13:30-24:00")) == "8 a.m. – noon; 1:30 p.m. – midnight"


# What a center has


ALL = dict.fromkeys(SERVICES, True) | {"iop_when_en": "Monday to Thursday, 6 to 9 pm", "iop_video": True}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "has", "lacks"),
    [
        (IOP, ["inpatient"], True),
        (IOP, ["iop"], False),
        (IOP, [], False),  # nothing was told
        (INPATIENT, ["iop", "detox"], True),
        (INPATIENT, ["iop", "inpatient"], False),
        (CLOSE_CALL, ["iop"], False),
        (CLOSE_CALL, ["inpatient"], False),
        (CLOSE_CALL, ["sober_house"], True),
    ],
)
def test_where_the_center_lacks_what_fits_others_come_first(
    center_tells: Any, given: dict[str, str], has: list[str], lacks: bool
) -> None:
    center_tells(**dict.fromkeys(has, True))
    page = result_page(given)
    said = " ".join(page.main.text.split())
    assert ("does not have such a program" in said) == lacks
    first = page.select(".calls a")[0]["href"]
    assert first == ("https://findtreatment.gov/" if lacks else "tel:+14055550100")
    assert ("offers such programs" in said) == (bool(has) and "does not have" not in said)
    assert (page.select(".calls a")[1]["href"] == "tel:+18006624357") == lacks


@pytest.mark.django_db
def test_result_shows_only_what_bears_on_it(center_tells: Any) -> None:
    center_tells(**ALL, cost_en="It costs 100 dollars a day.", told_on={"iop": "2026-11-24", "cost_en": "2026-11-26"})
    shown = " ".join(result_page(IOP).select_one(".here").text.split())
    assert "Intensive outpatient program (IOP): Monday to Thursday, 6 to 9 pm; also by video" in shown
    assert "It costs 100 dollars a day." in shown
    assert "As told on Nov. 24, 2026:" in shown
    assert "Inpatient" not in shown
    assert "opioids" not in shown
    assert "opioids" in result_page(BEST | {"opioids": "fine"}).select_one(".here").text
    shown = result_page(INPATIENT).select_one(".here").text
    assert "Inpatient program" in shown
    assert "IOP" not in shown
    shown = result_page(CLOSE_CALL).select_one(".here").text
    assert all(program in shown for program in ("(IOP)", "Inpatient program", "Day treatment"))


@pytest.mark.django_db
def test_what_bears_on_a_result_and_is_not_there_is_named(center_tells: Any) -> None:
    center_tells(iop=True, iop_when_en="Evenings", told_on={"iop": "2026-11-24"})
    assert "Not here: Medical detox" in result_page(BEST | {"alcohol_or_pills": "shaky"}).select_one(".here").text
    assert "Not here" not in result_page(IOP).select_one(".here").text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "has", "lacking"),
    [
        (ELI, ["inpatient"], "Medical detox"),
        (INPATIENT | {"opioids": "sick"}, ["inpatient"], "Medicine for opioids"),
        (LEANS_TO_STAY, ["iop"], "Inpatient program"),
        (LEANS_TO_STAY, ["inpatient"], ""),
        (LEANS_TO_STAY, [], ""),
        (IOP, ["iop"], ""),
    ],
)
def test_what_the_result_suggests_beside_the_program_and_is_not_there_is_said_before_the_number(
    center_tells: Any, given: dict[str, str], has: list[str], lacking: str
) -> None:
    center_tells(**dict.fromkeys(has, True))
    said = text_of_main(given)
    line = "Country Road Recovery Center does not have this: {}. FindTreatment.gov or 1-800-662-4357 can find it."
    assert ("does not have this" in said) == bool(lacking)
    if lacking:
        assert said.index(line.format(lacking)) < said.index("You can say:")
        assert "offers such programs" not in said


@pytest.mark.django_db
@pytest.mark.parametrize(("given", "to_doctor"), [(TODAY, False), (INPATIENT, True)])
def test_where_the_center_lacks_what_fits_nothing_above_that_line_leads_there(
    center_tells: Any, given: dict[str, str], to_doctor: bool
) -> None:
    center_tells(sober_house=True)
    said = text_of_main(given)
    assert "our staff:" not in said
    assert "talk with our staff" not in said.partition("does not have such a program")[0]
    assert ("Please talk with a doctor in the next few days." in said) == to_doctor


@pytest.mark.django_db
def test_fact_that_was_taken_away_leaves_no_empty_section(center_tells: Any) -> None:
    center_tells(cost_en="", told_on={"cost_en": "2026-11-24"})
    assert result_page(IOP).select_one("section.here") is None


def test_program_that_bears_on_nothing_stops_the_start() -> None:
    with pytest.raises(ValueError, match="Sauna: there is no 'sweat' that it bears on"):
        Service("Sauna", "iop sweat")


def test_everything_a_center_may_have_bears_on_some_result() -> None:
    with_all = Facts(ALL)
    draw = random.Random(16)
    shown = set()
    for _number in range(3000):
        given = {key: draw.choice(list(question.options)) for key, question in QUESTIONS.items()}
        shown |= {offer["key"] for offer in with_all.offers(recommend(given))}
    assert shown == set(SERVICES)


@pytest.mark.parametrize(
    ("starts", "confirmed", "shown"),
    [(5, 0, True), (5, 3, True), (5, 4, False), (0, 0, True), (-1, 0, False), (5, -9, False)],  # the clock was ahead
)
def test_next_start_hides_itself_some_days_after_it_was_confirmed(starts: int, confirmed: int, shown: bool) -> None:
    assert timedelta(days=3) == CONFIRMED_FOR
    today = timezone.localdate()
    told = {"iop_starts": str(today + timedelta(days=starts)), "iop_confirmed": str(today - timedelta(days=confirmed))}
    (offer,) = Facts(ALL | told).offers(recommend(IOP))
    assert (offer["starts"] is not None) == shown


def test_rules_are_blind_to_the_facts(center_tells: Callable[..., None]) -> None:
    draw = random.Random(26)
    for _number in range(1000):
        given = {key: draw.choice(list(question.options)) for key, question in QUESTIONS.items()}
        center_tells(**{key: draw.random() < 0.5 for key in SERVICES}, phone=draw.choice(["", "(405) 555-0100"]))
        before = recommend(given)
        center_tells()
        assert recommend(given) == before


def test_each_text_is_told_in_each_language_and_left_out_where_it_was_not() -> None:
    facts = Facts({"name": "Hill House", "cost_en": "Nothing.", "cost_es": "", "iop": True, "iop_when_es": "Los lunes"})
    assert facts.cost == "Nothing."
    with translation.override("es"):
        assert (facts.cost, facts.name) == ("", "Hill House")
        (offer,) = facts.offers(recommend(IOP))
        assert offer["when"] == "Los lunes"
    (offer,) = facts.offers(recommend(IOP))
    assert offer["when"] == ""


# The copy


@pytest.fixture
def old_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(center, "_read_at", -1e9)


@pytest.mark.django_db
def test_copy_follows_a_change_within_a_minute_and_is_read_once_meanwhile(
    old_copy: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    CenterFacts.objects.create(facts={"name": "Hill House"})
    with django_assert_num_queries(1):
        assert center.facts().name == "Hill House"
    CenterFacts.objects.create(facts={"name": "Lake House"})
    with django_assert_num_queries(0):
        assert center.facts().name == "Hill House"
    assert center.FRESH < 60
    monkeypatch.setattr(center, "_read_at", monotonic() - center.FRESH)
    assert center.facts().name == "Lake House"


def test_server_reads_the_facts_more_often_than_pages_would_have_to() -> None:
    (seconds,) = (seconds for seconds, job, _arguments in server.JOBS if job == "screening.center.refresh")
    assert seconds < center.FRESH


@pytest.mark.django_db
def test_last_copy_stands_while_the_database_is_down_and_no_page_asks_again_at_once(
    old_copy: None, database_goes_down: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    database_goes_down()
    assert Client().get("/").status_code == 200
    assert Client().get("/questions/emergency/").status_code == 200
    assert center.facts().phone == "(405) 555-0100"
    assert [record.message for record in caplog.records if "facts" in record.message] == [
        "the facts of the center could not be read: OperationalError"
    ]


@pytest.mark.django_db
def test_leaving_never_waits_for_the_database(old_copy: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/leave/").url == center.LEAVE_URL


@pytest.mark.django_db
def test_without_a_copy_and_without_a_database_pages_show_no_facts_and_the_helpline_first(
    old_copy: None, database_goes_down: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(center, "_facts", Facts())
    database_goes_down()
    page = result_page(IOP)
    assert page.select_one(".phone")["href"] == "tel:+18006624357"
    assert page.select_one(".brand").text == "Program fit"
    assert "runs this site" not in page.text


@pytest.mark.django_db
def test_earlier_settings_are_taken_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = import_module("screening.migrations.0017_seed_center").seed
    for name, value in {
        "CENTER_NAME": "Hill House",
        "CENTER_PHONE": "(405) 555-0188",
        "CENTER_HOURS": "Mon to Fri, 8 to 8",
        "LEAVE_URL": "https://news.example.com/",
        "STAFF_MAIL_TO": "a@example.org, b@example.org",
    }.items():
        monkeypatch.setenv(name, value)
    seed(apps, None)
    facts = Facts(CenterFacts.objects.last().facts)
    assert (facts.name, facts.phone, facts.hours) == ("Hill House", "(405) 555-0188", "Mon to Fri, 8 to 8")
    assert (facts.leave_url, facts.mail_to.split()) == ("https://news.example.com/", ["a@example.org", "b@example.org"])
    for name in ("CENTER_NAME", "CENTER_PHONE", "CENTER_HOURS", "LEAVE_URL", "STAFF_MAIL_TO"):
        monkeypatch.delenv(name)
    seed(apps, None)
    told_on = {"name": str(timezone.localdate())}
    assert CenterFacts.objects.last().facts == {"name": "Country Road Recovery Center", "told_on": told_on}
    monkeypatch.setenv("CENTER_PHONE", "1-844-CALL-CRR")
    with pytest.raises(ImproperlyConfigured, match="CENTER_PHONE: '1-844-CALL-CRR' is not a US phone number"):
        seed(apps, None)
