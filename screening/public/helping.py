"""The page for who helps someone: danger first, then how to help without answering in their place."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from screening.help_lines import HELP_LINES
from screening.rules.sources import FOR_HELPERS


@require_safe
def helping(request: HttpRequest) -> HttpResponse:
    """Show what to do now, and what helps. The page has no form: it asks nothing about anyone."""
    lines = [HELP_LINES[key] for key in ("911", "988", "poison", "domestic_violence", "samhsa", "findtreatment")]
    return render(request, "public/helping.html", {"lines": lines, "sources": FOR_HELPERS})
