"""The addresses of the site, the desk's included."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver

pytestmark = pytest.mark.sqlite_is_enough


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """Yield (route, name) of every pattern; Django's catch-all pages have no name."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif pattern.name:
            yield route, pattern.name


def test_no_address_and_no_name_is_registered_twice() -> None:
    found = [*routes(get_resolver().url_patterns)]
    for column in (0, 1):
        counts = Counter(each[column] for each in found)
        assert {key for key, count in counts.items() if count > 1} == set()
