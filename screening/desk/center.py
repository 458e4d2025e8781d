"""The facts of the center as a page for managers, and step by step for a new owner."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.validators import URLValidator, validate_email
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy as _

from screening import audit, center, notifications
from screening.center import SERVICES, openings
from screening.desk import sessions, sign_in
from screening.help_lines import tel
from screening.models import Action, CenterFacts, Notification
from screening.typed import typed

ASK_AGAIN = center.CONFIRMED_FOR - timedelta(days=1)  # after a next start was confirmed


class FactField(forms.CharField):
    """Text of one or several lines. `kept` returns what is kept of it, or of each line; it may raise a ValueError."""

    def __init__(self, label: Any, help_text: Any = "", *, rows: int = 0, **kwargs: Any) -> None:
        self.kept: Callable[[str], str] = kwargs.pop("kept", str)
        self.lines: bool = kwargs.pop("lines", False)
        widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
        super().__init__(
            label=label, help_text=help_text, **{"required": False, "max_length": 200, "widget": widget} | kwargs
        )

    def clean(self, value: Any) -> str:
        kept, text = [], super().clean(value)
        for line in filter(None, map(str.strip, text.splitlines() if self.lines else [text])):
            try:
                kept.append(self.kept(line))
            except (ValueError, forms.ValidationError) as error:
                reason = " ".join(error.messages) if isinstance(error, forms.ValidationError) else str(error)
                raise forms.ValidationError(f"“{line}”: {reason}" if self.lines else reason) from None
        return "\n".join(kept)


joined = partial(format_lazy, "{}: {}")  # translated where it is shown


def _day(text: str) -> str:
    return str(forms.DateField(error_messages={"invalid": _("Write days like 2026-12-25.")}).clean(text))


def _address(text: str) -> str:
    validate_email(text)
    return text


def _neutral_page(text: str) -> str:
    message = _("Write a page of another site, one that could be anyone’s, like https://www.weather.gov/.")
    URLValidator(["https"], message=message)(text)
    if urlsplit(text).hostname in settings.ALLOWED_HOSTS:
        raise ValueError(message)
    return text


def _source(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]{1,40}", text):
        raise ValueError(_("Write it with small letters, digits and dashes, at most 40."))
    return text


def _at_most_20(text: str) -> None:
    if len(text.split()) > 20:
        raise forms.ValidationError(_("At most 20 words."))


def _no_number(text: str) -> str:
    if re.search(r"\d[\d -]{6,}", text):
        raise ValueError(_("This looks like a number of someone’s insurance. Never write one here."))
    return text


def for_each_language(name: str, label: Any, *args: Any, **kwargs: Any) -> dict[str, forms.Field]:
    """Return a field for each language of the site; a text left empty is left out in that language."""
    several = len(settings.LANGUAGES) > 1
    return {
        f"{name}_{code}": FactField(format_lazy("{} ({})", label, language) if several else label, *args, **kwargs)
        for code, language in settings.LANGUAGES
    }


def _service_fields() -> Iterator[tuple[str, forms.Field]]:
    for key, service in SERVICES.items():
        yield key, forms.BooleanField(label=_(service.words), required=False)
        if key == "iop":
            yield "iop_evening", forms.BooleanField(label=_("IOP: in the evening"), required=False)
            yield "iop_video", forms.BooleanField(label=_("IOP: by video"), required=False)
            yield from for_each_language(
                "iop_when", _("IOP: days and times"), _("Like: Monday to Thursday, 6 to 9 pm.")
            ).items()
        if service.starts:
            label, widget = joined(_(service.words), _("next start")), forms.DateInput(attrs={"type": "date"})
            yield f"{key}_starts", FactField(label, kept=_day, widget=widget)


@dataclass(frozen=True)
class FactGroup:
    """Facts that belong together."""

    title: Any
    why: Any
    fields: dict[str, forms.Field]


# fmt: off
GROUPS = {
    "name": FactGroup(_("Name and phone"), _("What a person reads at the top of each page, and the number they call."), {
        "name": FactField(_("Name of the center"), max_length=100, required=True),
        "phone": FactField(_("Phone"), _("Until you give one, the pages send people to the national helpline."), kept=lambda text: tel(text) and text),
        "code": FactField(_("The code that your own phone shows now"), _("Only to change the number above, which everyone would call."), max_length=20),
        **for_each_language("address", _("Address"), rows=3),
        **for_each_language("languages", _("Languages that your staff speaks")),
    }),
    "hours": FactGroup(_("Hours"), _("When someone answers the phone, like 8:00-12:00, 1 pm-8 pm. Out of hours the pages name the helpline."), {
        **{f"hours_{day}": FactField(name, kept=lambda text: openings(text) and text) for day, name in WEEKDAYS.items()},
        "closed": FactField(_("Closed days"), _("One a line, like 2026-12-25."), rows=4, max_length=2000, lines=True, kept=_day),
        **for_each_language("hours", _("Hours in your own words"), _("Shown until you give the hours above.")),
        **for_each_language("walk_in", _("When people may come by without an appointment"), _("Like: weekdays from 9 to 5. With it, staff can leave this as an answer at a code.")),
    }),
    "programs": FactGroup(_("Programs"), _("What you have. The rules never look at it: if you don’t have what fits, the result says so, and who may."), dict(_service_fields())),
    "mail": FactGroup(_("Mail"), _("Who is told that someone urgent, or who wants a call, is on the desk. The mail says nothing of them."), {
        "mail_to": FactField(_("Addresses"), _("One a line."), rows=4, max_length=2000, lines=True, kept=_address),
    }),
    "cost": FactGroup(_("Cost"), _("Shown with each result. Never anyone’s insurance number."), {
        **for_each_language("payers", _("Insurance and other payers that you take"), rows=2, max_length=400, kept=_no_number),
        **for_each_language("cost", _("What it costs, in two sentences"), rows=3, max_length=400, kept=_no_number),
    }),
    "desk": FactGroup(_("For the desk"), "", {
        "leave_url": FactField(_("Where “Leave now” leads"), _("A page that could be anyone’s."), kept=_neutral_page),
        "sources": FactField(_("Words for where people come from"), _("One a line, at most 20. An address that ends in ?from=word is counted under it, and nothing else is kept of it."), rows=5, max_length=900, lines=True, kept=_source, validators=[_at_most_20]),
        "note_templates": FactField(_("Templates for notes"), _("One a line."), rows=5, max_length=2000, lines=True),
        "redisclosure": FactField(_("Notice on redisclosure"), _("It stands on each print and in each export. Without it nothing is exported."), rows=5, max_length=2000),
    }),
    "others": FactGroup(_("Who else"), _("Make an account for each colleague, with the roles that they need."), {}),
}
# fmt: on
STEPS = ("name", "hours", "programs", "mail", "others")  # of the first run
LABELS = {name: joined(part.title, field.label) for part in GROUPS.values() for name, field in part.fields.items()}
GIVEN_BACK = LABELS.keys() - {"code"}  # fields whose text is shown again to who was signed out meanwhile
LABELS |= {f"{key}_confirmed": joined(service.words, _("next start, confirmed")) for key, service in SERVICES.items()}


def left_to_tell(facts: center.Facts) -> list[str]:
    """Return the steps of the first run in which nothing was told."""
    mailed = facts.mail_to or not settings.EMAIL_HOST  # without a mail server it can wait
    told = {"name": facts.phone, "hours": facts.tells_hours, "programs": facts.services, "mail": mailed}
    return [step for step, facts_of_it in told.items() if not facts_of_it]


def starts_to_confirm(facts: center.Facts) -> dict[str, str]:
    """Return field -> day of the next starts that were confirmed ASK_AGAIN ago, or are over."""
    today, due = (str(timezone.localdate() - ago) for ago in (timedelta(), ASK_AGAIN))
    starts = {f"{key}_starts": facts.fact(f"{key}_starts") for key in facts.services}
    return {
        name: day
        for name, day in starts.items()
        if day and (day < today or not due < facts.fact(_confirmed(name)) <= today)  # of a clock that was ahead, too
    }


def _confirmed(starts: str) -> str:
    """Return the field that says when a next start was confirmed."""
    return starts.replace("_starts", "_confirmed")


class FactsForm(forms.Form):
    """The facts of some groups; `seen` is the row that the page showed."""

    use_required_attribute = False

    def __init__(self, slugs: tuple[str, ...], seen: CenterFacts, data: Any = None) -> None:
        super().__init__(data, initial=seen.facts)
        self.slugs, self.seen = slugs, seen
        for slug in slugs:
            self.fields |= deepcopy(GROUPS[slug].fields)
        for name in self.fields:
            if name.startswith("hours_") and name[6:].isdecimal() and seen.facts.get(name):
                self.fields[name].help_text = center.hours_in_words(openings(seen.facts[name]))

    @property
    def groups(self) -> Iterator[tuple[str, FactGroup, list[Any]]]:
        for slug in self.slugs:
            yield slug, GROUPS[slug], [self[name] for name in GROUPS[slug].fields]

    @property
    def changes(self) -> dict[str, Any]:
        """The facts that differ from those that the page showed."""
        told = {name: value for name, value in self.cleaned_data.items() if name != "code"}
        return {name: value for name, value in told.items() if (value or "") != (self.seen.facts.get(name) or "")}

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        today, far = (str(timezone.localdate() + ahead) for ahead in (timedelta(), timedelta(days=366)))
        for name in self.changes:
            if name.endswith("_starts") and told[name] and not today <= told[name] <= far:
                self.add_error(name, _("Write a day that is to come, within a year, or leave it empty."))
            elif name.endswith("_starts") and told[name] and not told.get(name.removesuffix("_starts")):
                self.add_error(name, _("Tick this program too, or leave its next start empty."))
        when = [name for name in self.fields if name.startswith("iop_when_")]
        if told.get("iop") and when and not any(told.get(name) for name in when) and not set(when) & set(self.errors):
            self.add_error(when[0], _("Write the days and times of the IOP."))
        return told

    def save(self, request: HttpRequest, now: CenterFacts) -> bool:
        """Save what was changed; if a colleague changed the same, or the phone's code is wrong, say so instead."""
        changes = self.changes
        conflicts = [name for name in changes if (now.facts.get(name) or "") != (self.seen.facts.get(name) or "")]
        for name in conflicts:
            message = gettext("A colleague changed this meanwhile, to “%(theirs)s”. Save again to replace it.")
            self.add_error(name, message % {"theirs": _in_words(now.facts.get(name))})
        code = "".join(self.cleaned_data.get("code", "").split()).lower()
        if conflicts:
            self._show(now, changes)
        elif "phone" not in changes or not settings.SECOND_FACTOR:
            _save(request.user, now, changes)
        elif not code:
            self.add_error("code", _("Type this code, too: the number above is a new one."))
        elif refusal := sign_in.verify(request, code, lambda *_: _save(request.user, now, changes)):
            self.add_error("code", str(refusal))
        return not self.errors

    def _show(self, now: CenterFacts, changes: dict[str, Any]) -> None:
        """Show what is in force now, but for what was typed here."""
        data: Any = self.data
        data = data.copy()
        for name in set(self.fields) - set(changes) - {"code"}:
            data[name] = now.facts.get(name) or ""
        self.seen, self.data = now, data


NEW_NUMBER = _(
    "%(who)s changed the phone number that the pages show, from %(old)s to %(new)s. If that is wrong, change it back."
)


def _in_words(value: Any) -> str:
    """Return a fact as the log and messages say it."""
    return "yes" if value is True else str(value or "")


def _save(actor: Any, now: CenterFacts, changes: dict[str, Any]) -> None:
    """Add a row with these changes, and an audit entry for each; mail a new phone number to all managers."""
    if not changes:
        return
    today = str(timezone.localdate())
    confirmed = {_confirmed(name): today for name in changes if name.endswith("_starts")}
    told_on = now.facts.get("told_on", {}) | dict.fromkeys(changes, today)
    CenterFacts.objects.create(facts=now.facts | changes | confirmed | {"told_on": told_on})
    for name, value in changes.items():
        audit.record(Action.CENTER, actor, fact=name, old=_in_words(now.facts.get(name)), new=_in_words(value))
    if "phone" in changes:
        old, new = (facts.get("phone") or gettext("none") for facts in (now.facts, changes))
        text = NEW_NUMBER % {"who": actor, "old": old, "new": new}
        notifications.notify_managers(Notification.Reason.PHONE, text)
    transaction.on_commit(center.refresh)


def page(request: HttpRequest, context: dict[str, Any], step: str = "") -> HttpResponse:
    """Show and save all facts, or those of one step of the first run, which leads on to the next."""
    if step and step not in STEPS:
        raise Http404
    slugs = (step,) if step else tuple(slug for slug in GROUPS if GROUPS[slug].fields)
    with transaction.atomic():
        CenterFacts.objects.select_for_update().first()  # one save at a time
        now = CenterFacts.objects.last() or CenterFacts()
        number = typed(request.POST, "seen", 18)
        seen = CenterFacts.objects.filter(pk=int(number) if number.isdecimal() else 0).first() or now
        if typed(request.POST, "action", 20) == "confirm":
            asked = starts_to_confirm(center.Facts(now.facts)).items()
            shown = [name for name, day in asked if typed(request.POST, name, 10) == day >= str(timezone.localdate())]
            _save(request.user, now, {_confirmed(name): str(timezone.localdate()) for name in shown})
            return redirect("admin:index")
        form = FactsForm(slugs, seen, request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid() and form.save(request, now):
            messages.success(request, _("Saved. The pages follow within a minute."))
            following = STEPS[STEPS.index(step) + 1 :] if step else ()
            return redirect("admin:center_step", following[0]) if following else redirect("admin:center")
        form.initial.update(sessions.given_back(request))
        audit.record(Action.LISTED, request.user, list="center")
    page_context = {
        "title": _("The center"),
        "form": form,
        "step": step,
        "no_mail": not settings.EMAIL_HOST,
        "no_manager": not notifications.managers().exclude(email="").exists(),
        "time_zone": settings.TIME_ZONE.replace("_", " "),
        "steps": [(slug, GROUPS[slug].title) for slug in STEPS],
    }
    return TemplateResponse(request, "admin/center.html", context | page_context, status=422 if form.errors else 200)
