"""The log, to be read: nobody adds, changes or deletes a line here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening import reference_numbers
from screening.audit import LogLine, What
from screening.desk.model_admin import DeskAdmin


@admin.register(LogLine)
class LogAdmin(DeskAdmin):
    pages = ("changelist",)
    lookups = frozenset({"what__exact"})
    list_title = _("The log")
    looked = What.READ_LOG
    list_display = ("number", "at", "who", "what", "reference_shown", "detail")
    list_display_links = None
    list_filter = ("what",)
    list_per_page = 100
    actions = None
    search_fields = ("reference",)  # see get_search_results
    search_label = _("Reference or account")
    search_help_text = _("A reference, or the name of an account, in full.")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if reference := reference_numbers.read(search_term):
            return queryset.filter(reference=reference), False
        return (queryset.filter(who=search_term) if search_term else queryset), False

    @admin.display(description=_("reference"))
    def reference_shown(self, line: LogLine) -> str:
        return reference_numbers.shown(line.reference) if line.reference else ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
