"""Help lines: the numbers to call, each with its source and the day it was last checked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from screening.questionnaire import QUESTIONS, _


@dataclass(frozen=True)
class HelpLine:
    """A number or page to turn to; `href` is a tel:, sms: or https: address."""

    key: str
    name: str
    contact: str
    href: str
    detail: str
    source: str
    checked: date
    crisis: bool = True  # for danger and great distress, not for finding a program


HELP_LINES = {
    line.key: line
    for line in (
        HelpLine(
            "911",
            _("Emergency"),
            "911",
            "tel:911",
            _("If a life may be in danger, call now. Say where you are first."),
            "https://www.911.gov/",
            date(2026, 11, 23),
        ),
        HelpLine(
            "988",
            _("988 Lifeline"),
            "988",
            "tel:988",
            _("Call or text 988, day or night, free. In a call, press 2 for Spanish or 1 for veterans."),
            "https://988lifeline.org/",
            date(2026, 11, 23),
        ),
        HelpLine(
            "poison",
            _("Poison Help"),
            "1-800-222-1222",
            "tel:+18002221222",
            _("If someone took too much and is awake. Free, day and night. If they pass out, call 911."),
            "https://poisonhelp.hrsa.gov/",
            date(2026, 11, 23),
        ),
        HelpLine(
            "domestic_violence",
            _("Domestic Violence Hotline"),
            "1-800-799-7233",
            "tel:+18007997233",
            _("Free, day and night. You can also text START to 88788."),
            "https://www.thehotline.org/",
            date(2026, 11, 23),
        ),
        HelpLine(
            "211",
            _("211"),
            "211",
            "tel:211",
            _("Free, day and night. They know where you can sleep, and what help there is near you."),
            "https://www.211.org/",
            date(2026, 11, 28),
        ),
        HelpLine(
            "maternal",
            _("Maternal Mental Health Hotline"),
            "1-833-852-6262",
            "tel:+18338526262",
            _("Call or text, free, day and night. For anyone who is or was pregnant. It is not a crisis line."),
            "https://mchb.hrsa.gov/national-maternal-mental-health-hotline",
            date(2026, 11, 28),
            crisis=False,
        ),
        HelpLine(
            "samhsa",
            _("SAMHSA Helpline"),
            "1-800-662-4357",
            "tel:+18006624357",
            _("Free, day and night, in English and Spanish. They tell you where to find care; they don’t give it."),
            "https://www.samhsa.gov/find-help/helplines/national-helpline",
            date(2026, 11, 23),
            crisis=False,
        ),
        HelpLine(
            "findtreatment",
            _("Find a program near you"),
            "FindTreatment.gov",
            "https://findtreatment.gov/",
            _("A search of programs in the United States. Call first to check that they have room."),
            "https://findtreatment.gov/",
            date(2026, 11, 23),
            crisis=False,
        ),
    )
}


if unknown := {line for question in QUESTIONS.values() for keys in question.help_lines.values() for line in keys} - set(
    HELP_LINES
):
    raise ValueError(f"the questionnaire names help lines that are not here: {sorted(unknown)}")


def lines_of(answers: Mapping[str, str], questions: Iterable[str] = QUESTIONS) -> list[str]:
    """Return the keys of the lines that the answers to these questions bring; none for one that is no longer asked."""
    asked = [QUESTIONS[key] for key in questions if key in QUESTIONS]
    brought = {line for question in asked for line in question.help_lines_for(answers.get(question.key))}
    return [key for key in HELP_LINES if key in brought]


def help_lines_for(urgency: str, answers: Mapping[str, str]) -> list[HelpLine]:
    """Return the lines to show with a result, the first to call first.

    A body in danger right now, which brings 911, comes before all; 988 leads if an answer brings it, and else stands
    behind the lines that do (docs/decisions/0004).
    """
    brought = lines_of(answers)
    always = {"now": ["911", "988"], "today": ["988"]}.get(urgency, [])
    lead = [key for key in ("911", "988") if key in brought]
    crisis = [key for key in brought if HELP_LINES[key].crisis]
    others = [key for key, line in HELP_LINES.items() if not line.crisis and (key in brought or key != "maternal")]
    keys = [*lead, *(always if "988" in lead else []), *crisis, *always, *others]
    return [HELP_LINES[key] for key in dict.fromkeys(keys) if key != "911" or urgency == "now"]


def tel(phone: str) -> str:
    """Return the tel: address of a US phone number as written, for example "(405) 555-0100"; "" for an empty one.

    Raise a ValueError for what can't be dialled: letters, extensions, too few or too many digits.
    """
    if not phone:
        return ""
    digits = re.sub(r"[ ().+-]", "", phone).removeprefix("1")
    if not re.fullmatch(r"[2-9][0-9]{9}", digits):
        raise ValueError(f"{phone!r} is not a US phone number in full. Write it like (405) 555-0100.")
    return f"tel:+1{digits}"
