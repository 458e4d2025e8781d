"""The second factor of staff: a phone, and recovery codes. The database holds both only under DATA_KEYS."""

import secrets
import time
from base64 import b32encode
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from screening.encryption import lookup_data, lookup_texts

PHONE, RECOVERY_CODE = "phone", "recovery code"  # the uses of their keys
RECOVERY_CODES = 10


class Phone(TOTPDevice):  # type: ignore[misc] # django-otp has no types
    """django-otp's device, whose column `key` holds the encrypted key."""

    class Meta:
        proxy = True
        default_permissions = ()

    @property
    def bin_key(self) -> bytes:
        return lookup_data(PHONE, self.key)

    @classmethod
    def new(cls, account: Any) -> Any:
        """Make a phone with a new key, not yet confirmed."""
        key = lookup_texts(PHONE, secrets.token_bytes(20))[0]
        return cls.objects.create(user=account, name="phone", confirmed=False, key=key)

    def shows(self, code: str) -> bool:
        """Whether the phone shows this code now; the code stays good."""
        totp = TOTP(self.bin_key, self.step, self.t0, self.digits, self.drift)
        totp.time = time.time()
        return code.isascii() and code.isdigit() and bool(totp.verify(int(code), self.tolerance))


class RecoveryCode(models.Model):
    """A code that is good for one sign-in without the phone."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    code = models.CharField(max_length=96, unique=True)  # encrypted, so that it can be looked up

    class Meta:
        default_permissions = ()
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")

    def __str__(self) -> str:
        return str(self.pk)

    @staticmethod
    def renew(account: Any) -> list[str]:
        """Replace the account's codes by new ones, and return these."""
        RecoveryCode.objects.filter(account=account).delete()
        codes = [b32encode(secrets.token_bytes(5)).decode().lower() for _place in range(RECOVERY_CODES)]
        RecoveryCode.objects.bulk_create(RecoveryCode(account=account, code=_texts(account, code)[0]) for code in codes)
        return codes

    @staticmethod
    def use(account: Any, code: str) -> bool:
        """Use up a code; return whether it was one of the account's."""
        deleted, _rows = RecoveryCode.objects.filter(account=account, code__in=_texts(account, code)).delete()
        return deleted > 0


def _texts(account: Any, code: str) -> list[str]:
    return lookup_texts(RECOVERY_CODE, f"{account.pk} {code}".encode())
