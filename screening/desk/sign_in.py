"""Signing in at the desk: a password, then a code from a phone. Forms validate; the functions here act."""

from base64 import b32encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import wrap
from threading import BoundedSemaphore
from typing import Any, cast

import qrcode
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import authenticate, login, update_session_auth_hash
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django_otp import login as otp_login, verify_token
from qrcode.image.svg import SvgPathImage

from screening import accounts, audit, draft, rate_limits
from screening.desk import sessions
from screening.models import Action, Phone, RecoveryCode, StaffMember
from screening.rate_limits import Attempt
from screening.typed import Limited, typed

CODE_AFTER = 20  # wrong passwords for one name within the hour, after which the phone's code comes first

CODE_ATTRIBUTES = {"autocomplete": "one-time-code", "spellcheck": "false"}

TOO_MANY = _("Too many wrong tries for this name. Try again in an hour, or ask whoever manages the accounts.")
TOO_MANY_HERE = _("Too many wrong passwords came from your internet connection. Try again in an hour.")
SAME = _("This is the password that you have. Choose another one.")
BUSY = _("Many people are signing in just now. Please try again in a minute.")
CODE_TOO = _(
    "Many wrong passwords were tried for this name. Type the code that your phone shows, too. If you have not set up a "
    "phone yet, leave it empty."
)
TOO_SOON = _("Too soon after a wrong code. Wait a little, and type the code shown then.")
WRONG_CODE = _("This code is not right, or it was used before. Wait for the next one, and type that.")


# Passwords that each process hashes at once: more would take the processors from people's pages.
_hashing = BoundedSemaphore(max(1, 2 // settings.WORKERS))
WAIT = 2.0  # seconds that a sign-in waits for its turn


@contextmanager
def turn_to_hash() -> Iterator[bool]:
    """Wait for a turn to hash a password; yield whether it came. With a transaction open, others would wait."""
    came = _hashing.acquire(timeout=WAIT)
    try:
        yield came
    finally:
        if came:
            _hashing.release()


class SignInForm(Limited, AdminAuthenticationForm):
    """Validate name and password; with a refusal, fail without checking them.

    With `attempt`, that many passwords were tried for this name from everywhere, so the phone's code is asked for too.
    """

    def __init__(self, *args: Any, refusal: object = "", attempt: Attempt | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refusal, self.attempt = refusal, attempt
        if attempt is not None:
            typed = forms.TextInput(attrs=CODE_ATTRIBUTES)
            self.fields["code"] = forms.CharField(
                label=_("Code"), max_length=20, required=False, help_text=CODE_TOO, widget=typed
            )

    def clean(self) -> dict[str, Any]:
        if self.refusal:
            raise ValidationError(cast(str, self.refusal), code="refused")
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name and password and not self._may_try(name):
            authenticate(self.request, username=name, password=password)  # takes as long as if it counted
            raise self.get_invalid_login_error()
        return super().clean()

    def _may_try(self, name: str) -> bool:
        if self.attempt is None:
            return True
        phone = Phone.objects.filter(user__username=name, confirmed=True).first()
        return phone.shows(self.cleaned_data.get("code", "")) if phone else bool(self.attempt)

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if accounts.is_unused(user):  # before the daily run has closed it
            raise ValidationError(
                _("Nobody has used this account for 90 days, so it is closed. Ask whoever manages the accounts."),
                code="unused",
            )


class SignInView(LoginView):
    """Count the attempt, then check the password outside any transaction."""

    authentication_form = SignInForm
    template_name = "admin/sign_in.html"
    refusal: object = ""
    attempts: tuple[Attempt, ...] = ()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.username = typed_name(request)
        here, name = rate_limits.SIGN_IN.hit(request), rate_limits.USERNAME.hit(request, self.username)
        if not (here and name):
            self.refusal = TOO_MANY_HERE if name else TOO_MANY
            return super().post(request, *args, **kwargs)
        self.attempts = (here, name, rate_limits.ANYWHERE.hit(request, self.username))
        with turn_to_hash() as came:
            if not came:
                self._refund()
                self.refusal = BUSY
                return self.render_to_response(self.get_context_data(form=self.get_form()), status=503)
            return super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        anywhere = self.attempts[-1] if self.attempts else None
        many = anywhere is not None and not 0 < anywhere.number <= CODE_AFTER
        return super().get_form_kwargs() | {"refusal": self.refusal, "attempt": anywhere if many else None}

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
            accounts.close_if_unused(form.get_user().pk)
        if not self.refusal and "__all__" not in form.errors:
            self._refund()  # a field was left empty: nothing was guessed
        elif not self.refusal:
            record_wrong_attempt(self.username, self.attempts[1].number, rate_limits.USERNAME)
        return super().form_invalid(form)

    def _refund(self) -> None:
        for attempt in self.attempts:
            attempt.refund()


class OwnPasswordForm(Limited, AdminPasswordChangeForm):
    """Django's own, with limits; the new password must be another one."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("old_password") and cleaned["old_password"].strip() == cleaned.get("new_password1", "").strip():
            self.add_error("new_password1", cast(str, SAME))
        return cleaned


class ChangeOwnPasswordView(PasswordChangeView):
    """Change one's own password; a wrong old one counts as a wrong password at the sign-in."""

    form_class = OwnPasswordForm
    template_name = "admin/password.html"
    success_url = reverse_lazy("admin:index")
    attempt: Any = None

    def form_valid(self, form: Any) -> HttpResponse:
        account = form.save(commit=False)  # hashed before the transaction
        with transaction.atomic():
            account.save(update_fields=["password"])
            StaffMember.objects.filter(account=account).update(password_is_temporary=False)
            update_session_auth_hash(self.request, account)
            audit.record(Action.ACCOUNT, account, change="password_changed")
        self.request.session[sessions.TEMPORARY] = False
        self.attempt.refund()
        messages.success(self.request, _("Your password is changed."))
        return redirect(self.get_success_url())

    def form_invalid(self, form: Any) -> HttpResponse:
        if "old_password" in form.errors:
            record_wrong_attempt(self.request.user.get_username(), self.attempt.number, rate_limits.USERNAME)
        else:
            self.attempt.refund()
        return super().form_invalid(form)


def typed_name(request: HttpRequest) -> str:
    """The name as the form reads it, so that its other spellings count as the same."""
    name = typed(request.POST, "username", 500)  # the form strips it, and refuses more than 150 characters
    try:
        return str(UsernameField(max_length=150, required=False).clean(name))
    except ValidationError:
        return name[:150]


def record_wrong_attempt(name: str, attempt: int, limit: rate_limits.Limit) -> None:
    """Add an audit entry; it names an account alone, for another name may be a password.

    The attempt that uses up the limit adds a second one.
    """
    account = User.objects.filter(username=name).first()
    with transaction.atomic():
        audit.record(Action.NOT_SIGNED_IN, account)
        if attempt == limit.per_client:
            audit.record(Action.LOCKED_OUT, account)


def next_page(request: HttpRequest) -> str:
    """The page of the desk that the sign-in was asked for, or the front page."""
    wanted = typed(request.POST, "next", 2000) or typed(request.GET, "next", 2000)
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith(reverse("admin:index"))
    return wanted if safe else reverse("admin:index")


def to_code(request: HttpRequest) -> str:
    """The address of the code page, which leads on to the same page."""
    return f"{reverse('admin:code')}?{urlencode({'next': next_page(request)})}"


def device(account: Any) -> Any:
    """The phone that the account has set up, if any."""
    return Phone.objects.filter(user=account, confirmed=True).first()


def new_device(request: HttpRequest) -> Any:
    """The phone that is about to be set up.

    Each sign-in has a key of its own: someone else who has the password, and went no further, does not know it.
    """
    unconfirmed = Phone.objects.filter(user=cast(User, request.user), confirmed=False)
    phone = unconfirmed.filter(pk=request.session.get("phone")).first()
    if phone is None:
        unconfirmed.delete()
        phone = Phone.new(request.user)
        request.session["phone"] = phone.pk
    return phone


def qr_code(phone: Phone) -> SafeString:
    """The key of a phone as an SVG image, for its camera."""
    image = qrcode.make(phone.config_url, image_factory=SvgPathImage, box_size=12, border=2)
    return mark_safe(str(image.to_string(encoding="unicode")))  # noqa: S308 - drawn here, of squares alone


def key_to_type(phone: Phone) -> str:
    """The same key in groups of four characters, for whoever can't use a camera."""
    return " ".join(wrap(b32encode(phone.bin_key).decode(), 4))


class CodeForm(forms.Form):
    """The six digits that the phone shows, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        widget=forms.TextInput(attrs=CODE_ATTRIBUTES | {"autofocus": True}),
    )

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split()).lower()


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


def verify(
    request: HttpRequest, code: str, deed: Callable[[HttpRequest, Any], None] = _begin_verified_session
) -> object:
    """Do what needs the second factor, by default sign in, if this is its code; return "" or why it was refused."""
    account = cast(User, request.user)
    phone = device(account) or new_device(request)
    if not phone.verify_is_allowed()[0]:  # django-otp requires a longer wait after each wrong code
        return TOO_SOON
    attempt = rate_limits.SECOND_FACTOR.hit(request, account.get_username())
    if not attempt:
        return TOO_MANY
    with transaction.atomic():
        if code.isdigit():
            accepted = verify_token(account, phone.persistent_id, code)
        else:
            accepted = phone if phone.confirmed and RecoveryCode.use(account, code) else None
            if not accepted:
                phone.throttle_increment()
        if accepted:
            deed(request, accepted)
    if not accepted:
        record_wrong_attempt(account.get_username(), attempt.number, rate_limits.SECOND_FACTOR)
        return WRONG_CODE
    attempt.refund()
    return ""
