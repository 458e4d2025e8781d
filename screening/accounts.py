"""Accounts of the staff: who leaves loses access at once, and who does not come for long."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from screening import audit
from screening.audit import What
from screening.models import OPEN, Submission

UNUSED = timedelta(days=90)


def unused() -> QuerySet[User]:
    """Accounts that nobody has signed in with for long."""
    since = timezone.now() - UNUSED
    never = Q(last_login=None, date_joined__lt=since)
    return User.objects.filter(Q(last_login__lt=since) | never, is_active=True)


def close(account: User, by: Any, why: str = "") -> None:
    """At once: the next request of an open session is refused. The cases of this account are nobody's again."""
    with transaction.atomic():
        account.is_active = False
        account.set_unusable_password()
        account.save(update_fields=["is_active", "password"])
        reset_second_factor(account)
        audit.record(What.ACCOUNT, by, detail=f"closed {account.get_username()}{why}")
        mine = Submission.objects.select_for_update().filter(assigned_to=account, rank__in=OPEN)
        for reference in list(mine.order_by("pk").values_list("reference", flat=True)):
            audit.record(What.CHANGED, by, reference, "assigned_to: nobody")
        mine.update(assigned_to=None)


def open_again(account: User, by: Any) -> None:
    """With a new password to be set, and a second factor to be set up anew."""
    with transaction.atomic():
        account.is_active, account.last_login = True, timezone.now()
        account.save(update_fields=["is_active", "last_login"])
        audit.record(What.ACCOUNT, by, detail=f"opened {account.get_username()} again")


def close_unused() -> int:
    """Closes what nobody has used for long, and says how many."""
    count = 0
    for account in unused():
        close(account, "", ": unused")
        count += 1
    return count


def reset_second_factor(account: User) -> None:
    """For who has lost phone and recovery codes: the next sign-in sets up new ones."""
    for kind in (TOTPDevice, StaticDevice):
        kind.objects.filter(user=account).delete()
