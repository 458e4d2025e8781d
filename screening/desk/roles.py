"""Who may do what at the desk: a role is a group, and these are its rights. `migrate` makes them so, each time."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as all_apps
from django.contrib.auth.management import create_permissions
from django.utils.translation import gettext_lazy as _

_CASE = ("screening.view_submission", "screening.change_submission", "screening.view_note", "screening.add_note")
_REVIEW = (*_CASE, "screening.view_review", "screening.add_review")
ROLES: dict[str, tuple[str, ...]] = {
    "reviewer": _REVIEW,
    "contact": (*_CASE, "screening.view_contact", "screening.delete_contact"),
    "clinical lead": (
        *_REVIEW,
        "screening.view_agreement",
        "screening.replay_rules",
        "screening.export_submission",
    ),
    "auditor": ("screening.view_logline",),
    "manager": ("auth.view_user", "auth.add_user", "auth.change_user"),
}

MEANING = {
    "reviewer": _("reads submissions, takes notes, and judges which program is right"),
    "contact": _("reads submissions, takes notes, and sees how to reach the person"),
    "clinical lead": _("as reviewer; also sees how far rules and staff agree, asks other rules, and exports"),
    "auditor": _("reads the log, and no answers"),
    "manager": _("makes accounts, gives them roles, closes them"),
}


def make(sender: AppConfig, using: str, apps: Any = all_apps, **kwargs: Any) -> None:
    """After `migrate`: a migration of ours could not, as Django makes permissions only when all of them are done."""
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
    for name, rights in ROLES.items():
        group, _created = group_model.objects.using(using).get_or_create(name=name)
        group.permissions.set([known[right] for right in rights])
