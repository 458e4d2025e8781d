"""Every address of the site."""

from django.contrib import admin
from django.urls import path

from screening.public import contact, how_it_works, privacy, questions, quick_exit, return_code

urlpatterns = [
    path("", questions.start, name="start"),
    path("questions/<slug:slug>/", questions.question, name="question"),
    path("check/", questions.check, name="check"),
    path("result/", questions.result, name="result"),
    path("help/", questions.help_now, name="help"),
    path("return/", return_code.come_back, name="return"),
    path("erase/", return_code.erase, name="erase"),
    path("contact/", contact.contact, name="contact"),
    path("privacy/", privacy.privacy, name="privacy"),
    path(".well-known/security.txt", privacy.security_txt, name="security_txt"),
    path("leave/", quick_exit.leave, name="leave"),
    path("how-it-works/", how_it_works.how_it_works, name="how_it_works"),
    path("rules.json", how_it_works.rules_json, name="rules_json"),
    path("paper/", how_it_works.on_paper, name="paper"),
    path("admin/", admin.site.urls),
]

handler400 = questions.bad_request
handler403 = questions.forbidden
handler404 = questions.not_found
handler500 = questions.server_error
