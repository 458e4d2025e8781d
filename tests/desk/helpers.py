"""What the tests of the desk share: submissions, accounts, and a case as its page shows and saves it."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP

from screening.models import Contact, Phone, Submission
from tests.answers import IOP
from tests.helpers import overwrite, parse

PASSWORD = "a long enough one"
CASES, LOGIN, CODE = "/admin/screening/submission/", "/admin/login/", "/admin/code/"


def submit(given: dict[str, str] = IOP, *, call: bool = False, **columns: Any) -> Submission:
    """Save a submission, with a request for a call if `call`; then overwrite the columns named."""
    made = Submission.objects.submit(given)
    if call:
        ask_for_call(made)
    if columns:
        overwrite(made, **({"due_at": None} if columns.get("status") == "closed" else {}) | columns)
    made.refresh_from_db()
    return made


def due_of(case: Submission) -> datetime:
    """Return when an open case is due."""
    assert case.due_at
    return case.due_at


def ask_for_call(submission: Submission, **details: Any) -> Contact:
    defaults = {"phone": "405 555 0123", "may_text": True, "may_voicemail": True, "consent": "Yes."}
    return Contact.objects.create(submission=submission, **(defaults | details))


def member(name: str, *roles: str) -> User:
    """Create an account of the staff with these roles."""
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def member_with_permissions(name: str, *codenames: str) -> User:
    """Create an account of the staff with these permissions and no role."""
    user = member(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def superuser(name: str) -> User:
    return User.objects.create_superuser(name, password=PASSWORD)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def password(client: Client, name: str = "ann", word: str = PASSWORD, **more: str) -> Any:
    """Send the form of the sign-in page."""
    return client.post(LOGIN, {"username": name, "password": word, **more})


def now(device: Phone, steps: int = 0) -> str:
    """Return the code of the phone, this many steps of 30 seconds from now."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = timezone.now().timestamp() + 30 * steps
    return f"{totp.token():06}"


def enrolled(client: Client, user: User, word: str = PASSWORD) -> list[str]:
    """Set up the second factor, as at a first sign-in; return the recovery codes."""
    password(client, user.username, word)
    client.get(CODE)
    page = client.post(CODE, {"code": now(Phone.objects.get(user=user))})
    return [code.text for code in parse(page).select(".recovery-codes code")]


def url_of(case: Submission, page: str = "change") -> str:
    return f"{CASES}{case.pk}/{page}/"


def listed(client: Client, query: str = "") -> list[str]:
    """Return the references in the list of submissions, from top to bottom."""
    return [link.text for link in parse(client.get(CASES + query)).select("#result_list tbody th a")]


def form_of(client: Client, case: Submission) -> dict[str, str]:
    """Return what a browser sends from the page of a case where nothing was typed."""
    sent = {}
    for field in parse(client.get(url_of(case))).select("#submission_form [name]"):
        if field.name == "select":
            chosen = field.select_one("option[selected]")
            sent[str(field["name"])] = str(chosen["value"]) if chosen else ""
        elif field.get("type") not in ("submit", "checkbox"):
            sent[str(field["name"])] = str(field.get("value", ""))
    return sent


def send(client: Client, case: Submission, form: dict[str, str], **typed: str) -> Any:
    """Post this form of a case with these fields typed, where "__" stands for "-"; then read the case again."""
    response = client.post(url_of(case), form | {key.replace("__", "-"): text for key, text in typed.items()})
    case.refresh_from_db()
    return response


def save(client: Client, case: Submission, **typed: str) -> Any:
    """Send the form of a case as its page shows it now."""
    return send(client, case, form_of(client, case), **typed)
