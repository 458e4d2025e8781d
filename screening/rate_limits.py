"""How often something may be tried within an hour. The counters are in the database: they hold across processes and
restarts. They know an address only as a hash that is keyed anew each hour, and can be made by nobody afterwards: half
of its key lies beside the counters, and goes with them."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from screening.encryption import draw
from screening.models import Attempts, CountedHour


@dataclass(frozen=True)
class Limit:
    """So many from one address, and so many in all. Once all are used up, an address still has a few of its own, so
    that nobody is locked out by what others do."""

    what: str
    per_address: int
    in_all: int
    even_then: int

    def take(self, request: HttpRequest, name: str = "") -> int:
        """Counts one, for that name from that address. The how manieth it is; 0 where it may not be."""
        hour = _this_hour()
        used = _count(self.what, place(request, hour, name), hour, self.per_address)
        if used and not _count(self.what, "", hour, self.in_all) and used > self.even_then:
            return 0
        return used

    def give_back(self, request: HttpRequest, name: str = "") -> None:
        """For one that turned out to be right."""
        hour = _this_hour()
        places = (place(request, hour, name), "")
        Attempts.objects.filter(what=self.what, place__in=places, hour=hour, count__gt=0).update(count=F("count") - 1)


RETURN = Limit("return", per_address=200, in_all=4000, even_then=20)  # codes that are wrong
SAVE = Limit("save", per_address=400, in_all=4000, even_then=40)  # a whole clinic may be behind one address
SIGN_IN = Limit("sign in", per_address=20, in_all=2000, even_then=5)  # passwords that are wrong
NAME = Limit("name", per_address=5, in_all=2000, even_then=5)  # those for one name
CODE = Limit("code", per_address=5, in_all=2000, even_then=5)  # and codes of the second factor


def _this_hour() -> CountedHour:
    hour, created = CountedHour.objects.get_or_create(begins=timezone.now().replace(minute=0, second=0, microsecond=0))
    if created:
        forget()
    return hour


def _count(what: str, at: str, hour: CountedHour, most: int) -> int:
    """One more, unless there are `most` already; 0 then. The condition and the counting are one statement."""
    row = Attempts.objects.filter(what=what, place=at, hour=hour)
    if not row.filter(count__lt=most).update(count=F("count") + 1):
        _row, created = Attempts.objects.get_or_create(what=what, place=at, hour=hour, defaults={"count": 1})
        if not created and not row.filter(count__lt=most).update(count=F("count") + 1):
            return 0
    return row.values_list("count", flat=True).get()


def forget() -> None:
    """Hours that are over count for nothing any more; the last one may still be in use for a moment."""
    CountedHour.objects.filter(begins__lt=timezone.now() - timedelta(hours=1, minutes=1)).delete()


def place(request: HttpRequest, hour: CountedHour, name: str = "") -> str:
    """A mark for where a request comes from, and for a name that it gives, of use for this hour only.

    Behind a proxy it is the last address in X-Forwarded-For: the one that our own proxy wrote. Of an IPv6 address only
    the network counts, for a single line has the rest to itself.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        named = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        text = next(filter(None, reversed(named)), text)
    try:
        address = ip_address(_without_port(text))
    except ValueError:
        network = ""  # a socket file has no address
    else:
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        network = str(address) if address.version == 4 else address.exploded[:19]
    message = f"{hour.secret} {network} {name}"
    return hmac.digest(draw(settings.DATA_KEYS[0], "address"), message.encode(), "sha256").hex()[:32]


def _without_port(text: str) -> str:
    """Some proxies write 192.0.2.1:4711 and [2001:db8::1]:4711."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
