"""What a desk has on file after so many cases: cases, reviews, counts and the log, made many at a time."""

import random
import secrets
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from screening import audit, due, reference_numbers
from screening.models import Action, Count, LogLine, Review, Submission
from screening.models.audit import new_number
from screening.models.counts import week_of
from tests.answers import KINDS

CHANCE = random.Random(1)
SOME = timedelta(hours=5)
MANY = 5000  # rows at a time
ACTIONS = (Action.LISTED, Action.OPENED, Action.OPENED, Action.REVEALED, Action.TRIED, Action.CHANGED, Action.SIGNED_IN)


def pieces(number: int) -> Iterator[range]:
    return (range(start, min(start + MANY, number)) for start in range(0, number, MANY))


def fill(number: int, staff: list[User]) -> None:
    """Add submissions, spread over the retention period in order of time. Open cases are mostly recent, as in life.

    So many are urgent and ask for a call that ten thousand fill the page of each queue: else fuller pages look slower.
    """
    made = [Submission.objects.submit(given) for given in KINDS.values()]
    now = timezone.now()

    def case(place: int) -> Submission:
        like = CHANCE.choice(made)
        days = 89 * (1 - place / number)
        still_open = CHANCE.random() < max(0.03, 1 - days / 20)
        status = CHANCE.choice(("waiting", "in_progress", "new")) if still_open else "closed"
        received = now - timedelta(days=days)
        row = Submission(
            code=secrets.token_hex(40),
            reference=reference_numbers.generate(),
            received_at=received,
            answers=like.answers,
            result=like.result,
            program=like.program,
            urgency=CHANCE.choices((0, 1, 2, 3), (40, 30, 18, 12))[0],
            close_call=CHANCE.random() < 0.1,
            rules_version=like.rules_version,
            language="en",
            status=status,
            status_at=received,
            due_at=None if status == "closed" else CHANCE.choice((due.NO_TIME, now - SOME, now + SOME)),
            opened_at=None if status == "new" else received,
            blind=CHANCE.random() < 0.1,
            wants_call=CHANCE.random() < 0.6,
            assigned_to=None if status == "new" else CHANCE.choice(staff),
            touched_by=None if status == "new" else CHANCE.choice(staff),
            spam_signs="" if CHANCE.random() < 0.99 else "fast",
        )
        row.seal = row.valid_seals()[0]
        return row

    for places in pieces(number):
        Submission.objects.bulk_create(map(case, places), ignore_conflicts=True)  # two references may be equal


def fill_reviews(staff: list[User]) -> None:
    """Have every third closed case reviewed, half of them otherwise; and 13 weeks counted, as each hour makes them.

    The first of the staff, who looks at the pages, has 300 of the reviews: nobody has time for more, however many
    cases there are.
    """
    looks, *others = staff

    def review(place: int, key: int, program: str) -> Review:
        judged = CHANCE.choice(("iop", "inpatient"))
        author = looks if place < 900 else CHANCE.choice(others)
        row = Review(submission_id=key, program=judged, agrees=judged == program, author=author)
        row.seal = row.valid_seals()[0]
        return row

    closed = Submission.objects.filter(status="closed").order_by("pk").values_list("pk", "program")
    reviews = (review(place, *case) for place, case in enumerate(closed.iterator()) if not place % 3)
    Review.objects.bulk_create(reviews, batch_size=MANY)
    for weeks in range(13):
        week = week_of(timezone.now() - timedelta(weeks=weeks))
        Count.objects.bulk_create(Count(week=week, what=what, key="iop", number=1000) for what in Count.What.values)


def fill_log(number: int) -> None:
    """Add entries as `record` would, spread over the retention period as cases are, and chain them."""
    between = timedelta(days=89) / number
    begins = timezone.now() - number * between
    references = [*Submission.objects.values_list("reference", flat=True)[:number]]

    def entry(place: int) -> LogLine:
        moment = begins + place * between
        action = CHANCE.choice(ACTIONS)
        about = "" if action in (Action.LISTED, Action.SIGNED_IN) else CHANCE.choice(references)
        line = {"number": new_number(moment), "timestamp": moment, "action": action, "reference": about}
        return LogLine(**line, account=1, actor=f"staff{CHANCE.randrange(8)}").sealed()

    for places in pieces(number):
        LogLine.objects.bulk_create(map(entry, places))
    audit.chain(everything=True)
