"""What rules of another version would say to the latest submissions, as a page for the clinical lead."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from screening import audit, rules
from screening.models import Action, Submission, result_visible_to
from screening.rules import versions
from screening.rules.replay import Replay
from screening.typed import typed

MOST = 2000  # submissions that the page replays, the newest; the command replays all


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Replay under the rules in force, or a released version."""
    offered = dict.fromkeys(versions.released_versions(), _("released")) | {rules.CURRENT.version: _("in force")}
    chosen = typed(request.GET, "to", 20)
    context |= {"title": _("What other rules would say"), "versions": offered.items(), "asked": chosen}
    if chosen in offered:
        audit.record(Action.REPLAYED, request.user, version=chosen)
        try:
            new = versions.prove(rules.CURRENT) if chosen == rules.CURRENT.version else versions.find(chosen)
        except versions.UnusableRules as error:
            context["error"] = str(error)
        else:
            visible = Submission.objects.unexpired().filter(result_visible_to(request.user))
            newest = visible.order_by("-pk").defer("code")[:MOST]
            context |= {"replay": Replay(new).of(row.stored_result for row in newest), "most": MOST}
    return TemplateResponse(request, "admin/replay.html", context)
