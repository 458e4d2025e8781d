"""The accounts of the staff: created, given roles, closed. Their permissions come from roles alone."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, UserCreationForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext, gettext_lazy as _
from django_otp.plugins.otp_totp.admin import TOTPDevice

from screening import accounts, audit, notifications
from screening.desk.model_admin import DeskModelAdmin
from screening.desk.roles import ROLES, roles_of
from screening.models import AccountChange, Action, StaffMember
from screening.typed import Limited

# The packages imported above have registered pages of their own: permissions and second factors are not edited by hand.
for model in (User, Group, TOTPDevice):
    admin.site.unregister(model)


def full_name(account: User) -> str:
    """Return how the desk calls a member of staff: "Dana Reed (dana)"."""
    full, name = " ".join(account.get_full_name().split()), account.get_username()
    return f"{full} ({name})" if full else name


User.add_to_class("__str__", full_name)  # for every list, chooser and message; the log asks for the user name

TOLD = {"clinical lead", "contact", "manager"}  # the roles of which all managers are told when someone is given one

# Verb -> what it does to the account of someone else, and the message when it is done.
DEEDS: dict[str, tuple[Callable[[User, Any], None], Any]] = {
    "close": (accounts.close, _("This account is closed. Whoever used it is out already.")),  # at once, on every device
    "open": (accounts.reopen, _("This account is open again. Now set a new password for it.")),
    "reset": (accounts.reset_second_factor, _("At the next sign-in a new second factor is set up.")),
    "unlock": (accounts.unlock, _("The account is unlocked. They can sign in again.")),
}


class AddForm(Limited, UserCreationForm):
    """Django's own, with limits. An account without a password can't be made."""


class PasswordForm(Limited, AdminPasswordChangeForm):
    """Django's own, with limits. It can't take the password away: a manager closes the account instead."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)


@admin.register(User)
class AccountAdmin(DeskModelAdmin, UserAdmin):
    pages = ("changelist", "add", "change")
    lookups = frozenset({"is_active__exact"})
    list_title = _("Accounts")
    list_display = ("__str__", "roles", "last_login", "has_second_factor", "is_open")
    list_filter = ("is_active",)
    search_fields = ("username", "first_name", "last_name")
    search_label = _("Name")
    search_help_text = _("Their name, the one that they sign in with, or a part of either.")
    ordering = ("-is_active", "username")
    actions = None
    add_form, add_form_template = AddForm, None
    change_password_form, change_user_password_template = PasswordForm, "admin/password.html"
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email", "groups", "last_login", "is_open")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "first_name", "last_name", "email", "password1", "password2", "groups"),
            },
        ),
    )
    readonly_fields = ("last_login", "is_open")

    def get_urls(self) -> list[Any]:
        act = self.admin_site.admin_view(self.act)
        own = [path(f"<int:object_id>/{verb}/", act, {"verb": verb}, f"auth_user_{verb}") for verb in DEEDS]
        seen = path("seen/<int:change_id>/", self.admin_site.admin_view(self.seen), name="auth_user_seen")
        return [*own, seen, *super().get_urls()]

    @admin.display(description=_("roles"))
    def roles(self, account: User) -> str:
        return roles_of(account)

    @admin.display(description=_("second factor"), boolean=True)
    def has_second_factor(self, account: Any) -> bool:
        return bool(account.totpdevice_set.all())

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups", "totpdevice_set")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._is_open_to(request, obj) and super().has_change_permission(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._is_open_to(request, obj) and super().has_view_permission(request, obj)

    def _is_open_to(self, request: HttpRequest, account: User | None) -> bool:
        """Nobody but a superuser opens the account of a superuser; the list names it."""
        return account is None or not account.is_superuser or cast(User, request.user).is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Nobody changes their own roles."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "groups") if obj == request.user else fields

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["widget"] = CheckboxSelectMultiple
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        field.queryset = Group.objects.filter(name__in=ROLES)
        field.label, field.help_text = _("Roles"), ""
        field.label_from_instance = lambda role: f"{role.name}: {ROLES[role.name].meaning}"
        return field

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.is_staff = True
        before = User.objects.filter(pk=obj.pk).first()
        if before and before.email != obj.email and before.has_perm(notifications.MANAGES):
            accounts.tell_managers(AccountChange.Kind.EMAIL, obj, request.user)  # at the earlier address, too
        super().save_model(request, obj, form, change)
        if not change:
            self._hand_over(obj)

    def _hand_over(self, account: User) -> None:
        """Have its owner choose another password at the next sign-in."""
        StaffMember.objects.update_or_create(account=account, defaults={"password_is_temporary": True})

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        groups = form.instance.groups.order_by("name")
        had, told = {*groups.values_list("name", flat=True)}, notifications.manager_addresses()
        super().save_related(request, form, formsets, change)
        if given := [group.name for group in groups.all() if group.name in TOLD - had]:
            accounts.tell_managers(AccountChange.Kind.ROLES, form.instance, request.user, ", ".join(given))
        if "manager" in had - {group.name for group in groups.all()}:
            accounts.tell_managers(AccountChange.Kind.NO_MANAGER, form.instance, request.user, to=told)
        if had and not User.objects.get(pk=form.instance.pk).has_perm("screening.view_submission"):
            accounts.unassign(form.instance, request.user)
        name, before = form.instance.get_username(), form.initial.get("username")
        renamed = {"formerly": before[:50]} if change and before != name else {}  # cut, so that the roles fit in too
        roles = ",".join(group.name for group in groups.all())
        change_made = "changed" if change else "created"
        audit.record(Action.ACCOUNT, request.user, change=change_made, account=name[:50], **renamed, roles=roles)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        account = self.get_object(request, unquote(id))
        if account == request.user:  # a session left open is not enough
            return redirect("admin:password_change")
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if account and response.status_code == 302:
                self._hand_over(account)
                accounts.tell_managers(AccountChange.Kind.PASSWORD, account, request.user)
                audit.record(Action.ACCOUNT, request.user, change="password_set", account=account.get_username())
        return response

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        message = gettext("The account %(name)s is made. Tell them the name and the password.")
        self.message_user(request, message % {"name": obj.get_username()}, messages.SUCCESS)
        return redirect("admin:auth_user_change", obj.pk)

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return shown if settings.SECOND_FACTOR else [name for name in shown if name != "has_second_factor"]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        account = kwargs.get("obj")
        title = gettext("Account %(name)s") % {"name": account} if account else gettext("New account")
        context |= {"title": title, "subtitle": None, "locked": account and accounts.is_locked(account)}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("open"), boolean=True)
    def is_open(self, account: User) -> bool:
        return account.is_active

    def act(self, request: HttpRequest, object_id: int, verb: str) -> HttpResponse:
        """Close, open, reset or unlock an account that is not one's own."""
        account = User.objects.filter(pk=object_id).first() if object_id < 2**63 else None
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        if request.method == "POST" and account not in (None, request.user):
            deed, done = DEEDS[verb]
            deed(account, request.user)
            self.message_user(request, done, messages.SUCCESS)
        return redirect("admin:auth_user_change", object_id)

    def seen(self, request: HttpRequest, change_id: int) -> HttpResponse:
        """Record that this manager has seen what a colleague changed."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        with transaction.atomic():
            User.objects.select_for_update().get(pk=cast(User, request.user).pk)  # one press at a time
            for change in (each for each in accounts.changes_to_see(request.user) if each.pk == change_id):
                if request.method != "POST":
                    break
                change.seen_by = cast(User, request.user)
                change.save(update_fields=["seen_by"])
                name = change.account.get_username()
                audit.record(Action.ACCOUNT, request.user, change="seen", account=name, seen=change.kind)
        return redirect("admin:index")
