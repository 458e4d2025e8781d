"""The privacy page, and where to report a vulnerability."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Show the promises with the numbers of this site, and what can't be promised."""
    contact = settings.SECURITY_CONTACT
    context = {"contact_retention_days": settings.CONTACT_RETENTION_DAYS, "security_contact": contact}
    return render(request, "public/privacy.html", context | {"security_contact_text": contact.removeprefix("mailto:")})


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Return security.txt (RFC 9116). Without SECURITY_CONTACT it refers to the privacy page."""
    lines = {
        "Contact": settings.SECURITY_CONTACT or request.build_absolute_uri(reverse("privacy") + "#security"),
        "Expires": (timezone.now() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z"),
        "Preferred-Languages": "en",
        "Canonical": request.build_absolute_uri(),
    }
    return HttpResponse("".join(f"{name}: {value}\n" for name, value in lines.items()), content_type="text/plain")
