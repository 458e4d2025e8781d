"""How we are doing: what is counted, that counts outlive what they count, and what the page shows of them."""

import csv
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from screening import counts, requests, retention, rules
from screening.counts import by_week
from screening.desk import figures
from screening.models import Channel, Contact, Count, Review, Submission, Try
from screening.models.counts import band, week_of
from screening.models.staff import counted_review
from screening.questionnaire import PAGES
from tests.answers import CLOSE_CALL, INPATIENT, IOP, on_page
from tests.conftest import Person
from tests.desk.helpers import CASES, ask_for_call, member, save, signed_in, submit, url_of
from tests.helpers import parse

pytestmark = pytest.mark.django_db
PAGE = "/admin/how-we-are-doing/"
FILE = f"{PAGE}counts.csv"
What = Count.What


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    counts._noted.clear()


def counted() -> dict[tuple[str, str], int]:
    """Return (what, key) -> how often, as far as that is not 0."""
    counts.flush()
    found: Counter[tuple[str, str]] = Counter()
    for (_week, what, key), number in by_week(date.min).items():
        found[what, key] += number
    return {kind: number for kind, number in found.items() if number}


def of(what: str) -> dict[str, int]:
    return {key: number for (each, key), number in counted().items() if each == what}


def texts(client: Client, address: str = PAGE) -> dict[str, dict[str, list[str]]]:
    """Return table -> row -> the words in its cells."""
    found: dict[str, dict[str, list[str]]] = {}
    for table in parse(client.get(address)).select("table"):
        for row in table.select("tbody tr"):
            cells = [cell.text.strip("– ") for cell in row.select("td")]
            found.setdefault(table.caption.text, {})[row.th.text] = cells
    return found


@pytest.fixture
def lead() -> Client:
    return signed_in(member("lea", "clinical lead"))


@pytest.fixture
def contact(db: None) -> Client:
    return signed_in(member("cora", "contact"))


def tried(client: Client, row: Submission, result: str) -> None:
    save(client, row, _tried=result)


# What is counted


def test_each_page_is_counted_as_opened_and_as_answered(person: Person) -> None:
    for page in PAGES:
        person.client.get(f"/questions/{page.slug}/")
        person.post(page.slug, {})  # answers nothing
        person.post(page.slug, on_page(page, IOP))
        person.post(page.slug, on_page(page, IOP))  # again
    person.client.post("/check/", {"action": "view"})
    person.client.post("/check/", {"action": "view"})
    slugs = {page.slug: 1 for page in PAGES}
    assert counted() == {(What.BEGUN, slug): 1 for slug in slugs} | {(What.DONE, slug): 1 for slug in slugs} | {
        (What.VIEWED, ""): 1
    }


def test_question_page_asks_the_database_nothing_and_counts_are_added_later(
    person: Person, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        person.client.get(f"/questions/{PAGES[0].slug}/")
        person.post(PAGES[0].slug, on_page(PAGES[0], IOP))
    assert not Count.objects.exists()
    with django_assert_num_queries(1):
        counts.flush()
    with django_assert_num_queries(0):
        counts.flush()
    assert Count.objects.count() == 2


def test_counts_that_cannot_be_added_wait_for_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    counts.note(What.VIEWED)
    with monkeypatch.context() as patch:
        patch.setattr(Count.objects, "bulk_create", lambda rows: (_ for _ in ()).throw(DatabaseError))
        counts.flush()
    counts.note(What.VIEWED)
    assert counted() == {(What.VIEWED, ""): 2}


def test_save_is_counted_once_by_its_channel(person: Person) -> None:
    person.finishes(IOP, "save")
    person.client.post("/check/", {"action": "save"})
    Submission.objects.submit(IOP, channel=Channel.PHONE)
    assert of(What.SAVED) == {"online": 1, "phone": 1}


@pytest.mark.django_db(transaction=True)
def test_save_that_fails_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Count, "add", lambda *_, **__: (_ for _ in ()).throw(DatabaseError))
    with pytest.raises(DatabaseError):
        Submission.objects.submit(IOP)
    monkeypatch.undo()
    assert not Submission.objects.exists()
    assert counted() == {}


def test_only_words_of_the_centers_list_are_counted_as_a_source(person: Person, center_tells: Any) -> None:
    center_tells(sources="flyer\nclinic-a\n" + "x" * 40)
    for word in ("flyer", "flyer", "clinic-a", "FLYER", "x" * 41, "clinic", "x" * 10_000, "flyer\nclinic-a", ""):
        assert person.client.get("/", {"from": word}).status_code == 200
    person.client.get("/")
    assert of(What.SOURCE) == {"flyer": 2, "clinic-a": 1}
    assert not person.client.cookies


def ask(row: Submission) -> None:
    requests.store(Contact(submission=row, phone="405 555 0123", may_text=True, may_voicemail=True))


def test_requests_attempts_and_waits_are_counted(contact: Client) -> None:
    start, row = timezone.now(), submit(IOP)
    for hours, deed in (
        (0, "ask"),
        (3, "ask"),  # before anyone tried: the wait goes on
        (3.5, "no_answer"),
        (7, "reached"),
        (9, "reached"),
        (10, "ask"),  # a new request
        (11.5, "voicemail"),
    ):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            if deed == "ask":
                ask(row)
            else:
                tried(signed_in(User.objects.get(username="cora")), row, deed)
    assert of(What.ASKED) == {"": 2}
    assert of(What.TRIED) == {"no_answer": 1, "reached": 2, "voicemail": 1}
    assert (of(What.FIRST_TRY), of(What.REACHED)) == ({"4": 1, "2": 1}, {"8": 1})


def test_attempt_that_is_struck_out_takes_back_just_what_it_counted(contact: Client) -> None:
    row = submit(IOP)
    ask(row)
    for result in ("reached", "no_answer"):
        tried(contact, row, result)
    first, second = row.tries.all()
    Contact.objects.filter(pk=row.pk).delete()  # withdrawn, or erased after its time
    contact.post(url_of(row, "strike-out"), {"entry": f"try/{second.pk}"})
    assert (of(What.TRIED), of(What.FIRST_TRY), of(What.REACHED)) == ({"reached": 1}, {"1": 1}, {"1": 1})
    with time_machine.travel(timezone.now() + timedelta(weeks=2)):
        contact = signed_in(User.objects.get(username="cora"))
        contact.post(url_of(row, "strike-out"), {"entry": f"try/{first.pk}"})
    assert (of(What.TRIED), of(What.FIRST_TRY), of(What.REACHED)) == ({}, {}, {})
    assert {row.week for row in Count.objects.filter(number__lt=0)} == {
        week_of(first.made_at)
    }  # where they were counted


def test_attempt_from_before_waits_were_counted_takes_none_back(contact: Client) -> None:
    row = submit(IOP)
    old = Try.objects.create(submission=row, result="reached", author=User.objects.get(username="cora"))
    Count.add(What.TRIED, "reached", is_test=False)
    contact.post(url_of(row, "strike-out"), {"entry": f"try/{old.pk}"})
    assert [(row.what, row.number) for row in Count.objects.order_by("pk")][-2:] == [("tried", 1), ("tried", -1)]


@pytest.mark.parametrize(("hours", "key"), [(0, "1"), (1, "1"), (1.01, "2"), (24, "24"), (168, "168"), (169, "later")])
def test_band_of_a_time_is_the_one_that_it_ends_in(hours: float, key: str) -> None:
    now = timezone.now()
    assert band(now, now + timedelta(hours=hours)) == key


def test_outcome_is_counted_by_program_and_a_change_takes_the_place_of_the_earlier_one(contact: Client) -> None:
    row = submit(IOP)
    save(contact, row, outcome="iop")
    assert of(What.OUTCOME) == {"iop/iop": 1}
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        save(contact, row, outcome="elsewhere")
    assert of(What.OUTCOME) == {"iop/elsewhere": 1}
    ask_for_call(row)
    assert of(What.OUTCOME) == {}
    save(contact, row, outcome="iop")
    save(contact, row, status="in_progress")
    assert of(What.OUTCOME) == {}


def test_outcome_that_is_taken_back_is_taken_from_the_week_in_which_it_was_counted(contact: Client) -> None:
    row = submit(IOP)
    save(contact, row, outcome="iop")
    with time_machine.travel(timezone.now() + timedelta(weeks=2)):
        save(signed_in(User.objects.get(username="cora")), row, status="in_progress")
    assert {number for number in by_week(date.min).values() if number != 1} <= {0}
    assert of(What.OUTCOME) == {}


def judge(client: Client, row: Submission, program: str) -> None:
    assert save(client, row, reviews__0__program=program, reviews__0__reason="Why.").status_code == 302


def test_each_case_is_counted_by_one_review_the_first_blind_one_or_else_the_latest() -> None:
    rita, carl = (signed_in(member(name, "reviewer")) for name in ("rita", "carl"))
    version = rules.CURRENT.version
    seen, unseen = submit(IOP), submit(IOP, blind=True)
    judge(rita, seen, "iop")
    assert of(What.JUDGED) == {f"{version}/seen/iop/iop": 1}
    judge(carl, seen, "inpatient")
    assert of(What.JUDGED) == {f"{version}/seen/iop/inpatient": 1}
    judge(rita, unseen, "iop")
    judge(carl, unseen, "inpatient")
    judge(rita, unseen, "inpatient")
    assert of(What.JUDGED) == {f"{version}/seen/iop/inpatient": 1, f"{version}/blind/iop/iop": 1}
    judge(rita, submit(CLOSE_CALL, channel=Channel.PHONE), "either")
    assert of(What.JUDGED)[f"{version}/assisted/either/either"] == 1


def test_erasing_500_cases_changes_no_count(contact: Client) -> None:
    rows = [submit(given, outcome="") for given in (IOP, INPATIENT, CLOSE_CALL) for _ in range(4)]
    for number, row in enumerate(rows):
        ask_for_call(row)
        tried(contact, row, "reached" if number % 2 else "no_answer")
        save(contact, row, outcome="iop" if number % 3 else "elsewhere")
    judge(signed_in(member("rita", "reviewer")), rows[0], "iop")
    for _ in range(488):
        Submission.objects.submit(IOP)
    before = by_week(date.min)
    Count.fold()
    assert by_week(date.min) == before
    assert sum(of(What.SAVED).values()) == 500
    retention.erase(*Submission.objects.all()[:250])
    Submission.objects.update(received_at=timezone.now() - timedelta(days=400))
    retention.erase_expired(clock_is_right=True)
    assert not Submission.objects.exists()
    assert by_week(date.min) == before


def test_many_rows_become_one_with_their_sum() -> None:
    for number in (3, 1, -1):
        Count.add(What.SAVED, "online", number, is_test=False)
    Count.add(What.SAVED, "online", is_test=True)
    for _ in range(2):
        Count.add(What.SAVED, "paper", is_test=False)
    Count.add(What.SAVED, "online", at=timezone.now() - timedelta(weeks=1), is_test=False)
    Count.fold()
    assert sorted(Count.objects.values_list("number", "is_test")) == [(1, False), (1, True), (2, False), (3, False)]


def test_table_of_counts_holds_a_week_what_kind_and_number_and_nothing_of_anyone() -> None:
    fields = {field.name for field in Count._meta.get_fields()}
    assert fields == {"id", "week", "what", "key", "number", "is_test"}
    submit(IOP)
    row = Count.objects.get()
    assert (row.week.weekday(), row.week <= timezone.localdate()) == (0, True)


# The page


def fill(number: int, what: str, key: str = "", weeks: int = 0) -> None:
    Count.add(What(what), key, number, timezone.now() - timedelta(weeks=weeks), is_test=False)


def test_no_number_under_five_is_shown_or_exported(lead: Client) -> None:
    for number, kind in ((4, "online"), (5, "phone"), (1, "paper")):
        fill(number, "saved", kind)
    for outcome, number in (("iop", 4), ("elsewhere", 6)):
        fill(number, "outcome", f"iop/{outcome}")
    how = texts(lead)["How the answers came"]
    assert how == {"Online": ["too few"], "By phone": ["5"], "In person": ["too few"], "On paper": ["too few"]}
    shown = {cell for table in texts(lead).values() for cells in table.values() for cell in cells}
    assert shown == {"too few", "5", "10"}  # the sum of what was saved, and of the outcomes
    lines = list(csv.DictReader(lead.get(f"{FILE}?by=week").getvalue().decode().splitlines()))
    numbers = {line["number"] for line in lines}
    assert numbers == {"under 5", "5"}


def test_week_that_is_missing_is_there_and_empty(lead: Client) -> None:
    fill(7, "saved", "online", weeks=0)
    fill(9, "saved", "online", weeks=2)
    rows = list(texts(lead, f"{PAGE}?by=week")["From the first page to a call"].values())
    assert [row[3] for row in rows] == ["5", "too few", "10"]  # nothing was counted before


def test_two_years_are_read_by_month(lead: Client) -> None:
    with time_machine.travel(datetime(2028, 3, 15, 12, tzinfo=timezone.get_current_timezone()), tick=False):
        lead = signed_in(User.objects.get(username="lea"))
        for weeks in range(110):
            fill(10, "saved", "online", weeks)
            fill(10, "first_try", "5", weeks)
        table = texts(lead, f"{PAGE}?by=month")
        months = table["From the first page to a call"]
    assert (len(months), next(iter(months)), list(months)[-1]) == (24, "March 2028", "April 2026")
    assert [int(row[3]) for row in months.values()][1:5] == [40, 50, 40, 50]
    waits = table["From the request for a call"]["March 2028"]
    assert waits == ["5 hours", "5 hours", "too few", "too few"]


def test_managers_and_clinical_leads_see_it_and_nobody_else() -> None:
    for role, status in (
        ("manager", 200),
        ("clinical lead", 200),
        ("reviewer", 403),
        ("contact", 403),
        ("auditor", 403),
    ):
        client = signed_in(member(role.replace(" ", ""), role))
        assert client.get(PAGE).status_code == status
        assert client.get(FILE).status_code == status
    html = signed_in(User.objects.get(username="manager")).get(PAGE).content.decode()
    assert "/admin/unsafe/" not in html
    assert "blind_pilot" not in html


def test_invented_counts_are_shown_while_they_are_more(lead: Client) -> None:
    Count.add(What.SAVED, "online", 30, is_test=True)
    counts.note(What.BEGUN, PAGES[0].slug)  # whoever looks at the page is no invented person
    counts.flush()
    assert "invented-counts" in lead.get(FILE)["Content-Disposition"]
    assert "These are invented cases" in lead.get(PAGE).content.decode()
    assert texts(lead)["How the answers came"]["Online"] == ["30"]
    fill(29, "saved", "online")
    assert texts(lead)["How the answers came"]["Online"] == ["30"]
    fill(11, "saved", "online")
    assert "These are invented cases" not in lead.get(PAGE).content.decode()
    assert texts(lead)["How the answers came"]["Online"] == ["40"]
    assert "invented-counts" not in lead.get(FILE)["Content-Disposition"]


# Agreement


def cells(kind: str, *numbers: int, version: str = "") -> None:
    """Count cases in which the rules and staff said: both IOP; IOP, inpatient; inpatient, IOP; both inpatient."""
    pairs = [f"{one}/{other}" for one in ("iop", "inpatient") for other in ("iop", "inpatient")]
    for pair, number in zip(pairs, numbers, strict=True):
        fill(number, "judged", f"{version or rules.CURRENT.version}/{kind}/{pair}")


def test_agreement_is_shown_by_version_and_kind() -> None:
    cells("blind", 12, 3, 2, 8)
    cells("seen", 7, 0, 0, 0)
    cells("seen", 4, 0, 0, 0, version="2025.1")
    versions = dict(figures.agreement(is_test=False))
    assert list(versions) == [rules.CURRENT.version, "2025.1"]
    unseen, rest, _assisted = versions[rules.CURRENT.version]
    assert (unseen.agreement.table, unseen.percent) == ([[12, 3], [2, 8]], "80%")
    assert unseen.kappa == "0.59 (95 % interval 0.27 to 0.91)"
    assert [cells for _label, cells in unseen.table.rows] == [[10, None], [None, 10]]
    assert (rest.agreement.table, rest.is_shown) == ([[7, 0], [0, 0]], False)
    assert versions["2025.1"][1].agreement.cases == 4


def test_cases_in_which_staff_found_either_are_counted_apart() -> None:
    fill(6, "judged", "2026.2/blind/either/either")
    fill(3, "judged", "2026.2/blind/inpatient/either")
    cells("blind", 0, 0, 0, 1, version="2026.2")
    unseen = dict(figures.agreement(is_test=False))["2026.2"][0]
    assert (unseen.agreement.table, unseen.either, unseen.either_too) == ([[0, 0], [0, 1]], 10, 5)


@pytest.mark.parametrize(("number", "shown"), [(19, False), (20, True)])
def test_fewer_than_twenty_pairs_are_not_shown(lead: Client, number: int, shown: bool) -> None:
    cells("blind", 0, 0, 0, number)
    html = parse(lead.get(PAGE)).text
    assert ("They agree in 100% of about 20 cases." in html) == shown
    assert ("Staff: IOP" in html) == shown


def test_rules_behind_are_those_that_spoke_for_the_other_program() -> None:
    author = User.objects.create(username="someone")
    for program, times in (("iop", 6), ("inpatient", 2)):
        for _ in range(times):
            row = submit(INPATIENT)
            Review.objects.create(submission=row, program=program, agrees=program == "inpatient", author=author)
    spoke = figures.spoke_for_it(row.recommendation)
    assert spoke
    reviews = figures.counted_reviews(Submission.objects.all())
    assert {rule: (words, wrong, of) for rule, words, wrong, of in figures.behind(reviews)} == {
        rule: (words, 6, 8) for rule, words in spoke.items()
    }


def reviewed(program: str, blind: bool = False, by: str = "someone") -> Review:
    """Return a review of a new case that the rules give the IOP."""
    author, _ = User.objects.get_or_create(username=by)
    row = submit(IOP, blind=blind)
    return Review.objects.create(submission=row, program=program, agrees=program == "iop", blind=blind, author=author)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE screening_submission SET blind = (1 = 0)",
        "UPDATE screening_submission SET program = 'iop', close_call = (1 = 1)",
        "UPDATE screening_review SET program = 'either'",
        "UPDATE screening_review SET blind = (1 = 0)",
        "UPDATE screening_review SET recorded_at = '2026-01-01T00:00:00Z'",
    ],
)
def test_rules_behind_are_not_told_from_what_was_changed_in_the_database(sql: str) -> None:
    reviewed("inpatient", blind=True)
    assert len(figures.counted_reviews(Submission.objects.all())) == 1
    with connection.cursor() as cursor:
        cursor.execute(sql)
    assert figures.counted_reviews(Submission.objects.all()) == []


def test_case_counts_by_its_first_blind_review_or_else_by_the_latest() -> None:
    for blind, counted_program in ((True, "inpatient"), (False, "either")):
        first = reviewed("inpatient", blind)
        for each, program in ((True, "iop"), (False, "either")):
            later = {"program": program, "blind": each and blind, "author": first.author, "agrees": False}
            Review.objects.create(submission=first.submission, **later)
        review = counted_review(first.submission)
        assert review
        assert review.program == counted_program
    assert {each.program for each in figures.counted_reviews(Submission.objects.all())} == {"inpatient", "either"}


def test_rules_behind_are_told_from_the_latest_reviews(monkeypatch: pytest.MonkeyPatch) -> None:
    several = [reviewed("inpatient").submission for _review in range(6)]
    Submission.objects.filter(pk__in=[row.pk for row in several[4:]]).update(is_test=True)
    monkeypatch.setattr(figures, "LATEST", 3)
    real = Submission.objects.filter(is_test=False)
    assert [review.submission for review in figures.counted_reviews(real)] == several[1:4]


# The number told


def told(person: Person) -> str:
    return parse(person.client.get("/contact/")).text


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ({"5": 9}, ""),
        ({"5": 10}, "9 of 10 were called within 5 hours"),
        ({"5": 10, "asked": 21}, ""),
        (
            {"5": 10, "asked": 15},
            "half were called within 5 hours. Others waited longer than a week, or were not called.",
        ),
        ({"1": 5, "24": 4, "168": 1}, "half were called within an hour, 9 of 10 within a day"),
        ({"1": 5, "24": 3, "later": 2}, "half were called within an hour. Others waited longer"),
        ({"1": 1, "later": 20}, ""),
    ],
)
def test_person_is_told_how_soon_others_were_called(person: Person, bands: dict[str, int], words: str) -> None:
    person.finishes(IOP, "save")
    for key, number in bands.items():
        fill(number, *(("asked", "") if key == "asked" else ("first_try", key)), weeks=3)
    fill(1000, "first_try", "1", weeks=15)
    html = told(person)
    ask_for_call(Submission.objects.get())
    assert words in told(person)  # the page that confirms a request
    assert words in html
    assert ("We can’t say how soon someone will call." in html) == (not words)
    assert "If you may be in danger, please don’t wait for us" in html
    assert week_of().weekday() == 0


def test_page_stands_if_the_counts_cannot_be_read(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.finishes(IOP, "save")
    monkeypatch.setattr(counts, "by_week", lambda since: (_ for _ in ()).throw(DatabaseError))
    assert "We can’t say how soon someone will call." in told(person)


def test_page_of_counts_is_linked_for_who_may_see_it(lead: Client) -> None:
    assert f'href="{PAGE}"' in lead.get("/admin/").content.decode()
    assert f'href="{PAGE}"' not in signed_in(member("cora", "contact")).get(CASES).content.decode()
