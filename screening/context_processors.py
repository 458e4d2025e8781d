"""Context processors: the center and the numbers in the footer, which every template may need."""

from functools import lru_cache, partial

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse, translate_url
from django.utils.translation import get_language

from screening.center import facts
from screening.help_lines import HELP_LINES
from screening.questionnaire import PAGE_BY_SLUG, PAGES, QUESTIONS
from screening.typed import typed


def _languages(request: HttpRequest) -> tuple[tuple[str, str, str], ...]:
    """Return (code, name, address) of the page in each other language; of the start page where it has no address.

    Of what was asked with an address only a question is kept: no page shows what a stranger can choose (0034).
    """
    match = request.resolver_match
    known = match and match.kwargs.get("slug", PAGES[0].slug) in PAGE_BY_SLUG
    path = request.path if known else reverse("start")
    if (key := typed(request.GET, "change", 50)) in QUESTIONS:
        path += f"?change={key}"
    now = get_language()
    return tuple((code, name, _address(path, now, code)) for code, name in settings.LANGUAGES if code != now)


@lru_cache(maxsize=512)
def _address(path: str, _language: str | None, code: str) -> str:
    """Return the address of this page in another language."""
    return translate_url(path, code)


def everywhere() -> dict[str, object]:
    """Return what is the same for everyone on every page."""
    return {
        "center": facts(),
        "retention_days": settings.RETENTION_DAYS,
        "crisis_lines": [HELP_LINES["988"], HELP_LINES["911"]],
        "helpline": HELP_LINES["samhsa"],
        "findtreatment": HELP_LINES["findtreatment"],
    }


def center(request: HttpRequest) -> dict[str, object]:
    return everywhere() | {"languages": partial(_languages, request)}  # the desk asks for none
