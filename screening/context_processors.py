"""Context processors: the center and the numbers in the footer, which every template may need."""

from django.conf import settings
from django.http import HttpRequest

from screening.help_lines import HELP_LINES, tel


def center(request: HttpRequest) -> dict[str, object]:
    phone = settings.CENTER_PHONE
    return {
        "center": {"name": settings.CENTER_NAME, "phone": phone, "href": tel(phone), "hours": settings.CENTER_HOURS},
        "retention_days": settings.RETENTION_DAYS,
        "crisis_lines": [HELP_LINES["988"], HELP_LINES["911"]],
        "helpline": HELP_LINES["samhsa"],
    }
