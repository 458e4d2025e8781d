"""Accounts of the staff, as managers and their owners keep them."""

from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client

from screening import accounts, notifications
from screening.models import AccountChange, LogLine, Note, Phone, RateLimitCount, RecoveryCode, Review, StaffMember, Try
from tests.desk.helpers import CASES, CODE, PASSWORD, enrolled, member, now, password, save, signed_in, submit, url_of
from tests.helpers import output_of, parse, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_in_gate]


@pytest.fixture
def ann(db: None) -> User:
    return member("ann", "reviewer")


@pytest.fixture
def manager(db: None) -> Client:
    """Mo, who manages the accounts, signed in."""
    return signed_in(member("mo", "manager"))


def page_of(account: User, page: str = "change") -> str:
    return f"/admin/auth/user/{account.pk}/{page}/"


def details(**more: Any) -> list[str]:
    return [*LogLine.objects.filter(action="account", **more).order_by("number").values_list("detail", flat=True)]


# Unlocking


@pytest.mark.parametrize("way", ["command", "button"])
@time_machine.travel("2026-11-23 12:10", tick=False)
def test_name_that_is_locked_is_unlocked_and_no_other(way: str, ann: User, manager: Client) -> None:
    member("bob")
    for name in ("ann", "bob"):
        for _time in range(6):
            password(Client(), name, "wrong")
    password(Client(REMOTE_ADDR="192.0.2.7"), "ann", "wrong")
    assert password(Client()).status_code == 200
    assert "Unlock" in manager.get(page_of(ann)).content.decode()
    of_the_address = RateLimitCount.objects.filter(limit="sign in").order_by("pk").values_list("count")
    before = [*of_the_address]
    if way == "command":
        assert output_of("account", "unlock", "ann") == "ann can sign in again.\n"
    else:
        assert manager.post(page_of(ann, "unlock")).status_code == 302
    assert [*of_the_address] == before, "the address is still counted"
    assert details() == ["change=unlocked; account=ann"]
    assert "Not locked" in text_of(manager.get(page_of(ann)), ".account-actions")
    assert password(Client()).status_code == 302
    assert password(Client(), "bob").status_code == 200


def test_phone_that_must_wait_after_wrong_codes_is_unlocked(client: Client, ann: User, settings: Any) -> None:
    settings.SECOND_FACTOR = True
    with time_machine.travel("2026-11-23 12:00", tick=False):
        codes = enrolled(client, ann)
        assert not accounts.is_locked(ann)
        other = Client()
        password(other)
        other.post(CODE, {"code": "abcdefgh"})
        Phone.objects.update(throttling_failure_count=9)
        assert accounts.is_locked(ann)
        assert other.post(CODE, {"code": codes[0]}).status_code == 422
        accounts.unlock(ann, "mo")
        assert not accounts.is_locked(ann)
        assert other.post(CODE, {"code": codes[0]}).status_code == 302


@time_machine.travel("2026-11-23 12:10", tick=False)
def test_five_wrong_codes_are_unlocked(client: Client, ann: User, settings: Any) -> None:
    settings.SECOND_FACTOR = True
    codes = enrolled(client, ann)
    other = Client()
    password(other)
    for _time in range(5):
        other.post(CODE, {"code": "abcdefgh"})
        Phone.objects.update(throttling_failure_count=0)
    assert other.post(CODE, {"code": codes[0]}).status_code == 422
    accounts.unlock(ann, "mo")
    assert other.post(CODE, {"code": codes[0]}).status_code == 302


@time_machine.travel("2026-11-23 12:10", tick=False)
def test_nobody_unlocks_their_own_account(manager: Client) -> None:
    for _time in range(5):
        password(Client(), "mo", "wrong")
    manager.post(page_of(User.objects.get(username="mo"), "unlock"))
    assert accounts.is_locked(User.objects.get(username="mo"))
    assert details() == []


# Names


def test_desk_calls_staff_by_full_and_user_name_and_the_log_by_user_name(staff_client: Client) -> None:
    dana = User.objects.create_user("dana", first_name="Dana", last_name="Reed", is_staff=True)
    dana.groups.set(Group.objects.filter(name="reviewer"))
    case = submit()
    signed_in(dana).get(url_of(case))
    Note.objects.create(submission=case, text="Will come.", author=dana)
    Review.objects.create(submission=case, program="iop", agrees=True, author=dana)
    Try.objects.create(submission=case, result="voicemail", author=dana)
    assert save(staff_client, case, assigned_to=str(dana.pk)).status_code == 302
    page, name = staff_client.get(url_of(case)), "Dana Reed (dana)"
    places = (".to-do", ".tries", "section[aria-labelledby=notes]", "section[aria-labelledby=reviews]")
    for place in (*places, ".messagelist", "#id_assigned_to option[selected]"):
        assert name in text_of(page, place), place
    assert "dana" in text_of(page, "section[aria-labelledby=history]")
    assert name not in text_of(page, "section[aria-labelledby=history]")
    for place in (".field-assignee", ".filters"):
        assert name in text_of(staff_client.get(CASES), place), place
    accounts_page = "/admin/auth/user/"
    assert name in text_of(staff_client.get(f"{accounts_page}?q=reed"), "#result_list")
    assert name in text_of(staff_client.get(page_of(dana)), "h1")
    assert LogLine.objects.filter(detail="assigned_to=dana").exists()
    assert str(member("ann")) == "ann", "one without a full name is called by the other"


# A password that a manager chose

HANDED_OVER, OWN = "handed over today", "known to ann alone"


def set_password(manager: Client, account: User, word: str = HANDED_OVER, **more: str) -> Any:
    return manager.post(page_of(account, "password"), {"password1": word, "password2": word, **more})


def choose(client: Client, old: str, new: str) -> Any:
    return client.post("/admin/password_change/", {"old_password": old, "new_password1": new, "new_password2": new})


@pytest.mark.parametrize("way", ["made", "set"])
def test_password_that_a_manager_chose_is_changed_before_anything_is_shown(
    way: str, client: Client, ann: User, manager: Client, settings: Any
) -> None:
    if way == "made":
        sent = {"username": "eve", "password1": HANDED_OVER, "password2": HANDED_OVER}
        assert manager.post("/admin/auth/user/add/", sent).status_code == 302
    else:
        assert set_password(manager, ann).status_code == 302
    name = "eve" if way == "made" else "ann"
    settings.SECOND_FACTOR = True
    enrolled(client, User.objects.get(username=name), HANDED_OVER)
    page = client.get("/admin/", follow=True)
    assert page.redirect_chain == [("/admin/password_change/", 302)]
    assert "Someone else chose the password" in text_of(page, ".callout")
    assert not parse(page).select("#user-tools, form.find, script[data-pulse]")
    same = choose(client, HANDED_OVER, HANDED_OVER)
    assert "This is the password that you have." in text_of(same, ".wrong-text")
    assert client.get("/admin/").status_code == 302
    assert choose(client, HANDED_OVER, OWN).url == "/admin/"
    assert client.get("/admin/").status_code == 200
    other = Client()
    password(other, name, OWN)
    assert not other.session["temporary"]


def test_session_that_is_open_ends_when_a_manager_sets_the_password(ann: User, manager: Client) -> None:
    at_work = Client()
    password(at_work)
    assert at_work.get("/admin/").status_code == 200
    set_password(manager, ann)
    assert at_work.get("/admin/").url.startswith("/admin/login/")


def test_own_password_is_not_temporary(ann: User) -> None:
    client = Client()
    password(client)
    assert choose(client, PASSWORD, OWN).status_code == 302
    assert client.get("/admin/").status_code == 200
    password(client, word=OWN)
    assert client.get("/admin/").status_code == 200


def test_crafted_form_takes_no_password_away_and_makes_no_account_without_one(ann: User, manager: Client) -> None:
    none = {"usable_password": "false", "unset-password": "1"}
    for page in ("/admin/auth/user/add/", page_of(ann, "password")):
        assert not parse(manager.get(page)).select("[name*=usable], [name=unset-password]")
    assert manager.post(page_of(ann, "password"), none).status_code == 200
    assert manager.post("/admin/auth/user/add/", {"username": "eve", **none}).status_code == 200
    assert not User.objects.filter(username="eve").exists()
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
    assert set_password(manager, ann, **none).status_code == 302
    ann.refresh_from_db()
    assert ann.check_password(HANDED_OVER)
    assert details() == ["change=password_set; account=ann"]


# What other managers are told


@pytest.fixture
def mailed(settings: Any) -> None:
    settings.EMAIL_HOST, settings.SITE_URL = "mail.example", "https://fit.example"


def give(manager: Client, account: User, *roles: str) -> None:
    account.refresh_from_db()
    sent = {name: getattr(account, name) for name in ("username", "first_name", "last_name", "email")}
    sent["groups"] = [*Group.objects.filter(name__in=roles).values_list("pk", flat=True)]
    assert manager.post(page_of(account), sent).status_code == 302


def callouts(client: Client) -> str:
    return text_of(client.get("/admin/"), ".callout")


def press_seen(client: Client, change: AccountChange) -> None:
    client.post(f"/admin/auth/user/seen/{change.pk}/")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("roles", "Ann Lee (ann) was given: clinical lead, contact."),
        ("password", "A new password was set for Ann Lee (ann)."),
        ("reset", "The second factor of Ann Lee (ann) was reset."),
    ],
)
def test_change_is_mailed_to_managers_and_stands_until_another_one_has_seen_it(
    what: str, told: str, ann: User, manager: Client, mailed: None, mailoutbox: Any
) -> None:
    User.objects.filter(pk=ann.pk).update(first_name="Ann", last_name="Lee", email="ann@clinic.example")
    User.objects.filter(username="mo").update(email="mo@clinic.example")
    other, third = (member(name, "manager") for name in ("max", "mia"))
    User.objects.filter(pk=other.pk).update(email="max@clinic.example")
    if what == "roles":
        give(manager, ann, "reviewer", "contact", "clinical lead")
    elif what == "password":
        set_password(manager, ann)
    else:
        manager.post(page_of(ann, "reset"))
    notifications.send_due()
    (mail,) = mailoutbox
    assert sorted(mail.bcc) == ["max@clinic.example", "mo@clinic.example"]
    assert (mail.to, mail.subject) == ([], "An account at the desk was changed")
    assert (
        mail.body == f"{told} mo did this. If it is not right, undo it, and ask them.\n\nhttps://fit.example/admin/\n"
    )
    change = AccountChange.objects.get()
    assert told not in callouts(manager)
    press_seen(manager, change)
    press_seen(signed_in(member("rob", "reviewer", "contact", "auditor")), change)
    signed_in(other).get(f"/admin/auth/user/seen/{change.pk}/")
    press_seen(Client(), change)
    for each in (other, third):
        assert told in callouts(signed_in(each))
        assert "mo did this" in callouts(signed_in(each))
    press_seen(signed_in(other), change)
    press_seen(signed_in(third), change)
    change.refresh_from_db()
    assert change.seen_by == other
    assert told not in callouts(signed_in(third))
    assert details(actor__in=("max", "mia")) == [f"change=seen; account=ann; seen={change.kind}"]


def test_no_manager_sees_for_others_what_was_changed_at_their_own_account(manager: Client) -> None:
    """Or one who takes over a colleague's account, or makes a second one, would hide it from all others."""
    max_, mia = (member(name, "manager") for name in ("max", "mia"))
    set_password(manager, max_)
    sent = {"username": "puppet", "password1": HANDED_OVER, "password2": HANDED_OVER}
    manager.post("/admin/auth/user/add/", sent | {"groups": [Group.objects.get(name="manager").pk]})
    puppet = User.objects.get(username="puppet")
    StaffMember.objects.all().delete()  # both passwords are changed
    for account, change in zip((max_, puppet), AccountChange.objects.order_by("pk"), strict=True):
        assert change.account == account
        account.refresh_from_db()
        press_seen(signed_in(account), change)
        change.refresh_from_db()
        assert change.seen_by is None
        assert str(change) in callouts(signed_in(mia))


def test_manager_whom_nobody_else_has_seen_yet_sees_for_nobody(manager: Client) -> None:
    """Two made-up managers would see each other's, and then what their maker did."""
    bob = signed_in(member("bob", "manager"))
    for name, role in (("puppet", "manager"), ("second", "manager"), ("spy", "contact")):
        sent = {"username": name, "password1": HANDED_OVER, "password2": HANDED_OVER}
        manager.post("/admin/auth/user/add/", sent | {"groups": [Group.objects.get(name=role).pk]})
    StaffMember.objects.all().delete()
    for name in ("puppet", "second"):
        for change in AccountChange.objects.all():
            press_seen(signed_in(User.objects.get(username=name)), change)
    assert AccountChange.objects.filter(seen_by=None).count() == 3
    for change in AccountChange.objects.all():
        press_seen(bob, change)
    assert not AccountChange.objects.filter(seen_by=None).exists()


def test_second_manager_sees_what_the_first_does_though_the_first_made_them(manager: Client, ann: User) -> None:
    sent = {"username": "second", "password1": HANDED_OVER, "password2": HANDED_OVER}
    manager.post("/admin/auth/user/add/", sent | {"groups": [Group.objects.get(name="manager").pk]})
    StaffMember.objects.all().delete()
    give(manager, ann, "contact")
    assert "ann was given: contact." in callouts(signed_in(User.objects.get(username="second")))


@pytest.mark.parametrize("way", ["role", "close", "email"])
def test_manager_who_is_put_out_of_the_way_is_told_of_it(
    way: str, manager: Client, mailed: None, mailoutbox: Any
) -> None:
    bob, mia = member("bob", "manager"), member("mia", "manager")
    User.objects.filter(pk=bob.pk).update(email="bob@clinic.example")
    if way == "role":
        give(manager, bob, "reviewer")
    elif way == "close":
        manager.post(page_of(bob, "close"))
    else:
        sent = {"username": "bob", "email": "mo@clinic.example", "groups": [Group.objects.get(name="manager").pk]}
        assert manager.post(page_of(bob), sent).status_code == 302
    notifications.send_due()
    assert "bob@clinic.example" in mailoutbox[0].bcc
    told = "The e-mail address of bob was changed." if way == "email" else "bob no longer manages the accounts."
    assert told in callouts(signed_in(mia))


def test_cases_of_someone_who_loses_the_right_to_them_are_nobodys(manager: Client, ann: User) -> None:
    give(manager, ann, "reviewer")
    row = submit(assigned_to=ann)
    give(manager, ann, "auditor")
    row.refresh_from_db()
    assert row.assigned_to is None


def test_only_manager_is_told_that_nobody_else_sees_it(ann: User, manager: Client) -> None:
    give(manager, ann, "contact")
    assert "There is no other manager to see what you changed" in callouts(manager)
    assert "ann was given: contact." in callouts(manager)
    later = signed_in(member("max", "manager"))
    assert "ann was given: contact." in callouts(later)
    assert "ann was given" not in callouts(manager)


def test_what_opens_nothing_more_is_not_told(ann: User, manager: Client) -> None:
    give(manager, ann, "auditor", "contact")
    AccountChange.objects.all().delete()
    give(manager, ann, "contact", "reviewer")
    manager.post(page_of(ann, "unlock"))
    manager.post(page_of(ann, "close"))
    accounts.reset_second_factor(ann, "manage.py")
    assert not AccountChange.objects.exists()


# One's own account

ACCOUNT = "/admin/account/"


def test_own_account_says_who_one_is_and_leads_to_the_password(ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(first_name="Ann", last_name="Lee")
    client = signed_in(ann)
    assert parse(client.get("/admin/")).select_one(f"#user-tools a[href='{ACCOUNT}']")
    page = client.get(ACCOUNT)
    assert "Ann Lee (ann) Roles: reviewer" in text_of(page, "section")
    assert parse(page).select_one("main a[href='/admin/password_change/']")
    assert not parse(page).select("#recovery, #id_code"), "without a second factor"


def test_new_recovery_codes_need_a_code_and_are_shown_once(client: Client, ann: User, settings: Any) -> None:
    settings.SECOND_FACTOR = True
    with time_machine.travel("2026-11-23 12:00", tick=False):
        old = enrolled(client, ann)
        assert "You have 10 codes left." in text_of(client.get(ACCOUNT), "section")
        RecoveryCode.objects.filter(pk__in=[*RecoveryCode.objects.values_list("pk", flat=True)[:6]]).delete()
        assert not parse(client.get(ACCOUNT)).select(".errornote")
        RecoveryCode.objects.first().delete()
        assert "You have 3 codes left. Make new ones" in text_of(client.get(ACCOUNT), ".errornote")
    with time_machine.travel("2026-11-23 12:05", tick=False):
        for code in ("", "000000"):
            refused = client.post(ACCOUNT, {"action": "codes", "code": code})
            assert (refused.status_code, RecoveryCode.objects.count()) == (422, 3)
    with time_machine.travel("2026-11-23 12:10", tick=False):
        sent = {"action": "codes", "code": now(Phone.objects.get())}
        new = [code.text for code in parse(client.post(ACCOUNT, sent)).select(".recovery-codes code")]
        assert len(new) == RecoveryCode.objects.count() == 10
        assert client.post(ACCOUNT, sent).status_code == 422
        assert not parse(client.get(ACCOUNT)).select(".recovery-codes")
        assert details() == ["change=recovery_codes"]
    for minute, code, works in ((12, old[9], False), (14, new[0], True)):
        with time_machine.travel(f"2026-11-23 12:{minute}", tick=False):
            other = Client()
            password(other)
            assert (other.post(CODE, {"code": code}).status_code == 302) == works


def test_signing_out_everywhere_ends_every_session_of_the_account_and_no_other(ann: User, manager: Client) -> None:
    here, there = signed_in(ann), Client()
    password(there)
    assert here.post(ACCOUNT, {"action": "sign_out"}).url == "/admin/login/"
    for client in (here, there):
        assert client.get("/admin/").url.startswith("/admin/login/")
    assert manager.get("/admin/").status_code == 200
    assert details() == ["change=signed_out_everywhere"]
    assert password(there).status_code == 302


def test_mail_is_chosen_by_who_has_an_address(ann: User) -> None:
    client = signed_in(ann)
    assert "no e-mail address" in text_of(client.get(ACCOUNT), "section")
    client.post(ACCOUNT, {"action": "mail", "mail": "on"})
    assert not StaffMember.objects.exists()
    User.objects.filter(pk=ann.pk).update(email="ann@clinic.example")
    for sent, wanted in (({"mail": "on"}, True), ({}, False)):
        assert client.post(ACCOUNT, {"action": "mail", **sent}).url == ACCOUNT
        assert StaffMember.objects.get(account=ann).mail_when_assigned == wanted
        assert bool(parse(client.get(ACCOUNT)).select("#id_mail[checked]")) == wanted
    assert details() == ["change=mail_on", "change=mail_off"]
