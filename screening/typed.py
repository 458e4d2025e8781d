"""Whatever comes from outside is cut to a length first: normalising a long text takes time quadratic in it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator

PASSWORD = 256  # characters; also of every text field of Django's own forms that has no limit


def typed(data: Mapping[str, Any], name: str, most: int, *, end: bool = False) -> str:
    """Return `most` characters of a parameter, cookie or header, from its start or its end; "" if it was not sent."""
    text = str(data.get(name) or "")
    return text[-most:] if end else text[:most]


class Limited(forms.BaseForm):
    """Goes before a form of Django's own: each of its text fields gets a limit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.CharField) and field.max_length is None:
                field.max_length = PASSWORD
                field.validators.append(MaxLengthValidator(PASSWORD))
                field.widget.attrs["maxlength"] = str(PASSWORD)
