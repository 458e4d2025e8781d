"""Signing in at the desk: password and code, lockout, accounts that are closed."""

import re
from base64 import b32encode
from dataclasses import replace
from datetime import timedelta
from threading import BoundedSemaphore
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from screening import accounts, rate_limits
from screening.desk import sign_in
from screening.models import LogLine, Phone, RateLimitCount, RecoveryCode, Submission
from screening.models.second_factor import RECOVERY_CODES
from tests.answers import IOP
from tests.desk.helpers import CASES, CODE, LOGIN, PASSWORD, enrolled, member, now, password, url_of
from tests.helpers import output_of, parse, run_at_once, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_in_gate]
DESK = "/admin/"


@pytest.fixture
def second_factor(settings: Any) -> None:
    settings.SECOND_FACTOR = True


@pytest.fixture
def ann(db: None) -> User:
    return member("ann", "reviewer")


def errors(response: Any) -> str:
    return text_of(response, ".errornote")


def lines(who: str = "ann") -> list[str]:
    return [*LogLine.objects.filter(actor=who).order_by("number").values_list("action", flat=True)]


# The second factor


def test_first_sign_in_sets_up_the_second_factor_and_shows_recovery_codes_once(
    client: Client, ann: User, second_factor: None
) -> None:
    response = password(client, next=CASES)
    assert response.url == f"{CODE}?next=%2Fadmin%2Fscreening%2Fsubmission%2F"
    for address in (DESK, CASES, "/admin/password_change/"):
        assert client.get(address).url.startswith(LOGIN)
    page = client.get(response.url)
    (picture,) = parse(page).select(".qr svg")
    assert picture.select("path")
    device = Phone.objects.get(user=ann)
    assert not device.confirmed
    key = parse(page).select_one("code").text.replace(" ", "")
    assert f"secret={key}" in device.config_url
    wrong = client.post(CODE, {"code": "000000", "next": CASES})
    assert wrong.status_code == 422
    assert "This code is not right" in errors(wrong)
    with time_machine.travel(timezone.now() + timedelta(seconds=5), tick=False):
        done = client.post(CODE, {"code": f" {now(device)[:3]} {now(device)[3:]} ", "next": CASES})
        codes = parse(done).select(".recovery-codes code")
        assert len(codes) == RECOVERY_CODES == RecoveryCode.objects.count()
        assert parse(done).select_one("a.button")["href"] == CASES
        assert client.get(CASES).status_code == 200
        assert not parse(client.get(CODE, follow=True)).select(".recovery-codes")
    assert lines() == ["not_signed_in", "codes", "signed_in", "listed", "front_page"]


def test_code_is_good_once_and_a_recovery_code_too(client: Client, ann: User, second_factor: None) -> None:
    with time_machine.travel("2026-11-23 12:00", tick=False):
        codes = enrolled(client, ann)
        device = Phone.objects.get()
        other = Client()
        password(other)
        assert "picture" not in str(other.get(CODE).content)  # the password alone sets up no second phone
        assert other.post(CODE, {"code": now(device)}).status_code == 422
    for minute, code, status in ((5, codes[0].upper(), 302), (6, codes[0], 422), (7, codes[1], 302)):
        with time_machine.travel(f"2026-11-23 12:0{minute}", tick=False):
            other = Client()
            password(other)
            assert other.post(CODE, {"code": code}).status_code == status
            assert (other.get(DESK).status_code == 200) == (status == 302)
    with time_machine.travel("2026-11-23 12:10", tick=False):
        other = Client()
        password(other)
        assert other.post(CODE, {"code": now(device)}).url == DESK


def test_key_that_someone_saw_who_has_only_the_password_is_not_the_one_set_up(ann: User, second_factor: None) -> None:
    other, client = Client(), Client()
    password(other)
    seen = parse(other.get(CODE)).select_one("code")
    password(client)
    shown = parse(client.get(CODE)).select_one("code")
    assert seen
    assert shown
    assert seen.text != shown.text
    assert parse(client.get(CODE)).select_one("code") == shown, "the same, as long as it is the same sign-in"
    client.post(CODE, {"code": now(Phone.objects.get())})
    assert Phone.objects.get().confirmed
    assert other.get(CASES).status_code == 302


def test_reset_of_the_second_factor_ends_the_session(client: Client, ann: User, second_factor: None) -> None:
    enrolled(client, ann)
    assert client.get(CASES).status_code == 200
    accounts.reset_second_factor(ann, "manager")
    assert client.get(CODE).headers["Location"] == LOGIN
    assert not Phone.objects.exists()
    assert "_auth_user_id" not in client.session
    enrolled(client, ann)
    assert client.get(CASES).status_code == 200


def test_code_of_someone_else_does_not_let_in(client: Client, ann: User, second_factor: None) -> None:
    bob = member("bob")
    codes = enrolled(client, bob)
    other = Client()
    enrolled(other, ann)
    other = Client()
    password(other)
    for code in (codes[0], now(Phone.objects.get(user=bob), 1), "", "٣٣٣٣٣٣", "x" * 300, "-1"):
        assert other.post(CODE, {"code": code}).status_code == 422
        assert other.get(DESK).status_code == 302


def test_code_page_needs_the_password_first(client: Client, ann: User, second_factor: None) -> None:
    assert client.get(CODE).url == LOGIN
    assert client.post(CODE, {"code": "123456"}).url == LOGIN
    assert not Phone.objects.exists()


def test_who_is_half_signed_in_can_sign_in_as_someone_else(client: Client, ann: User, second_factor: None) -> None:
    password(client)
    assert client.get(CODE).status_code == 200
    assert client.post("/admin/logout/").status_code == 200
    assert client.get(CODE).url == LOGIN
    assert client.get("/admin/logout/").status_code == 302
    assert lines() == []


def test_sign_in_leads_only_to_the_desk(client: Client, ann: User, second_factor: None) -> None:
    for wanted in ("//evil.example/", "https://evil.example/", "/", "/return/", "javascript:alert(1)"):
        assert password(Client(), next=wanted).url == f"{CODE}?next=%2Fadmin%2F"


def test_site_without_second_factor_says_so_on_every_page(staff_client: Client, settings: Any) -> None:
    row = Submission.objects.submit(IOP)
    pages: tuple[str, ...] = (DESK, CASES, url_of(row), "/admin/screening/logline/", "/admin/auth/user/")
    pages += (url_of(row, "print"), f"{CASES}export/", "/admin/assisted/", "/admin/center/", "/admin/auth/user/add/")
    for address in (*pages, "/admin/how-we-are-doing/", "/admin/password_change/"):
        assert "no second factor is asked for" in staff_client.get(address).content.decode()
    assert "no second factor is asked for" in Client().get(LOGIN).content.decode()
    settings.SECOND_FACTOR = True
    assert "no second factor is asked for" not in Client().get(LOGIN).content.decode()


# Lockout


@pytest.fixture
def few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow 40 attempts for a name from anywhere, in place of 200: each takes a while."""
    assert rate_limits.ANYWHERE.per_client == 200
    monkeypatch.setattr(rate_limits, "ANYWHERE", replace(rate_limits.ANYWHERE, per_client=40))


@time_machine.travel("2026-11-23 12:10", tick=False)
def test_five_wrong_passwords_lock_that_name_out_from_that_address_and_nobody_else(ann: User) -> None:
    member("bob")

    def attempt(word: str, name: str = "ann", address: str = "192.0.2.1") -> Any:
        return Client(REMOTE_ADDR=address).post(LOGIN, {"username": name, "password": word})

    for _ in range(5):
        assert "Please enter the correct" in errors(attempt("wrong"))
    assert "Too many wrong tries for this name" in errors(attempt(PASSWORD))
    assert attempt(PASSWORD, address="192.0.2.2").status_code == 302
    assert attempt(PASSWORD, name="bob").status_code == 302
    assert lines() == ["not_signed_in"] * 5 + ["locked_out", "signed_in"]
    with time_machine.travel("2026-11-23 13:01", tick=False):
        assert attempt(PASSWORD).status_code == 302


@time_machine.travel("2026-11-23 12:10", tick=False)
def test_right_password_does_not_count_and_unknown_names_are_not_written_down(ann: User) -> None:
    for _ in range(8):
        assert password(Client()).status_code == 302
    for _ in range(7):
        password(Client(), name="my-secret-password")
    assert "my-secret-password" not in str([*LogLine.objects.values()])
    assert set(lines()) == {"signed_in"}


@time_machine.travel("2026-11-23 12:10", tick=False)
def test_five_wrong_codes_lock_out_too(client: Client, ann: User, second_factor: None) -> None:
    codes = enrolled(client, ann)
    other = Client()
    password(other)
    for minute in range(5):
        with time_machine.travel(f"2026-11-23 12:{11 + minute}", tick=False):
            assert "This code is not right" in errors(other.post(CODE, {"code": "abcdefgh"}))
            assert "Too soon after a wrong code." in errors(
                other.post(CODE, {"code": codes[0]})
            )  # this attempt is not counted
    with time_machine.travel("2026-11-23 12:20", tick=False):
        assert "Too many wrong tries" in errors(other.post(CODE, {"code": codes[0]}))
    assert lines()[-2:] == ["not_signed_in", "locked_out"]


@pytest.mark.sqlite_is_enough
@time_machine.travel("2026-11-23 12:10", tick=False)
def test_many_wrong_passwords_from_everywhere_ask_for_the_phone_first_and_lock_nobody_out(
    client: Client, ann: User, second_factor: None, few_attempts: None
) -> None:
    enrolled(client, ann)
    phone = Phone.objects.get()
    member("bob")

    def attempt(place: int, word: str = "wrong", name: str = "ann", **more: str) -> Any:
        return Client(REMOTE_ADDR=f"192.0.2.{place}").post(LOGIN, {"username": name, "password": word, **more})

    for place in range(sign_in.CODE_AFTER):
        response = attempt(place)
        assert "code" not in response.context["form"].fields
    asked = attempt(100)
    described_by = parse(asked).select_one("#id_code")["aria-describedby"]
    assert "Type the code that your phone shows" in text_of(asked, f"#{described_by}")
    for code in ("", "000000", "٣٣٣٣٣٣", "x" * 19):
        refused = attempt(101, PASSWORD, code=code)
        assert (refused.status_code, errors(refused)) == (200, errors(asked)), "it does not tell a right password"
    assert attempt(102, PASSWORD, code=now(phone)).status_code == 302
    for place in range(103, 103 + rate_limits.ANYWHERE.per_client // 4 + 1):
        for _time in range(4):
            attempt(place)
    assert attempt(250, PASSWORD, code=now(phone)).status_code == 302, "however many tries there were"
    assert attempt(251, PASSWORD, name="bob").status_code == 302, "nobody else is asked"


@pytest.mark.sqlite_is_enough
@time_machine.travel("2026-11-23 12:10", tick=False)
def test_account_without_a_phone_is_not_locked_out_by_a_few_tries(
    ann: User, second_factor: None, few_attempts: None
) -> None:
    def attempt(place: int, word: str = "wrong") -> Any:
        return Client(REMOTE_ADDR=f"192.0.2.{place}").post(LOGIN, {"username": "ann", "password": word})

    for place in range(rate_limits.ANYWHERE.per_client // 4 - 1):
        for _time in range(4):
            attempt(place)
    assert attempt(100, PASSWORD).status_code == 302
    for _time in range(4):
        attempt(101)
    assert attempt(102, PASSWORD).status_code == 200, "then it waits for the next hour"


def test_sign_in_says_busy_when_others_hash_and_counts_nothing(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "WAIT", 0.05)
    monkeypatch.setattr(sign_in, "_hashing", BoundedSemaphore(2))  # as a server of one process has
    with sign_in.turn_to_hash() as first, sign_in.turn_to_hash() as second:
        assert (first, second) == (True, True)
        for _time in range(7):
            busy = password(Client())
            assert busy.status_code == 503
            assert "Many people are signing in just now." in errors(busy)
        assert Client().get("/help/").status_code == 200
    assert password(Client()).status_code == 302
    assert RateLimitCount.objects.filter(count__gt=0).count() == 0


@time_machine.travel("2026-11-23 12:10", tick=False)
def test_sign_in_that_is_refused_waits_for_nobody_who_hashes(ann: User) -> None:
    for _time in range(5):
        password(Client(), word="wrong")
    with sign_in.turn_to_hash(), sign_in.turn_to_hash():
        assert "Too many wrong tries for this name" in errors(password(Client()))


@pytest.mark.django_db(transaction=True)
def test_no_password_is_hashed_within_a_transaction(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    member("ann")
    hashed = []
    encode = MD5PasswordHasher.encode

    def watched(*args: Any, **kwargs: Any) -> str:
        hashed.append(connection.in_atomic_block)
        return encode(*args, **kwargs)

    monkeypatch.setattr(MD5PasswordHasher, "encode", watched)
    password(Client(), word="wrong")
    password(Client(), name="nobody")
    password(client)
    change(client, "wrong")
    change(client, PASSWORD)
    assert len(hashed) >= 6
    assert not any(hashed)


def test_signing_in_clears_the_answers_of_an_earlier_visitor(ann: User, settings: Any) -> None:
    for settings.SECOND_FACTOR in (False, True):
        visitor = Client()
        visitor.post("/questions/emergency/", {"emergency": "none"})
        assert visitor.cookies["draft"].value
        assert password(visitor).status_code == 302
        assert not visitor.cookies["draft"].value


def test_wrong_password_does_the_same_work_for_a_known_and_an_unknown_name(ann: User) -> None:
    """So that the time of the answer does not tell which names exist."""
    password(Client(), word="wrong")  # the hour's window is made
    asked = []
    for name in ("ann", "nobody", "ann", "nobody"):
        with CaptureQueriesContext(connection) as queries:
            password(Client(), name=name, word="wrong")
        asked.append([query["sql"].partition(" ")[0] for query in queries])
    assert asked == asked[:1] * 4
    assert [*LogLine.objects.filter(action="not_signed_in").order_by("number").values_list("actor", flat=True)] == [
        "ann",
        "ann",
        "",
        "ann",
        "",
    ]


def test_stolen_database_lets_nobody_sign_in(client: Client, ann: User, second_factor: None) -> None:
    codes = enrolled(client, ann)
    stored = [str(row) for model in (Session, Phone, RecoveryCode) for row in model.objects.values()]
    phone = Phone.objects.get()
    for secret in (*codes, phone.bin_key.hex(), b32encode(phone.bin_key).decode(), client.cookies["session"].value):
        assert secret not in "".join(stored)
    for key in Session.objects.values_list("session_key", flat=True):
        thief = Client()
        thief.cookies["session"] = key
        assert thief.get(DESK).status_code == 302


def test_new_keys_move_phones_and_recovery_codes_along(client: Client, ann: User, settings: Any) -> None:
    settings.SECOND_FACTOR = True
    with time_machine.travel("2026-11-23 12:00", tick=False):
        codes = enrolled(client, ann)
    settings.DATA_KEYS = ["n3w" * 20, *settings.DATA_KEYS]
    output_of("rotate_keys")
    settings.DATA_KEYS = settings.DATA_KEYS[:1]
    for minute, code in ((5, codes[0]), (7, None)):
        with time_machine.travel(f"2026-11-23 12:0{minute}", tick=False):
            other = Client()
            password(other)
            assert other.post(CODE, {"code": code or now(Phone.objects.get())}).status_code == 302


# The own password


def change(client: Client, old: str, new: str = "another long one") -> Any:
    return client.post("/admin/password_change/", {"old_password": old, "new_password1": new, "new_password2": new})


def test_guesses_at_the_old_password_in_an_open_session_are_limited(client: Client, ann: User) -> None:
    password(client)
    for _time in range(3):
        assert change(client, PASSWORD, "short").status_code == 200, "a weak new one is no wrong guess"
    for _time in range(5):
        assert "incorrectly" in change(client, "wrong").content.decode()
    assert change(client, PASSWORD).status_code == 403
    assert "Too many wrong tries" in change(client, PASSWORD).content.decode()
    assert lines()[-6:] == [*["not_signed_in"] * 5, "locked_out"]
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        password(client)
        assert change(client, PASSWORD).status_code == 302
    ann.refresh_from_db()
    assert ann.check_password("another long one")


def test_nobody_sets_their_own_password_without_the_old_one(staff_client: Client) -> None:
    me = User.objects.get(username="staff")
    new = {"password1": "another long one", "password2": "another long one"}
    for key in (me.pk, f"0{me.pk}"):
        answer = staff_client.post(f"/admin/auth/user/{key}/password/", new)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/password_change/")
    assert User.objects.get(pk=me.pk).password == me.password


# Accounts


def account(*arguments: str) -> str:
    return output_of("account", *arguments)


@pytest.mark.parametrize("way", ["command", "button"])
def test_closed_account_loses_access_at_once_and_its_open_cases_are_unassigned(
    way: str, ann: User, staff_client: Client
) -> None:
    at_work, mine, done = Client(), Submission.objects.submit(IOP), Submission.objects.submit(IOP)
    password(at_work)
    Submission.objects.update(assigned_to=ann)
    Submission.objects.filter(pk=done.pk).update(status="closed", outcome="iop", due_at=None)
    assert at_work.get(DESK).status_code == 200
    if way == "command":
        assert account("close", "ann") == "ann is closed. Whoever used it is out already.\n"
    else:
        assert "Close account" in staff_client.get(f"/admin/auth/user/{ann.pk}/change/").content.decode()
        assert staff_client.post(f"/admin/auth/user/{ann.pk}/close/").status_code == 302
    assert at_work.get(DESK).url.startswith(LOGIN)
    assert at_work.post(url_of(mine, "reveal")).status_code == 403
    assert password(Client()).status_code == 200
    assert [*Submission.objects.order_by("pk").values_list("assigned_to", flat=True)] == [None, ann.pk]
    who = "manage.py" if way == "command" else "staff"
    assert lines(who)[-2:] == ["account", "changed"]
    assert LogLine.objects.filter(actor=who, detail="change=closed; account=ann; reason=asked").exists()


def test_closed_account_is_opened_again_with_a_new_password_and_a_new_second_factor(
    client: Client, ann: User, second_factor: None
) -> None:
    enrolled(client, ann)
    account("close", "ann")
    assert not Phone.objects.exists()
    assert "manage.py changepassword ann" in account("open", "ann")
    assert password(Client()).status_code == 200
    ann.refresh_from_db()
    ann.set_password(PASSWORD)
    ann.save()
    other = Client()
    assert password(other).status_code == 302
    assert parse(other.get(CODE)).select(".qr")
    with pytest.raises(CommandError, match="There is no account 'nobody'"):
        account("close", "nobody")


def test_lost_phone_is_reset_by_a_colleague_and_not_by_oneself(ann: User, staff_client: Client) -> None:
    Phone.objects.create(user=ann, confirmed=True)
    me = User.objects.get(username="staff")
    Phone.objects.create(user=me, confirmed=True)
    staff_client.post(f"/admin/auth/user/{me.pk}/reset/")
    staff_client.post(f"/admin/auth/user/{me.pk}/close/")
    staff_client.get(f"/admin/auth/user/{ann.pk}/reset/")
    assert Phone.objects.count() == 2
    staff_client.post(f"/admin/auth/user/{ann.pk}/reset/")
    assert [device.user for device in Phone.objects.all()] == [me]
    assert User.objects.get(username="staff").is_active
    assert LogLine.objects.filter(actor="staff", detail="change=second_factor_reset; account=ann").exists()
    account("reset", "staff")
    assert not Phone.objects.exists()


def test_accounts_that_nobody_used_for_90_days_are_closed(ann: User) -> None:
    day = timedelta(days=1)
    rows = {"used": 89 * day, "unused": 91 * day}
    for name, ago in rows.items():
        User.objects.create_user(name, is_staff=True, last_login=timezone.now() - ago)
    User.objects.create_user("never", is_staff=True, date_joined=timezone.now() - 91 * day)
    dry_run = output_of("forget_expired", "--dry-run")
    assert "2 accounts that nobody used for 90 days would be closed." in dry_run
    assert accounts.close_unused() == 2
    assert {user.username for user in User.objects.filter(is_active=True)} == {"ann", "used"}
    assert LogLine.objects.filter(detail="change=closed; account=unused; reason=unused").exists()


@pytest.mark.django_db(transaction=True)
def test_unused_accounts_are_closed_once_however_many_workers_close_them() -> None:
    for place in range(5):
        User.objects.create_user(f"unused{place}", is_staff=True, date_joined=timezone.now() - timedelta(days=91))
    assert sum(run_at_once(*[accounts.close_unused] * 4)) == 5
    assert LogLine.objects.filter(action="account").count() == 5


def test_account_that_was_unused_too_long_is_closed_at_sign_in_even_before_the_daily_run(ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(last_login=timezone.now() - timedelta(days=91))
    assert "Nobody has used this account for 90 days" in errors(password(Client()))
    ann.refresh_from_db()
    assert not ann.is_active


def test_secrets_of_accounts_are_on_no_page(staff_client: Client, ann: User) -> None:
    device = Phone.objects.create(user=ann, confirmed=True)
    for address in ("/admin/auth/user/", f"/admin/auth/user/{ann.pk}/change/"):
        html = staff_client.get(address).content.decode()
        assert "ann" in html
        assert device.key not in html
        assert not re.search(r"md5\$|pbkdf2", html)
    for app in ("otp_totp/totpdevice", "otp_static/staticdevice", "auth/group", "django_tasks_database/dbtaskresult"):
        assert staff_client.get(f"/admin/{app}/").status_code == 404
