"""The request for a call: separate from the screening, with a consent of its own."""

import logging
import re
from functools import partial
from itertools import islice
from typing import Any

from django import forms
from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy as _
from django.views.decorators.http import require_http_methods

from screening import center, counts, reference_numbers, requests, retention, return_codes, rules
from screening.database import look_again
from screening.draft import Draft, Finished
from screening.explanation import lines_for
from screening.models import Contact, Submission, Urgency
from screening.public.questions import shown
from screening.public.saved import opened
from screening.questionnaire import first_gap, known
from screening.typed import typed

log = logging.getLogger(__name__)

NOT_KEPT = _("We can’t keep this right now. What you typed is still here. Try again in a few minutes.")
NOT_WITHDRAWN = _("We can’t be sure that this is erased. Please try again in a few minutes, or call us.")
NOTHING_SAVED = _(
    "We can’t keep this: your answers are not saved here, or not any more. What you typed is still here. In another "
    "tab, save your answers or use your code. Then send this once more."
)
WITHDRAWN = _("Your request is cancelled, and what you wrote is erased.")
DOWN = _("We can’t take this right now. Please try again in a few minutes, or call us.")


def consent_words() -> str:
    """Return what a person agrees to; it is stored with their request."""
    consent = gettext(
        "I agree that %(center)s may use what I wrote here to reach me about getting help. Its staff can read the "
        "answers that I saved. I can take this back at any time, with my code."
    )
    return consent % {"center": center.facts().name or gettext("The center")}


WINDOWS = 5  # times that can be chosen
TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # marks that turn the direction of text


class ContactForm(forms.ModelForm):
    """Everything is optional except the consent and either phone or e-mail.

    The form asks the browser not to fill it in, and so no field names its purpose (WCAG 1.3.5): on a shared phone,
    what one person wrote would be kept and offered to the next.
    """

    use_required_attribute = False
    field_order = ("name", "phone", "may_text", "may_voicemail", "email", "window")

    name = forms.CharField(label=_("Your name, or what to call you"), max_length=100, required=False)
    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False, widget=forms.TextInput(attrs={"type": "tel"})
    )
    may_text = forms.BooleanField(label=_("You may text this number"), required=False)
    may_voicemail = forms.BooleanField(label=_("You may leave a voicemail"), required=False)
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        help_text=_("Only if nobody else reads it."),
        error_messages={"invalid": _("Write an e-mail address in full, like name@example.com.")},
    )
    window = forms.ChoiceField(label=_("When should we call?"), required=False, widget=forms.RadioSelect)
    best_time = forms.CharField(
        label=_("Best time to reach you"), max_length=200, required=False, help_text=_("For example: weekdays after 5.")
    )
    to_others = forms.CharField(
        label=_("If someone else answers, what should we say?"),
        max_length=200,
        required=False,
        help_text=_(
            "For example: “Say you’re calling from the library.” If you leave this empty, our staff is told to say "
            "nothing."
        ),
    )
    agree = forms.BooleanField(error_messages={"required": _("Tick the box if you agree. Without it we may not call.")})

    class Meta:
        model = Contact
        fields = ("name", "phone", "may_text", "may_voicemail", "email", "best_time", "to_others")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.CharField):
                words = {"field": field.label, "most": field.max_length}
                field.error_messages |= {
                    "max_length": gettext("Write less in “%(field)s”: at most %(most)s characters.") % words,
                    "null_characters_not_allowed": gettext(
                        "“%(field)s” holds a hidden sign that we can’t keep. Clear the field and type it again."
                    )
                    % words,
                }
        self.fields["agree"].label = consent_words()
        windows = [*islice(center.facts().call_windows(), WINDOWS)]
        chooser: Any = self.fields["window"]
        chooser.choices = [("", _("As soon as you can")), *((key, capfirst(words)) for key, words, _at in windows)]
        chooser.error_messages["invalid_choice"] = _("This time is over, or was changed. Choose again.")
        with translation.override(settings.LANGUAGE_CODE):  # for staff, who are told the time that was chosen
            in_english = islice(center.facts().call_windows(), WINDOWS)
            self.starts = {key: (words, at) for key, words, at in in_english}

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        digits = re.sub(r"\D", "", phone)
        if phone and not 10 <= len(digits) <= 20:
            raise forms.ValidationError(_("Write the phone number in full, with the area code."))
        return phone

    def clean(self) -> None:
        """Strip hidden marks that turn the direction of text; put the chosen time before what was written of it."""
        super().clean()
        data = self.cleaned_data
        data |= {name: TURNING.sub("", text) for name, text in data.items() if isinstance(text, str)}
        words, self.instance.wished_at = self.starts.get(data.get("window", ""), ("", None))
        data["best_time"] = "; ".join(filter(None, (words, data.get("best_time"))))
        if not {"phone", "email"} & set(self.errors) and not any(map(self.cleaned_data.get, ("phone", "email"))):
            self.add_error("phone", _("Write a phone number or an e-mail address, so that we can reach you."))


@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest) -> HttpResponse:
    """Make, replace or withdraw the request for a call of a saved submission. What it holds is never shown."""
    draft = Draft.read(request)
    withdrawn = request.method == "POST" and typed(request.POST, "action", 20) == "withdraw"
    form = ContactForm(request.POST if request.method == "POST" and not withdrawn else None)
    context = {"form": form, "help_first": rules.CURRENT.decide(known(draft.answers)).help_first}
    try:
        draft, saved = opened(draft)
        if saved is None:
            return _nothing_saved(request, draft, context)
        if withdrawn:
            look_again(partial(Contact.objects.withdraw, saved.pk))
            transaction.on_commit(retention.truncate_journal)
            return redirect(reverse("contact") + "?note=withdrawn")
        if request.method == "POST" and form.is_valid():
            form.instance.submission, form.instance.consent = saved, consent_words()
            look_again(partial(requests.store, form.instance))
            transaction.on_commit(retention.truncate_journal)  # of the request that it replaced
            return redirect("contact")
        asked = Contact.objects.unexpired().filter(pk=saved.pk).first()
    except Submission.DoesNotExist:
        return _nothing_saved(request, draft, context)
    except DatabaseError as error:
        log.error("a request for a call could not be stored: %s", type(error).__name__)
        sorry = NOT_WITHDRAWN if withdrawn else NOT_KEPT if request.method == "POST" else DOWN
        return render(request, "public/contact.html", context | {"error": sorry}, status=503)
    recommendation = saved.readable_recommendation()
    context |= {
        "asked": asked,
        "help_first": saved.urgency >= Urgency.TODAY,
        "first": lines_for(recommendation, saved.readable_answers, crisis=True) if recommendation else (),
        "how_soon": counts.how_soon(),
        "code": return_codes.formatted(draft.code),
        "reference": reference_numbers.formatted(saved.reference),
        "note": WITHDRAWN if typed(request.GET, "note", 20) == "withdrawn" and not asked else "",
    }
    confirms = asked and not form.is_bound and "change" not in request.GET
    template = "public/contact_asked.html" if confirms else "public/contact.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _nothing_saved(request: HttpRequest, draft: Draft, context: dict[str, Any]) -> HttpResponse:
    """Ask to save first, or for the code; who has typed already, keeps it."""
    if context["form"].is_bound:
        return render(request, "public/contact.html", context | {"error": NOTHING_SAVED}, status=409)
    if not draft.finished or first_gap(known(draft.answers)):
        return redirect("return")
    context |= {"unsaved": True, "gone": draft.finished == Finished.SAVED, "shown": shown(draft)[0]}
    return render(request, "public/contact.html", context)
