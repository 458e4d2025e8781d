"""A page of the questionnaire as a Django form; crispy renders it with our own template pack."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import DjangoTemplates
from django.utils.translation import gettext_lazy as _

from screening.questionnaire import Page, known
from screening.typed import typed


class BidiBoundField(BoundField):
    """A field whose text runs as it is written: from the right in Arabic or Hebrew."""

    def build_widget_attrs(self, attrs: Any, widget: forms.Widget | None = None) -> dict[str, Any]:
        writes = isinstance(widget or self.field.widget, forms.TextInput | forms.EmailInput | forms.Textarea)
        return super().build_widget_attrs(attrs, widget) | ({"dir": "auto"} if writes else {})


class BidiRenderer(DjangoTemplates):
    """Makes every field of a form a BidiBoundField, also in Django's own forms at the desk."""

    bound_field_class = BidiBoundField


class PageForm(forms.Form):
    """The questions of a page; HTML names are the question keys, radio values the option values."""

    use_required_attribute = False  # the server's own messages are kinder than the browser's

    def __init__(self, page: Page, data: Mapping[str, Any] | None = None, answers: Mapping[str, str] | None = None):
        super().__init__(data, initial=dict(answers or {}))
        for question in page.questions:
            missing = _(question.missing)
            self.fields[question.key] = forms.ChoiceField(
                label=_(question.text),
                help_text=_(question.hint) if question.hint else "",
                choices=[(value, _(text)) for value, text in question.options.items()],
                widget=forms.RadioSelect,
                error_messages={"required": missing, "invalid_choice": missing},
            )


def chosen(page: Page, data: Mapping[str, Any]) -> dict[str, str]:
    """Return the posted answers that exist, whether or not the rest of the page is answered."""
    return known({key: typed(data, key, 50) for key in page.keys if key in data})
