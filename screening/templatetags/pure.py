"""Parts of pages that say the same to everyone, rendered once (docs/decisions/0036)."""

from functools import lru_cache

from django.template import Library
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from screening.center import Facts, facts
from screening.context_processors import everywhere

register = Library()


@register.simple_tag
def pure(template: str, **given: object) -> SafeString:
    """Include a template that sees what is `given` and what is the same everywhere, and nothing of the request.

    It is kept for each language, what was given and copy of the center's facts: give it no words of a person.
    """
    return _rendered(template, get_language(), facts(), **given)


@lru_cache(maxsize=512)
def _rendered(template: str, _language: str | None, _facts: Facts, **given: object) -> SafeString:
    return render_to_string(template, everywhere() | given)
