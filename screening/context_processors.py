"""Context processors: the center and the numbers in the footer, which every template may need."""

from django.conf import settings
from django.http import HttpRequest

from screening.center import facts
from screening.help_lines import HELP_LINES


def center(request: HttpRequest) -> dict[str, object]:
    return {
        "center": facts(),
        "retention_days": settings.RETENTION_DAYS,
        "crisis_lines": [HELP_LINES["988"], HELP_LINES["911"]],
        "helpline": HELP_LINES["samhsa"],
        "findtreatment": HELP_LINES["findtreatment"],
    }
