"""Signs of spam. They mark a submission for the staff, and never refuse one."""

import time
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from screening.typed import typed

TRAP = "subject"  # a field on the check page that no person sees
AT_LEAST_SECONDS = 10  # between the first page sent and the save
MANY = 40  # saved from one address within an hour

SIGNS = {
    "trap": _("a field that no person sees was filled in"),
    "fast": _("it took only seconds"),
    "many": _("very many came from one internet connection within an hour"),
}


def signs(posted: Mapping[str, str], started_at: int, number: int) -> str:
    """Return the keys of the signs, comma-separated. `started_at` is in seconds since 1970; `number` counts saves."""
    seen = {"trap": typed(posted, TRAP, 1), "fast": time.time() - started_at < AT_LEAST_SECONDS, "many": number > MANY}
    return ",".join(key for key, found in seen.items() if found)
