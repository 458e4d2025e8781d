"""The one app: the questionnaire, the rules, the explanation and the review."""

from django.apps import AppConfig


class ScreeningConfig(AppConfig):
    name = "screening"
