"""The admin site of the staff: what its front page says of itself, and what happens at sign-in."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening import draft, forgetting, limits, queues
from screening.models import Submission


class SignIn(AdminAuthenticationForm):
    """Name and password; wrong ones are counted for the address that they come from."""

    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        if not limits.SIGN_IN.take(self.request):
            raise ValidationError(
                _("Too many wrong passwords came from your internet connection. Try again in an hour.")
            )
        cleaned = super().clean()
        limits.SIGN_IN.give_back(self.request)
        return cleaned


class Desk(admin.AdminSite):
    """The stock admin, with a front page that tells when what is expired was last erased."""

    site_header = site_title = _("Program fit: staff desk")
    index_title = _("The desk")
    login_form = SignIn
    enable_nav_sidebar = False  # there is one list
    index_template = "admin/desk.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        last = forgetting.last_run()
        overdue = last is None or timezone.now() - last > timedelta(days=2)
        told: dict[str, Any] = {
            "forgotten_at": last,
            "forgetting_overdue": overdue,
            "retention_days": settings.RETENTION_DAYS,
        }
        if request.user.has_perm("screening.view_submission"):
            told["queues"] = queues.counted(request.user, Submission.objects.kept())
            told["most"] = queues.MOST
        return super().index(request, told | (extra_context or {}))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Whoever signs in leaves the answers of an earlier visitor behind."""
        response = super().login(request, extra_context)
        if request.method == "POST" and request.user.is_authenticated:
            draft.clear(response)
        return response
