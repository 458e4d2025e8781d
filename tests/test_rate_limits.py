"""Limits on saving, the marks of addresses, and the signs of a machine."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client, RequestFactory

from screening import rate_limits, spam
from screening.models import RateLimitCount, RateLimitWindow, Submission
from screening.rate_limits import Limit
from tests.answers import IOP
from tests.conftest import Person

HOUR = RateLimitWindow(secret="drawn for this hour")


def mark(address: str = "192.0.2.1", hour: RateLimitWindow = HOUR, **headers: str) -> str:
    return rate_limits.client_hash(RequestFactory(REMOTE_ADDR=address, **headers).get("/"), hour)  # type: ignore[arg-type]


def test_mark_of_an_address_is_keyed_and_is_another_one_in_each_hour(settings: Any) -> None:
    now = mark()
    assert now == mark() != mark("192.0.2.2")
    assert "192" not in now
    assert mark(hour=RateLimitWindow()) != mark(hour=RateLimitWindow()) != now
    settings.DATA_KEYS = ["another key, as long as a key must be and as random as it gets"]
    assert mark() != now


@pytest.mark.django_db
def test_what_marks_are_made_with_goes_soon_after_its_hour_and_the_counters_with_it() -> None:
    request = RequestFactory().get("/")
    with time_machine.travel("2026-11-23 12:59", tick=False) as clock:
        rate_limits.SAVE.hit(request)
        secret = RateLimitWindow.objects.get().secret
        clock.shift(timedelta(minutes=2))
        rate_limits.SAVE.hit(request)
        assert RateLimitWindow.objects.count() == 2
        clock.shift(timedelta(minutes=2))
        rate_limits.delete_old_windows()
        assert not RateLimitWindow.objects.filter(secret=secret).exists()
        assert RateLimitCount.objects.count() == 2
        clock.shift(timedelta(minutes=60))
        rate_limits.delete_old_windows()
        assert not RateLimitCount.objects.exists()


def test_a_whole_network_of_the_new_kind_counts_as_one_line() -> None:
    assert mark("2001:db8:1:2::1") == mark("2001:db8:1:2:ffff::9") != mark("2001:db8:1:3::1")
    assert mark("::ffff:192.0.2.1") == mark("192.0.2.1")
    assert mark("") == mark("unix:") != mark("192.0.2.1")


def test_address_is_taken_from_our_own_proxy_only(settings: Any) -> None:
    forged: Any = {"HTTP_X_FORWARDED_FOR": "198.51.100.7, 192.0.2.9"}
    assert mark("192.0.2.1", **forged) == mark("192.0.2.1")
    settings.BEHIND_PROXY = True
    assert mark("10.0.0.1", **forged) == mark("192.0.2.9")
    assert mark("10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.5, 192.0.2.9") == mark("192.0.2.9")
    for written in ("192.0.2.9:4711", "203.0.113.5,192.0.2.9, ", "[::ffff:192.0.2.9]:4711", "::ffff:192.0.2.9"):
        assert mark("10.0.0.1", HTTP_X_FORWARDED_FOR=written) == mark("192.0.2.9")
    assert mark("10.0.0.1") == mark("10.0.0.1") != mark("10.0.0.1", HTTP_X_FORWARDED_FOR="unknown")


@pytest.mark.django_db(transaction=True)
def test_limit_holds_when_all_come_at_the_same_moment() -> None:
    limit = Limit("test", per_client=10, total=1000, reserved=1)
    barrier, allowed = threading.Barrier(8), []

    def work() -> None:
        try:
            barrier.wait()
            for _ in range(5):
                allowed.append(limit.hit(RequestFactory().get("/")))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(allowed) == 40
    assert sum(number > 0 for number in allowed) == 10
    assert RateLimitCount.objects.get(client="").count == 10  # what was refused anyway takes nothing from others


@pytest.mark.django_db
def test_whole_clinic_behind_one_address_gets_through_and_a_flood_does_not(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = RequestFactory().get("/")
    assert all(rate_limits.SAVE.hit(request) for _ in range(200))
    person.finishes(IOP, "save")
    assert "many" in Submission.objects.get().spam_signs
    assert all(rate_limits.SAVE.hit(request) for _ in range(199))
    assert rate_limits.SAVE.hit(request) == 0
    late = Person(Client())
    late.answers_every_page(IOP)
    response = late.client.post("/check/", {"action": "save"})
    assert response.status_code == 429
    assert "Your own are still on this device." in response.content.decode()
    assert Submission.objects.count() == 1
    assert late.client.post("/check/", {"action": "view"}).url == "/result/"
    elsewhere = Person(Client(REMOTE_ADDR="192.0.2.77"))
    assert elsewhere.finishes(IOP, "save").status_code == 200


def saved_after(seconds: int, **posted: str) -> Submission:
    with time_machine.travel("2026-11-23 12:00", tick=False) as clock:
        person = Person(Client())
        person.post("safety", {"emergency": "none"})
        clock.shift(timedelta(seconds=seconds))
        person.answers_every_page(IOP)
        assert person.client.post("/check/", {"action": "save", **posted}).url == "/result/"
        assert person.client.get("/result/").status_code == 200
    return Submission.objects.latest("pk")


@pytest.mark.django_db
def test_machines_are_marked_and_never_refused(staff_client: Client) -> None:
    assert saved_after(10).spam_signs == ""
    assert saved_after(9).spam_signs == "fast"
    trapped = saved_after(60, **{spam.TRAP: "Buy now"})
    assert trapped.spam_signs == "trap"
    assert saved_after(1, **{spam.TRAP: "x"}).spam_signs == "trap,fast"
    Submission.objects.exclude(pk=trapped.pk).delete()
    Submission.objects.submit(IOP)
    desk = "/admin/screening/submission/"
    html = staff_client.get(f"{desk}?spam_signs__isempty=0").content.decode()
    assert html.count("/change/") == 1
    assert str(spam.SIGNS["trap"]) in staff_client.get(f"{desk}{trapped.pk}/change/").content.decode()
    assert "Buy now" not in str(list(Submission.objects.values()))


def test_trap_is_a_field_that_no_person_meets(person: Person) -> None:
    person.answers_every_page(IOP)
    field = BeautifulSoup(person.client.get("/check/").content, "html.parser").select_one(f"[name={spam.TRAP}]")
    assert (field["tabindex"], field["autocomplete"]) == ("-1", "off")
    assert field.find_parent(attrs={"aria-hidden": "true"})["class"] == ["unseen"]
