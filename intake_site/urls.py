"""Every address of the site."""

from typing import Any, cast

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path

from intake_site import health
from screening.public import (
    contact,
    error_pages,
    helping,
    how_it_works,
    privacy,
    questions,
    quick_exit,
    result,
    return_code,
)

# What a person reads is in each language, under its own prefix; English has none. The desk is in English.
urlpatterns = i18n_patterns(
    path("", questions.start, name="start"),
    path("questions/<slug:slug>/", questions.question, name="question"),
    path("check/", questions.check, name="check"),
    path("result/", result.result, name="result"),
    path("help/", questions.help_now, name="help"),
    path("helping/", helping.helping, name="helping"),
    path("return/", return_code.come_back, name="return"),
    path("erase/", return_code.erase, name="erase"),
    path("contact/", contact.contact, name="contact"),
    path("privacy/", privacy.privacy, name="privacy"),
    path("leave/", quick_exit.leave, name="leave"),
    path("how-it-works/", how_it_works.how_it_works, name="how_it_works"),
    path("paper/", how_it_works.on_paper, name="paper"),
    prefix_default_language=False,
)
urlpatterns += [
    path(".well-known/security.txt", privacy.security_txt, name="security_txt"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("rules.json", how_it_works.rules_json, name="rules_json"),
    path("fhir/Questionnaire", how_it_works.fhir_questionnaire, name="fhir_questionnaire"),
    path("admin/", admin.site.urls),
]

handler400 = error_pages.bad_request
handler403 = error_pages.forbidden
handler404 = error_pages.not_found
handler500 = error_pages.server_error


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token is missing or old, in the room that the form belongs to."""
    match = request.resolver_match
    if match and "admin" in match.app_names:
        stale: HttpResponse = cast(Any, admin.site).stale(request).render()
        return stale
    return error_pages.csrf_failure(request)
