"""Quick exit: clear the answers from the device, and lead the browser to another site."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from screening.center import LEAVE_URL, facts


@require_safe
def leave(request: HttpRequest) -> HttpResponse:
    """Clear this browser and redirect. It is a GET, so that a plain link works without a script."""
    response = HttpResponseRedirect(facts(ask=False).leave_url or LEAVE_URL)
    # "cache" includes pages kept for the Back button. The cookies are deleted one by one as well, for browsers that
    # don't know the header, or ignore it without TLS.
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    for name in (settings.DRAFT_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.SESSION_COOKIE_NAME):
        response.delete_cookie(name, samesite="Lax")
    return response
