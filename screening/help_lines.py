"""Help lines: the numbers to call, each with its source and the day it was last checked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from screening.questionnaire import QUESTIONS, _


@dataclass(frozen=True)
class HelpLine:
    """A number or page to turn to; a crisis line is for danger and great distress, not for finding a program."""

    key: str
    contact: str  # a number to call, or the name of the page that is its source
    crisis: bool
    checked: date
    source: str
    name: str
    detail: str

    @property
    def href(self) -> str:
        """The tel: or https: address that a tap on it opens."""
        number = self.contact.replace("-", "")
        return self.source if not number.isdecimal() else f"tel:{number}" if len(number) == 3 else f"tel:+{number}"


def _line(row: str, name: str, detail: str) -> HelpLine:
    key, contact, crisis, checked, source = (cell.strip() for cell in row.split("|"))
    return HelpLine(key, contact, crisis == "crisis", date.fromisoformat(checked), source, name, detail)


# key | contact | whether it is a crisis line | the day it was last checked | source: name, and what to know first
# fmt: off
_ROWS = {
    "911 | 911 | crisis | 2026-11-23 | https://www.911.gov/":
        (_("Emergency"), _("If a life may be in danger, call now. Say where you are first.")),
    "988 | 988 | crisis | 2026-11-23 | https://988lifeline.org/":
        (_("988 Lifeline"), _("Call or text, day or night, free, also about alcohol and drugs. In a call, press 2 for Spanish or 1 for veterans.")),
    "poison | 1-800-222-1222 | crisis | 2026-11-23 | https://poisonhelp.hrsa.gov/":
        (_("Poison Help"), _("If someone took too much and is awake. Free, day and night. If they pass out, call 911.")),
    "domestic_violence | 1-800-799-7233 | crisis | 2026-11-23 | https://www.thehotline.org/":
        (_("Domestic Violence Hotline"), _("Free, day and night. You can also text START to 88788.")),
    "211 | 211 | crisis | 2026-11-28 | https://www.211.org/":
        (_("Help near you"), _("Free, day and night. They know where you can sleep, and what help there is near you.")),
    "maternal | 1-833-852-6262 | | 2026-11-28 | https://mchb.hrsa.gov/national-maternal-mental-health-hotline":
        (_("Maternal Mental Health Hotline"), _("Call or text, free, day and night. For anyone who is or was pregnant. It is not a crisis line.")),
    "samhsa | 1-800-662-4357 | | 2026-11-23 | https://www.samhsa.gov/find-help/helplines/national-helpline":
        (_("SAMHSA Helpline"), _("Free, day and night, in English and Spanish. They tell you where to find care; they don’t give it.")),
    "findtreatment | FindTreatment.gov | | 2026-11-23 | https://findtreatment.gov/":
        (_("Find a program near you"), _("A search of programs in the United States. Call first to check that they have room.")),
}
# fmt: on
HELP_LINES = {line.key: line for line in (_line(row, *words) for row, words in _ROWS.items())}


if unknown := {line for question in QUESTIONS.values() for keys in question.help_lines.values() for line in keys} - set(
    HELP_LINES
):
    raise ValueError(f"the questionnaire names help lines that are not here: {sorted(unknown)}")


def lines_of(answers: Mapping[str, str], questions: Iterable[str] = QUESTIONS) -> list[str]:
    """Return the keys of the lines that the answers to these questions bring; none for one that is no longer asked."""
    asked = [QUESTIONS[key] for key in questions if key in QUESTIONS]
    brought = {line for question in asked for line in question.help_lines_for(answers.get(question.key))}
    return [key for key in HELP_LINES if key in brought]


def help_lines_for(urgency: str, answers: Mapping[str, str], urgent: Iterable[str] = QUESTIONS) -> list[HelpLine]:
    """Return the lines to show with a result, the first to call first.

    A body in danger right now, which brings 911, comes before all; 988 leads if an answer to the `urgent` questions
    brings it, and else stands behind the lines that those bring (docs/decisions/0004).
    """
    brought = lines_of(answers)
    always = {"now": ["911", "988"], "today": ["988"]}.get(urgency, [])
    first = [key for key in lines_of(answers, urgent) if HELP_LINES[key].crisis]
    lead = [key for key in ("911", "988") if key in first]
    less_urgent = [key for key in brought if HELP_LINES[key].crisis]
    others = [key for key, line in HELP_LINES.items() if not line.crisis and (key in brought or key != "maternal")]
    keys = [*lead, *(always if "988" in lead else []), *first, *always, *less_urgent, *others]
    return [HELP_LINES[key] for key in dict.fromkeys(keys) if key != "911" or urgency == "now"]


def tel(phone: str) -> str:
    """Return the tel: address of a US phone number as written, for example "(405) 555-0100"; "" for an empty one.

    Raise a ValueError for what can't be dialled: letters, extensions, too few or too many digits.
    """
    if not phone:
        return ""
    digits = re.sub(r"[ ().+-]", "", phone).removeprefix("1")
    if not re.fullmatch(r"([2-9][0-9]{2}){2}[0-9]{4}", digits):
        raise ValueError(f"{phone!r} is not a US phone number in full. Write it like (405) 555-0100.")
    return f"tel:+1{digits}"
