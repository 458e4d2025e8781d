"""The admin site of the staff: its front page, signing in and out, and what is refused."""

from datetime import timedelta
from functools import update_wrapper
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from screening import audit, draft, notifications, rate_limits, retention
from screening.audit import Action
from screening.desk import agreement, queues, replay_page, sign_in
from screening.models import Submission

TYPED = ("-text", "-reason")  # how the names of fields end in which staff write


class Desk(admin.AdminSite):
    """The stock admin, opening on work. Nothing in it is seen or done without a line in the log."""

    site_header = site_title = _("Program fit: staff desk")
    index_title = _("The desk")
    login_form = sign_in.SignIn
    login_template = "admin/sign_in.html"
    enable_nav_sidebar = False  # there is one list
    index_template = "admin/desk.html"
    logout_template = "admin/signed_out.html"

    def get_urls(self) -> list[Any]:
        unused = ("autocomplete", "view_on_site", "logout")
        urls = [url for url in super().get_urls() if getattr(url, "name", None) not in unused]
        own = [
            path("code/", self.code, name="code"),
            path("logout/", self.logout, name="logout"),  # for who is only half signed in, too
            path("agreement/", self.admin_view(self.agreement), name="agreement"),
            path("replay/", self.admin_view(self.replay), name="replay"),
        ]
        return [*own, *urls]

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and sign_in.is_verified(request) and sign_in.goes_on(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"second_factor_off": not settings.SECOND_FACTOR}

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """A refusal is logged; what was typed is shown again, as it is where a new sign-in has become necessary."""

        def told(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return cast(HttpResponse, view(request, *args, **kwargs))
            except PermissionDenied:
                return self.refused(request, kwargs.get("object_id"))

        guarded = super().admin_view(update_wrapper(told, view), cacheable)

        def or_signed_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST" and not self.has_permission(request):
                return self.signed_out(request)
            return guarded(request, *args, **kwargs)

        return update_wrapper(or_signed_out, guarded)

    def refused(self, request: HttpRequest, key: Any = None) -> HttpResponse:
        number = str(key or "")
        row = Submission.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 16 else None
        page = request.resolver_match.url_name if request.resolver_match else ""
        audit.record(Action.REFUSED, request.user, row.reference if row else "", method=request.method, page=page)
        words = _("Your account does not have the right to this. Whoever manages the accounts can give it to you.")
        return self._told(request, _("Not open to you"), words)

    def signed_out(self, request: HttpRequest) -> HttpResponse:
        """In the place of the sign-in page, which would lose what was typed."""
        words = _("You were signed out, for nothing happened for a while. Nothing was saved. Sign in again.")
        return self._told(request, _("Signed out"), words)

    def stale(self, request: HttpRequest) -> HttpResponse:
        """A page from before the latest sign-in."""
        words = _("This page was from before you last signed in. Nothing was saved. Open it again.")
        return self._told(request, _("Open it again"), words)

    def _told(self, request: HttpRequest, title: Any, words: Any) -> HttpResponse:
        typed = [text for name, text in request.POST.items() if name.endswith(TYPED) and str(text).strip()]
        again = request.get_full_path() if request.method == "POST" else ""
        context = self.each_context(request) | {"title": title, "words": words, "typed": typed, "again": again}
        return TemplateResponse(request, "admin/not_done.html", context, status=403)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        audit.record(Action.FRONT_PAGE, request.user)
        last = retention.last_run()
        overdue = last is None or timezone.now() - last > timedelta(days=2)
        told: dict[str, Any] = {
            "forgotten_at": last,
            "forgetting_overdue": overdue,
            "retention_days": settings.RETENTION_DAYS,
            "unsent": notifications.unsent(),
            "no_role": not (request.user.is_superuser or request.user.get_all_permissions()),
        }
        if request.user.has_perm("screening.view_submission"):
            told["queues"] = queues.counted(request.user, Submission.objects.unexpired())
            told["most"] = queues.MOST
        return super().index(request, told | (extra_context or {}))

    def agreement(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("screening.view_agreement"):
            raise PermissionDenied
        return agreement.page(request, self.each_context(request))

    def replay(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("screening.replay_rules"):
            raise PermissionDenied
        return replay_page.page(request, self.each_context(request))

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        return redirect("admin:index")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The password; then, where it is asked for, the code. Whoever signs in leaves the answers of an earlier
        visitor behind."""
        if request.method != "POST" and super().has_permission(request) and not sign_in.is_verified(request):
            return redirect(_to_code(request))
        with transaction.atomic():
            response = super().login(request, {"title": _("Sign in")} | (extra_context or {}))
            if request.method == "POST" and request.user.is_authenticated and response.status_code == 302:
                draft.clear(response)
                sign_in.begin_again(request)
                if settings.SECOND_FACTOR:
                    return redirect(_to_code(request))
                audit.record(Action.SIGNED_IN, request.user)
        return response

    @method_decorator([never_cache, csrf_protect])
    def code(self, request: HttpRequest) -> HttpResponse:
        """The second factor: asked for, or set up at the first sign-in. Recovery codes are shown only then."""
        if not super().has_permission(request) or not sign_in.goes_on(request):
            return redirect("admin:login")
        if sign_in.is_verified(request):
            return redirect(_next(request))
        phone = sign_in.device(request.user)
        form = sign_in.CodeForm(request, request.POST if request.method == "POST" else None)
        context = self.each_context(request) | {"title": _("Your second factor"), "form": form, "next": _next(request)}
        if form.is_bound and form.is_valid():
            if phone:
                return redirect(_next(request))
            context["codes"] = sign_in.recovery_codes(request.user)
        elif not phone:
            new = sign_in.new_device(request)
            context |= {"picture": sign_in.picture(new), "key": sign_in.key_to_type(new)}
        status = 422 if form.is_bound and form.errors else 200
        return TemplateResponse(request, "admin/code.html", context, status=status)

    @method_decorator([never_cache, csrf_protect])
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method != "POST":
            return redirect("admin:index")
        with transaction.atomic():
            if self.has_permission(request):
                audit.record(Action.SIGNED_OUT, request.user)
            return super().logout(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """An old password is guessed at here no more often than at the sign-in."""
        name = request.user.get_username()
        if request.method == "POST" and not rate_limits.USERNAME.hit(request, name):
            return self._told(request, _("Not changed"), sign_in.TOO_MANY)
        with transaction.atomic():
            response = super().password_change(request, extra_context)
            form = getattr(response, "context_data", {}).get("form")  # none once it is changed
            if form and "old_password" in form.errors:
                sign_in.wrong(request, name)
            elif request.method == "POST":
                rate_limits.USERNAME.refund(request, name)
            if not form:
                audit.record(Action.ACCOUNT, request.user, change="password_changed")
            return response


def _next(request: HttpRequest) -> str:
    """Where the sign-in was asked for, if that is at the desk."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith(reverse("admin:index"))
    return wanted if safe else reverse("admin:index")


def _to_code(request: HttpRequest) -> str:
    return f"{reverse('admin:code')}?{urlencode({'next': _next(request)})}"
