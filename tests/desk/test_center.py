"""The facts of the center at the desk: told, logged, refused in words, and step by step for a new owner."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP

from screening import center, notifications
from screening.desk.center import GROUPS, STEPS, for_each_language
from screening.models import CenterFacts, LogLine, Notification, Phone
from tests.desk.helpers import member, signed_in, superuser
from tests.helpers import parse, run_at_once, text_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/center/"
SOON = str(timezone.localdate() + timedelta(days=30))
TOLD: dict[str, Any] = {
    "name": "Hill House",
    "phone": "(405) 555-0188",
    "address_en": "1 Hill Road",
    "address_es": "Calle Hill 1",
    "languages_en": "English, Spanish",
    "languages_es": "inglés, español",
    **{f"hours_{day}": "8:00-12:00, 1 pm-8 pm" for day in range(7)},
    "closed": "2026-12-25\n2027-01-01",
    "hours_en": "Every day.",
    "hours_es": "Todos los días.",
    "walk_in_en": "weekdays from 9 to 5",
    "walk_in_es": "de lunes a viernes, de 9 a 5",
    **dict.fromkeys(center.SERVICES, True),
    "iop_when_en": "Monday to Thursday, 6 to 9 pm",
    "iop_when_es": "De lunes a jueves, de 6 a 9 de la noche",
    "iop_evening": True,
    "iop_video": True,
    **{f"{key}_starts": SOON for key, service in center.SERVICES.items() if service.starts},
    "mail_to": "desk@example.org\nlead@example.org",
    "payers_en": "Blue Cross",
    "payers_es": "Blue Cross, también en español",
    "cost_en": "It costs 100 dollars a day. We help you ask your insurance.",
    "cost_es": "Cuesta 100 dólares al día.",
    "leave_url": "https://news.example.com/",
    "sources": "flyer\nclinic-a",
    "note_templates": "Called, no answer.",
    "redisclosure": "Do not pass this on.",
}


@pytest.fixture
def manager() -> Client:
    return signed_in(member("mia", "manager"))


def form_on(client: Client, page: str = PAGE) -> dict[str, str]:
    return sent_from(client.get(page))


def sent_from(response: Any) -> dict[str, str]:
    """Return what a browser sends from a page where nothing was typed."""
    sent = {}
    for field in parse(response).select("#content-main [name]"):
        if field.name == "textarea":
            sent[str(field["name"])] = field.text.removeprefix("\n")
        elif field.get("type") != "checkbox" or field.has_attr("checked"):
            sent[str(field["name"])] = str(field.get("value", "on" if field.get("type") == "checkbox" else ""))
    return sent


def tell(client: Client, page: str = PAGE, **told: Any) -> Any:
    changed = {name: "on" if value is True else value for name, value in told.items()}
    return client.post(page, {**form_on(client, page), **changed})


def now() -> dict[str, Any]:
    row = CenterFacts.objects.last()
    assert row
    return dict(row.facts)


def errors(response: Any) -> list[str]:
    assert response.status_code == 422
    return [item.text for item in parse(response).select(".errors li")]


def entries(action: str = "center") -> list[dict[str, str]]:
    return [line.details for line in LogLine.objects.filter(action=action).order_by("number")]


def test_every_field_is_saved_shown_again_and_logged_with_what_was_there_before(
    manager: Client, django_capture_on_commit_callbacks: Any
) -> None:
    fields = {name for group in GROUPS.values() for name in group.fields} - {"code"}
    assert fields == set(TOLD)
    before = now()
    with django_capture_on_commit_callbacks(execute=True):
        assert tell(manager, **TOLD).status_code == 302
    assert {name: now()[name] for name in TOLD} == TOLD
    shown = form_on(manager)
    assert {name: shown[name].replace("\r", "") for name in TOLD} == {
        name: "on" if value is True else value for name, value in TOLD.items()
    }
    logged = {entry["fact"]: entry for entry in entries()}
    assert set(logged) == fields
    assert (logged["phone"]["old"], logged["phone"]["new"]) == (before["phone"], TOLD["phone"])
    assert logged["cost_en"]["new"] == TOLD["cost_en"]
    assert center.facts().name == "Hill House"  # at once in the process that saved


def test_what_was_not_changed_is_not_logged_and_two_long_texts_fit_into_an_entry(manager: Client) -> None:
    long, longer = "An old text. " * 150, "A new one; and so on. " * 90
    tell(manager, redisclosure=long.strip())
    tell(manager, redisclosure=longer.strip())
    (first, second) = entries()
    assert (first["fact"], first["old"], first["new"]) == ("redisclosure", "", long.strip())
    assert (second["old"], second["new"]) == (long.strip(), longer.strip().replace(";", ","))
    tell(manager)
    assert len(entries()) == 2


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"hours_0": "8-12, 11-13"}, "Monday: Two of these hours overlap."),
        ({"hours_2": "20:00-8:00"}, "Wednesday: These hours end before they begin."),
        ({"hours_6": "mornings"}, "Sunday: Write hours like 8:00-12:00, 1 pm-8 pm."),
        ({"phone": "1-844-CALL-CRR"}, "Phone: '1-844-CALL-CRR' is not a US phone number in full."),
        ({"name": ""}, "Name of the center: This field is required."),
        ({"iop": True}, "IOP: days and times (English): Write the days and times of the IOP."),
        (
            {"inpatient_starts": "2020-01-01"},
            "Inpatient program: next start: Write a day that is to come, within a year",
        ),
        (
            {"inpatient_starts": "2098-12-01"},
            "Inpatient program: next start: Write a day that is to come, within a year",
        ),
        ({"inpatient_starts": "soon"}, "Inpatient program: next start: Write days like 2026-12-25."),
        ({"closed": "2026-12-25\nChristmas"}, "Closed days: “Christmas”: Write days like 2026-12-25."),
        ({"mail_to": "desk@example.org\nme"}, "Addresses: “me”: Enter a valid email address."),
        ({"leave_url": "http://news.example.com/"}, "Where “Leave now” leads: Write a page of another site"),
        ({"leave_url": "https://["}, "Where “Leave now” leads: Write a page of another site"),
        ({"leave_url": "https://exa mple.com/"}, "Where “Leave now” leads: Write a page of another site"),
        ({"leave_url": "https://x"}, "Where “Leave now” leads: Write a page of another site"),
        (
            {"payers_en": "Blue Cross, member 123-45-6789"},
            "Insurance and other payers that you take (English): This looks like",
        ),
        ({"inpatient_starts": SOON}, "Inpatient program: next start: Tick this program too"),
        ({"leave_url": "https://testserver/"}, "Where “Leave now” leads: Write a page of another site"),
        ({"sources": "flyer\nThe clinic"}, "Words for where people come from: “The clinic”: Write it"),
        (
            {"sources": "\n".join(f"word-{number}" for number in range(21))},
            "Words for where people come from: At most 20",
        ),
        (
            {"cost_en": "x" * 401},
            "What it costs, in two sentences (English): Ensure this value has at most 400 characters",
        ),
    ],
)
def test_bad_input_is_one_line_and_nothing_typed_is_lost(
    manager: Client, settings: Any, told: dict[str, Any], line: str
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    before = now()
    response = tell(manager, address_en="2 Lake Street", **told)
    (error,) = errors(response)
    assert error.startswith(line)
    page = parse(response)
    assert page.select_one("[name=address_en]").text.strip() == "2 Lake Street"
    for name, value in told.items():
        field = page.select_one(f"[name={name}]")
        assert field.has_attr("checked") if value is True else value in (field.get("value"), field.text.strip("\n"))
    assert now() == before
    assert not entries()


def test_hours_are_shown_back_as_they_were_read(manager: Client) -> None:
    tell(manager, hours_0="9-5 pm; 6-9 pm")
    page = parse(manager.get(PAGE))
    assert page.select_one("#id_hours_0_helptext").text.strip() == "9 a.m. – 5 p.m.; 6 p.m. – 9 p.m."
    assert page.select_one("#id_hours_1_helptext") is None


def test_who_was_signed_out_meanwhile_gets_back_what_was_typed(manager: Client) -> None:
    typed = form_on(manager) | {"redisclosure": "A long notice.", "hours_0": "8-12", "code": "123456"}
    manager.logout()
    response = manager.post(PAGE, typed)
    assert response.status_code == 403
    given_back = [field.text.strip() for field in parse(response).select("textarea")]
    assert {"A long notice.", "8-12"} <= set(given_back)
    assert "123456" not in given_back


def test_who_signs_in_again_finds_what_was_typed_in_its_place() -> None:
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        manager = signed_in(member("max", "manager"))
        typed = form_on(manager) | {"redisclosure": "A long notice.", "code": "123456"}
        clock.shift(16 * 60)
        assert manager.post(PAGE, typed).status_code == 403
        manager.force_login(User.objects.get(username="max"))
        shown = form_on(manager)
    assert (shown["redisclosure"], shown.get("code", "")) == ("A long notice.", "")


def test_start_that_is_over_since_it_was_told_hinders_no_other_change(manager: Client) -> None:
    CenterFacts.objects.create(facts={**now(), "inpatient": True, "inpatient_starts": "2020-01-01"})
    assert tell(manager, name="Hill House").status_code == 302


def test_save_without_a_change_adds_nothing(manager: Client) -> None:
    before = CenterFacts.objects.count()
    assert tell(manager).status_code == 302
    assert CenterFacts.objects.count() == before


def test_each_fact_keeps_the_day_on_which_it_was_told(manager: Client) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=40), tick=False):
        earlier = str(timezone.localdate())
        tell(signed_in(member("max", "manager")), cost_en="Nothing.", payers_en="None.")
    tell(manager, payers_en="Blue Cross")
    facts = center.Facts(now())
    assert [str(facts.told_on(name)) for name in ("cost", "payers")] == [earlier, str(timezone.localdate())]
    assert str(facts.told_on("cost", "payers")) == earlier
    assert facts.told_on("iop") is None


def test_mail_that_would_reach_nobody_is_said_on_the_page(manager: Client, settings: Any) -> None:
    assert "No mail server is set up" in text_of(manager.get(PAGE), "#content-main")
    assert "nobody would be told of a new phone number" in text_of(manager.get(PAGE), "#content-main")
    settings.EMAIL_HOST = "mail.example.org"
    assert "No manager has an e-mail address" in text_of(manager.get(PAGE), "#content-main")
    User.objects.update(email="mia@example.org")
    assert "No mail server" not in text_of(manager.get(PAGE), "#content-main")
    assert "would be told" not in text_of(manager.get(PAGE), "#content-main")
    assert "America/Chicago" in text_of(manager.get(PAGE), "#content-main")


def test_last_step_leads_on_even_if_it_is_sent(manager: Client) -> None:
    assert manager.post("/admin/center/others/").url == PAGE


def test_two_managers_change_different_facts_and_none_is_lost(manager: Client) -> None:
    seen = form_on(manager)
    tell(signed_in(member("max", "manager")), address_en="9 Lake Street")
    assert manager.post(PAGE, seen | {"name": "Hill House"}).status_code == 302
    assert (now()["name"], now()["address_en"]) == ("Hill House", "9 Lake Street")


def test_same_fact_changed_by_a_colleague_meanwhile_is_shown_before_it_is_replaced(manager: Client) -> None:
    seen = form_on(manager)
    other: dict[str, Any] = {"payers_en": "Blue Cross", "iop": True, "iop_when_en": "Mondays", "hours_2": "9-12"}
    tell(signed_in(member("max", "manager")), address_en="9 Lake Street", **other)
    response = manager.post(PAGE, seen | {"address_en": "1 Hill Road"})
    assert errors(response) == [
        "Address (English): A colleague changed this meanwhile, to “9 Lake Street”. Save again to replace it."
    ]
    assert now()["address_en"] == "9 Lake Street"
    assert manager.post(PAGE, sent_from(response)).status_code == 302
    assert now()["address_en"] == "1 Hill Road"
    assert (now()["payers_en"], now()["iop"], now()["hours_2"]) == ("Blue Cross", True, "9-12")


@pytest.mark.django_db(transaction=True)
def test_saves_at_the_same_moment_are_one_after_the_other() -> None:
    CenterFacts.objects.create(facts={"name": "Hill House"})
    clients = [signed_in(member(name, "manager")) for name in ("mia", "max", "moe")]
    forms = [form_on(client) for client in clients]
    changes = [{"address_en": "A"}, {"languages_en": "B"}, {"payers_en": "C"}]

    def save(place: int) -> Any:
        return lambda: clients[place].post(PAGE, forms[place] | changes[place]).status_code

    assert run_at_once(*(save(place) for place in range(3))) == [302] * 3
    assert {key: now()[key] for change in changes for key in change} == {
        "address_en": "A",
        "languages_en": "B",
        "payers_en": "C",
    }


# The phone


@pytest.fixture
def phone_of_mia(settings: Any) -> Any:
    settings.SECOND_FACTOR = True
    account = member("mia", "manager")
    device = Phone.new(account)
    device.confirmed = True
    device.save()
    client = Client()
    client.force_login(account)
    session = client.session
    session["otp_device_id"], session["verified"] = device.persistent_id, True
    session.save()
    return client, device


def code_of(device: Any) -> str:
    return f"{TOTP(device.bin_key).token():06}"


def test_new_phone_number_needs_the_second_factor_again(phone_of_mia: Any) -> None:
    client, device = phone_of_mia
    (error,) = errors(tell(client, phone="(405) 555-0188", code=" "))
    assert error.endswith("Type this code, too: the number above is a new one.")
    assert Phone.objects.get().throttling_failure_count == 0  # nothing was guessed
    (error,) = errors(tell(client, phone="(405) 555-0188", code="000000"))
    assert "This code is not right" in error
    assert now()["phone"] == "(405) 555-0100"
    Phone.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert tell(client, phone="(405) 555-0188", code=f"{code_of(device)[:3]} {code_of(device)[3:]}").status_code == 302
    assert now()["phone"] == "(405) 555-0188"
    assert [entry["fact"] for entry in entries()] == ["phone"]
    assert "code" not in now()


def test_other_facts_need_no_code(phone_of_mia: Any, settings: Any) -> None:
    client, _device = phone_of_mia
    assert "code" in form_on(client)
    settings.SECOND_FACTOR = False
    assert "code" not in form_on(client)
    settings.SECOND_FACTOR = True
    assert tell(client, name="Hill House").status_code == 302


def test_new_phone_number_is_mailed_to_all_managers(manager: Client, settings: Any) -> None:
    settings.EMAIL_HOST, settings.SITE_URL = "mail.example.org", "https://screening.example.org"
    for name, role in (("max", "manager"), ("cora", "contact"), ("moe", "manager")):
        User.objects.filter(pk=member(name, role).pk).update(email=f"{name}@example.org" if name != "moe" else "")
    User.objects.filter(pk=superuser("sue").pk).update(email="sue@example.org")
    tell(manager, phone="(405) 555-0188")
    assert notifications.send_due() == (1, 0)
    (message,) = mail.outbox
    assert sorted(message.bcc) == ["max@example.org", "sue@example.org"]
    assert message.to == []
    assert "mia changed the phone number that the pages show, from (405) 555-0100 to (405) 555-0188." in message.body
    assert "https://screening.example.org/admin/center/" in message.body
    assert not Notification.objects.exists()


def test_without_a_mail_server_a_new_number_is_saved_and_nothing_waits_to_be_sent(manager: Client) -> None:
    User.objects.update(email="mia@example.org")
    assert tell(manager, phone="(405) 555-0188").status_code == 302
    assert not Notification.objects.exists()


# Next starts


def test_desk_asks_if_a_next_start_is_still_right_before_it_hides(manager: Client, center_tells: Any) -> None:
    today = timezone.localdate()

    def asked(days: int, starts: int = 5) -> str:
        told = {
            "iop": True,
            "iop_starts": str(today + timedelta(days=starts)),
            "iop_confirmed": str(today - timedelta(days=days)),
        }
        CenterFacts.objects.create(facts=now() | told)
        center_tells(**told)
        return parse(manager.get("/admin/")).text

    assert "Are these next starts still right?" not in asked(1)
    assert "Are these next starts still right?" in asked(-9)  # the clock was ahead
    assert "Are these next starts still right?" in asked(4)
    assert "Are these next starts still right?" in asked(2)
    page = parse(manager.get("/admin/"))
    sent = {str(field["name"]): str(field["value"]) for field in page.select(".callout input[type=hidden]")}
    assert manager.post(PAGE, sent | {"action": "confirm", "iop_starts": "2020-01-01"}).url == "/admin/"
    assert now()["iop_confirmed"] != str(today)  # not what the page had shown
    assert manager.post(PAGE, sent | {"action": "confirm"}).url == "/admin/"
    assert now()["iop_confirmed"] == str(today)
    assert entries()[-1]["fact"] == "iop_confirmed"


def test_next_start_that_is_over_is_asked_about_and_cannot_be_confirmed(manager: Client, center_tells: Any) -> None:
    told = {"iop": True, "iop_starts": "2020-01-01", "iop_confirmed": str(timezone.localdate())}
    CenterFacts.objects.create(facts=now() | told)
    center_tells(**told)
    assert "IOP): next start: 2020-01-01" in text_of(manager.get("/admin/"), ".callout")
    manager.post(PAGE, {"action": "confirm", "iop_starts": "2020-01-01"})
    assert not entries()


def test_next_start_counts_as_confirmed_on_the_day_it_was_told(manager: Client) -> None:
    tell(manager, inpatient=True, inpatient_starts=SOON)
    assert now()["inpatient_confirmed"] == str(timezone.localdate())


# The first run


def test_new_owner_is_led_through_the_steps_and_then_no_more(manager: Client, center_tells: Any) -> None:
    center_tells(phone="")
    CenterFacts.objects.all().delete()
    link = parse(manager.get("/admin/")).select_one(".callout a")
    assert link["href"] == "/admin/center/name/"
    step, told = str(link["href"]), dict(TOLD)
    visited = []
    while step.count("/") > 3:
        visited.append(step.split("/")[-2])
        page = parse(manager.get(step))
        if not page.select(".save button"):
            break
        mine = {name: told[name] for name in form_on(manager, step) if name in told}
        mine |= {name: value for name, value in told.items() if name in GROUPS[visited[-1]].fields}
        step = tell(manager, step, **mine).url
    assert visited == list(STEPS)
    assert page.select_one('a[href="/admin/auth/user/add/"]')
    assert now()["name"] == "Hill House"
    center_tells(**now())
    assert not parse(manager.get("/admin/")).select(".callout")


def test_first_step_that_was_not_told_is_where_the_front_page_leads(
    manager: Client, center_tells: Any, settings: Any
) -> None:
    def leads_to() -> str:
        return str(parse(manager.get("/admin/")).select_one(".callout a")["href"])

    assert leads_to() == "/admin/center/hours/"
    center_tells(hours_0="8-12")
    assert leads_to() == "/admin/center/programs/"
    center_tells(hours_0="8-12", inpatient=True)
    assert parse(manager.get("/admin/")).select_one(".callout") is None  # without a mail server it can wait
    settings.EMAIL_HOST = "mail.example.org"
    assert leads_to() == "/admin/center/mail/"


def test_only_managers_are_asked(center_tells: Any) -> None:
    center_tells(phone="")
    assert not parse(signed_in(member("cora", "contact")).get("/admin/")).select(".callout")


def test_step_that_does_not_exist_is_not_found(manager: Client) -> None:
    assert manager.get("/admin/center/cost/").status_code == 404


def test_nowhere_is_an_insurance_number_asked_for() -> None:
    labels = [str(field.label).lower() for group in GROUPS.values() for field in group.fields.values()]
    assert not [label for label in labels if "insurance" in label and "number" in label]


def test_form_has_a_field_for_each_language_of_the_site(settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("es", "Spanish")]
    fields = for_each_language("cost", "What it costs")
    assert {name: field.label for name, field in fields.items()} == {
        "cost_en": "What it costs (English)",
        "cost_es": "What it costs (Spanish)",
    }
