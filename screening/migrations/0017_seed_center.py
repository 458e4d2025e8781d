"""Take the facts of the center over from the environment, where they were settings; from here on the desk keeps them."""

import os
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import migrations
from django.utils import timezone

from screening.help_lines import tel

SETTINGS = {  # earlier setting -> the fact, and its default
    "CENTER_NAME": ("name", "Country Road Recovery Center"),
    "CENTER_PHONE": ("phone", ""),
    "CENTER_HOURS": ("hours_en", ""),
    "LEAVE_URL": ("leave_url", ""),
    "STAFF_MAIL_TO": ("mail_to", ""),
}


def seed(apps: Any, editor: Any) -> None:
    facts = {fact: os.environ.get(name, "").strip() or default for name, (fact, default) in SETTINGS.items()}
    try:
        tel(facts["phone"])
    except ValueError as error:
        raise ImproperlyConfigured(f"CENTER_PHONE: {error}") from None
    facts["mail_to"] = "\n".join(address.strip() for address in facts["mail_to"].split(",") if address.strip())
    told = {name: text for name, text in facts.items() if text}
    today = str(timezone.localdate())
    apps.get_model("screening", "CenterFacts").objects.create(facts=told | {"told_on": dict.fromkeys(told, today)})


class Migration(migrations.Migration):
    dependencies = [("screening", "0016_center_facts")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
