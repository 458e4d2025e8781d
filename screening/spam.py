"""Signs that a machine filled in the forms. They mark a submission for the staff; they never refuse one."""

import time
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

TRAP = "subject"  # a field that no person sees; the template of the check page has it
AT_LEAST_SECONDS = 10  # from the first page sent to the last button
MANY = 40  # saved from one address within an hour

SIGNS = {
    "trap": _("a field that no person sees was filled in"),
    "fast": _("it took only seconds"),
    "many": _("very many came from one internet connection within an hour"),
}


def signs(posted: Mapping[str, str], begun: int, number: int) -> str:
    """The keys of the signs, divided by commas; `number` says how many came from there within this hour."""
    seen = {"trap": posted.get(TRAP), "fast": time.time() - begun < AT_LEAST_SECONDS, "many": number > MANY}
    return ",".join(key for key, found in seen.items() if found)
