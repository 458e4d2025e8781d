"""Pages as few bytes: without what only indents them, and compressed (docs/decisions/0034)."""

import re

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.urls import reverse

INDENTATION = re.compile(rb"\n\s+")
RETURN_CODE = re.compile(rb"\b(?:\w{5}-){4}\w{5}\b")


class CompressionMiddleware(GZipMiddleware):
    """Compresses the pages that a person meets, padded at random.

    Who can have a browser ask for pages, and sees how long they are, could find out a secret on one that also shows
    what the asker chose (BREACH): so no page of the desk is compressed, and none that shows a return code.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith(reverse("admin:index")) or not isinstance(response, HttpResponse):
            return response
        if response.get("Content-Type", "").startswith("text/html"):  # no page that a person meets has a textarea
            response.content = INDENTATION.sub(b"\n", response.content)
        return response if RETURN_CODE.search(response.content) else super().process_response(request, response)
