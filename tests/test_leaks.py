"""No log, mail, cookie, error page or column leaks a secret, in a whole journey and in every failure."""

import base64
import json
import logging
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.db import IntegrityError, OperationalError
from django.http import HttpResponse
from django.test import Client

from intake_site.logs import ErrorMail
from screening import audit, return_codes
from screening.draft import Draft
from screening.models import Submission
from screening.questionnaire import PAGES, QUESTIONS
from tests.answers import on_page
from tests.desk.helpers import CASES, ask_for_call, superuser, url_of
from tests.helpers import parse
from tests.leaks import Places, in_database, secrets_in

pytestmark = pytest.mark.django_db
ANSWERS = {key: list(question.options)[-1] for key, question in QUESTIONS.items()}
TYPED = {
    "name": "Quillon Zebrowski",
    "phone": "405-555-0147",
    "email": "quillon@zebrowski.example",
    "best_time": "moonless midnights",
    "to_others": "say it is the aquarium",
}
NOTE, TRAP, MISTYPED = "Quillon sounded tired", "Cheap sunglasses", "my code is lost somewhere"
ADDRESS, DEVICE = "203.0.113.77", "SentinelBrowser/9.9"
# Short words ("yes", "no") are everywhere, so only values and texts that are specific to an answer count.
SPOKEN = {value for value in ANSWERS.values() if "_" in value} | {
    QUESTIONS[key].options[value] for key, value in ANSWERS.items() if len(QUESTIONS[key].options[value]) > 25
}
WORDS = {*TYPED.values(), NOTE, TRAP, MISTYPED}


class AtOnce(ErrorMail):
    """Mail every error, and wait until it is sent."""

    every = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        self.sending.join()


@pytest.fixture
def places(
    settings: Any, center_tells: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Places]:
    """Collect what the site logs with its own handlers and formatters, and what it prints."""
    settings.ADMINS = [("", "owner@example.com")]
    center_tells(mail_to="desk@example.com")
    console = next(handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler)
    stream, mailer = StringIO(), AtOnce(level="ERROR")
    mailer.setFormatter(console.formatter)
    logging.getLogger().addHandler(mailer)
    previous = console.setStream(stream)
    collected = Places()

    def leaks(secrets: Any) -> Any:
        printed = capfd.readouterr()
        collected.log += [stream.getvalue(), printed.out, printed.err]
        return Places.leaks(collected, secrets)

    monkeypatch.setattr(collected, "leaks", leaks)
    yield collected
    console.setStream(previous)
    logging.getLogger().removeHandler(mailer)


class Journey:
    """A person and a member of staff use every page, and go on after a failure."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.key = return_codes.generate()  # of the draft; the code follows from it
        (self.code,) = return_codes.following(self.key)
        self.person, self.elsewhere, self.staff = (
            Client(raise_request_exception=False, REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=DEVICE) for _ in range(3)
        )
        self.statuses: list[int] = []

    def ask(self, client: Client, address: str, data: dict[str, str] | None = None) -> Any:
        ask = client.get if data is None else client.post
        response: Any = ask(address, data)
        self.statuses.append(response.status_code)
        if response.status_code == 500:
            page = response.content.decode()
            for given_back in parse(response).select("textarea") if client is self.staff else ():
                assert given_back.text.strip() in (data or {}).values()  # to whoever has just typed it, and no more
                page = page.replace(given_back.text.strip(), "")
            self.places.errors.append(f"{response.headers}\n{page}")
        self.places.cookies += [f"{name}={morsel.value}" for name, morsel in client.cookies.items()]
        return response

    @property
    def secrets(self) -> set[str]:
        return {*WORDS, *SPOKEN, self.key, self.code, ADDRESS, DEVICE}

    def answers_and_saves(self) -> None:
        for page in PAGES:
            self.ask(self.person, f"/questions/{page.slug}/", {})
            self.ask(self.person, f"/questions/{page.slug}/", on_page(page, ANSWERS))
        self.ask(self.person, "/help/")
        self.ask(self.person, "/check/")
        self.ask(self.person, "/check/", {"action": "save", "subject": TRAP})
        self.ask(self.person, "/result/")

    def asks_for_a_call(self) -> None:
        self.ask(self.person, "/contact/", TYPED)
        self.ask(self.person, "/contact/", TYPED | {"agree": "on"})
        self.ask(self.person, "/contact/")

    def comes_back(self) -> None:
        self.ask(self.elsewhere, "/return/", {"code": MISTYPED})
        self.ask(self.elsewhere, "/return/", {"code": return_codes.generate()})
        self.ask(self.elsewhere, "/return/", {"code": return_codes.formatted(self.code)})
        self.ask(self.elsewhere, f"/return/{self.code}")
        self.ask(self.elsewhere, "/result/")

    def is_reviewed(self, case: Submission) -> None:
        address = url_of(case)
        self.ask(self.staff, "/admin/")
        self.ask(self.staff, CASES)
        self.ask(self.staff, address)
        note = {
            "seen": "1",
            "notes-TOTAL_FORMS": "1",
            "notes-INITIAL_FORMS": "0",
        }
        note |= {"notes-0-text": NOTE}
        note |= {"reviews-TOTAL_FORMS": "1", "reviews-INITIAL_FORMS": "0", "reviews-0-reason": NOTE}
        note["reviews-0-program"] = "iop"
        self.ask(self.staff, address, {"status": "nonsense", **note})
        self.ask(self.staff, address, {"status": "in_progress", **note})
        self.ask(self.staff, address)
        self.ask(self.staff, url_of(case, "print"))
        self.ask(self.staff, url_of(case, "reveal"), {})
        for page in ("how-we-are-doing", "assisted", "center", "screening/logline", "auth/user"):
            self.ask(self.staff, f"/admin/{page}/")
        self.ask(self.staff, f"{CASES}export/", {"purpose": "quality", "confirm": "on"})
        self.ask(self.staff, f"{CASES}999/change/", note)
        self.ask(self.elsewhere, "/admin/login/", {"username": MISTYPED, "password": NOTE})

    def erases(self) -> None:
        self.ask(self.person, "/erase/")
        self.ask(self.person, "/erase/", {})
        self.ask(self.person, "/leave/")


@pytest.fixture
def journey(places: Places) -> Journey:
    journey = Journey(places)
    journey.staff.force_login(superuser("staff"))
    started = HttpResponse()
    Draft(code=journey.key).write(started)
    journey.person.cookies.update(started.cookies)
    return journey


def test_journey_leaves_no_trace_but_where_it_belongs(journey: Journey) -> None:
    journey.answers_and_saves()
    journey.asks_for_a_call()
    journey.is_reviewed(Submission.objects.get())
    journey.comes_back()
    assert journey.elsewhere.get("/result/").status_code == 200
    assert journey.statuses.count(404) == 1  # /return/<code> is no page
    assert 500 not in journey.statuses
    assert journey.places.leaks(journey.secrets) == set()
    assert Submission.objects.get().answers == ANSWERS
    assert in_database(journey.secrets) == set(), "all of it is encrypted"
    journey.erases()
    assert not Submission.objects.exists()


def test_stolen_database_shows_no_name_number_note_or_code(journey: Journey) -> None:
    journey.answers_and_saves()
    journey.asks_for_a_call()
    journey.is_reviewed(Submission.objects.get())
    assert Submission.objects.get().notes.get().text == NOTE
    assert Submission.objects.get().contact.name == TYPED["name"]
    assert in_database({*WORDS, journey.code}) == set()


def test_no_address_and_no_device_is_kept_or_logged(journey: Journey) -> None:
    journey.answers_and_saves()
    journey.asks_for_a_call()
    journey.is_reviewed(Submission.objects.get())
    journey.comes_back()
    assert journey.places.leaks({ADDRESS, DEVICE}) == set()
    assert in_database({ADDRESS, DEVICE}) == set()


# Failures

MESSAGE = " ".join(sorted({*WORDS, *SPOKEN, ADDRESS, DEVICE}))
POINTS = (
    "screening.public.result.explain",
    "screening.public.questions.first_gap",
    "screening.public.questions.answers_by_section",
    "screening.public.questions.chosen",
    "screening.draft.Draft.write",
    "screening.models.submission.SubmissionManager.insert",
    "screening.models.submission.SubmissionManager.with_codes",
    "screening.return_codes.encrypted_hashes",
    "screening.rate_limits.client_hash",
    "screening.spam.signs",
    "screening.fields.cipher",
    "screening.public.contact.ContactForm.clean",
    "screening.retention.erase",
    "screening.desk.case.answers_by_section",
    "screening.models.audit.LogLine.sealed",
    "screening.desk.figures.agreement",
    "screening.desk.export.Purpose.clean",
    "screening.desk.sessions.SessionStore._get_session_from_db",
    "django.db.backends.utils.CursorWrapper.execute",
)


def chained(message: str) -> Exception:
    error = ValueError(message)
    error.__cause__ = IntegrityError(f"DETAIL: Failing row contains ({message})")
    return error


KINDS: dict[str, Callable[[str], Exception]] = {
    "plain": RuntimeError,
    "database": OperationalError,
    "chained": chained,
}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("plain", marks=[pytest.mark.sqlite_is_enough, pytest.mark.full]),
        "database",
        pytest.param("chained", marks=[pytest.mark.sqlite_is_enough, pytest.mark.full]),
    ],
)
@pytest.mark.parametrize("point", POINTS)
def test_failure_shows_nothing_of_the_person(
    journey: Journey, monkeypatch: pytest.MonkeyPatch, point: str, kind: str
) -> None:
    """No log, mail, cookie or error page repeats the message of an exception, wherever it is raised."""
    failed = 0

    def fail(*args: object, **kwargs: object) -> None:
        nonlocal failed
        failed += 1
        raise KINDS[kind](f"{MESSAGE} {journey.code} {return_codes.formatted(journey.code)}")

    case = Submission.objects.submit(ANSWERS)  # so that there is something to leak
    ask_for_call(case, **TYPED)
    with monkeypatch.context() as patch:
        patch.setattr(point, fail)
        journey.answers_and_saves()
        journey.asks_for_a_call()
        journey.is_reviewed(case)
        journey.comes_back()
        journey.erases()
    assert failed
    assert journey.places.leaks(journey.secrets) == set()
    if 500 in journey.statuses:
        assert any(message.subject.endswith("An error on the site") for message in mail.outbox)


# The search itself


def plant_log(journey: Journey) -> None:
    logging.getLogger("screening.public.questions").error("could not save %s", ANSWERS)


def plant_traceback(journey: Journey) -> None:
    logging.getLogger("screening.public.questions").error("Failed:\n%s", f"ValueError: {TYPED['name']}")


def plant_print(journey: Journey) -> None:
    sys.stdout.write(TYPED["phone"])


def plant_mail(journey: Journey) -> None:
    mail.mail_admins("An error", f"wrote: {NOTE}")


def plant_mail_subject(journey: Journey) -> None:
    mail.mail_admins(f"Call {TYPED['email']}", "")


def plant_code_in_small_letters(journey: Journey) -> None:
    logging.getLogger("screening").warning("code %s", journey.code.lower())


def plant_cookie(journey: Journey) -> None:
    journey.places.cookies.append(f"answers={json.dumps(ANSWERS)}")


def plant_cookie_in_base64(journey: Journey) -> None:
    journey.places.cookies.append(f"name={base64.urlsafe_b64encode(json.dumps(TYPED).encode()).decode()}")


def plant_error_page(journey: Journey) -> None:
    journey.places.errors.append(f"<pre>ValueError: {TYPED['to_others'].replace(' ', '&#32;')}</pre>")


def plant_address(journey: Journey) -> None:
    journey.places.errors.append("Location: /contact/?best_time=" + TYPED["best_time"].replace(" ", "%20"))


def plant_desk_log(journey: Journey) -> None:
    audit.record(audit.Action.NOTED, User.objects.get(), detail=TYPED["name"])


def plant_session(journey: Journey) -> None:
    session = SessionStore()
    session["last"] = TYPED | {"more": "x" * 500}
    session.save()


PLANTED = [value for name, value in sorted(globals().items()) if name.startswith("plant_")]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_search_finds_a_leak_that_was_planted(journey: Journey, plant: Callable[[Journey], None]) -> None:
    assert len(PLANTED) == 12
    assert journey.places.leaks(journey.secrets) | in_database(journey.secrets) == set()
    plant(journey)
    assert journey.places.leaks(journey.secrets) | in_database(journey.secrets)


def test_search_finds_nothing_in_harmless_text() -> None:
    assert secrets_in(" ".join(question.text for question in QUESTIONS.values()), WORDS) == set()
