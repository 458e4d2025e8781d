"""Signing in at the desk: a password, then a code from a phone. Forms validate; the functions here act."""

from base64 import b32encode
from typing import Any, cast

import qrcode
from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import login
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django_otp import login as otp_login
from django_otp import verify_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode.image.svg import SvgPathImage

from screening import accounts, audit, draft, rate_limits
from screening.desk import sessions
from screening.models import Action

RECOVERY_CODES = 10

TOO_MANY = _("Too many wrong tries for this name. Try again in an hour, or ask whoever manages the accounts.")
TOO_MANY_HERE = _("Too many wrong passwords came from your internet connection. Try again in an hour.")
TOO_SOON = _("Too soon after a wrong code. Wait a little, and type the code shown then.")
WRONG_CODE = _("This code is not right, or it was used before. Wait for the next one, and type that.")


class SignInForm(AdminAuthenticationForm):
    """Validate name and password; with a refusal, fail without checking them."""

    def __init__(self, *args: Any, refusal: object = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refusal = refusal

    def clean(self) -> dict[str, Any]:
        if self.refusal:
            raise ValidationError(cast(str, self.refusal), code="refused")
        return super().clean()

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if accounts.unused_accounts().filter(pk=user.pk).exists():  # before the daily run has closed it
            raise ValidationError(
                _("Nobody has used this account for 90 days, so it is closed. Ask whoever manages the accounts."),
                code="unused",
            )


class SignInView(LoginView):
    """Count the attempt, then check the password outside any transaction."""

    authentication_form = SignInForm
    template_name = "admin/sign_in.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.username = typed_name(request)
        self.attempt = rate_limits.USERNAME.hit(request, self.username)
        if not self.attempt:
            self.refusal: object = TOO_MANY
        else:
            self.refusal = "" if rate_limits.SIGN_IN.hit(request) else TOO_MANY_HERE
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"refusal": getattr(self, "refusal", "")}

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in, start the session, and clear the answers of an earlier visitor."""
        self._refund()
        with transaction.atomic():
            login(self.request, form.get_user())
            sessions.start_unverified(self.request)
            if not settings.SECOND_FACTOR:
                audit.record(Action.SIGNED_IN, self.request.user)
        response = redirect(to_code(self.request) if settings.SECOND_FACTOR else next_page(self.request))
        draft.clear(response)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        if form.has_error("__all__", "unused"):
            accounts.close(form.get_user(), "", "unused")
        if not self.refusal and "__all__" not in form.errors:
            self._refund()  # a field was left empty: nothing was guessed
        elif not self.refusal:
            record_wrong_attempt(self.username, self.attempt, rate_limits.USERNAME)
        return super().form_invalid(form)

    def _refund(self) -> None:
        rate_limits.USERNAME.refund(self.request, self.username)
        rate_limits.SIGN_IN.refund(self.request)


def typed_name(request: HttpRequest) -> str:
    """The name as the form reads it, so that its other spellings count as the same."""
    try:
        return str(UsernameField(max_length=150, required=False).clean(request.POST.get("username", "")))
    except ValidationError:
        return request.POST["username"][:150]


def record_wrong_attempt(name: str, attempt: int, limit: rate_limits.Limit) -> None:
    """Add an audit entry if there is such an account; other names are not stored: they may be a password.

    The attempt that uses up the limit adds a second one.
    """
    if account := User.objects.filter(username=name).first():
        with transaction.atomic():
            audit.record(Action.NOT_SIGNED_IN, account)
            if attempt == limit.per_client:
                audit.record(Action.LOCKED_OUT, account)


def next_page(request: HttpRequest) -> str:
    """The page of the desk that the sign-in was asked for, or the front page."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith(reverse("admin:index"))
    return wanted if safe else reverse("admin:index")


def to_code(request: HttpRequest) -> str:
    """The address of the code page, which leads on to the same page."""
    return f"{reverse('admin:code')}?{urlencode({'next': next_page(request)})}"


def device(account: Any) -> TOTPDevice | None:
    """The phone that the account has set up."""
    return TOTPDevice.objects.filter(user=account, confirmed=True).first()


def new_device(request: HttpRequest) -> TOTPDevice:
    """The phone that is about to be set up.

    Each sign-in has a key of its own: someone else who has the password, and went no further, does not know it.
    """
    unconfirmed = TOTPDevice.objects.filter(user=cast(User, request.user), confirmed=False)
    phone = unconfirmed.filter(pk=request.session.get("phone")).first()
    if phone is None:
        unconfirmed.delete()
        phone = TOTPDevice.objects.create(user=request.user, name="phone", confirmed=False)
        request.session["phone"] = phone.pk
    return phone


def qr_code(phone: TOTPDevice) -> SafeString:
    """The key of a phone as an SVG image, for its camera."""
    image = qrcode.make(phone.config_url, image_factory=SvgPathImage, box_size=12, border=2)
    return mark_safe(str(image.to_string(encoding="unicode")))  # noqa: S308 - drawn here, of squares alone


def key_to_type(phone: TOTPDevice) -> str:
    """The same key in groups of four characters, for whoever can't use a camera."""
    key = b32encode(phone.bin_key).decode()
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


def recovery_codes(account: Any) -> list[str]:
    """Replace the account's recovery codes by new ones; each is good for one sign-in."""
    static, _created = StaticDevice.objects.get_or_create(user=account, name="recovery")
    static.token_set.all().delete()
    tokens = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=static, token=token) for token in tokens)
    return tokens


class CodeForm(forms.Form):
    """The six digits that the phone shows, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split()).lower()


def verify(request: HttpRequest, code: str) -> object:
    """Sign in with a code of the second factor; return "" or why it was refused."""
    account = cast(User, request.user)
    asked: Any = StaticDevice.objects.filter(user=account).first()
    if code.isdigit():
        asked = device(account) or new_device(request)
    if asked and not asked.verify_is_allowed()[0]:  # django-otp requires a longer wait after each wrong code
        return TOO_SOON
    attempt = rate_limits.SECOND_FACTOR.hit(request, account.get_username())
    if not attempt:
        return TOO_MANY
    with transaction.atomic():
        accepted = verify_token(account, asked.persistent_id, code) if asked else None
        if accepted:
            _begin_verified_session(request, accepted)
    if not accepted:
        record_wrong_attempt(account.get_username(), attempt, rate_limits.SECOND_FACTOR)
        return WRONG_CODE
    rate_limits.SECOND_FACTOR.refund(request, account.get_username())
    return ""


def _begin_verified_session(request: HttpRequest, accepted: Any) -> None:
    if not accepted.confirmed:
        accepted.confirmed = True
        accepted.save()
        audit.record(Action.CODES, request.user)
    request.session.cycle_key()
    otp_login(request, accepted)
    request.session[sessions.VERIFIED] = True
    sessions.start(request)
    audit.record(Action.SIGNED_IN, request.user)
