"""Context processors: the center and the numbers in the footer, which every template may need."""

from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse, translate_url
from django.utils.translation import get_language

from screening.center import facts
from screening.help_lines import HELP_LINES


def _languages(request: HttpRequest) -> Iterator[tuple[str, str, str]]:
    """Yield (code, name, address) of the page in each other language; of the start page where it has no address."""
    path = request.get_full_path() if request.resolver_match else reverse("start")
    for code, name in settings.LANGUAGES:
        if code != get_language():
            yield code, name, translate_url(path, code)


def center(request: HttpRequest) -> dict[str, object]:
    return {
        "center": facts(),
        "languages": [*_languages(request)],
        "retention_days": settings.RETENTION_DAYS,
        "crisis_lines": [HELP_LINES["988"], HELP_LINES["911"]],
        "helpline": HELP_LINES["samhsa"],
        "findtreatment": HELP_LINES["findtreatment"],
    }
