"""Roles and their groups: what `migrate` does with groups that the table of roles does not name."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client

from screening.desk import roles
from screening.desk.audit_log import detail_in_words
from screening.desk.roles import ROLES, Role
from screening.models import LogLine

pytestmark = pytest.mark.django_db


def sync() -> None:
    roles.sync(apps.get_app_config("screening"), using="default")


def test_renamed_role_takes_its_permissions_and_members_along_and_the_log_tells_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann, bob = (User.objects.create_user(name, is_staff=True) for name in ("ann", "bob"))
    ann.groups.set([Group.objects.get(name="auditor"), Group.objects.get(name="reviewer")])
    bob.groups.set([Group.objects.get(name="auditor")])
    renamed = {"log reader" if name == "auditor" else name: role for name, role in ROLES.items()}
    monkeypatch.setattr(roles, "ROLES", renamed)
    sync()
    assert {group.name for group in Group.objects.all()} == set(renamed)
    assert not User.objects.get(username="ann").has_perm("screening.view_logline")
    assert User.objects.get(username="ann").has_perm("screening.view_submission")
    entries = [
        "change=role_removed; account=ann; roles=auditor",
        "change=role_removed; account=bob; roles=auditor",
    ]
    assert [*LogLine.objects.order_by("number").values_list("detail", flat=True)] == entries
    words = "change: role no longer exists; account: ann; roles: auditor"
    assert detail_in_words(LogLine.objects.earliest("number")) == words
    sync()
    assert LogLine.objects.count() == 2, "a second time there is nothing to do"


def test_permissions_that_someone_gave_to_a_role_are_gone_after_migrate() -> None:
    group = Group.objects.get(name="auditor")
    group.permissions.add(Permission.objects.get(codename="view_contact"))
    Group.objects.create(name="made by hand").permissions.add(Permission.objects.get(codename="view_contact"))
    call_command("migrate", verbosity=0)
    assert [permission.codename for permission in group.permissions.all()] == ["view_logline"]
    assert {group.name for group in Group.objects.all()} == set(ROLES)


@pytest.mark.parametrize(("meaning", "permissions"), [("", ("auth.view_user",)), (" ", ("auth.view_user",)), ("x", ())])
def test_role_without_a_meaning_or_permissions_cannot_be_declared(meaning: str, permissions: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="needs a meaning and permissions"):
        Role(meaning, permissions)
    with pytest.raises(TypeError):
        Role(permissions=permissions)  # type: ignore[call-arg]


def test_each_role_is_offered_with_its_meaning(staff_client: Client) -> None:
    page: Any = staff_client.get("/admin/auth/user/add/").content.decode()
    for name, role in ROLES.items():
        assert f"{name}: {role.meaning}" in page
