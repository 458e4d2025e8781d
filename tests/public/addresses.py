"""The public pages, read from the URL resolver, in each of the states that a browser can be in.

A new page is listed by itself; one whose address takes a parameter fails here until EXAMPLES names values for it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from screening import return_codes
from screening.public import questions
from screening.questionnaire import PAGES
from screening.rate_limits import Attempt, Limit
from tests.answers import IOP, KINDS, URGENT, WORST, on_page
from tests.conftest import Person

NOT_FOUND = "/no/such/page/"
RAISED = {400: SuspiciousOperation, 403: PermissionDenied, 500: RuntimeError, 503: OperationalError}
DRAWN = re.compile(r'value="[^"]{25,}"|\b\w{4}-\w{4}\b|\b(\w{5}-){3,}\w{5}\b')  # secrets, codes and numbers
EXAMPLES: dict[str, list[dict[str, str]]] = {"question": [{"slug": page.slug} for page in PAGES]}


def public_addresses() -> list[str]:
    """Return every address of the site but the desk's."""
    return [
        reverse(":".join([*namespaces, str(pattern.name)]), kwargs=values)
        for namespaces, pattern in _patterns(get_resolver().url_patterns)
        for values in (EXAMPLES[str(pattern.name)] if pattern.pattern.converters else [{}])
    ]


def _patterns(patterns: Any, namespaces: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], URLPattern]]:
    """Yield (namespaces, pattern) of every page, also of included ones, but those of the desk."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield namespaces, pattern
        elif pattern.namespace != "admin":
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from _patterns(pattern.url_patterns, inner)


def _answered(person: Person) -> None:
    person.has_answered(WORST)


def _viewed(person: Person) -> None:
    person.finishes(WORST, "view")


def _saved(person: Person) -> None:
    person.finishes(WORST, "save")


def _asked_for_a_call(person: Person) -> None:
    person.finishes(WORST, "save")
    person.client.post("/contact/", {"phone": "405 555 0123", "agree": "on"})


# Once for everyone who comes without a cookie, then with the answers of one person in the browser.
STATES: dict[str, Callable[[Person], None]] = {
    "fresh": lambda person: None,
    "answered": _answered,
    "viewed": _viewed,
    "saved": _saved,
    "asked for a call": _asked_for_a_call,
}


class SpanishClient(Client):
    """A browser that asks for each public page in Spanish."""

    def generic(self, method: Any, path: Any, *args: Any, **kwargs: Any) -> Any:
        alike = ("/es/", "/admin/", "/rules.json", "/fhir/", "/.well-known/", "/healthz", "/readyz")
        spanish = path.startswith(alike)
        return super().generic(method, path if spanish else f"/es{path}", *args, **kwargs)


def pages_in(state: str, client_class: type[Client] = Client) -> Iterator[tuple[str, Any]]:
    """Yield (address, response) of each public page that a browser in this state is shown."""
    person = Person(client_class())
    STATES[state](person)
    for address in (*public_addresses(), NOT_FOUND):
        client = client_class()
        client.cookies.update(person.client.cookies)  # a page may clear them
        response = client.get(address)
        if response.status_code in (200, 404) and "html" in response["Content-Type"]:
            yield address, response


def pages_for_anyone() -> list[str]:
    """Return the addresses of the pages that need no cookie."""
    return [address for address, _response in pages_in("fresh")]


def refusals(client_class: type[Client] = Client) -> Iterator[tuple[str, Any]]:
    """Yield (name, response) of each page that says why what was asked can't be done; the name ends in its status."""
    person = Person(client_class(raise_request_exception=False))
    person.has_answered(IOP)
    client = person.client
    for status, error in RAISED.items():
        with mock.patch.object(questions, "first_gap", side_effect=error):
            yield f"error {status}", client.get("/check/")
    yield "error 413", client.post("/return/", {"code": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)})
    with mock.patch.object(Limit, "hit", return_value=Attempt(0, ())):
        yield "return 429", client.post("/return/", {"code": return_codes.generate()})
        yield "check 429", client.post("/check/", {"action": "save"})
    with mock.patch.object(Limit, "hit", side_effect=OperationalError):
        yield "return 503", client.post("/return/", {"code": return_codes.generate()})
        yield "check 503", client.post("/check/", {"action": "save"})
    yield "check 422", client.post("/check/", {"action": "neither"})
    yield "check 409", client.post("/check/", {"action": "save", "shown": "other answers"})
    # Forms whose secret was lost.
    stranger = client_class(enforce_csrf_checks=True)
    yield "check 403", stranger.post("/check/")
    yield "contact 403", stranger.post("/contact/", {"phone": "1"})
    for page in PAGES[:3]:
        yield f"{page.slug} 403", stranger.post(f"/questions/{page.slug}/", on_page(page, URGENT))


def every_page(client_class: type[Client] = Client) -> Iterator[tuple[str, str]]:
    """Yield (name, HTML) of every public page, with the error pages and the worst result."""
    for state in STATES:
        for address, response in pages_in(state, client_class):
            yield f"{address} {state}", response.content.decode()
    yield "return, mistyped", client_class().post("/return/", {"code": "x"}).content.decode()
    yield "return, unknown", client_class().post("/return/", {"code": return_codes.generate()}).content.decode()
    for name, response in refusals(client_class):
        assert name.endswith(str(response.status_code)), name
        yield name, response.content.decode()
    for name, given in (KINDS | {"worst": WORST}).items():
        person = Person(client_class())
        for page in PAGES:
            if name == "iop":
                yield f"{page.slug} open", person.client.get(f"/questions/{page.slug}/").content.decode()
                yield f"{page.slug} wrong", person.post(page.slug, {}).content.decode()
            person.post(page.slug, on_page(page, given))
        if name == "worst":
            yield "help now", person.client.get("/help/").content.decode()
        yield f"{name} check", person.client.get("/check/").content.decode()
        person.client.post("/check/", {"action": "view"})
        yield f"{name} result", person.client.get("/result/").content.decode()
    yield "contact, not saved", person.client.get("/contact/").content.decode()
    person.client.post("/check/", {"action": "save"})
    yield "result, saved", person.client.get("/result/").content.decode()
    yield "contact", person.client.get("/contact/").content.decode()
    yield "contact, wrong", person.client.post("/contact/", {"phone": "1", "email": "x"}).content.decode()
    person.client.post("/contact/", {"phone": "405 555 0123", "agree": "on"})
    yield "contact, asked", person.client.get("/contact/").content.decode()
    yield "result, asked for a call", person.client.get("/result/").content.decode()
    yield "erase", person.client.get("/erase/").content.decode()
    other = client_class()
    other.cookies.update(person.client.cookies)
    yield "erased", person.client.post("/erase/", follow=True).content.decode()
    yield "result, erased", other.get("/result/").content.decode()
