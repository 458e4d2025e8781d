"""Every address of the site."""

from django.contrib import admin
from django.urls import path

from screening import coming_back, contact, leaving, privacy, reference, views

urlpatterns = [
    path("", views.start, name="start"),
    path("questions/<slug:slug>/", views.question, name="question"),
    path("check/", views.check, name="check"),
    path("result/", views.result, name="result"),
    path("help/", views.help_now, name="help"),
    path("return/", coming_back.come_back, name="return"),
    path("erase/", coming_back.erase, name="erase"),
    path("contact/", contact.contact, name="contact"),
    path("privacy/", privacy.privacy, name="privacy"),
    path(".well-known/security.txt", privacy.security_txt, name="security_txt"),
    path("leave/", leaving.leave, name="leave"),
    path("how-it-works/", reference.how_it_works, name="how_it_works"),
    path("rules.json", reference.rules_json, name="rules_json"),
    path("paper/", reference.on_paper, name="paper"),
    path("admin/", admin.site.urls),
]

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.server_error
