"""Signing in at the desk: a password, then a code from a phone; and when a session is over."""

import time
from base64 import b32encode
from typing import Any, cast

import qrcode
from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django_otp import DEVICE_ID_SESSION_KEY, verify_token
from django_otp import login as otp_login
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode.image.svg import SvgPathImage

from screening import accounts, audit, rate_limits
from screening.audit import Action

IDLE_TIMEOUT, ABSOLUTE_TIMEOUT = 15 * 60, 8 * 3600  # seconds that a session lasts
RECOVERY_CODES = 10

TOO_MANY = _("Too many wrong tries for this name. Try again in an hour, or ask whoever manages the accounts.")
TOO_MANY_HERE = _("Too many wrong passwords came from your internet connection. Try again in an hour.")


def wrong(request: HttpRequest, name: str, what: Action = Action.NOT_SIGNED_IN) -> None:
    """A line for an account that there is; other names are not written down: they may be anything, a password too."""
    if account := User.objects.filter(username=name).first():
        audit.record(what, account)


class SignIn(AdminAuthenticationForm):
    """Name and password; wrong ones are counted for the name and the address that they come from."""

    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username", "")
        tries = rate_limits.USERNAME.hit(self.request, name)
        if not tries:
            raise ValidationError(TOO_MANY)
        if not rate_limits.SIGN_IN.hit(self.request):
            raise ValidationError(TOO_MANY_HERE)
        try:
            cleaned = super().clean()
        except ValidationError:
            wrong(self.request, name)
            if tries == rate_limits.USERNAME.per_client:
                wrong(self.request, name, Action.LOCKED_OUT)
            raise
        rate_limits.USERNAME.refund(self.request, name)
        rate_limits.SIGN_IN.refund(self.request)
        return cleaned

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if accounts.unused_accounts().filter(pk=user.pk).exists():  # before the daily run has found it
            accounts.close(user, "", "unused")
            raise ValidationError(
                _("Nobody has used this account for 90 days, so it is closed. Ask whoever manages the accounts.")
            )


def is_verified(request: HttpRequest) -> bool:
    """Whether the second factor was given, or is not asked for on this machine."""
    return not settings.SECOND_FACTOR or cast(Any, request.user).is_verified()


def begin(request: HttpRequest) -> None:
    request.session["began"] = request.session["seen"] = int(time.time())


def begin_again(request: HttpRequest) -> None:
    """With the password alone: who was in already is asked for the second factor again, too."""
    for key in ("verified", DEVICE_ID_SESSION_KEY):
        request.session.pop(key, None)
    begin(request)


def goes_on(request: HttpRequest) -> bool:
    """Whether the session is still good; one that is over is ended here, as is one whose second factor was reset: it is
    not for whoever holds it to set up the next."""
    now, session = int(time.time()), request.session
    if "began" not in session:
        begin(request)
    was_reset = "verified" in session and not is_verified(request)
    if was_reset or now - session["seen"] > IDLE_TIMEOUT or now - session["began"] > ABSOLUTE_TIMEOUT:
        logout(request)
        return False
    if now - session["seen"] > 30:  # often enough, without a write for each page
        session["seen"] = now
    return True


def device(account: Any) -> TOTPDevice | None:
    """The phone that the account has set up."""
    return TOTPDevice.objects.filter(user=account, confirmed=True).first()


def new_device(request: HttpRequest) -> TOTPDevice:
    """The phone that is about to be set up. Each sign-in has a key of its own: someone else who has the password, and
    went no further, does not know it."""
    begun = TOTPDevice.objects.filter(user=cast(User, request.user), confirmed=False)
    found = begun.filter(pk=request.session.get("phone")).first()
    if found is None:
        begun.delete()
        found = TOTPDevice.objects.create(user=request.user, name="phone", confirmed=False)
        request.session["phone"] = found.pk
    return found


def picture(of: TOTPDevice) -> SafeString:
    """A QR code as SVG, for the phone's camera."""
    image = qrcode.make(of.config_url, image_factory=SvgPathImage, box_size=12, border=2)
    return mark_safe(str(image.to_string(encoding="unicode")))  # noqa: S308 - drawn here, of squares alone


def key_to_type(of: TOTPDevice) -> str:
    """The same for who can't use a camera, in groups."""
    key = b32encode(of.bin_key).decode()
    return " ".join(key[place : place + 4] for place in range(0, len(key), 4))


def recovery_codes(account: Any) -> list[str]:
    """New ones, in the place of any before; each is good for one sign-in."""
    static, _created = StaticDevice.objects.get_or_create(user=account, name="recovery")
    static.token_set.all().delete()
    made = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=static, token=each) for each in made)
    return made


class CodeForm(forms.Form):
    """The six digits that the phone shows, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_code(self) -> str:
        code = "".join(self.cleaned_data["code"].split()).lower()
        asked = self._device_for(code)
        if asked and not asked.verify_is_allowed()[0]:  # django-otp asks for a longer wait after each wrong one
            raise ValidationError(_("Too soon after a wrong code. Wait a little, and type the code shown then."))
        name = self.request.user.get_username()
        tries = rate_limits.SECOND_FACTOR.hit(self.request, name)
        if not tries:
            raise ValidationError(TOO_MANY)
        with transaction.atomic():
            accepted = verify_token(self.request.user, asked.persistent_id, code) if asked else None
            if accepted:
                _begin_verified(self.request, accepted)
        if not accepted:
            wrong(self.request, name)
            if tries == rate_limits.SECOND_FACTOR.per_client:
                wrong(self.request, name, Action.LOCKED_OUT)
            raise ValidationError(
                _("This code is not right, or it was used before. Wait for the next one, and type that.")
            )
        rate_limits.SECOND_FACTOR.refund(self.request, name)
        return code

    def _device_for(self, code: str) -> Any:
        account = self.request.user
        if code.isdigit():
            return device(account) or new_device(self.request)
        return StaticDevice.objects.filter(user=cast(User, account)).first()


def _begin_verified(request: HttpRequest, by: Any) -> None:
    if not by.confirmed:
        by.confirmed = True
        by.save()
        audit.record(Action.CODES, request.user)
    request.session.cycle_key()
    otp_login(request, by)
    request.session["verified"] = True  # which django-otp forgets when the device is gone
    begin(request)
    audit.record(Action.SIGNED_IN, request.user)
