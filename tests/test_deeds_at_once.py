"""Every two deeds on the same case and account, in two threads: no deadlock, no refusal, nothing left halfway.

Each thread pauses after each statement of a transaction, so that two deeds that lock in different orders meet.
Rows are locked in one order everywhere: accounts, submissions by their keys, what hangs on them, counts, the log's end.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from screening import audit, notifications
from screening.draft import Draft
from screening.models import Contact, Count, Notification, Submission
from screening.public.saved import save
from tests.answers import IOP, URGENT
from tests.desk.helpers import CASES, PASSWORD, ask_for_call, form_of, signed_in, submit, superuser, url_of
from tests.helpers import output_of, run_at_once
from tests.public.test_contact import WISHES

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
PAUSE = 0.003  # seconds


@dataclass
class Scene:
    """One case with a request for a call, another whose contact details are expired, and who works on them."""

    case: Submission
    other: Submission
    colleague: User  # to whom the case is assigned
    person: Client
    staff: Client  # of the colleague
    manager: Client
    pressed: Client  # the person's browser on the check page, before a save
    form: dict[str, str]  # of the case, as its page showed it

    def bulk(self, action: str) -> Any:
        chosen = {"action": action, "_selected_action": [self.other.pk, self.case.pk], "index": "0"}
        return self.staff.post(CASES, chosen)

    def account(self, deed: str) -> Any:
        return self.manager.post(f"/admin/auth/user/{self.colleague.pk}/{deed}/")

    def save(self, **typed: str) -> Any:
        return self.staff.post(url_of(self.case), self.form | typed)


DEEDS: dict[str, Callable[[Scene], Any]] = {
    "open": lambda scene: scene.staff.get(url_of(scene.case)),
    "print": lambda scene: scene.staff.get(url_of(scene.case, "print")),
    "reveal": lambda scene: scene.staff.post(url_of(scene.case, "reveal")),
    "attempt": lambda scene: scene.staff.post(url_of(scene.case, "attempt"), {"result": "no_answer"}),
    "withdraw": lambda scene: scene.staff.post(url_of(scene.case, "withdraw")),
    "save": lambda scene: scene.save(status="waiting", assigned_to=str(scene.colleague.pk)),
    "note": lambda scene: scene.save(**{"notes-0-text": "Called."}),
    "review": lambda scene: scene.save(**{"reviews-0-program": "iop", "reviews-0-reason": "So I think."}),
    "assign in bulk": lambda scene: scene.bulk("assign_to_me"),
    "set in bulk": lambda scene: scene.bulk("begin"),
    "close account": lambda scene: scene.account("close"),
    "reopen account": lambda scene: scene.account("open"),
    "reset account": lambda scene: scene.account("reset"),
    "sign in": lambda scene: Client().post("/admin/login/", {"username": "colleague", "password": PASSWORD}),
    "ask for a call": lambda scene: scene.person.post("/contact/", WISHES),
    "take it back": lambda scene: scene.person.post("/contact/", {"action": "withdraw"}),
    "erase": lambda scene: scene.person.post("/erase/"),
    "save answers": lambda scene: scene.pressed.post("/check/", {"action": "save"}),
    "forget_expired": lambda scene: output_of("forget_expired"),
    "rotate_keys": lambda scene: output_of("rotate_keys"),
    "chain": lambda scene: audit.chain(everything=True),
    "send_due": lambda scene: notifications.send_due(),
    "fold counts": lambda scene: Count.fold(),
}


def slowly(execute: Any, *args: Any) -> Any:
    result = execute(*args)
    if connection.in_atomic_block:
        time.sleep(PAUSE)
    return result


def do(deed: str, scene: Scene) -> Any:
    with connection.execute_wrapper(slowly):
        return DEEDS[deed](scene)


def browser_with(draft: Draft) -> Client:
    client, response = Client(), HttpResponse()
    draft.write(response)
    client.cookies.load(response.cookies.output(header=""))
    return client


@pytest.fixture
def new_scene() -> Callable[[], Scene]:
    """Return a function that makes a scene in little time, so that every pair of deeds has one of its own."""
    manager, colleague = signed_in(superuser("ada")), superuser("colleague")
    forms: list[dict[str, str]] = []

    def scene() -> Scene:
        Submission.objects.all().delete()
        colleague.save()  # open, and with its password
        draft = Draft(answers=URGENT)
        done = save(draft, RequestFactory().post("/check/"))
        assert done
        saved, case = done
        ask_for_call(case)
        Submission.objects.filter(pk=case.pk).update(assigned_to=colleague)
        closed = {
            "status": "closed",
            "outcome": "iop",
            "due_at": None,
            "status_at": timezone.now() - timedelta(days=20),
        }
        other = submit(IOP, call=True, **closed)
        Notification.objects.create(submission=case, reason="call")
        staff = signed_in(colleague)
        form = forms[0] if forms else form_of(staff, case)
        forms[:] = [form | {name: str(case.pk) for name in form if name.endswith("-submission")}]
        return Scene(case, other, colleague, browser_with(saved), staff, manager, browser_with(draft), forms[0])

    return scene


@pytest.mark.parametrize("first", DEEDS)
def test_no_two_deeds_hinder_each_other(
    first: str, new_scene: Callable[[], Scene], settings: Any, center_tells: Any, caplog: pytest.LogCaptureFixture
) -> None:
    center_tells(mail_to="intake@example.org")
    settings.DATA_KEYS = [*settings.DATA_KEYS, "another key " * 5]
    names = list(DEEDS)
    for second in names[names.index(first) :]:
        scene = new_scene()
        settings.DATA_KEYS = settings.DATA_KEYS[::-1]  # so that there is something to rotate
        caplog.clear()
        done = run_at_once(partial(do, first, scene), partial(do, second, scene))
        for name, result in zip((first, second), done, strict=True):
            assert not isinstance(result, BaseException), (first, second, name, result)
            refused = {403} if "close account" in (first, second) else set()  # whoever's account was closed
            expected = {200, 302, 409} | refused
            assert getattr(result, "status_code", 302) in expected, (first, second, name, result)
        assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [], (first, second)
        wanting = set(Submission.objects.filter(wants_call=True).values_list("pk", flat=True))
        assert wanting == set(Contact.objects.values_list("pk", flat=True)), (first, second)
        assert not Notification.objects.filter(submission__contact=None, reason="call").exists(), (first, second)
        closed = Submission.objects.exclude(status="closed").filter(assigned_to__is_active=False)
        assert not closed.exists(), (first, second)


def test_each_deed_is_done(new_scene: Callable[[], Scene], settings: Any) -> None:
    for deed in ("save", "note", "review", "assign in bulk", "close account", "ask for a call", "save answers"):
        assert DEEDS[deed](new_scene()).status_code == 302, deed
    for deed in ("take it back", "withdraw", "erase", "forget_expired"):
        scene = new_scene()
        DEEDS[deed](scene)
        assert Contact.objects.count() == 1, deed


def test_nobody_who_saves_waits_for_someone_else_who_does() -> None:
    """Both are counted under the same kind, and the first has not come to an end."""
    done = threading.Event()

    def save_as_well() -> None:
        Submission.objects.submit(IOP)
        connection.close()
        done.set()

    with transaction.atomic():
        Submission.objects.submit(IOP)
        threading.Thread(target=save_as_well, daemon=True).start()
        assert done.wait(10)
    Count.fold()
    assert Count.objects.values_list("number", flat=True).get() == 2
