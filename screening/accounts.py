"""Accounts of the staff: closing and reopening them, unlocking them, and resetting a second factor."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from screening import audit, clock, erased, notifications, rate_limits
from screening.models import AccountChange, Action, Notification, Phone, RecoveryCode, Submission

UNUSED_AFTER = timedelta(days=90)


def unused_accounts() -> QuerySet[User]:
    """Open accounts that nobody has signed in with for UNUSED_AFTER."""
    since = timezone.now() - UNUSED_AFTER
    never = Q(last_login=None, date_joined__lt=since)
    return User.objects.filter(Q(last_login__lt=since) | never, is_active=True)


def lock(staff: Any, *others: Any) -> None:
    """Lock the accounts that a change of cases will refer to, before it locks the cases: in one order, no deadlock.

    Raise PermissionDenied if the account of the staff member who changes them was closed meanwhile.
    """
    wanted = {staff.pk, *others}
    locked = dict(User.objects.select_for_update().filter(pk__in=wanted).order_by("pk").values_list("pk", "is_active"))
    if not locked.get(staff.pk):
        raise PermissionDenied


def close(account: User, actor: Any, reason: str = "asked") -> None:
    """Close an account: the next request of an open session is refused, and its cases are unassigned.

    `reason` is a key for the log, "asked", "unused" or "restored".
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=account.pk)  # before its cases, as in `lock`
        if account.is_active and account.has_perm(notifications.MANAGES):
            tell_managers(AccountChange.Kind.NO_MANAGER, account, actor)
        erased.note(erased.ACCOUNT, [account.get_username()])
        account.is_active = False
        account.set_unusable_password()
        account.save(update_fields=["is_active", "password"])
        _delete_devices(account)
        audit.record(Action.ACCOUNT, actor, change="closed", account=account.get_username(), reason=reason)
        unassign(account, actor)


def unassign(account: User, actor: Any) -> None:
    """Make the open cases of an account nobody's."""
    cases = Submission.objects.select_for_update().filter(assigned_to=account, due_at__isnull=False).order_by("pk")
    for reference in list(cases.values_list("reference", flat=True)):
        audit.record(Action.CHANGED, actor, reference, assigned_to="")
    cases.order_by().update(assigned_to=None, newly_assigned=False)


def reopen(account: User, actor: Any) -> None:
    """Open a closed account; it needs a new password, and sets up its second factor anew."""
    with transaction.atomic():
        account.is_active, account.last_login = True, timezone.now()
        account.save(update_fields=["is_active", "last_login"])
        audit.record(Action.ACCOUNT, actor, change="reopened", account=account.get_username())


def close_unused() -> int:
    """Close the accounts that nobody uses; return how many. Several processes may do so at once."""
    return sum(close_if_unused(pk) for pk in unused_accounts().values_list("pk", flat=True))


def is_unused(account: User) -> bool:
    """Whether nobody has signed in for UNUSED_AFTER; never while the clock may be wrong."""
    return unused_accounts().filter(pk=account.pk).exists() and not clock.has_jumped()


def close_if_unused(pk: int) -> bool:
    with transaction.atomic():
        account = unused_accounts().select_for_update().filter(pk=pk).first()
        if account:
            close(account, "", "unused")
        return account is not None


def reset_second_factor(account: User, actor: Any) -> None:
    """Delete a lost phone and its recovery codes: the next sign-in sets up new ones."""
    with transaction.atomic():
        _delete_devices(account)
        tell_managers(AccountChange.Kind.SECOND_FACTOR, account, actor)
        audit.record(Action.ACCOUNT, actor, change="second_factor_reset", account=account.get_username())


def tell_managers(kind: AccountChange.Kind, account: User, actor: Any, roles: str = "", to: Any = None) -> None:
    """Mail this change to all managers, and keep it until another one has seen it; not what the terminal did."""
    if isinstance(actor, User):
        change = AccountChange.objects.create(kind=kind, account=account, by=actor, roles=roles)
        text = gettext("%(change)s %(who)s did this. If it is not right, undo it, and ask them.")
        notifications.notify_managers(Notification.Reason.ACCOUNT, text % {"change": change, "who": actor}, to)


def _unseen() -> list[tuple[AccountChange, set[int]]]:
    """Return the changes that nobody has seen, each with the managers who may say that they have.

    Whoever did it may not, nor whose account it is, nor a manager whom nobody else has seen yet: it may be the same
    person. If there is no other manager, the last may all the same.
    """
    unseen = [*AccountChange.objects.filter(seen_by=None).select_related("account", "by")]
    there = set(notifications.managers().values_list("pk", flat=True)) if unseen else set()
    new = {each.account_id for each in unseen if each.kind in (AccountChange.Kind.ROLES, AccountChange.Kind.PASSWORD)}
    others = [(change, there - {change.by_id, change.account_id}) for change in unseen]
    return [(change, (able - new) or able) for change, able in others]


def changes_to_see(staff: Any) -> list[AccountChange]:
    """Return the changes that this manager has to see."""
    return [change for change, able in _unseen() if staff.pk in able]


def changes_nobody_sees(staff: Any) -> list[AccountChange]:
    """Return what this manager changed, and there is no other manager to see."""
    return [change for change, able in _unseen() if change.by_id == staff.pk and not able]


def is_locked(account: User) -> bool:
    """Whether wrong passwords or codes keep the account from signing in, from some address."""
    phones = Phone.objects.filter(user=account)
    return rate_limits.is_used_up(account.get_username()) or not all(each.verify_is_allowed()[0] for each in phones)


def unlock(account: User, actor: Any) -> None:
    """Forget the wrong passwords and codes of an account; those of an address still count."""
    with transaction.atomic():
        rate_limits.counts_of(account.get_username()).delete()
        Phone.objects.filter(user=account).update(throttling_failure_timestamp=None, throttling_failure_count=0)
        audit.record(Action.ACCOUNT, actor, change="unlocked", account=account.get_username())


def _delete_devices(account: User) -> None:
    Phone.objects.filter(user=account).delete()
    RecoveryCode.objects.filter(account=account).delete()
