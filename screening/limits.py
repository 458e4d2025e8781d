"""How often something may be tried within an hour. The counters are in the database: they hold across processes and
restarts. They know an address only as a keyed hash that changes every day."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from screening.keys import draw
from screening.models import Attempts


@dataclass(frozen=True)
class Limit:
    """So many from one address, and so many in all. Once all are used up, an address still has a few of its own, so
    that nobody is locked out by what others do."""

    what: str
    per_address: int
    in_all: int
    even_then: int

    def take(self, request: HttpRequest) -> int:
        """Counts one. The how manieth of this address it is; 0 where it may not be."""
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        used = _count(self.what, place(request), hour, self.per_address)
        if used and not _count(self.what, "", hour, self.in_all) and used > self.even_then:
            return 0
        return used

    def give_back(self, request: HttpRequest) -> None:
        """For one that turned out to be right."""
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        places = (place(request), "")
        Attempts.objects.filter(what=self.what, place__in=places, hour=hour, count__gt=0).update(count=F("count") - 1)


RETURN = Limit("return", per_address=20, in_all=2000, even_then=3)  # codes that are wrong
SAVE = Limit("save", per_address=400, in_all=4000, even_then=40)  # a whole clinic may be behind one address


def _count(what: str, at: str, hour: datetime, most: int) -> int:
    """One more, unless there are `most` already; 0 then. The condition and the counting are one statement."""
    row = Attempts.objects.filter(what=what, place=at, hour=hour)
    if not row.filter(count__lt=most).update(count=F("count") + 1):
        _row, created = Attempts.objects.get_or_create(what=what, place=at, hour=hour, defaults={"count": 1})
        if created:
            forget(hour)
        elif not row.filter(count__lt=most).update(count=F("count") + 1):
            return 0
    return row.values_list("count", flat=True).get()


def forget(before: datetime) -> None:
    """Earlier hours count for nothing any more."""
    Attempts.objects.filter(hour__lt=before - timedelta(hours=1)).delete()


def place(request: HttpRequest) -> str:
    """A mark for where a request comes from, of use for today only.

    Behind a proxy it is the last address in X-Forwarded-For: the one that our own proxy wrote. Of an IPv6 address only
    the network counts, for a single line has the rest to itself.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        text = request.META.get("HTTP_X_FORWARDED_FOR", text).rpartition(",")[2].strip()
    try:
        address = ip_address(text)
    except ValueError:
        network = ""  # a socket file has no address
    else:
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        network = str(address) if address.version == 4 else address.exploded[:19]
    message = f"{timezone.localdate()} {network}"
    return hmac.digest(draw(settings.DATA_KEYS[0], "address"), message.encode(), "sha256").hex()[:32]
