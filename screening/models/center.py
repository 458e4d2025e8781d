"""What the managers of the center have told of it."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class CenterFacts(models.Model):
    """The facts of the center as they were after a change; the newest row is in force, and none is changed."""

    facts = models.JSONField(default=dict)  # see screening/center.py
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("change",)
        ordering = ("pk",)
        verbose_name = verbose_name_plural = _("facts of the center")

    def __str__(self) -> str:
        return f"{self.told_at:%Y-%m-%d %H:%M}"
