"""The stock way to ask the same questions: formtools' wizard, crispy forms and Bootstrap, sessions in the database.

A site of its own in one file, served to benchmarks.pages; it has no check page, one short result page, and no headers,
languages, limits or encryption of ours.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import django
from django.conf import settings

FOLDER = Path(tempfile.mkdtemp())
PAGES = 6

BASE = """{% load crispy_forms_tags %}<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{% block title %}{% endblock %}</title>
<link rel="stylesheet" href="/static/bootstrap.min.css"></head><body><main class="container">
{% block main %}{% endblock %}</main></body></html>"""
STEP = """{% extends "base.html" %}{% load crispy_forms_tags %}
{% block title %}Step {{ wizard.steps.step1 }}{% endblock %}
{% block main %}<h1>Step {{ wizard.steps.step1 }} of {{ wizard.steps.count }}</h1><form method="post">{% csrf_token %}
{{ wizard.management_form }}{{ wizard.form|crispy }}
{% if wizard.steps.prev %}<button name="wizard_goto_step" value="{{ wizard.steps.prev }}">Back</button>{% endif %}
<button class="btn btn-primary">Continue</button></form>{% endblock %}"""
RESULT = """{% extends "base.html" %}{% block title %}Result{% endblock %}{% block main %}<h1>{{ result.program }}</h1>
<ul>{% for reason in result.reasons %}<li>{{ reason.text }}</li>{% endfor %}</ul>{% endblock %}"""

settings.configure(
    SECRET_KEY="only-for-the-benchmark-0123456789-0123456789-0123456789",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "wizard.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "crispy_forms",
        "crispy_bootstrap5",
        "formtools",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": False,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ],
                "loaders": [
                    (
                        "django.template.loaders.cached.Loader",
                        [
                            (
                                "django.template.loaders.locmem.Loader",
                                {"base.html": BASE, "step.html": STEP, "result.html": RESULT},
                            ),
                            "django.template.loaders.app_directories.Loader",
                        ],
                    )
                ],
            },
        }
    ],
    CRISPY_TEMPLATE_PACK="bootstrap5",
    CRISPY_ALLOWED_TEMPLATE_PACKS="bootstrap5",
    USE_TZ=True,
)
django.setup()

from django import forms
from django.core.management import call_command
from django.http import HttpResponse
from django.shortcuts import render
from django.test import Client
from django.urls import path
from django.utils.http import urlencode
from formtools.wizard.views import SessionWizardView

from benchmarks.measure import serve
from screening.questionnaire import QUESTIONS
from screening.rules import recommend
from tests.answers import CLOSE_CALL

KEYS = [list(QUESTIONS)[number::PAGES] for number in range(PAGES)]


def form_of(keys: list[str]) -> type[forms.Form]:
    fields = {
        key: forms.ChoiceField(
            label=QUESTIONS[key].text,
            help_text=QUESTIONS[key].hint,
            choices=list(QUESTIONS[key].options.items()),
            widget=forms.RadioSelect,
        )
        for key in keys
    }
    return type("StepForm", (forms.Form,), fields)


class Wizard(SessionWizardView):  # type: ignore[misc]
    template_name = "step.html"

    def done(self, form_list: Any, **kwargs: Any) -> HttpResponse:
        answers = {key: value for form in form_list for key, value in form.cleaned_data.items()}
        return render(self.request, "result.html", {"result": recommend(answers)})


urlpatterns = [path("", Wizard.as_view([form_of(keys) for keys in KEYS]))]


def journey(client: Client) -> None:
    client.cookies.clear()
    response = client.get("/")
    for number, keys in enumerate(KEYS):
        posted = {f"{number}-{key}": CLOSE_CALL[key] for key in keys} | {"wizard-current_step": str(number)}
        response = client.post("/", urlencode(posted), "application/x-www-form-urlencoded")
        assert response.status_code == 200
    assert "<ul><li>" in response.content.decode()


if __name__ == "__main__" and "--serve" in sys.argv:
    call_command("migrate", verbosity=0)
    anyone = Client(SERVER_NAME="localhost")
    serve({"journey": lambda: journey(anyone)})
