"""The audit log of the desk: who did what, when, on which submission. Entries hold no answers and are never changed.

`record` adds an entry, sealed under DATA_KEYS, by one INSERT in the transaction of the action; `chain` links entries
some seconds later. The database cannot be changed unnoticed without the keys (docs/decisions/0020).
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from screening.models.audit import MOST_DETAIL, Action, LogHead, LogLine, LogLink, log_keys, new_number, number_at

log = logging.getLogger(__name__)

LATE = timedelta(minutes=10)  # how long after others an entry may still be committed; the hourly run has no such limit
BATCH = 1000


def record(action: Action, actor: Any = None, reference: str = "", **details: object) -> LogLine:
    """Add an entry in the transaction of the action itself: neither exists without the other.

    `actor` is an account, or a name for what has none. `details` are keys and values, never translated words; at most
    MOST_DETAIL characters are kept. Raises a DatabaseError if the entry can't be written.
    """
    account = getattr(actor, "pk", None)
    name = actor if isinstance(actor, str) else actor.get_username() if account else ""
    detail = "; ".join(f"{key}={str(value).replace(';', ',')}" for key, value in details.items())
    now = timezone.now()
    line = LogLine(
        number=new_number(now),
        timestamp=now,
        account=account,
        actor=name[:150],
        action=action,
        reference=reference,
        detail=detail[:MOST_DETAIL],
        after=last_entry(),
    ).sealed()
    line.save(force_insert=True)
    return line


def begin() -> None:
    """Make the end of a log that has no entries yet."""
    head = LogHead(pk=1)
    head.seal = head.valid_seals()[0]
    head.save(force_insert=True)


def unchained(since: datetime | None = None) -> QuerySet[LogLine]:
    """Return the entries that have no link, of all or of those written since."""
    lines = LogLine.objects.filter(link=None).order_by("number")
    return lines.filter(number__gte=number_at(since)) if since else lines


def chain(*, everything: bool = False) -> int:
    """Link the entries that were committed since the last run; return how many.

    `everything` looks further back than LATE, which takes as long as the log is. Entries that are not sound stay out,
    and nothing is added to a chain whose end was tampered with: `verify_log` tells of both.
    """
    since = None if everything else recent()
    if not unchained(since).exists():
        return 0
    with transaction.atomic():
        head = locked_head()
        if head is None or not end_is_sound(head):
            if everything:  # so once an hour
                log.error("the audit log was tampered with: manage.py verify_log says where")
            return 0
        return append(head, sound(unchained(since)))


def sound(lines: QuerySet[LogLine], *, but: bool = False) -> Iterator[LogLine]:
    """Yield the entries that a key of ours has sealed, and whose chain has not been cut off; with `but`, all others.

    An entry names the end of the chain when it was written: a link that must still be there.
    """
    keys, there = log_keys(), {str(LogHead()): True}
    for line in lines.iterator(chunk_size=BATCH):
        is_sound = line.is_sealed(keys)
        if is_sound and line.after:
            if line.after not in there:
                position, _colon, digest = line.after.partition(":")
                there[line.after] = LogLink.objects.filter(position=position, hash=digest).exists()
            is_sound = there[line.after]
        if is_sound is not but:
            yield line


def recent() -> datetime:
    """Return the time since which entries may still be without a link, whichever way the clock was set."""
    newest = LogLink.objects.order_by("-position").values_list("line__timestamp", flat=True).first()
    return min(filter(None, (newest, timezone.now()))) - LATE


def locked_head() -> LogHead | None:
    """Lock the end of the chain until the transaction ends. Only what adds links waits for it."""
    return LogHead.objects.select_for_update().filter(pk=1).first()


def end_is_sound(head: LogHead) -> bool:
    """Whether the end of the chain, which is locked, is sealed and is the last link."""
    last = LogLink.objects.order_by("-position").values_list("position", "hash").first()
    return head.is_sealed and (head.position, head.hash) == (last or (0, ""))


def append(head: LogHead, lines: Iterator[LogLine], *, accept: bool = False) -> int:
    """Link these entries and seal the new end; return how many.

    With `accept`, mark those that none of our keys has sealed.
    """
    keys, links, start = log_keys(), [], head.position
    for line in lines:
        link = LogLink(position=head.position + 1, line=line, accepted=accept and not line.is_sealed(keys))
        link.hash = link.chained_hash(head.hash)
        head.position, head.hash = link.position, link.hash
        links.append(link)
        if len(links) == BATCH:
            LogLink.objects.bulk_create(links)
            links.clear()
    LogLink.objects.bulk_create(links)
    head.seal = head.valid_seals()[0]
    head.save()
    return head.position - start


def reseal() -> str:
    """Seal the end of the chain under the newest of DATA_KEYS: "moved", "there", or "lost" if no key fits.

    Entries keep the seals that they have: the chain holds them.
    """
    with transaction.atomic():
        head = locked_head()
        if head is None or not end_is_sound(head):
            return "lost"
        was_newest = head.seal == head.valid_seals()[0]
        append(head, sound(unchained()))  # what is sealed under an older key, before that key goes
    return "there" if was_newest else "moved"


def last_entry() -> str:
    """The position and the hash of the end of the chain, as "position:hash"."""
    return str(LogHead.objects.filter(pk=1).first() or LogHead())


def opened_at(reference: str) -> list[datetime]:
    """When staff opened a submission, the first time first."""
    lines = LogLine.objects.about(reference).filter(action__in=(Action.OPENED, Action.PRINTED))
    return list(lines.order_by("number").values_list("timestamp", flat=True))
