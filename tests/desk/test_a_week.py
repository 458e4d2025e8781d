"""A week at the desk, played: people come, ask, change, withdraw and erase, while three staff work the queue."""

import random
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from screening import audit, requests, retention
from screening.desk import queues
from screening.models import Action, Contact, LogLine, Outcome, Submission, Try
from tests.answers import random_answers
from tests.desk.helpers import CASES, listed, member, save, signed_in
from tests.helpers import output_of, parse

pytestmark = pytest.mark.django_db
RESULTS = [*Try.Result.values, "no_answer", "no_answer"]


class People:
    """Those outside: each hour some come, and some of those who came before ask, change, withdraw or erase."""

    def __init__(self, chance: random.Random, cases: int, hours: int) -> None:
        self.chance, self.left, self.hours = chance, cases, hours

    def hour(self) -> None:
        coming = -(-self.left // self.hours) if self.hours else 0
        self.left, self.hours = self.left - coming, self.hours - 1
        for _ in range(coming):
            row = Submission.objects.submit(random_answers(self.chance))
            if self.chance.random() < 0.5:
                self.ask(row)
        for row in self.chance.sample([*Submission.objects.order_by("pk")], min(3, Submission.objects.count())):
            deed = self.chance.random()
            if deed < 0.5:
                self.ask(row)
            elif deed < 0.8:
                Contact.objects.withdraw(row.pk)
            else:
                retention.erase(row)

    def ask(self, row: Submission) -> None:
        """Ask for a call, or change how to be reached: now, or at a time of day that is to come."""
        contact = Contact(submission=row, phone="405 555 0123", may_text=True, may_voicemail=True, consent="Yes.")
        later = timezone.now() + timedelta(hours=3)
        contact.wished_at = later if self.chance.random() < 0.3 else None
        requests.store(contact)
        row.refresh_from_db()
        wished = contact.wished_at and not row.is_urgent
        assert row.pk in in_queue("later" if wished else "due")
        assert row.due_at == later if wished else row.due_at and row.due_at <= timezone.now()


def in_queue(key: str) -> set[int]:
    return set(queues.BY_KEY[key].rows(Submission.objects.all(), None).values_list("pk", flat=True))


def work(client: Client, chance: random.Random) -> None:
    """Open what the list shows first, and try to reach its person, put it off, or close it."""
    first = listed(client, "?queue=due")
    if not first:
        return
    row = Submission.objects.get(reference=first[0].replace("-", ""))
    asks = row.wants_call
    if asks and chance.random() < 0.8:
        save(client, row, _tried=chance.choice(RESULTS))
    elif chance.random() < 0.5:
        save(client, row, outcome=chance.choice(Outcome.values))
    else:
        save(client, row, next_step=chance.choice(["hours", "morning"]))
    assert row.pk not in in_queue("due"), "what was just worked on is done, or due later"


def nothing_is_lost(client: Client) -> None:
    """Every open case is in exactly one of two queues, every urgent one in its own, and what is late says so."""
    open_cases = set(Submission.objects.filter(due_at__isnull=False).values_list("pk", flat=True))
    assert in_queue("due") | in_queue("later") == open_cases
    assert not in_queue("due") & in_queue("later")
    urgent = Submission.objects.filter(pk__in=open_cases, urgency__gte=2)
    assert in_queue("urgent") | in_queue("nobody_to_reach") == set(urgent.values_list("pk", flat=True))
    assert not Submission.objects.exclude(pk__in=open_cases).exclude(status="closed").exists()
    page = parse(client.get(f"{CASES}?queue=due"))
    rows = page.select("#result_list tbody tr")
    assert len(rows) == min(50, len(in_queue("due")))
    assert all(row.select_one("time.late") for row in rows)


@pytest.mark.parametrize(("hours", "cases"), [(8, 16), pytest.param(168, 300, marks=pytest.mark.full)])
def test_no_request_is_lost_and_no_due_time_passes_unseen(hours: int, cases: int) -> None:
    chance = random.Random(cases)
    people = People(chance, cases, hours)
    names = [member(name, "reviewer", "contact") for name in ("ann", "bob", "cy")]
    start = datetime(2026, 11, 23, 8, tzinfo=timezone.get_current_timezone())
    with time_machine.travel(start, tick=False) as clock:
        for hour in range(hours):
            clock.move_to(start + timedelta(hours=hour))
            people.hour()
            staff = [signed_in(name) for name in names]
            for client in staff if hour % 24 < 10 else ():
                work(client, chance)
            nothing_is_lost(staff[0])
        retention.erase_expired(clock_is_right=True)
    assert people.left == 0
    tried = LogLine.objects.filter(action=Action.TRIED)
    assert tried.filter(reference__in=Submission.objects.values("reference")).count() == Try.objects.count() > 0
    asked = LogLine.objects.filter(action__in=(Action.ASKED, Action.ASKED_ANEW))
    assert asked.count() > cases / 2
    audit.chain(everything=True)
    assert "The log ends with" in output_of("verify_log")
