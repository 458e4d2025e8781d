"""What of a request may reach Django: a body that is not too long, and a form in the one encoding that browsers use."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from screening.typed import typed

FORM = "application/x-www-form-urlencoded"
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def limit_body(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a longer body by its announced length, whatever is in it and whether or not the page reads it.

    Our own server refuses it before it has come; this is for any other.
    """

    def check(request: HttpRequest) -> HttpResponse:
        length = typed(request.META, "CONTENT_LENGTH", 8192).lstrip("0")[:20]
        if length.isdecimal() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig
        return get_response(request)

    return check


def plain_forms(application: Application) -> Application:
    """Let no sender choose how we read a form: as our own pages send it, in UTF-8, or not at all.

    Django fails on some names of encodings, and on files it would have to store.
    """

    def run(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        kind = typed(environ, "CONTENT_TYPE", 8192).partition(";")[0].strip().lower()
        return application(environ | {"CONTENT_TYPE": FORM if kind == FORM else ""}, start_response)

    return run
