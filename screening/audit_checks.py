"""Verifies the audit log, and lets its owner go on from a damaged one."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Subquery

from screening import audit, audit_triggers
from screening.models.audit import Action, LogHead, LogLine, LogLink, log_keys

Fault = tuple[int, str]  # the position in the chain from which on it counts, and a sentence

END = "The end of the log was changed, or the key of its seal is missing from DATA_KEYS."


def faults(expected: tuple[int, str] | None = None) -> Iterator[Fault]:
    """Check the whole log in one pass; yield each fault that was not accepted.

    `expected`, the position and hash of an entry as noted elsewhere, reveals even a database that was put back to an
    earlier state as a whole.
    """
    head, keys = LogHead.objects.filter(pk=1).first(), log_keys()
    position, previous = 0, ""
    missing = 0  # the first of the lines that are missing here
    links = LogLink.objects.order_by("position").select_related("line")
    if head:
        links = links.filter(position__lte=head.position)  # more may be added while this runs
    for link in links.iterator(chunk_size=2000):
        if link.line is None or link.position != position + 1:
            missing = missing or position + 1
        if link.line is not None:
            if missing:
                yield missing, f"Lines {missing} to {link.position - 1} are missing."
            elif link.hash != link.chained_hash(previous):
                yield link.position, f"Line {link.position} is not as it was written."
            elif link.line.key in keys and not (link.accepted or link.line.is_sealed(keys)):
                yield link.position, f"Line {link.position} was not written by this site."
            missing = 0
        if expected and link.position == expected[0] and link.hash != expected[1]:
            yield link.position, f"Line {link.position} differs from the one that was noted."
        position, previous = link.position, link.hash
    if missing:
        yield missing, f"Lines {missing} to {position} are missing."
    ends_here = head is not None and head.is_sealed and (head.position, head.hash) == (position, previous)
    if not ends_here or LogLink.objects.filter(position__gt=LogHead.objects.filter(pk=1).values("position")).exists():
        yield position + 1, END
    if expected and expected[0] > position:
        yield position + 1, f"Line {expected[0]}, which was noted, is missing."
    for line in audit.sound(audit.unchained(), but=True):
        when = f"{line.timestamp:%Y-%m-%d %H:%M:%S} UTC"
        why = "was not written under these DATA_KEYS" if not line.is_sealed(keys) else "is the rest of a chain cut off"
        yield position + 1, f"A line of {when} {why}."
    for sentence in audit_triggers.problems():
        yield position + 1, sentence


def quick_faults() -> list[str]:
    """Check the end of the log, its triggers, tables and newest entries; quick, however long it is."""
    last = LogLink.objects.order_by("-position")
    # In one query: between two, the server may add a link.
    heads = LogHead.objects.annotate(place=Subquery(last.values("position")[:1]), end=Subquery(last.values("hash")[:1]))
    head = heads.filter(pk=1).first()
    sound = head is not None and head.is_sealed and (head.position, head.hash) == (head.place or 0, head.end or "")
    found = [*([] if sound else [END]), *audit_triggers.problems()]
    if any(audit.sound(audit.unchained(audit.recent()), but=True)):
        found.append("There are lines that were not written under these DATA_KEYS, or whose chain was cut off.")
    return found


def accept(actor: str) -> int:
    """Go on from the entries that exist, with one that says so; return how many faults were accepted.

    The chain is kept up to the first fault, and made anew from there.
    """
    with transaction.atomic():
        head = audit.locked_head() or LogHead(pk=1)
        found = list(faults())
        if not found:
            return 0
        first = min(position for position, _sentence in found)
        kept = LogLink.objects.filter(position__lt=first).order_by("-position").first()
        head.position, head.hash = (kept.position, kept.hash) if kept else (0, "")
        audit_triggers.drop()
        LogLink.objects.filter(position__gte=first).delete()
        audit_triggers.create()
        audit.append(head, _page_by_page(), accept=True)
        audit.record(Action.DAMAGE, actor, faults=len(found), since=first)
        audit.append(head, audit.unchained().iterator())
    return len(found)


def _page_by_page() -> Iterator[LogLine]:
    """Yield the entries without a link, while links are being added."""
    last = -1
    while lines := list(audit.unchained().filter(number__gt=last)[: audit.BATCH]):
        yield from lines
        last = lines[-1].number
