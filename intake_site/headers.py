"""The response headers that Django has no setting for."""

from collections.abc import Callable

from django.http import FileResponse, HttpRequest, HttpResponse

# No feature of the device is used. Those that could watch, place or name someone are denied; a header has to be short.
FEATURES = "browsing-topics camera display-capture geolocation hid microphone midi payment serial usb"
# Everything from here, nothing inline; the admin too. Nothing else is loaded, framed, or sent a form.
OURS = "script-src style-src img-src font-src connect-src form-action"
POLICY = [f"{kind} 'none'" for kind in ("default-src", "base-uri", "frame-ancestors")]
POLICY += [f"{kind} 'self'" for kind in OURS.split()]
HEADERS = {
    "Content-Security-Policy": ";".join(POLICY),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": ",".join(f"{feature}=()" for feature in FEATURES.split()),
    "X-Robots-Tag": "noindex",
}
NO_STORE = "no-store"


def more_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Add HEADERS and NO_STORE to every response but static files, which say themselves how long they last.

    This middleware comes first, so that errors and redirects have them too. No page has headers of its own: even which
    page someone was shown is nobody's business.
    """

    def add(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if isinstance(response, FileResponse):
            return response
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        response["Cache-Control"] = NO_STORE
        del response["Expires"]
        return response

    return add
