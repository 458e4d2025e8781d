"""The page of one's own account: name and roles, recovery codes, open sessions, mail."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from screening import audit
from screening.desk import sessions, sign_in
from screening.desk.roles import roles_of
from screening.models import Action, RecoveryCode, StaffMember
from screening.typed import typed

FEW = 3  # recovery codes left, of which the page warns


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show one's own account; choose the mail, make new recovery codes, or sign out on every device."""
    account, action = cast(User, request.user), typed(request.POST, "action", 20)
    codes: list[str] = []

    def renew(*_: Any) -> None:
        codes.extend(RecoveryCode.renew(account))
        audit.record(Action.ACCOUNT, account, change="recovery_codes")

    form = sign_in.CodeForm(request.POST if action == "codes" and settings.SECOND_FACTOR else None)
    form.fields["code"].widget.attrs.pop("autofocus")
    if form.is_valid() and (refusal := sign_in.verify(request, form.cleaned_data["code"], renew)):
        form.add_error("code", cast(str, refusal))
    with transaction.atomic():
        if action == "sign_out":
            audit.record(Action.ACCOUNT, account, change="signed_out_everywhere")
            sessions.end_all(account)
            logout(request)
            return redirect("admin:login")
        if action == "mail" and account.email:
            wanted = typed(request.POST, "mail", 5) == "on"
            StaffMember.objects.update_or_create(account=account, defaults={"mail_when_assigned": wanted})
            audit.record(Action.ACCOUNT, account, change="mail_on" if wanted else "mail_off")
            messages.success(request, _("Saved."))
            return redirect("admin:account")
        audit.record(Action.LISTED, account, list="own_account")
    left = RecoveryCode.objects.filter(account=account).count()
    context |= {
        "title": _("Your account"),
        "account": account,
        "roles": roles_of(account),
        "member": StaffMember.objects.filter(account=account).first(),
        "no_mail": not settings.EMAIL_HOST,
        "form": form,
        "codes": codes,
        "left": left,
        "few": left <= FEW,
    }
    return TemplateResponse(request, "admin/own_account.html", context, status=422 if form.errors else 200)
