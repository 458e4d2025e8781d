"""`make demo`: adds invented submissions to the local database of `make run`, at all stages, marked as test data."""

import argparse
import os
import random
import sys
from datetime import datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intake_site.settings")
django.setup()

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from screening import audit, due
from screening.models import Action, Contact, Count, Note, Outcome, Program, Review, Status, Submission
from screening.models.counts import HOURS
from screening.models.staff import counted_review
from screening.questionnaire import PAGES, QUESTIONS
from screening.rules.personas import PERSONAS

WORDS = ("Called back, no answer.", "Will come on Monday.", "Asked about insurance.", "Spoke with the family.")


def main(*given: str) -> str:
    """Do what the command line asks, and return a line that says what was done; exit with a line if it can't be."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--number", type=int, default=300, help="how many (300 when not given)")
    options.add_argument("--local", action="store_true", help="yes, this database is only for trying things out")
    options.add_argument("--clear", action="store_true", help="take all test data away again")
    asked = options.parse_args(given)
    if asked.clear:
        test_data = Submission.objects.filter(is_test=True)
        count = test_data.count()
        test_data.delete()
        Count.objects.filter(is_test=True).delete()
        return f"{count:,} test submissions taken away."
    if settings.HTTPS or connection.vendor != "sqlite":
        sys.exit(
            "Test data go into the local database of `make run` only. This one is set up for real people: HTTPS is not "
            "off, or it is not SQLite."
        )
    if not asked.local and (real := Submission.objects.filter(is_test=False).count()):
        sys.exit(
            f"This database holds {real:,} submissions that are not test data. If they are only your own trials, say "
            "so: make demo LOCAL=yes"
        )
    with transaction.atomic():
        _fill(asked.number)
    Count.fold()
    return f"{asked.number:,} test submissions added."


def _fill(number: int) -> None:
    """Add the personas again and again, with a few answers changed; older cases are further along."""
    before = Submission.objects.filter(is_test=True).count()
    chance = random.Random(number + before)  # noqa: S311 - invented data, the same each time
    author = User.objects.filter(is_staff=True).first()
    last = Count.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    for place in range(number):
        answers = dict(PERSONAS[place % len(PERSONAS)].answers)
        for key in chance.sample(list(QUESTIONS), k=chance.choice((0, 0, 1, 2)) if place >= len(PERSONAS) else 0):
            answers[key] = chance.choice(list(QUESTIONS[key].options))
        submission = Submission.objects.submit(answers)
        if chance.random() < 0.3:
            Contact.objects.create(
                submission=submission,
                name=chance.choice(("Robin", "Sam", "")),
                phone=f"(405) 555-01{chance.randrange(100):02}",
                may_text=chance.random() < 0.5,
                may_voicemail=chance.random() < 0.3,
                best_time=chance.choice(("weekdays after 5", "mornings", "")),
                to_others=chance.choice(("say it is the library", "")),
                consent="Invented: nobody agreed to anything.",
            )
        submission.refresh_from_db()
        days = min(chance.expovariate(1 / 12), settings.RETENTION_DAYS - 1)
        submission.received_at = timezone.now() - timedelta(days=days)
        submission.status = chance.choices(Status.values, weights=(max(1, 6 - days), 2, 2, days))[0]
        submission.status_at = submission.received_at + timedelta(days=days * chance.random())
        submission.is_test = True
        if submission.status != Status.NEW:
            submission.opened_at = submission.touched_at = submission.status_at
            submission.touched_by = author
            submission.assigned_to = author if chance.random() < 0.5 else None
        if submission.status == Status.CLOSED:
            submission.outcome, submission.due_at = chance.choice(Outcome.values), None
        elif submission.opened_at and not submission.wants_call:
            submission.due_at = due.NO_TIME
        else:
            submission.due_at = timezone.now() + timedelta(hours=chance.uniform(-6, 30))
        submission.save()
        if author and submission.status != Status.NEW:
            audit.record(Action.OPENED, author, submission.reference)
            Note.objects.create(submission=submission, author=author, text=chance.choice(WORDS))
            if chance.random() < 0.7:
                _review(submission, author, agrees=chance.random() < 0.85)
    Count.objects.filter(pk__gt=last).delete()  # of this week
    for submission in Submission.objects.filter(is_test=True).order_by("pk")[before:]:
        _count(submission, chance)


def _count(submission: Submission, chance: random.Random) -> None:
    """Count what led to an invented case, and what came of it, in its weeks."""
    what, at = Count.What, submission.received_at
    reached = Contact.objects.filter(pk=submission.pk).exists() and chance.random() < 0.7
    found: list[tuple[Count.What, str, datetime | None]] = [(what.SAVED, submission.channel, at)]
    found += [(each, page.slug, at) for page in PAGES for each in (what.BEGUN, what.DONE)]
    found += [(what.BEGUN, page.slug, at) for page in PAGES[: chance.choice((0, 0, 1, 3))]]  # someone who did not go on
    found += [(what.VIEWED, "", at)] * chance.choice((0, 1))
    if reached:
        hours = str(chance.choice(HOURS))
        found += [
            (what.ASKED, "", at),
            (what.TRIED, "reached", at),
            (what.FIRST_TRY, hours, at),
            (what.REACHED, hours, at),
        ]
    if review := counted_review(submission):
        found.append((what.JUDGED, review.cell, review.recorded_at))
    for each, key, when in found:
        Count.add(each, key, at=when, is_test=True)
    submission.count_outcome(1)


def _review(submission: Submission, author: User, *, agrees: bool) -> None:
    other = next(program for program in Program.values if program != submission.program)
    audit.record(Action.REVIEWED, author, submission.reference)
    Review.objects.create(
        submission=submission,
        author=author,
        program=submission.program if agrees else other,
        agrees=agrees,
        blind=submission.blind,
        reason="" if agrees and not submission.blind else "Invented: from the answers as a whole.",
    )


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
