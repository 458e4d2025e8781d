"""The admin site of the staff: its front page, signing in and out, and how a request is refused."""

from datetime import timedelta
from functools import update_wrapper
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _, ngettext
from django.views.decorators.csrf import csrf_protect

from screening import accounts, audit, audit_checks, clock, notifications, rate_limits
from screening.center import facts
from screening.desk import assisted, center, figures, own_account, queues, sessions, sign_in, unsafe
from screening.desk.model_admin import without
from screening.desk.times import due_in_words
from screening.models import ORDER, Action, ErasureCount, RecoveryCode, Submission, retention_cutoff
from screening.typed import typed

OWN_PAGES: tuple[tuple[str, str, Any, str], ...] = (  # route, name, page, the permission that it needs, if any
    ("account/", "account", own_account.page, ""),
    ("how-we-are-doing/", "figures", figures.page, "screening.view_count"),
    ("how-we-are-doing/counts.csv", "figures_file", figures.file, "screening.view_count"),
    ("unsafe/", "unsafe", unsafe.page, "screening.view_agreement"),
    ("assisted/", "assisted", assisted.page, "screening.add_submission"),
    ("assisted/slip/", "slip", assisted.slip, "screening.add_submission"),
    ("center/", "center", center.page, "screening.change_centerfacts"),
    ("center/<slug:step>/", "center_step", center.page, "screening.change_centerfacts"),
)
# Parameters of Django's admin for what the desk does not have: pop-ups, copies, counts in filters.
UNUSED = ("_popup", "_to_field", "_source_model", "_saveasnew", "_facets")
TYPED, LONGEST = ("-text", "-reason", "unsafe_reason"), 4000  # ends of names of fields in which staff write; characters
CHOSEN = ("-program", "-template", "next_step", "next_at")  # ends of names of what goes with it


class DeskSite(admin.AdminSite):
    """Django's admin site with queues on its front page; every view and action adds an audit entry."""

    site_header = site_title = _("Program fit: staff desk")
    index_title = _("The desk")
    enable_nav_sidebar = False  # there is one list
    index_template = "admin/desk.html"
    logout_template = "admin/signed_out.html"

    def get_urls(self) -> list[Any]:
        unused = ("autocomplete", "view_on_site", "logout", "password_change_done")
        urls = [url for url in super().get_urls() if getattr(url, "name", None) not in unused]
        own = [
            path("code/", self.code, name="code"),
            path("pulse/", self.pulse, name="pulse"),
            path("logout/", self.logout, name="logout"),  # also for someone who has given only the password
            *(
                path(route, self.admin_view(self.own_page), {"page": page, "permission": permission}, name)
                for route, name, page, permission in OWN_PAGES
            ),
        ]
        return [*own, *urls]

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and sessions.is_verified(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        own = {"second_factor_off": not settings.SECOND_FACTOR, "idle": sessions.IDLE_TIMEOUT}
        return super().each_context(request) | own

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Log a refusal. Show again what was typed, also if a new sign-in has become necessary."""

        def or_refused(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return cast(HttpResponse, view(request, *args, **kwargs))
            except PermissionDenied:
                return self.refused(request, kwargs.get("object_id"))

        guarded = super().admin_view(update_wrapper(or_refused, view), cacheable)

        def or_signed_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            asked: Any = request
            asked.GET, asked.POST = without(request.GET, *UNUSED), without(request.POST, *UNUSED)
            if request.method == "POST" and not self.has_permission(request):
                return self.signed_out(request)
            return guarded(request, *args, **kwargs)

        return update_wrapper(or_signed_out, guarded)

    @method_decorator(csrf_protect)
    def pulse(self, request: HttpRequest) -> HttpResponse:
        """Tell the script of the desk how many cases are due: one query, no entry in the log.

        A POST keeps the session, as whoever typed or pressed something wants it; a GET does not.
        """
        if not self.has_permission(request):
            return HttpResponse(status=403)
        if request.method == "POST" or not request.user.has_perm("screening.view_submission"):
            return HttpResponse(status=204)
        due = queues.BY_KEY["due"].count(Submission.objects.unexpired(), request.user)
        words = ngettext("%d case is due.", "%d cases are due.", due) % due
        return JsonResponse({"due": due, "words": words})

    def refused(self, request: HttpRequest, object_id: Any = None) -> HttpResponse:
        key = str(object_id or "")
        page = (request.resolver_match.url_name if request.resolver_match else None) or ""
        of_a_case = page.startswith("screening_submission") and key.isdecimal() and len(key) < 16
        row = Submission.objects.filter(pk=int(key)).first() if of_a_case else None
        audit.record(Action.REFUSED, request.user, row.reference if row else "", method=request.method, page=page)
        message = _("Your account does not have the right to this. Whoever manages the accounts can give it to you.")
        return self._not_done(request, _("Not open to you"), message)

    def signed_out(self, request: HttpRequest) -> HttpResponse:
        """Answer in place of the sign-in page, which would lose what was typed."""
        message = _("You are signed out: nothing happened for a while. Nothing was saved.")
        chosen = {name: typed(request.POST, name, 200) for name in request.POST if name.endswith(CHOSEN)}
        if sessions.hold(request, self._typed(request) | chosen):
            message = _(
                "You are signed out: nothing happened for a while. Nothing was saved. Open the page again and sign in: "
                "what you had typed is back in its place."
            )
        return self._not_done(request, _("Signed out"), message)

    def stale(self, request: HttpRequest) -> HttpResponse:
        """Answer a form from before the latest sign-in."""
        message = _("This page was from before you last signed in. Nothing was saved. Open it again.")
        return self._not_done(request, _("Open it again"), message)

    def _typed(self, request: HttpRequest) -> dict[str, str]:
        """Return field -> the text that staff typed there."""
        names = [name for name in request.POST if name.endswith(TYPED) or name in center.GIVEN_BACK]
        fields = {name: typed(request.POST, name, LONGEST).strip() for name in names}
        return {name: text for name, text in (fields | {"letters": assisted.row_of(request.POST)}).items() if text}

    def _not_done(self, request: HttpRequest, title: Any, message: Any) -> HttpResponse:
        again = request.get_full_path() if request.method == "POST" else ""
        context = {"title": title, "message": message, "again": again, "typed": self._typed(request).values()}
        return TemplateResponse(request, "admin/not_done.html", self.each_context(request) | context, status=403)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        audit.record(Action.FRONT_PAGE, request.user)
        last_run = ErasureCount.last_run()
        context: dict[str, Any] = {
            "erased_at": last_run,
            "erasing_overdue": last_run is None or timezone.now() - last_run > timedelta(days=2),
            "clock_has_jumped": clock.has_jumped(),
            "retention_days": settings.RETENTION_DAYS,
            "unsent": notifications.unsent(),
            "no_role": not (request.user.is_superuser or request.user.get_all_permissions()),
        }
        if request.user.has_perm("screening.view_logline"):
            context["log_faults"] = audit_checks.quick_faults()
        if request.user.has_perm("screening.change_centerfacts"):
            context["to_tell"] = center.left_to_tell(facts())
            due = center.starts_to_confirm(facts())
            context["to_confirm"] = [(name, center.LABELS[name], day) for name, day in due.items()]
        if request.user.has_perm(notifications.MANAGES):
            context["changes"] = accounts.changes_to_see(request.user)
            context["changes_nobody_sees"] = accounts.changes_nobody_sees(request.user)
        if request.user.has_perm("screening.view_agreement"):
            context["unsafe"] = unsafe.on_file().filter(read_at=None).count()
        if request.user.has_perm("screening.view_submission"):
            mine = Submission.objects.filter(queues.OPEN, assigned_to=request.user.pk, newly_assigned=True)
            # The time is looked at here: SQLite would read another index for it, which holds all that is assigned.
            new = [row for row in mine.order_by(*ORDER)[:10] if row.received_at > retention_cutoff()]
            context["assigned"] = new
            first = queues.BY_KEY["due"].rows(Submission.objects.unexpired(), request.user).order_by(*ORDER).first()
            context["first"], context["first_due"] = first, due_in_words(first) if first else ""
            context["queues"] = queues.counted(request.user, Submission.objects.unexpired())
            context["most"] = queues.MOST
        return super().index(request, context | (extra_context or {}))

    def own_page(self, request: HttpRequest, page: Any, permission: str, **kwargs: str) -> HttpResponse:
        if permission and not request.user.has_perm(permission):
            raise PermissionDenied
        return cast(HttpResponse, page(request, self.each_context(request), **kwargs))

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        return redirect("admin:index")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the password form, then redirect to the code page if a code is required."""
        if request.method != "POST" and super().has_permission(request):
            wanted = sign_in.next_page if sessions.is_verified(request) else sign_in.to_code
            return redirect(wanted(request))
        context = self.each_context(request) | {
            "title": _("Sign in"),
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
        }
        view = sign_in.SignInView.as_view(extra_context=context | (extra_context or {}))
        return cast(HttpResponse, view(request))

    @method_decorator(csrf_protect)
    def code(self, request: HttpRequest) -> HttpResponse:
        """Ask for the second factor, or set it up at the first sign-in and show the recovery codes once."""
        if not super().has_permission(request):
            return redirect("admin:login")
        wanted = sign_in.next_page(request)
        if sessions.is_verified(request):
            return redirect(wanted)
        phone = sign_in.device(request.user)
        form = sign_in.CodeForm(request.POST if request.method == "POST" else None)
        context = self.each_context(request) | {"title": _("Your second factor"), "form": form, "next": wanted}
        if form.is_valid():
            if refusal := sign_in.verify(request, form.cleaned_data["code"]):
                form.add_error("code", cast(str, refusal))
            elif phone:
                return redirect(wanted)
            else:
                context["codes"] = RecoveryCode.renew(request.user)
        if not phone and "codes" not in context:
            new = sign_in.new_device(request)
            context |= {"picture": sign_in.qr_code(new), "key": sign_in.key_to_type(new)}
        return TemplateResponse(request, "admin/code.html", context, status=422 if form.errors else 200)

    @method_decorator(csrf_protect)
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method != "POST":
            return redirect("admin:index")
        with transaction.atomic():
            if self.has_permission(request):
                audit.record(Action.SIGNED_OUT, request.user)
            return super().logout(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        temporary = request.session.get(sessions.TEMPORARY, False)
        context = self.each_context(request) | {"title": _("Change password"), "temporary": temporary}
        if temporary:
            context["has_permission"] = False  # for what is beside the form, and leads elsewhere
        if request.method != "POST":
            return sign_in.ChangeOwnPasswordView.as_view(extra_context=context)(request)
        attempt = rate_limits.USERNAME.hit(request, request.user.get_username())
        with sign_in.turn_to_hash() as came:
            if attempt and came:
                return sign_in.ChangeOwnPasswordView.as_view(extra_context=context, attempt=attempt)(request)
        if attempt:
            attempt.refund()
        return self._not_done(request, _("Not changed"), sign_in.BUSY if attempt else sign_in.TOO_MANY)
