"""Pages as few bytes: without what only indents them, and compressed (docs/decisions/0034)."""

import re
import zlib
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.urls import reverse

INDENTATION = re.compile(rb"\n\s+")
RETURN_CODE = re.compile(rb"\b(\w{5}(?:(?:[- ]|\xe2\x80\x93)?\w{5}){4,})\b")  # also as people type it


class CompressionMiddleware(GZipMiddleware):
    """Compresses the pages that a person meets, padded at random, and sends each return code in them as it is.

    Who can have a browser ask for pages, and sees how long they are, could find out a secret that is compressed
    together with what the asker chose (BREACH): so no page of the desk is compressed, and no return code.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith(_desk()) or not isinstance(response, HttpResponse):
            return response
        if response.get("Content-Type", "").startswith("text/html"):  # no page that a person meets has a textarea
            response.content = INDENTATION.sub(b"\n", response.content)
        page = response.content
        super().process_response(request, response)
        if response.get("Content-Encoding") == "gzip" and RETURN_CODE.search(page):
            padded_head = response.content[: response.content.index(b"\0", 10) + 1]  # 10 bytes and a random name
            response.content = padded_head + codes_apart(page)
            response["Content-Length"] = str(len(response.content))
        return response


@cache
def _desk() -> str:
    return reverse("admin:index")


def codes_apart(page: bytes) -> bytes:
    """Return what follows the head of a gzip file that holds the page.

    Each code is a stored block. What stands between codes is compressed piece by piece, and no piece can refer to
    another: the length is the same whatever a code says.
    """
    deflated = b""
    for place, piece in enumerate(RETURN_CODE.split(page)):
        is_code = place % 2
        compressor = zlib.compressobj(zlib.Z_NO_COMPRESSION if is_code else 6, zlib.DEFLATED, -zlib.MAX_WBITS)
        deflated += compressor.compress(piece) + compressor.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(wbits=-zlib.MAX_WBITS).flush()
    return deflated + end + zlib.crc32(page).to_bytes(4, "little") + len(page).to_bytes(4, "little")
