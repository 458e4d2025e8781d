"""The longest body of a request. Our own server refuses a longer one before it has come; this is for any other."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from screening.typed import typed


def limit_body(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a longer body by its announced length, whatever is in it and whether or not the page reads it."""

    def check(request: HttpRequest) -> HttpResponse:
        length = typed(request.META, "CONTENT_LENGTH", 20)
        if length.isdecimal() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig
        return get_response(request)

    return check
