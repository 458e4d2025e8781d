"""The base of the desk's model admins: audit entries for what is seen, lists that stay fast, no unused page."""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList, ChangeListSearchForm
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext

from screening import audit
from screening.models import Action
from screening.typed import Limited


class CappedPaginator(Paginator):
    """A paginator that counts up to MOST: counting a million rows takes longer than showing fifty."""

    MOST = 2000

    @cached_property
    def count(self) -> int:
        return cast("QuerySet[Any]", self.object_list)[: self.MOST].count()


def without(parameters: QueryDict, *names: str) -> QueryDict:
    """Copy the parameters of a request without those named."""
    kept = parameters.copy()
    for name in names:
        kept.pop(name, None)
    return kept


class SearchForm(Limited, ChangeListSearchForm):
    """Django's own, with a limit."""


class DeskChangeList(ChangeList):
    search_form_class = SearchForm
    places = ("queue",)  # the filters that are shown as tabs

    @property
    def filters_on(self) -> Iterator[tuple[Any, Any, str]]:
        """Yield each filter that is on: its title, what is chosen, and the address without it."""
        if self.query:
            yield gettext("Search"), self.query, self.get_query_string(remove=["q"])
        for spec in cast(list[Any], self.filter_specs):
            every, *choices = spec.choices(self)
            if spec.expected_parameters()[0] not in self.places:
                yield from ((spec.title, on["display"], every["query_string"]) for on in choices if on["selected"])

    @property
    def all_cleared(self) -> str:
        """The address of this list, or of its tab, with no filter on."""
        return self.get_query_string(remove=[name for name in self.params if name not in self.places])


class DeskModelAdmin(admin.ModelAdmin):
    """A model admin that writes audit entries instead of Django's log, which can be edited and records no views."""

    pages: ClassVar[tuple[str, ...]] = ("changelist", "change")  # the pages of Django that are used, by anyone
    lookups: ClassVar[frozenset[str]] = frozenset()  # all lookups that the address of the list may use
    list_title: Any = ""
    view_action: ClassVar[Action] = Action.LISTED

    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # a count for each filter would count every row
    paginator = CappedPaginator

    def get_urls(self) -> list[Any]:
        return [url for url in super().get_urls() if url.name and url.name.rpartition("_")[2] in self.pages]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DeskChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.has_view_or_change_permission(request):  # whatever the method: a crafted POST shows the list too
            audit.record(self.view_action, request.user, list=self.opts.model_name, filters=self.filters_used(request))
        return super().changelist_view(request, {"title": self.list_title} | (extra_context or {}))

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Act on the rows ticked on the page, never on all that the filters find, whose number is not known.

        Keys that can't be primary keys are ignored.
        """
        post: Any = without(request.POST, "select_across")
        ticked = post.getlist(ACTION_CHECKBOX_NAME)
        post.setlist(ACTION_CHECKBOX_NAME, [key for key in ticked if key.isdecimal() and len(key) < 19])
        request.POST = post
        return super().response_action(request, queryset, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Treat the button to add another one, which our pages don't show, as a plain save."""
        if "add" not in self.pages:
            cast(Any, request).POST = without(request.POST, "_addanother")
        return super().changeform_view(request, *args, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup in self.lookups and "\0" not in str(value)  # PostgreSQL fails on it

    def has_add_permission(self, request: HttpRequest) -> bool:
        return "add" in self.pages and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return "change" in self.pages and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def filters_used(self, request: HttpRequest) -> str:
        """The names of the filters in the address, comma-separated, without their values."""
        return ",".join(sorted({name.partition("__")[0] for name in {"q", *self.lookups} & set(request.GET)}))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: whatever saves adds an audit entry."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: whatever saves adds an audit entry."""
