"""Rate limits: how many attempts are allowed within an hour, per client and in total.

The counters are in the database, so they hold across processes and restarts. A client is known only by a hash of its
address, keyed anew each hour; half of the key is stored beside the counters and deleted with them, so that nobody can
compute the hash afterwards (docs/decisions/0010).
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from screening.encryption import derive_key
from screening.models import RateLimitCount, RateLimitWindow
from screening.typed import typed

# One statement, so that nobody comes between. The total comes first, and finds the client's count as it was before.
COUNT = """
INSERT INTO screening_attempts AS counted (what, place, hour_id, count)
VALUES (%(what)s, '', %(hour)s, 1), (%(what)s, %(client)s, %(hour)s, 1)
ON CONFLICT (what, place, hour_id) DO UPDATE SET count = counted.count + 1
WHERE CASE counted.place
    WHEN '' THEN counted.count < %(total)s AND NOT EXISTS (
        SELECT 1 FROM screening_attempts AS client WHERE client.what = %(what)s AND client.place = %(client)s
        AND client.hour_id = %(hour)s AND client.count >= %(per_client)s
    )
    ELSE counted.count < %(per_client)s
END
RETURNING place, count, id
"""


@dataclass(frozen=True)
class Attempt:
    """An attempt that was counted; false if it is over the limit."""

    number: int  # within the hour; 0 if over the limit
    raised: tuple[int, ...]  # keys of the counts that it raised

    def __bool__(self) -> bool:
        return self.number > 0

    def refund(self) -> None:
        """Take it back: it turned out to be right."""
        for key in self.raised:  # each by itself: who holds one and waits for the other would wait for who counts both
            RateLimitCount.objects.filter(pk=key, count__gt=0).update(count=F("count") - 1)


@dataclass(frozen=True)
class Limit:
    """Attempts allowed within an hour.

    Once the total is used up, each client still has `reserved` attempts of its own, so that nobody is locked out by
    what others do. Of a limit that is `anywhere`, the name alone is the client.
    """

    key: str
    per_client: int
    total: int
    reserved: int
    anywhere: bool = False

    def hit(self, request: HttpRequest, name: str = "") -> Attempt:
        """Count an attempt. Attempts with different names from one address are counted apart."""
        window = _current_window()
        client = client_hash(None if self.anywhere else request, window, name)
        counted = self._count(client, window)
        number, total = (counted.get(place, (0, 0))[0] for place in (client, ""))
        allowed = total or number <= self.reserved
        attempt = Attempt(number if allowed else 0, tuple(key for _number, key in counted.values()))
        if total and not number:  # another of this client's came between
            attempt.refund()
        return attempt

    def _count(self, client: str, window: RateLimitWindow) -> dict[str, tuple[int, int]]:
        """Add one to what all clients tried, then to what this one did, unless it is used up already.

        Return client -> (count, key) of those that were raised. A client at its limit uses up nothing of the total.
        """
        values = {
            "what": self.key,
            "client": client,
            "hour": _stored(window.starts_at),
            "per_client": self.per_client,
            "total": self.total,
        }
        with connection.cursor() as cursor:
            cursor.execute(COUNT, values)
            return {place: (count, key) for place, count, key in cursor.fetchall()}


RETURN_CODE = Limit("return", per_client=200, total=4000, reserved=20)  # wrong codes; a shelter shares one address
SAVE = Limit("save", per_client=400, total=4000, reserved=40)  # a whole clinic may share one address
SIGN_IN = Limit("sign in", per_client=20, total=2000, reserved=5)  # wrong passwords from one address
USERNAME = Limit("name", per_client=5, total=2000, reserved=5)  # wrong passwords for one name from one address
ANYWHERE = Limit("anywhere", per_client=200, total=2000, reserved=200, anywhere=True)  # for one name
SECOND_FACTOR = Limit("code", per_client=5, total=2000, reserved=5)  # wrong codes for one account
OF_A_NAME = {limit.key: limit for limit in (USERNAME, ANYWHERE, SECOND_FACTOR)}


def counts_of(name: str) -> QuerySet[RateLimitCount]:
    """Return this hour's counts of attempts with this name, from every address."""
    window = RateLimitWindow.objects.filter(starts_at=_hour()).first()
    if window is None:
        return RateLimitCount.objects.none()
    return RateLimitCount.objects.filter(window=window, limit__in=OF_A_NAME, client__startswith=_digest(window, name))


def is_used_up(name: str) -> bool:
    """Whether a limit of this name is used up for this hour, from some address."""
    return any(each.count >= OF_A_NAME[each.limit].per_client for each in counts_of(name))


def _hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def _current_window() -> RateLimitWindow:
    hour = _hour()
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM screening_countedhour WHERE begins = %s", [_stored(hour)])
        if found := cursor.fetchone():
            return RateLimitWindow(hour, *found)
    window, created = RateLimitWindow.objects.get_or_create(starts_at=hour)
    if created:
        delete_old_windows()
    return window


def _stored(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def delete_old_windows() -> None:
    """Delete windows that are over, with their counts. The last one may still be in use for a moment.

    Those of a clock that was ahead go, too.
    """
    now, hour = timezone.now(), timedelta(hours=1, minutes=1)
    RateLimitWindow.objects.exclude(starts_at__range=(now - hour, now + hour)).delete()


def client_hash(request: HttpRequest | None, window: RateLimitWindow, name: str = "") -> str:
    """Hash the client's address, if any, and the name that it gives, under the key of this window; 32 hex digits.

    The first half is of the name alone, so that all counts of a name can be found.

    Behind a proxy it is the last address in X-Forwarded-For: the one that our own proxy wrote. Of an IPv6 address only
    the network counts, because a single line has the rest to itself.
    """
    text = typed(request.META, "REMOTE_ADDR", 100) if request else ""
    if request and settings.BEHIND_PROXY:
        forwarded = [part.strip() for part in typed(request.META, "HTTP_X_FORWARDED_FOR", 200, end=True).split(",")]
        text = next(filter(None, reversed(forwarded)), text)
    try:
        address = ip_address(_without_port(text))
    except ValueError:
        network = ""  # a socket file has no address
    else:
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        network = str(address) if address.version == 4 else address.exploded[:19]
    return _digest(window, name) + _digest(window, f"{network} {name}")


def _digest(window: RateLimitWindow, text: str) -> str:
    key = derive_key(settings.DATA_KEYS[0], "address")
    return hmac.digest(key, f"{window.secret} {text}".encode(), "sha256").hex()[:16]


def _without_port(text: str) -> str:
    """Strip the port that some proxies add: 192.0.2.1:4711, [2001:db8::1]:4711."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
