"""Blind reviews hide the result until it is judged; the agreement page compares rules and staff."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from intake_site import settings as settings_file
from screening import audit, return_codes, rules
from screening.desk import agreement, queues
from screening.models import Channel, Program, Review, Submission
from tests.answers import CLOSE_CALL, INPATIENT, IOP, URGENT
from tests.desk.helpers import CASES, form_of, member, save, send, signed_in, submit, url_of
from tests.helpers import output_of, overwrite, parse

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(db: None) -> Client:
    return signed_in(member("rita", "reviewer"))


def case(given: dict[str, str] = CLOSE_CALL, *, blind: bool = True) -> Submission:
    return submit(given, blind=blind)


def judge(client: Client, row: Submission, program: str, reason: str = "") -> Any:
    return save(client, row, reviews__0__program=program, reviews__0__reason=reason)


def text(client: Client, address: str) -> str:
    return parse(client.get(address)).select_one("#content, main").text


# The hidden result


def test_no_submission_is_blind_unless_someone_asks_for_it() -> None:
    assert settings_file.BLIND_PERCENT == 0
    assert "BLIND_PERCENT" in Path("docs/settings.md").read_text()


def test_pilot_has_the_next_that_come_online_judged_blind_and_no_more(settings: Any) -> None:
    settings.BLIND_PERCENT = 0
    lead = signed_in(member("lea", "clinical lead"))
    assert "No pilot is under way." in text(lead, "/admin/agreement/")
    assert "the next 3 are judged blind" in output_of("blind_pilot", "3")
    assert "the next 3 people" in text(lead, "/admin/agreement/")
    Submission.objects.submit(IOP, channel=Channel.PHONE)
    code = return_codes.generate()
    made = [Submission.objects.submit(IOP, code) for _ in range(2)]
    made += [Submission.objects.submit(IOP) for _ in range(4)]
    assert [row.blind for row in made] == [True, True, True, True, False, False]
    assert made[0].pk == made[1].pk
    output_of("blind_pilot")
    assert "the next 30 people" in text(lead, "/admin/agreement/")
    assert "No pilot" in output_of("blind_pilot", "0")
    assert not Submission.objects.submit(IOP).blind
    for wrong in ("-1", "1001"):
        with pytest.raises(CommandError, match="from 0 to 1000"):
            output_of("blind_pilot", wrong)


def test_configured_share_of_new_submissions_is_blind(settings: Any) -> None:
    for percent in (0, 100):
        settings.BLIND_PERCENT = percent
        assert {Submission.objects.submit(IOP).blind for _ in range(20)} == {percent == 100}
    settings.BLIND_PERCENT = 30
    assert 20 < sum(Submission.objects.submit(IOP).blind for _ in range(200)) < 110


def test_result_is_hidden_from_a_reviewer_until_they_have_judged(reviewer: Client) -> None:
    row = case()
    result = [reason.text for reason in row.recommendation.reasons if reason.dimension != "urgency"]
    result += ["Both could fit. Talk it over", "They were told: “You have", "Where the answers place"]
    pages = (url_of(row), url_of(row, "print"))
    for address in pages:
        shown = text(reviewer, address)
        assert "Hidden from you for now" in shown
        assert [part for part in result if part in shown] == []
    assert "Review before seeing the result" in text(reviewer, CASES)
    assert judge(reviewer, row, row.program, "From the answers.").status_code == 302
    review = Review.objects.get()
    assert (review.blind, review.agrees) == (True, True)
    for address in pages:
        shown = text(reviewer, address)
        assert "Hidden from you for now" not in shown
        assert [part for part in result if part not in shown] == []
    assert "before seeing the result" in text(reviewer, pages[0])
    judge(reviewer, row, row.program)
    assert [each.blind for each in Review.objects.order_by("pk")] == [True, False]


def test_how_a_case_ended_and_what_colleagues_noted_is_hidden_until_then(reviewer: Client) -> None:
    row, colleague = case(), signed_in(member("carl", "reviewer"))
    page = form_of(reviewer, row)
    save(colleague, row, outcome="inpatient", notes__0__text="Moved in on Monday.")
    save(reviewer, row, notes__0__text="I called her.")

    def shown() -> str:
        return text(reviewer, url_of(row)) + text(reviewer, url_of(row, "print"))

    assert (row.status, row.outcome) == ("closed", "inpatient")
    assert "Moved in on Monday." not in shown()
    assert "Started inpatient care" not in shown()
    assert shown().count("I called her.") == 2
    assert "Started inpatient care" not in send(reviewer, row, page, status="waiting").content.decode()
    row.refresh_from_db()
    assert row.outcome == "inpatient"
    judge(reviewer, row, "iop", "From the answers.")
    assert (row.status, row.outcome) == ("closed", "inpatient")
    assert "Moved in on Monday." in shown()
    assert "Started inpatient care" in shown()


def test_who_has_not_judged_can_reopen_a_case_whose_outcome_they_do_not_see(reviewer: Client) -> None:
    row = submit(IOP, blind=True, status="closed", outcome="iop")
    assert "outcome" not in form_of(reviewer, row)
    assert save(reviewer, row, status="in_progress").status_code == 302
    assert (row.status, row.outcome, row.due_at is None) == ("in_progress", "", False)


def test_missing_reason_does_not_reveal_the_hidden_result(reviewer: Client) -> None:
    row = case()
    errors = set()
    for program in Program.values:
        response = judge(reviewer, row, program)
        assert response.status_code == 200
        errors.add(parse(response).select_one(".field-reason .errorlist").text)
    assert errors == {"Please say why."}
    assert not Review.objects.exists()


def test_hidden_result_cannot_be_inferred_from_filters_counts_or_colleagues(reviewer: Client) -> None:
    row = case()
    for query in (f"program__exact={row.program}", "close_call__exact=1", "close_call__exact=0"):
        assert reviewer.get(f"{CASES}?{query}").status_code == 400
    assert f"/{row.pk}/change/" not in reviewer.get(f"{CASES}?queue=either").content.decode()
    assert counted(reviewer)["either"] == 0
    colleague = signed_in(member("carl", "reviewer"))
    judge(colleague, row, "iop", "She has a home to go to.")
    assert "She has a home to go to." not in text(reviewer, url_of(row))
    assert "She has a home to go to." not in text(reviewer, url_of(row, "print"))
    judge(reviewer, row, "inpatient", "Too alone.")
    assert "She has a home to go to." in text(reviewer, url_of(row))
    assert [review.blind for review in Review.objects.all()] == [True, True]


@pytest.mark.parametrize(("given", "agrees"), [(CLOSE_CALL, True), (IOP, False)], ids=["both fit", "one fits"])
def test_review_may_say_that_either_program_fits(reviewer: Client, given: dict[str, str], agrees: bool) -> None:
    row = case(given, blind=False)
    response = judge(reviewer, row, "either")
    assert (response.status_code == 302) == agrees  # who differs says why
    if not agrees:
        judge(reviewer, row, "either", "Her sister can stay.")
    review = Review.objects.get()
    assert (review.program, review.agrees) == ("either", agrees)
    assert "Either program fits" in text(reviewer, url_of(row))


def test_one_press_agrees_that_either_fits_where_the_rules_say_so(reviewer: Client) -> None:
    row = case(CLOSE_CALL, blind=False)
    assert "Review: Either program fits, as the rules say" in text(reviewer, url_of(row))
    save(reviewer, row, _agree="1")
    assert Review.objects.values_list("program", "agrees").get() == ("either", True)


def test_reviews_that_say_either_are_counted_apart() -> None:
    for given, times in ((CLOSE_CALL, 2), (INPATIENT, 1)):
        for _ in range(times):
            reviewed("either", blind=True, given=given)
    reviewed("inpatient", blind=True)
    unseen, _rest, _assisted = parts()[rules.CURRENT.version]
    assert (unseen.agreement.table, unseen.either, unseen.either_too) == ([[0, 0], [0, 1]], 3, 2)
    html = text(signed_in(member("lea", "clinical lead")), "/admin/agreement/")
    assert "In 3 more cases staff found that either program fits; the rules said so too in 2." in html


def counted(client: Client) -> dict[str, int]:
    staff = User.objects.get(pk=client.session["_auth_user_id"])
    return {queue.key: count for queue, count in queues.counted(staff, Submission.objects.unexpired())}


def test_urgency_is_never_hidden_and_who_does_not_review_sees_all(reviewer: Client) -> None:
    row = case(URGENT)
    shown = text(reviewer, url_of(row))
    assert "Urgency: Now" in shown
    urgent = next(reason for reason in row.recommendation.reasons if reason.level == "now")
    assert urgent.text in shown
    shown = text(signed_in(member("cora", "contact")), url_of(row))
    assert "Hidden from you" not in shown
    assert "A program where you stay" in shown
    assert "Hidden from you" in text(signed_in(member("lea", "clinical lead")), url_of(row))


def test_hidden_result_cannot_be_inferred_from_counts_on_other_pages() -> None:
    lead = signed_in(member("lea", "clinical lead"))

    def programs() -> list[str]:
        tables = parse(lead.get("/admin/agreement/")).select("section[aria-labelledby=work] table")
        return [cell.text for cell in tables[1].select("td")]

    row = case(INPATIENT)
    assert programs() == ["0", "0"]
    judge(lead, row, "inpatient", "Too alone.")
    assert programs() == ["0", "1"]


# Agreement


def reviewed(program: str, *, blind: bool, given: dict[str, str] = INPATIENT, **fields: Any) -> Submission:
    row = case(given, blind=blind)
    author, _created = User.objects.get_or_create(username="someone")
    agrees = row.program == program
    Review.objects.create(submission=row, program=program, agrees=agrees, blind=blind, author=author, reason="Why.")
    overwrite(row, **fields)
    return row


def parts(rows: Any = None) -> dict[str, list[agreement.Part]]:
    return dict(agreement.versions(Submission.objects.all() if rows is None else rows))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE screening_submission SET blind = (1 = 0)",
        "UPDATE screening_submission SET program = 'iop'",
        "UPDATE screening_review SET program = 'inpatient'",
        "UPDATE screening_review SET blind = (1 = 0)",
        "UPDATE screening_review SET agrees = (1 = 1)",
        "UPDATE screening_review SET recorded_at = '2026-01-01T00:00:00Z'",
    ],
)
def test_what_was_changed_in_the_database_is_not_counted_and_is_named(sql: str) -> None:
    row = reviewed("iop", blind=True)
    assert "1 agree" in output_of("verify_results")
    with connection.cursor() as cursor:
        cursor.execute(sql)
    assert parts() == {}
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_results", stdout=out, stderr=StringIO())
    assert str(row) in out.getvalue()


def test_table_is_counted_by_version_with_blind_reviews_separate() -> None:
    for given, program, blind, times in (
        (IOP, "iop", True, 12),
        (IOP, "inpatient", True, 3),
        (INPATIENT, "iop", True, 2),
        (INPATIENT, "inpatient", True, 8),
        (IOP, "iop", False, 7),
    ):
        for _ in range(times):
            reviewed(program, blind=blind, given=given)
    for _ in range(4):
        reviewed("iop", blind=False, given=IOP, rules_version="2025.1")
    versions = parts()
    assert list(versions) == [rules.CURRENT.version, "2025.1"]
    unseen, rest, _assisted = versions[rules.CURRENT.version]
    assert (unseen.agreement.table, unseen.percent) == ([[12, 3], [2, 8]], "80%")
    assert unseen.kappa == "0.59 (95 % interval 0.27 to 0.91)"
    assert (rest.agreement.table, rest.shown) == ([[7, 0], [0, 0]], False)
    assert versions["2025.1"][1].agreement.cases == 4


def test_each_case_counts_once() -> None:
    row = reviewed("iop", blind=True)
    author = User.objects.get(username="someone")
    for blind, program in ((True, "inpatient"), (False, "inpatient")):
        Review.objects.create(submission=row, program=program, agrees=True, blind=blind, author=author)
    other = reviewed("iop", blind=False)
    Review.objects.create(submission=other, program="inpatient", agrees=True, author=author)
    unseen, rest, _assisted = parts()[rules.CURRENT.version]
    assert unseen.agreement.table == [[0, 0], [1, 0]]  # the first blind review
    assert rest.agreement.table == [[0, 0], [0, 1]]  # the latest


def test_rules_on_the_wrong_side_are_those_that_spoke_for_the_other_program() -> None:
    for program, times in (("iop", 3), ("inpatient", 2)):
        for _ in range(times):
            row = reviewed(program, blind=False)
    spoke = agreement.spoke_for_it(row.recommendation)
    assert spoke
    reasons = [reason for reason in row.recommendation.reasons if reason.dimension in ("need", "support")]
    assert set(spoke) <= {reason.key for reason in reasons}
    _blind, rest, _assisted = parts()[rules.CURRENT.version]
    assert {rule: (words, wrong, of) for rule, words, wrong, of in rest.wrong} == {
        rule: (words, 3, 5) for rule, words in spoke.items()
    }


@pytest.mark.parametrize(("number", "shown"), [(19, False), (20, True)])
def test_fewer_than_twenty_cases_are_not_shown(number: int, shown: bool) -> None:
    for _ in range(number):
        reviewed("inpatient", blind=True)
    html = text(signed_in(member("lea", "clinical lead")), "/admin/agreement/")
    assert ("They agree in 100% of 20 cases." in html) == shown
    assert ("19 so far. Shown from 20 cases on" in html) == (not shown)
    assert ("Staff: IOP" in html) == shown


def test_erased_expired_and_invented_submissions_do_not_count() -> None:
    lead = signed_in(member("lea", "clinical lead"))
    for fields in ({"is_test": True}, {"received_at": timezone.now() - timedelta(days=91)}):
        for _ in range(25):
            reviewed("inpatient", blind=True, **fields)
    html = text(lead, "/admin/agreement/")
    assert "These are invented cases" in html
    assert "of 25 cases" in html
    for _ in range(21):
        reviewed("inpatient", blind=True)
    html = text(lead, "/admin/agreement/")
    assert "These are invented cases" not in html
    assert "of 21 cases" in html


def test_counts_of_the_last_weeks_are_shown(staff_client: Client) -> None:
    for days, given, call in ((0, URGENT, True), (8, IOP, False), (8, INPATIENT, True), (120, IOP, True)):
        row = case(given, blind=False)
        Submission.objects.filter(pk=row.pk).update(
            received_at=timezone.now() - timedelta(days=days, hours=2), wants_call=call
        )
    staff_client.post(f"{CASES}{Submission.objects.order_by('pk').first().pk}/reveal/")
    audit.record(audit.Action.REVEALED, "staff", Submission.objects.order_by("pk").first().reference)
    page = parse(staff_client.get("/admin/agreement/"))
    tables = {}
    for table in page.select("section[aria-labelledby=work] table"):
        tables[table.caption.text] = {row.th.text: int(row.td.text) for row in table.select("tr")}
    volume, programs, urgency, channels, contact = tables.values()
    assert (len(volume), sum(volume.values())) == (13, 3)
    assert programs == {"IOP": 1, "Inpatient": 2}
    assert (urgency["Now"], sum(urgency.values())) == (1, 3)
    assert channels == {"Online": 3, "By phone": 0, "In person": 0, "On paper": 0}
    assert (contact["within 4 hours"], contact["not yet"], sum(contact.values())) == (1, 1, 2)
