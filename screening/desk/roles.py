"""Roles: who may do what at the desk. A role is a group with these permissions; each `migrate` makes them so."""

from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig, apps as all_apps
from django.contrib.auth.management import create_permissions
from django.db import transaction
from django.utils.translation import gettext, gettext_lazy as _

from screening import audit
from screening.models import Action


@dataclass(frozen=True)
class Role:
    """What a role means, in words for whoever gives it, and its permissions."""

    meaning: Any
    permissions: tuple[str, ...]

    def __post_init__(self) -> None:
        if not (str(self.meaning).strip() and self.permissions):
            raise ValueError("a role needs a meaning and permissions")


_CASE = (
    "screening.view_submission",
    "screening.add_submission",
    "screening.change_submission",
    "screening.view_note",
    "screening.add_note",
)
_REVIEW = (*_CASE, "screening.view_review", "screening.add_review")
ROLES: dict[str, Role] = {
    "reviewer": Role(_("screens with people, reads cases, takes notes, and judges which program is right"), _REVIEW),
    "contact": Role(
        _("screens with people, reads cases, takes notes, and sees how to reach the person"),
        (*_CASE, "screening.view_contact", "screening.delete_contact"),
    ),
    "clinical lead": Role(
        _("as reviewer; also sees how it is doing and how far rules and staff agree, tries other rules, and exports"),
        (*_REVIEW, "screening.view_agreement", "screening.view_count", "screening.export_submission"),
    ),
    "auditor": Role(_("reads the log, and no answers"), ("screening.view_logline",)),
    "manager": Role(
        _("keeps the facts of the center, sees how it is doing; makes accounts, gives them roles, closes them"),
        ("screening.change_centerfacts", "screening.view_count", "auth.view_user", "auth.add_user", "auth.change_user"),
    ),
}


def roles_of(account: Any) -> str:
    """Return the roles of an account in words."""
    return gettext("all (superuser)") if account.is_superuser else ", ".join(map(str, account.groups.all()))


def sync(sender: AppConfig, using: str, apps: Any = all_apps, **kwargs: Any) -> None:
    """Make the groups and their permissions as ROLES says; remove every other group, with an audit entry per member.

    It runs after `migrate`. A migration of ours could not do it: Django creates permissions after all migrations.
    """
    try:
        group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
        apps.get_model("screening", "LogLine")
    except LookupError:
        return  # only some of the migrations were asked for
    for label in ("auth", "screening"):
        create_permissions(all_apps.get_app_config(label), verbosity=0, using=using, apps=apps)
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in permission_model.objects.using(using).select_related("content_type")
    }
    groups = group_model.objects.using(using)
    with transaction.atomic(using=using):
        for name, role in ROLES.items():
            group, _created = groups.get_or_create(name=name)
            group.permissions.set([known[permission] for permission in role.permissions])
        for group in groups.exclude(name__in=ROLES):
            for member in group.user_set.order_by("pk").values_list("username", flat=True):
                audit.record(Action.ACCOUNT, "manage.py", change="role_removed", account=member, roles=group.name[:50])
            group.delete()
