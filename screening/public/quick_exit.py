"""Leave now: the device forgets the answers, and the browser is somewhere else."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def leave(request: HttpRequest) -> HttpResponse:
    """A GET, so that a plain link does it. It has no effect but on this browser, and none twice."""
    response = HttpResponseRedirect(settings.LEAVE_URL)
    # "cache" takes pages that were kept for the Back button, too. The cookies are named as well, for browsers that
    # don't know the header, or ignore it where there is no TLS.
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    for name in (settings.DRAFT_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.SESSION_COOKIE_NAME):
        response.delete_cookie(name, samesite="Lax")
    return response
