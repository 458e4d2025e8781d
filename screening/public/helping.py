"""The page for who helps someone: danger first, then how to help without answering in their place."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from screening.help_lines import HELP_LINES
from screening.rules.sources import Source

SOURCES = (
    Source(
        "Community reinforcement and family training: an effective option to engage treatment-resistant "
        "substance-abusing individuals in treatment (Roozen, de Waart, van der Kroft)",
        "Addiction 105(10), doi 10.1111/j.1360-0443.2010.03016.x",
        "2010",
        "https://pubmed.ncbi.nlm.nih.gov/20626372/",
        date(2026, 11, 28),
    ),
    Source(
        "TIP 39: Substance Use Disorder Treatment and Family Therapy",
        "SAMHSA",
        "2020",
        "https://www.ncbi.nlm.nih.gov/books/NBK571080/",
        date(2026, 11, 28),
    ),
    Source(
        "Al-Anon Family Groups: meetings for family and friends of people who drink",
        "Al-Anon Family Group Headquarters",
        "2026",
        "https://al-anon.org/",
        date(2026, 11, 28),
    ),
)


@require_safe
def helping(request: HttpRequest) -> HttpResponse:
    """Show what to do now, and what helps. The page has no form: it asks nothing about anyone."""
    lines = [HELP_LINES[key] for key in ("911", "988", "poison", "domestic_violence", "samhsa", "findtreatment")]
    return render(request, "public/helping.html", {"lines": lines, "sources": SOURCES})
