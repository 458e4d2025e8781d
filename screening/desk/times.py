"""Times in words, with the exact time as their title."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext

from screening import due
from screening.models import Submission


def ago(moment: datetime) -> str:
    """Put a time into words in its largest unit, like "2 hours ago"."""
    if timezone.now() - moment < timedelta(minutes=1):
        return gettext("just now")
    return gettext("%(time)s ago") % {"time": timesince(moment, depth=1)}


def _time(moment: datetime, words: str, kind: str) -> SafeString:
    exact = date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    html = '<time class="{}" datetime="{}" title="{}">{}</time>'
    return format_html(html, kind, moment.isoformat(), exact, words)


def elapsed(moment: datetime) -> SafeString:
    """Render a time as how long ago it was."""
    return _time(moment, ago(moment), "ago")


def due_in_words(row: Submission) -> SafeString | str:
    """Say when a case is due, like "in 40 minutes" or "2 hours late"; "" of a closed one."""
    if row.due_at is None:
        return ""
    if row.due_at == due.NO_TIME:
        return gettext("Waits for them")
    late = row.due_at <= timezone.now()
    words = (
        gettext("%(time)s late") % {"time": timesince(row.due_at, depth=1)}
        if late
        else gettext("in %(time)s") % {"time": timeuntil(row.due_at, depth=1)}
    )
    return _time(row.due_at, words, "late" if late else "due")
