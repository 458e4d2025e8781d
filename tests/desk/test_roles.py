"""Permissions of every role on every page, method, action and field; what is missing from these tables fails."""

from collections.abc import Iterator
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django.utils.http import urlencode

from screening import audit
from screening.desk.roles import ROLES
from screening.desk.site import UNUSED
from screening.models import AccountChange, Contact, LogLine, Note, Review, StaffMember, Status, Submission
from tests.desk.helpers import PASSWORD, ask_for_call, form_of, submit
from tests.helpers import parse

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]

EVERYONE = "reviewer contact lead auditor manager nobody superuser"
CASE = "reviewer contact lead superuser"

# page -> method -> roles with access. "nobody" is staff without a role.
PAGES: dict[str, dict[str, str]] = {
    "index": {"GET": EVERYONE},
    "app_list": {"GET": EVERYONE},  # redirects to the front page
    "jsi18n": {"GET": EVERYONE},  # the admin's own translations
    "password_change": {"GET": EVERYONE, "POST": EVERYONE},
    "code": {"GET": EVERYONE, "POST": EVERYONE},
    "login": {"GET": EVERYONE, "POST": EVERYONE},
    "logout": {"POST": EVERYONE},
    "pulse": {"GET": EVERYONE, "POST": EVERYONE},  # of cases it tells a number alone, to who may see them
    "account": {"GET": EVERYONE, "POST": EVERYONE},
    "figures": {"GET": "lead manager superuser"},
    "figures_file": {"GET": "lead manager superuser"},
    "unsafe": {"GET": "lead superuser", "POST": "lead superuser"},
    "assisted": {"GET": CASE, "POST": CASE},
    "slip": {"GET": CASE},
    "center": {"GET": "manager superuser", "POST": "manager superuser"},
    "center_step": {"GET": "manager superuser", "POST": "manager superuser"},
    "screening_submission_changelist": {"GET": CASE, "POST": CASE},
    "screening_submission_change": {"GET": CASE, "POST": CASE},
    "screening_submission_print": {"GET": CASE},
    "screening_submission_reveal": {"GET": "contact superuser", "POST": "contact superuser"},
    "screening_submission_withdraw": {"GET": "contact superuser", "POST": "contact superuser"},
    "screening_submission_attempt": {"GET": "contact superuser", "POST": "contact superuser"},
    "screening_submission_strike_out": {"GET": CASE, "POST": CASE},
    "screening_submission_export": {"GET": "lead superuser", "POST": "lead superuser"},
    "screening_submission_columns": {"GET": "lead superuser"},
    "screening_logline_changelist": {"GET": "auditor superuser", "POST": "auditor superuser"},  # a POST changes nothing
    "auth_user_changelist": {"GET": "manager superuser", "POST": "manager superuser"},
    "auth_user_add": {"GET": "manager superuser", "POST": "manager superuser"},
    "auth_user_change": {"GET": "manager superuser", "POST": "manager superuser"},
    "auth_user_password_change": {"GET": "manager superuser", "POST": "manager superuser"},
    "auth_user_close": {"GET": "manager superuser", "POST": "manager superuser"},
    "auth_user_open": {"GET": "manager superuser", "POST": "manager superuser"},
    "auth_user_reset": {"GET": "manager superuser", "POST": "manager superuser"},
    "auth_user_seen": {"GET": "manager superuser", "POST": "manager superuser"},
    "auth_user_unlock": {"GET": "manager superuser", "POST": "manager superuser"},
}

# model -> permission -> roles that have it
MODELS: dict[str, dict[str, str]] = {
    "submission": {
        "view": CASE,
        "add": CASE,
        "change": CASE,
        "export_submission": "lead superuser",
        "view_agreement": "lead superuser",
    },
    "contact": {"view": "contact superuser", "delete": "contact superuser"},
    "note": {"view": CASE, "add": CASE},
    "review": {"view": "reviewer lead superuser", "add": "reviewer lead superuser"},
    "logline": {"view": "auditor superuser"},
    "count": {"view": "lead manager superuser"},
    "centerfacts": {"change": "manager superuser"},
    "user": {
        "view": "manager superuser",
        "add": "manager superuser",
        "change": "manager superuser",
        "delete": "superuser",
    },
    # Models without a page:
    "canary": {},
    "jobrun": {},
    "phone": {},
    "recoverycode": {},
    "staffmember": {},
    "accountchange": {},
    "loghead": {},
    "loglink": {},
    "notification": {},
    "try": {},
    "reply": {},
    "unsaferesult": {},
    "blindpilot": {},
    "erasurecount": {},
    "ratelimitwindow": {},
    "ratelimitcount": {},
}

ACTIONS = {"assign_to_me": CASE, "begin": CASE, "wait": CASE}

ACCOUNT = {"username", "first_name", "last_name", "email", "groups"}
NEW_PASSWORD = {"password1", "password2"}
NEW_ACCOUNT = ACCOUNT | NEW_PASSWORD
DECIDE = {"status", "outcome", "next_step", "next_at", "assigned_to", "reply", "seen", "unsafe_reason"}
# page -> role -> the fields that the role can set
FIELDS: dict[str, dict[str, set[str]]] = {
    "screening_submission_change": {
        "reviewer": {*DECIDE, "notes-0-text", "reviews-0-program", "reviews-0-reason"},
        "contact": {*DECIDE, "notes-0-text"},
        "lead": {*DECIDE, "notes-0-text", "reviews-0-program", "reviews-0-reason"},
        "superuser": {*DECIDE, "notes-0-text", "reviews-0-program", "reviews-0-reason"},
    },
    "auth_user_change": {"manager": ACCOUNT, "superuser": ACCOUNT},
    "auth_user_add": {"manager": NEW_ACCOUNT, "superuser": NEW_ACCOUNT},
    "auth_user_password_change": {"manager": NEW_PASSWORD, "superuser": NEW_PASSWORD},
    "account": {role: {"mail"} for role in EVERYONE.split()},  # and a code, with a second factor
    "password_change": {role: {"old_password", "new_password1", "new_password2"} for role in EVERYONE.split()},
    "screening_submission_export": {
        "lead": {"format", "purpose", "confirm"},
        "superuser": {"format", "purpose", "confirm"},
    },
}

# text on the page of a case -> the roles that see it
SHOWN = {
    "Urgency": CASE,
    "Answers": CASE,
    "Result, as the person was told": CASE,
    "History": CASE,
    "Notes": CASE,
    "Reviews": "reviewer lead superuser",
    "Best time": "contact superuser",
    "Reveal name and number": "contact superuser",
    "A colleague with the role": "reviewer lead",
}


def names(patterns: Any) -> set[str]:
    collected = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            collected |= names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            collected.add(pattern.name)
    return collected


@pytest.fixture(scope="module")
def session_keys(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, str]]:
    """Create an account for each role, signed in, once for the module; return role -> session key.

    Each test runs in a savepoint within this transaction, and rolls back to it.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        User.objects.create_user("leaver", is_staff=True)
        keys = {}
        for role in EVERYONE.split():
            user = User.objects.create_user(role, f"{role}@clinic.example", PASSWORD, is_staff=True)
            User.objects.filter(pk=user.pk).update(is_superuser=role == "superuser")
            user.groups.set(Group.objects.filter(name="clinical lead" if role == "lead" else role))
            client = Client()
            client.force_login(user)
            keys[role] = str(client.session.session_key)
        yield keys
        transaction.set_rollback(True)


@pytest.fixture
def staff(session_keys: dict[str, str], db: None) -> dict[str, Client]:
    """A client for each role, signed in."""
    clients = {role: Client() for role in session_keys}
    for role, client in clients.items():
        client.cookies[settings.SESSION_COOKIE_NAME] = session_keys[role]
    return clients


@pytest.fixture
def row() -> Submission:
    made = submit()
    ask_for_call(made, best_time="noon")
    return made


OF_A_CASE = {
    f"screening_submission_{name}" for name in ["change", "print", "reveal", "withdraw", "attempt", "strike_out"]
}


def address(page: str, row: Submission) -> str:
    if page.startswith("auth_user_") and page not in ("auth_user_changelist", "auth_user_add"):
        return reverse(f"admin:{page}", args=[User.objects.get(username="leaver").pk])
    if page in OF_A_CASE:
        return reverse(f"admin:{page}", args=[row.pk])
    return reverse(f"admin:{page}", args={"app_list": ["screening"], "center_step": ["hours"]}.get(page, []))


def test_every_role_is_in_the_table() -> None:
    in_table = {"clinical lead" if role == "lead" else role for role in EVERYONE.split()}
    assert in_table == {*ROLES, "nobody", "superuser"}


def test_every_page_of_the_desk_is_in_the_table() -> None:
    desk = next(part for part in get_resolver().url_patterns if getattr(part, "namespace", "") == "admin")
    assert names(desk.url_patterns) == set(PAGES)


def test_every_model_is_in_the_table_with_every_right_that_there_is() -> None:
    from django.apps import apps

    models = [*apps.get_app_config("screening").get_models(), User]
    rights = {
        model._meta.model_name: {*model._meta.default_permissions, *(name for name, _words in model._meta.permissions)}
        for model in models
    }
    assert rights == {model: set(table) for model, table in MODELS.items()}
    assert {model._meta.model_name for model in admin.site._registry} == {"submission", "logline", "user"}


def test_roles_are_made_with_the_database_and_have_these_rights(staff: dict[str, Client]) -> None:
    assert {group.name for group in Group.objects.all()} == set(ROLES)
    for role in EVERYONE.split():
        user = User.objects.get(username=role)
        for model, table in MODELS.items():
            for right, who in table.items():
                app = "auth" if model == "user" else "screening"
                codename = right if "_" in right else f"{right}_{model}"
                assert user.has_perm(f"{app}.{codename}") == (role in who.split()), (role, codename)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_open_to_these_roles_and_to_no_other(name: str, staff: dict[str, Client], row: Submission) -> None:
    for method, who in PAGES[name].items():
        for role, client in staff.items():
            logged, before = LogLine.objects.count(), state()
            response = (client.get if method == "GET" else client.post)(address(name, row))
            if role in who.split():
                assert response.status_code in (200, 204, 302, 422), (name, method, role)
                assert "/admin/login/" not in response.get("Location", "")
            else:
                assert response.status_code == 403, (name, method, role)
                assert state() == before
                line = LogLine.objects.first()
                assert (LogLine.objects.count(), line.actor, line.action) == (logged + 1, role, "refused")
                assert name in line.detail
            if "withdraw" not in name and not name.startswith("auth_user_"):
                assert state() == before  # nothing was sent that could change data
    if name.endswith("_reveal"):
        assert {line.actor for line in LogLine.objects.filter(action="revealed")} == {"contact", "superuser"}


def state() -> list[Any]:
    """Return all that a forbidden request must not change."""
    return [
        *Submission.objects.values_list("status", "outcome", "assigned_to", "wants_call"),
        Note.objects.count(),
        Review.objects.count(),
        Contact.objects.count(),
        *AccountChange.objects.values_list("account", "seen_by"),
        *StaffMember.objects.values_list("account", "password_is_temporary", "mail_when_assigned"),
        *User.objects.order_by("pk").values_list("username", "is_active", "is_superuser", "password"),
        *User.objects.order_by("pk").values_list("username", "groups"),
    ]


def test_signed_out_nobody_sees_any_page(row: Submission, staff: dict[str, Client]) -> None:
    before = state()
    for page in set(PAGES) - {"login", "logout"}:
        for request in (Client().get, Client().post):
            response = request(address(page, row))
            assert response.status_code == 403 or response.url.startswith("/admin/login/"), page
            assert "405" not in response.content.decode()
    assert state() == before


@pytest.mark.parametrize("name", sorted(set(PAGES) - {"login", "logout"}))
@pytest.mark.parametrize("lacking", ["second factor", "own password"])
def test_session_that_lacks_something_opens_no_page(
    lacking: str, name: str, staff: dict[str, Client], row: Submission, settings: Any
) -> None:
    """Neither one with the password alone, nor one whose password a manager chose."""
    client, leaver = staff["superuser"], User.objects.get(username="leaver")
    if lacking == "own password":
        StaffMember.objects.create(account=User.objects.get(username="superuser"), password_is_temporary=True)
    settings.SECOND_FACTOR = lacking == "second factor"
    before = state()
    way_on = {"second factor": "code", "own password": "password_change"}[lacking]
    for request in (client.get, client.post):
        response = request(address(name, row))
        if name == way_on:
            assert response.status_code in (200, 422)
        elif lacking == "own password":
            assert (response.status_code, response.headers["Location"]) == (302, "/admin/password_change/")
        else:
            assert response.status_code == 403 or response.headers["Location"].startswith("/admin/login/")
        assert row.reference not in response.content.decode()
        assert leaver.username not in response.content.decode()
    assert state() == before


def test_every_action_is_in_the_table_and_refused_to_others(staff: dict[str, Client], row: Submission) -> None:
    for model, model_admin in admin.site._registry.items():
        expected = set(ACTIONS) if model is Submission else set()
        assert {name for _function, name, _words in model_admin._get_base_actions()} - {"delete_selected"} == expected
    for role, client in staff.items():
        for action, who in ACTIONS.items():
            Submission.objects.update(status=Status.NEW, assigned_to=None, opened_at=timezone.now())
            before = state()
            sent = {"action": action, "_selected_action": [row.pk], "confirm": "yes"}
            client.post(reverse("admin:screening_submission_changelist"), sent)
            assert (state() != before) == (role in who.split()), (role, action)


def test_nothing_is_deleted_by_a_crafted_action(staff: dict[str, Client], row: Submission) -> None:
    leaver, line = User.objects.get(username="leaver"), audit.record(audit.Action.FRONT_PAGE, "someone")
    for client in staff.values():
        for page, target in (("screening_submission", row), ("auth_user", leaver), ("screening_logline", line)):
            sent = {"action": "delete_selected", "_selected_action": [target.pk], "post": "yes"}
            client.post(reverse(f"admin:{page}_changelist"), sent)
    for target in (row, leaver, line):
        target.refresh_from_db()
    assert User.objects.count() == len(EVERYONE.split()) + 1


@pytest.mark.parametrize("name", FIELDS)
def test_page_has_these_fields_for_these_roles(name: str, staff: dict[str, Client], row: Submission) -> None:
    assert " ".join(FIELDS[name]) == PAGES[name]["GET"]
    for role, expected in FIELDS[name].items():
        html = parse(staff[role].get(address(name, row)))
        fields = html.select("#content-main form [name]")
        names_in_form = {str(each["name"]) for each in fields if each.get("type") not in ("submit",)}
        ours = {
            each for each in names_in_form if not each.startswith(("_", "csrf", "initial-")) and "_FORMS" not in each
        }
        ours -= {f"{each}-0-{key}" for each in ("notes", "reviews") for key in ("id", "submission")}
        ours = {each for each in ours if "__prefix__" not in each}
        assert ours == expected, role


def test_fields_that_a_role_does_not_have_are_not_taken_from_a_crafted_form(
    staff: dict[str, Client], row: Submission
) -> None:
    sent = form_of(staff["contact"], row) | {
        "reviews-TOTAL_FORMS": "1",
        "reviews-INITIAL_FORMS": "0",
        "reviews-0-program": "iop",
        "reviews-0-reason": "Crafted.",
        "touched_by": "1",
        "wants_call": "",
        "reference": "BCDFGHJK",
        "program": "inpatient",
        "blind": "on",
    }
    before = Submission.objects.values("reference", "program", "blind", "wants_call").get()
    assert staff["contact"].post(address("screening_submission_change", row), sent).status_code == 302
    assert not Review.objects.exists()
    assert Submission.objects.values(*before).get() == before


def test_case_shows_each_role_what_it_is_meant_to_see(staff: dict[str, Client], row: Submission) -> None:
    author = User.objects.get(username="nobody")
    Note.objects.create(submission=row, text="Will come.", author=author)
    Review.objects.create(submission=row, program="iop", agrees=True, author=author)
    for role in CASE.split():
        html = staff[role].get(address("screening_submission_change", row)).content.decode()
        page = BeautifulSoup(html, "lxml")
        heads = " ".join(head.text for head in page.select("h2"))
        for words, who in SHOWN.items():
            where = heads if words in ("Notes", "Reviews", "Answers", "History", "Urgency") else page.text
            assert (words in where) == (role in who.split()), (role, words)
        assert "405 555 0123" not in html


# Accounts: a manager can't raise their own permissions


def test_manager_cannot_raise_anyone_or_themselves_above_the_roles(staff: dict[str, Client]) -> None:
    manager, owner = User.objects.get(username="manager"), User.objects.get(username="superuser")
    lead = Group.objects.get(name="clinical lead")
    crafted = {"username": "manager", "groups": [lead.pk], "is_superuser": "on", "user_permissions": ["1", "2"]}
    assert staff["manager"].post(f"/admin/auth/user/{manager.pk}/change/", crafted).status_code == 302
    assert [group.name for group in manager.groups.all()] == ["manager"]
    for page in ("change", "password", "close", "reset", "open", "unlock"):
        assert staff["manager"].post(f"/admin/auth/user/{owner.pk}/{page}/", crafted).status_code == 403
        assert staff["manager"].get(f"/admin/auth/user/{owner.pk}/{page}/").status_code == 403
    other = User.objects.get(username="nobody")
    crafted = {
        "username": "nobody",
        "groups": [lead.pk],
        "is_superuser": "on",
        "user_permissions": ["1"],
        "is_staff": "",
        "password": "x",
    }
    assert staff["manager"].post(f"/admin/auth/user/{other.pk}/change/", crafted).status_code == 302
    other.refresh_from_db()
    assert (other.is_superuser, other.is_staff, other.user_permissions.count()) == (False, True, 0)
    assert [*other.groups.all()] == [lead]
    assert other.check_password(PASSWORD)
    assert LogLine.objects.first().detail == "change=changed; account=nobody; roles=clinical lead"


def test_account_that_is_made_is_staff_with_the_roles_given_and_logged(staff: dict[str, Client]) -> None:
    sent = {
        "username": "newcomer",
        "password1": "x9!kfh3lq0f7",
        "password2": "x9!kfh3lq0f7",
        "groups": [Group.objects.get(name="contact").pk],
    }
    assert staff["manager"].post("/admin/auth/user/add/", sent).status_code == 302
    made = User.objects.get(username="newcomer")
    assert (made.is_staff, made.is_superuser) == (True, False)
    assert made.has_perm("screening.view_contact")
    assert LogLine.objects.first().detail == "change=created; account=newcomer; roles=contact"
    sent = {"password1": "another 9 one!", "password2": "another 9 one!"}
    assert staff["manager"].post(f"/admin/auth/user/{made.pk}/password/", sent).status_code == 302
    assert LogLine.objects.filter(detail="change=password_set; account=newcomer").count() == 1


def test_account_that_gets_another_name_is_logged_with_both_and_with_its_roles(staff: dict[str, Client]) -> None:
    account, long = User.objects.get(username="contact"), "a" * 150
    renamed = {"username": long, "groups": [role.pk for role in Group.objects.all()]}
    assert staff["manager"].post(f"/admin/auth/user/{account.pk}/change/", renamed).status_code == 302
    roles = "auditor,clinical lead,contact,manager,reviewer"
    assert LogLine.objects.first().detail == f"change=changed; account={long[:50]}; formerly=contact; roles={roles}"


@pytest.mark.parametrize("name", PAGES)
def test_stock_parameters_of_the_admin_change_no_page(name: str, staff: dict[str, Client], row: Submission) -> None:
    """Nor does any of them break one, in an address or in a form."""
    client, page = staff["superuser"], address(name, row)
    usual = client.get(page).status_code
    for value in ("", "id"):
        unused = dict.fromkeys(UNUSED, value)
        assert client.get(page, unused).status_code == usual
        assert client.post(f"{page}?{urlencode(unused)}", unused).status_code < 500
    for parameter in ("_addanother", "_continue", "_save", "e", "all", "o", "p"):
        assert client.get(page, {parameter: "\0"}).status_code in {usual, 302, 400}
        assert client.post(page, {parameter: "\0"}).status_code < 500
