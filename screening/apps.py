"""The one app: the questionnaire, the rules, the explanation and the review."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ScreeningConfig(AppConfig):
    name = "screening"

    def ready(self) -> None:
        from screening.desk import roles

        post_migrate.connect(roles.sync, sender=self)
