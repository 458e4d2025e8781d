"""Rate limits, the hashes of client addresses, and the signs of spam."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client, RequestFactory

from screening import rate_limits, spam
from screening.models import RateLimitCount, RateLimitWindow, Submission
from screening.rate_limits import Limit
from tests.answers import IOP
from tests.conftest import Person
from tests.desk.helpers import CASES, url_of
from tests.helpers import parse, run_at_once

HOUR = RateLimitWindow(secret="drawn for this hour")


def client_hash(address: str = "192.0.2.1", hour: RateLimitWindow = HOUR, **headers: str) -> str:
    return rate_limits.client_hash(RequestFactory(REMOTE_ADDR=address, **headers).get("/"), hour)  # type: ignore[arg-type]


def test_mark_of_an_address_is_keyed_and_is_another_one_in_each_hour(settings: Any) -> None:
    now = client_hash()
    assert now == client_hash() != client_hash("192.0.2.2")
    assert "192" not in now
    assert client_hash(hour=RateLimitWindow()) != client_hash(hour=RateLimitWindow()) != now
    settings.DATA_KEYS = ["another key, as long as a key must be and as random as it gets"]
    assert client_hash() != now


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


def test_ipv6_network_counts_as_one_client() -> None:
    assert client_hash("2001:db8:1:2::1") == client_hash("2001:db8:1:2:ffff::9") != client_hash("2001:db8:1:3::1")
    assert client_hash("::ffff:192.0.2.1") == client_hash("192.0.2.1")
    assert client_hash("") == client_hash("unix:") != client_hash("192.0.2.1")


def test_address_is_taken_from_our_own_proxy_only(settings: Any) -> None:
    forged: Any = {"HTTP_X_FORWARDED_FOR": "198.51.100.7, 192.0.2.9"}
    assert client_hash("192.0.2.1", **forged) == client_hash("192.0.2.1")
    settings.BEHIND_PROXY = True
    assert client_hash("10.0.0.1", **forged) == client_hash("192.0.2.9")
    assert client_hash("10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.5, 192.0.2.9") == client_hash("192.0.2.9")
    for written in ("192.0.2.9:4711", "203.0.113.5,192.0.2.9, ", "[::ffff:192.0.2.9]:4711", "::ffff:192.0.2.9"):
        assert client_hash("10.0.0.1", HTTP_X_FORWARDED_FOR=written) == client_hash("192.0.2.9")
    assert client_hash("10.0.0.1") == client_hash("10.0.0.1") != client_hash("10.0.0.1", HTTP_X_FORWARDED_FOR="unknown")


@pytest.mark.django_db(transaction=True)
def test_limit_holds_when_all_come_at_the_same_moment() -> None:
    limit = Limit("test", per_client=10, total=1000, reserved=1)
    attempts = run_at_once(*[lambda: [limit.hit(RequestFactory().get("/")).number for _ in range(5)]] * 8)
    numbers = [number for each in attempts for number in each]
    assert len(numbers) == 40
    assert sum(number > 0 for number in numbers) == 10
    assert RateLimitCount.objects.get(client="").count == 10  # a refused attempt does not count against the total


@pytest.mark.django_db
def test_whole_clinic_behind_one_address_gets_through_and_a_flood_does_not(person: Person) -> None:
    request = RequestFactory().get("/")
    assert all(rate_limits.SAVE.hit(request) for _ in range(200))
    person.finishes(IOP, "save")
    assert "many" in Submission.objects.get().spam_signs
    assert all(rate_limits.SAVE.hit(request) for _ in range(199))
    assert not rate_limits.SAVE.hit(request)
    late = Person(Client())
    late.has_answered(IOP)
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
        person.post("emergency", {"emergency": "none"})
        clock.shift(timedelta(seconds=seconds))
        person.has_answered(IOP)
        assert person.client.post("/check/", {"action": "save", **posted}).url == "/result/"
        assert person.client.get("/result/").status_code == 200
    return Submission.objects.latest("pk")


@pytest.mark.django_db
def test_signs_of_spam_are_recorded_and_never_refused(staff_client: Client) -> None:
    assert saved_after(10).spam_signs == ""
    assert saved_after(9).spam_signs == "fast"
    trapped = saved_after(60, **{spam.TRAP: "Buy now"})
    assert trapped.spam_signs == "trap"
    assert saved_after(1, **{spam.TRAP: "x"}).spam_signs == "trap,fast"
    Submission.objects.exclude(pk=trapped.pk).delete()
    Submission.objects.submit(IOP)
    marked = [row.text for row in parse(staff_client.get(CASES)).select("#result_list tr") if "Suspected" in row.text]
    assert len(marked) == 1
    assert str(trapped) in marked[0]
    assert str(spam.SIGNS["trap"]) in staff_client.get(url_of(trapped)).content.decode()
    assert "Buy now" not in str(list(Submission.objects.values()))


def test_trap_is_a_field_that_no_person_meets(person: Person) -> None:
    person.has_answered(IOP)
    field = parse(person.client.get("/check/")).select_one(f"[name={spam.TRAP}]")
    assert (field["tabindex"], field["autocomplete"]) == ("-1", "off")
    assert field.find_parent(attrs={"aria-hidden": "true"})["class"] == ["unseen"]


POLICY = {  # limit -> attempts per client, in total, and for each client when the total is used up
    "RETURN_CODE": (200, 4000, 20),
    "SAVE": (400, 4000, 40),
    "SIGN_IN": (20, 2000, 5),
    "USERNAME": (5, 2000, 5),
    "ANYWHERE": (200, 2000, 200),
    "SECOND_FACTOR": (5, 2000, 5),
}


def test_limits_are_as_documented() -> None:
    limits = {name: limit for name, limit in vars(rate_limits).items() if isinstance(limit, Limit)}
    assert {name: (limit.per_client, limit.total, limit.reserved) for name, limit in limits.items()} == POLICY
    assert len({limit.key for limit in limits.values()}) == len(limits), "no two count together"


@pytest.mark.django_db
@pytest.mark.parametrize(("per_client", "total", "reserved", "allowed"), [(3, 9, 1, 3), (9, 4, 2, 4), (9, 2, 5, 5)])
def test_last_attempt_that_is_allowed_and_the_first_that_is_not(
    per_client: int, total: int, reserved: int, allowed: int
) -> None:
    limit, request = Limit("test", per_client, total, reserved), RequestFactory().get("/")
    assert [limit.hit(request).number for _ in range(allowed + 3)] == [*range(1, allowed + 1), 0, 0, 0]


@pytest.mark.django_db
def test_refund_lowers_only_what_its_own_attempt_raised() -> None:
    limit, request = Limit("test", per_client=2, total=9, reserved=1), RequestFactory().get("/")
    with time_machine.travel("2026-11-23 12:59:59Z", tick=False) as clock:
        before = limit.hit(request)
        clock.shift(timedelta(seconds=2))
        assert [limit.hit(request).number for _place in range(2)] == [1, 2]
        before.refund()
        refused = limit.hit(request)
        assert not refused
        refused.refund()
        assert not limit.hit(request), "neither a refund of the hour before nor one of a refusal makes room"
        assert sorted(RateLimitCount.objects.values_list("count", flat=True)) == [0, 0, 2, 2]


@pytest.mark.parametrize(("minute", "kept"), [(0, 1), (59, 1), (60, 1), (61, 0)])
@pytest.mark.django_db
def test_window_is_deleted_a_minute_after_its_hour(minute: int, kept: int) -> None:
    with time_machine.travel("2026-11-23 12:00:00Z", tick=False) as clock:
        rate_limits.SAVE.hit(RequestFactory().get("/"))
        clock.shift(timedelta(hours=1, minutes=minute - 60, seconds=1 if minute == 61 else 0))
        rate_limits.delete_old_windows()
    assert RateLimitWindow.objects.count() == kept


@pytest.mark.parametrize(("number", "signs"), [(40, ""), (41, "many")])
def test_more_than_40_saves_an_hour_from_one_address_are_a_sign(number: int, signs: str) -> None:
    assert spam.signs({}, 0, number) == signs


@pytest.mark.django_db
def test_refund_holds_one_row_at_a_time(django_assert_num_queries: Any) -> None:
    """Who holds one count and waits for another would wait for who counts both: on PostgreSQL a deadlock."""
    attempt = Limit("test", per_client=9, total=9, reserved=1).hit(RequestFactory().get("/"))
    with django_assert_num_queries(2):
        attempt.refund()
    assert set(RateLimitCount.objects.values_list("count", flat=True)) == {0}
