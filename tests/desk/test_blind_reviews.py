"""Blind reviews hide the result until it is judged; the agreement page compares rules and staff."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client

from intake_site import settings as settings_file
from screening import return_codes
from screening.desk import queues
from screening.models import Channel, Program, Review, Submission
from tests.answers import CLOSE_CALL, IOP, URGENT
from tests.desk.helpers import CASES, form_of, member, save, send, signed_in, submit, url_of
from tests.helpers import output_of, parse

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_in_gate]


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
    assert "No pilot is under way." in text(lead, "/admin/how-we-are-doing/")
    assert "the next 3 are judged blind" in output_of("blind_pilot", "3")
    assert "the next 3 people" in text(lead, "/admin/how-we-are-doing/")
    Submission.objects.submit(IOP, channel=Channel.PHONE)
    code = return_codes.generate()
    made = [Submission.objects.submit(IOP, code) for _ in range(2)]
    made += [Submission.objects.submit(IOP) for _ in range(4)]
    assert [row.blind for row in made] == [True, True, True, True, False, False]
    assert made[0].pk == made[1].pk
    output_of("blind_pilot")
    assert "the next 30 people" in text(lead, "/admin/how-we-are-doing/")
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
    assert len(parse(reviewer.get(pages[0])).select("#answers ~ details[open] td strong")) == len(row.answers)
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
