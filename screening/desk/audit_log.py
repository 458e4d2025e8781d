"""The audit log as a page: nobody adds, changes or deletes an entry here."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from screening import audit_checks, reference_numbers
from screening.desk.center import LABELS
from screening.desk.export import PURPOSES
from screening.desk.model_admin import CappedPaginator, DeskModelAdmin
from screening.models import Action, Channel, LogLine, Status, Try

# Key of a detail -> its words, and the words of its values; a value that is not here is shown as it is.
# fmt: off
DETAILS: dict[str, tuple[Any, Mapping[str, Any]]] = {
    "account": (_("account"), {}),
    "assigned_to": (_("assigned to"), {"": _("nobody")}),
    "change": (_("change"), {
        "created": _("created"), "changed": _("changed"), "closed": _("closed"), "reopened": _("opened again"),
        "password_set": _("new password set"), "password_removed": _("password removed"),
        "mail_off": _("own mail off"), "mail_on": _("own mail on"),
        "password_changed": _("own password changed"), "recovery_codes": _("own recovery codes made anew"),
        "second_factor_reset": _("second factor reset"),
        "role_removed": _("role no longer exists"), "seen": _("seen by another manager"),
        "signed_out_everywhere": _("signed out on every device"),
        "unlocked": _("unlocked"),
    }),
    "channel": (_("channel"), dict(Channel.choices)),
    "count": (_("how many"), {}),
    "due_at": (_("due"), {"": _("no time")}),
    "fact": (_("fact"), LABELS),
    "faults": (_("problems"), {}),
    "filters": (_("filters"), {
        "": _("none"), "action": _("what"), "assigned_to": _("assigned to"), "channel": _("channel"),
        "is_active": _("open"), "number": _("older"), "q": _("search"), "queue": _("work"),
        "received_at": _("received"), "status": _("status"),
    }),
    "format": (_("format"), {}),
    "formerly": (_("was called"), {}),
    "list": (_("list"), {
        "assisted": _("a screening with someone"), "center": _("the center"),
        "figures": _("how we are doing"), "logline": _("the log"),
        "own_account": _("own account"), "slip": _("a slip"), "submission": _("cases"),
        "unsafe": _("results reported as unsafe"), "user": _("accounts"),
    }),
    "method": (_("tried to"), {"GET": _("open"), "POST": _("send"), "HEAD": _("open")}),
    "new": (_("now"), {"": _("nothing")}),
    "old": (_("before"), {"": _("nothing")}),
    "outcome": (_("outcome"), {"changed": _("changed")}),
    "page": (_("page"), {
        "figures": _("how we are doing"), "figures_file": _("how we are doing"),
        "assisted": _("a screening with someone"), "center": _("the center"),
        "center_step": _("the center"), "auth_user_add": _("new account"), "auth_user_change": _("an account"),
        "auth_user_changelist": _("accounts"), "auth_user_close": _("close an account"),
        "auth_user_open": _("open an account"), "auth_user_password_change": _("password of an account"),
        "auth_user_reset": _("reset a second factor"), "auth_user_seen": _("a change of an account"),
        "auth_user_unlock": _("unlock an account"), "slip": _("a slip"),
        "screening_logline_changelist": _("the log"),
        "screening_submission_change": _("a case"), "screening_submission_changelist": _("cases"),
        "screening_submission_columns": _("columns of the export"), "screening_submission_export": _("export"),
        "screening_submission_attempt": _("attempt to reach a person"),
        "screening_submission_print": _("print view of a case"),
        "screening_submission_reveal": _("how to reach a person"),
        "screening_submission_strike_out": _("strike out an entry"),
        "screening_submission_withdraw": _("take back a request for a call"),
        "unsafe": _("results reported as unsafe"),
    }),
    "result": (_("result"), dict(Try.Result.choices)),
    "purpose": (_("purpose"), PURPOSES),
    "reason": (_("reason"), {
        "asked": _("asked for"),
        "unused": _("not used for 90 days"),
        "restored": _("was closed before a backup came back"),
    }),
    "roles": (_("roles"), {"": _("none")}),
    "seen": (_("what was done"), {
        "password": _("new password set"), "roles": _("roles given"), "second_factor": _("second factor reset"),
    }),
    "since": (_("from line"), {}),
    "status": (_("status"), dict(Status.choices)),
    "version": (_("version"), {}),
}
# fmt: on


@admin.display(description=_("more"))
def detail_in_words(line: LogLine) -> str:
    """The details of an entry in the reader's language; the stored text of an entry from before details had keys."""
    parts = []
    for key, value in line.details.items():
        label, words = DETAILS.get(key, (key, {}))
        parts.append(f"{label}: {', '.join(str(words.get(part, part)) for part in value.split(','))}")
    return "; ".join(parts) or line.detail


@admin.register(LogLine)
class LogAdmin(DeskModelAdmin):
    pages = ("changelist",)
    lookups = frozenset({"action__exact", "number__lt"})
    list_title = _("The log")
    view_action = Action.READ_LOG
    list_display = ("timestamp", "actor", "action", "reference_shown", detail_in_words)
    list_display_links = None
    list_filter = ("action",)
    list_per_page = 100
    actions = None
    search_fields = ("reference",)  # see get_search_results
    search_label = _("Reference or account")
    search_help_text = _("A reference, or the name of an account, in full.")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Tell of tampering, and lead on to the entries that are older than all that can be counted."""
        response: Any = super().changelist_view(request, {"log_faults": audit_checks.quick_faults()})
        found = getattr(response, "context_data", {}).get("cl")
        if found and found.result_count == CappedPaginator.MOST:
            last = found.queryset[CappedPaginator.MOST - 1].number
            response.context_data["older"] = found.get_query_string({"number__lt": last, "p": None})
        return cast(HttpResponse, response)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if reference := reference_numbers.parse(search_term):
            return queryset.about(reference), False
        return (queryset.filter(actor=search_term) if search_term else queryset), False

    @admin.display(description=_("reference"))
    def reference_shown(self, line: LogLine) -> str:
        return reference_numbers.formatted(line.reference) if line.reference else ""
