"""One case: status, outcome, assignment, reviews, and two members of staff who save at once."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from screening import retention
from screening.desk.times import ago
from screening.models import Contact, LogLine, Note, Review, Status, Submission, Urgency
from screening.questionnaire import BY_SUBJECT, QUESTIONS, SUBJECTS
from tests.answers import INPATIENT, IOP, URGENT, WORST, answers
from tests.desk.helpers import (
    CASES,
    ask_for_call,
    form_of,
    listed,
    member,
    save,
    send,
    signed_in,
    submit,
    superuser,
    url_of,
)
from tests.helpers import overwrite, parse, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_in_gate]


@pytest.fixture
def row() -> Submission:
    return Submission.objects.submit(IOP)


@pytest.fixture
def colleague(staff_client: Client) -> Client:
    return signed_in(superuser("ann"))


def errors(response: Any) -> str:
    return text_of(response, ".errorlist")


# Status, outcome, assignment


def test_closing_asks_how_it_ended_and_opening_again_forgets_it(staff_client: Client, row: Submission) -> None:
    assert "A closed case needs an outcome." in errors(save(staff_client, row, status="closed"))
    assert save(staff_client, row, status="closed", outcome="iop").status_code == 302
    assert (row.status, row.outcome) == ("closed", "iop")
    assert save(staff_client, row, status="waiting").status_code == 302
    assert (row.status, row.outcome) == ("waiting", "")


def test_case_is_assigned_to_staff_who_are_still_there(staff_client: Client, row: Submission) -> None:
    staff = User.objects.get()
    gone = User.objects.create_user("gone", is_staff=True, is_active=False)
    outside = User.objects.create_user("outside")
    auditor = User.objects.create_user("auditor", is_staff=True)  # an auditor may not open the case
    for nobody in (gone, outside, auditor):
        assert save(staff_client, row, assigned_to=str(nobody.pk)).status_code == 200
    assert save(staff_client, row, assigned_to=str(staff.pk)).status_code == 302
    assert (row.assigned_to, row.touched_by) == (staff, staff)
    for query, number in ((f"assigned_to__id__exact={staff.pk}", 1), ("assigned_to__isnull=True", 0)):
        assert len(listed(staff_client, f"?{query}")) == number


def test_request_for_a_call_that_staff_withdrew_is_shown_as_withdrawn(staff_client: Client, row: Submission) -> None:
    page = url_of(row)
    assert "They left no way to reach them." in staff_client.get(page).content.decode()
    ask_for_call(row)
    staff_client.post(url_of(row, "withdraw"))
    html = staff_client.get(page).content.decode()
    assert "no longer want one: staff erased how to reach them" in html
    assert "They left no way to reach them." not in html
    assert not Contact.objects.exists()


# Reviews


def test_review_is_recorded_with_author_and_time_and_cannot_be_changed(staff_client: Client, row: Submission) -> None:
    assert save(staff_client, row, reviews__0__program="iop").status_code == 302
    save(
        staff_client,
        row,
        reviews__0__program="inpatient",
        reviews__0__reason="Alone at home.",
    )
    first, second = Review.objects.all()
    assert (first.program, first.agrees, first.reason, first.author.get_username()) == ("iop", True, "", "staff")
    assert (second.program, second.agrees, second.reason) == ("inpatient", False, "Alone at home.")
    html = staff_client.get(url_of(row)).content.decode()
    for words in ("agrees with the rules", "differs from the rules", "Alone at home."):
        assert words in html
    crafted = {"reviews-0-id": str(first.pk), "reviews-0-program": "inpatient", "reviews-0-reason": "Changed."}
    crafted |= {"reviews-INITIAL_FORMS": "2", "reviews-1-id": str(second.pk), "reviews-0-DELETE": "on"}
    staff_client.post(url_of(row), form_of(staff_client, row) | crafted)
    assert list(Review.objects.values_list("program", flat=True))[:2] == ["iop", "inpatient"]
    assert list(Review.objects.filter(pk__in=(first.pk, second.pk))) == [first, second]


def test_to_differ_from_the_rules_takes_a_reason_and_to_agree_none(staff_client: Client, row: Submission) -> None:
    response = save(staff_client, row, reviews__0__program="inpatient", notes__0__text="Half a note")
    assert "You differ from the rules. Please say why." in errors(response)
    assert "Half a note" in response.content.decode()
    assert not Review.objects.exists()


# Concurrent saves


def test_save_over_a_newer_state_is_refused_with_what_changed_and_keeps_what_was_typed(
    staff_client: Client, colleague: Client, row: Submission
) -> None:
    page = form_of(staff_client, row)
    assert save(colleague, row, status="closed", outcome="declined").status_code == 302
    response = send(staff_client, row, page, notes__0__text="Called.", reviews__0__program="iop")
    text = errors(response)
    assert "ann saved this case after you opened it." in text
    assert "Status: Closed." in text
    assert "Outcome: Did not want to go on." in text
    assert (Note.objects.count(), Review.objects.count(), row.status) == (0, 0, Status.CLOSED)
    shown = parse(response)
    assert shown.select_one("[name=notes-0-text]").text.strip() == "Called."
    assert shown.select_one("[name=status] [selected]")["value"] == "closed"
    again = {str(field["name"]): str(field.get("value", "")) for field in shown.select("#submission_form input[name]")}
    again |= {"status": "closed", "outcome": "declined"}
    assert send(staff_client, row, again, notes__0__text="Called.", reviews__0__program="iop").status_code == 302
    assert (Note.objects.count(), Review.objects.count(), row.status) == (1, 1, Status.CLOSED)


def test_field_that_both_changed_keeps_what_was_typed_and_is_saved_only_when_sent_again(
    staff_client: Client, colleague: Client, row: Submission
) -> None:
    page = form_of(staff_client, row)
    save(colleague, row, status="waiting", notes__0__text="Will ring back.")
    response = send(staff_client, row, page, status="in_progress")
    assert "Status: Waiting for person." in errors(response)
    assert row.status == Status.WAITING
    shown = parse(response)
    assert shown.select_one("[name=status] [selected]")["value"] == "in_progress"


def test_note_of_a_colleague_counts_as_newer_too(staff_client: Client, colleague: Client, row: Submission) -> None:
    page = form_of(staff_client, row)
    save(colleague, row, notes__0__text="I have spoken with her.")
    assert "A note or a review was added." in errors(send(staff_client, row, page, status="in_progress"))
    assert row.status == Status.NEW


def test_double_click_saves_once_and_says_so(staff_client: Client, row: Submission) -> None:
    page = form_of(staff_client, row)
    assert send(staff_client, row, page, notes__0__text="Called.").status_code == 302
    assert "staff saved this case after you opened it." in errors(
        send(staff_client, row, page, notes__0__text="Called.")
    )
    assert Note.objects.count() == 1


def test_case_that_its_person_erased_meanwhile_is_reported_as_erased(staff_client: Client, row: Submission) -> None:
    page = form_of(staff_client, row) | {"notes-0-text": "Called."}
    retention.erase(row)
    response = staff_client.post(url_of(row), page, follow=True)
    assert response.redirect_chain == [(CASES, 302)]
    assert "It was erased by its person, or its time was up." in response.content.decode()
    assert not Note.objects.exists()


def test_save_locks_the_case_before_reading_it(
    staff_client: Client, row: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person can't erase the case between the read and the save; one erased just before is reported as erased."""
    page = form_of(staff_client, row) | {"notes-0-text": "Called."}
    locked = Submission.objects.select_for_update

    def erased_just_before(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(Submission.objects, "select_for_update", locked)  # erasing locks, too
        retention.erase(row)
        return locked(*args, **kwargs)

    monkeypatch.setattr(Submission.objects, "select_for_update", erased_just_before)
    response = staff_client.post(url_of(row), page)
    assert (response.status_code, response.headers["Location"]) == (302, CASES)
    assert not Note.objects.exists()


# One press


def test_one_button_agrees_with_the_rules_and_is_no_way_round_a_hidden_result(staff_client: Client) -> None:
    row = submit(INPATIENT)
    assert "Review: Inpatient, as the rules say" in staff_client.get(url_of(row)).content.decode()
    assert save(staff_client, row, _agree="1").status_code == 302
    review = row.reviews.get()
    assert (review.program, review.agrees, review.reason) == ("inpatient", True, "")
    hidden = submit(INPATIENT, blind=True)
    assert "as the rules say" not in staff_client.get(url_of(hidden)).content.decode()
    save(staff_client, hidden, _agree="1")
    assert not hidden.reviews.exists()


def test_save_leads_on_to_the_next_case_that_is_due(staff_client: Client) -> None:
    first, calm, _later = submit(URGENT), submit(IOP, due_at=timezone.now()), submit(IOP)
    assert save(staff_client, first, next_step="hours", _next="1").url == url_of(calm)
    assert save(staff_client, calm, next_step="hours", _next="1").url == CASES


def test_same_note_is_not_kept_twice_by_back_and_save(staff_client: Client) -> None:
    row = submit(IOP)
    for text in ("Called.", "Called.", "Called again."):
        save(staff_client, row, notes__0__text=text)
    assert [note.text for note in row.notes.all()] == ["Called.", "Called again."]


def test_history_folds_what_repeats_and_answers_that_counted_come_first(staff_client: Client) -> None:
    row = submit(INPATIENT)
    for _time in range(24):
        page = staff_client.get(url_of(row))
    (opened,) = [cells.text for cells in parse(page).select("#history ~ table tr") if "Opened" in cells.text]
    assert "(24 times, the last time then)" in opened
    counted, others = parse(page).select("table.answers")
    assert counted.select("tr.marked")
    assert not others.select("tr.marked")
    assert others.find_parent("details")
    assert len(counted.select("td")) + len(others.select("td")) == 2 * len(QUESTIONS)


# What the page says after a save


def stored(row: Submission) -> dict[str, Any]:
    return dict(Submission.objects.values().get(pk=row.pk))


@pytest.mark.parametrize("button", ["_addanother", "_saveasnew", "_popup", "_continue", "_to_field"])
@pytest.mark.parametrize("model", ["submission", "user"])
def test_any_button_of_the_stock_admin_saves(staff_client: Client, row: Submission, button: str, model: str) -> None:
    address = url_of(row) if model == "submission" else f"/admin/auth/user/{User.objects.get().pk}/change/"
    typed = {"status": "waiting"} if model == "submission" else {"username": "renamed"}
    form = form_of(staff_client, row) if model == "submission" else {}
    response = staff_client.post(address, form | typed | {button: "1"})
    assert response.status_code == 302
    assert staff_client.get(response.url).status_code == 200
    row.refresh_from_db()
    assert row.status == "waiting" or User.objects.get().username == "renamed"


def test_refused_save_shows_the_case_as_it_is_in_the_database(staff_client: Client, row: Submission) -> None:
    response = save(staff_client, row, status="closed", assigned_to=str(User.objects.get().pk))
    assert "A closed case needs an outcome." in errors(response)
    panel = text_of(response, ".to-do")
    assert "Status: New." in panel
    assert "Assigned to: nobody." in panel
    assert parse(response).select_one("#id_status option[selected]")["value"] == "closed", "what was typed is not lost"


@pytest.mark.parametrize("button", ["_save", "_continue"])
def test_save_without_a_change_changes_nothing_and_says_so(
    staff_client: Client, colleague: Client, row: Submission, button: str
) -> None:
    theirs = form_of(colleague, row)
    form = form_of(staff_client, row)
    before, entries = stored(row), LogLine.objects.count()
    response = staff_client.post(url_of(row), form | {button: "1"})
    assert response.status_code == 302
    assert (stored(row), LogLine.objects.count()) == (before, entries)
    shown = text_of(staff_client.get(response.url), ".messagelist")
    assert "Nothing was changed, so nothing was saved." in shown
    assert "successfully" not in shown
    assert colleague.post(url_of(row), theirs | {"status": "waiting"}).status_code == 302, (
        "nothing of theirs is refused"
    )
    row.refresh_from_db()
    assert row.status == "waiting"


def test_note_alone_counts_as_a_change(staff_client: Client, row: Submission) -> None:
    assert save(staff_client, row, notes__0__text="Called back.").status_code == 302
    assert stored(row)["version"] == 1
    assert Note.objects.count() == 1


def test_answers_that_set_a_level_are_marked_and_no_others(staff_client: Client) -> None:
    case = Submission.objects.submit(answers(self_harm="plan", supporters="one_or_two", health="often"))
    rows = parse(staff_client.get(url_of(case))).select(".case tr")
    marked = {" ".join(row.text.split()) for row in rows if "marked" in row.get_attribute_list("class")}
    texts = [QUESTIONS[key].text for key in ("self_harm", "supporters")]
    assert len(marked) == 2
    assert all(any(row.startswith(text) for row in marked) for text in texts), marked


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "just now"), (59, "just now"), (60, "1 minute ago"), (7260, "2 hours ago")]
)
def test_time_is_told_in_its_largest_unit(seconds: int, words: str) -> None:
    with time_machine.travel("2026-11-23 12:00:00Z", tick=False):
        assert ago(timezone.now() - timedelta(seconds=seconds)).replace("\xa0", " ") == words


@pytest.mark.parametrize(("seconds", "warned"), [(14 * 60 + 59, True), (15 * 60, False)])
def test_case_that_a_colleague_opened_within_15_minutes_says_so(
    staff_client: Client, row: Submission, seconds: int, warned: bool
) -> None:
    with time_machine.travel("2026-11-23 12:00:00Z", tick=False) as clock:
        signed_in(superuser("ann")).get(url_of(row))
        clock.shift(seconds)
        assert ("This case was opened by ann" in staff_client.get(url_of(row)).content.decode()) == warned


def test_one_form_adds_one_note_however_many_it_holds(staff_client: Client) -> None:
    case = Submission.objects.submit(IOP)
    many = {f"notes-{place}-text": "Called." for place in range(300)}
    assert send(staff_client, case, form_of(staff_client, case) | many | {"notes-TOTAL_FORMS": "300"}).status_code < 500
    assert Note.objects.count() <= 1


def test_note_is_taken_from_a_template_of_the_center_with_or_without_own_words(
    staff_client: Client, row: Submission, center_tells: Any
) -> None:
    center_tells(note_templates="Called, no answer.\nLeft a voicemail; say nothing else.")
    options = [option.text for option in parse(staff_client.get(url_of(row))).select("[name=notes-0-template] option")]
    assert options == ["", "Called, no answer.", "Left a voicemail; say nothing else."]
    save(staff_client, row, notes__0__template="Called, no answer.")
    save(staff_client, row, notes__0__template="Called, no answer.", notes__0__text="Try at two.")
    save(staff_client, row, notes__0__text="She called back.")
    texts = ["Called, no answer.", "Called, no answer.\nTry at two.", "She called back."]
    assert [note.text for note in row.notes.all()] == texts
    long = save(staff_client, row, notes__0__template="Called, no answer.", notes__0__text="x" * 3990)
    assert "at most 4000 characters (it has 4009)" in text_of(long, ".errors")
    response = save(staff_client, row, notes__0__template="Invented.")
    assert response.status_code == 200
    assert row.notes.count() == 3


# The interview sheet


def test_print_is_an_interview_by_subject_with_room_to_write_and_the_result_on_the_last_page(
    staff_client: Client, center_tells: Any
) -> None:
    center_tells(redisclosure="Do not pass this on.")
    row = submit(WORST)
    page = parse(staff_client.get(url_of(row, "print")))
    sheet = page.select_one(".interview")
    assert [head.text for head in sheet.select("tbody th")] == list(SUBJECTS.values())
    asked = [cell.contents[0] for cell in sheet.select("tbody td:first-child")]
    assert asked == [QUESTIONS[key].text for keys in BY_SUBJECT.values() for key in keys]
    assert [cell.text for cell in sheet.select("tbody td + td")] == [""] * len(QUESTIONS)
    before, result = str(page).split('class="last-page"')
    reasons = row.recommendation.reasons
    urgent = {reason.key for reason in reasons if (reason.dimension, reason.level) == ("urgency", "now")}
    for reason in reasons:
        assert (reason.text in before) == (reason.key in urgent), reason.key
        assert reason.text in result
    assert "A program where you stay" not in before
    assert len(page.select(".answers")) == 0
    assert [each.text for each in page.select(".redisclosure")] == ["Do not pass this on."] * 2


def test_interview_that_is_not_urgent_begins_with_the_answers(staff_client: Client) -> None:
    row = submit(answers(past_withdrawal="severe"))
    assert row.urgency == Urgency.SOON
    before, result = staff_client.get(url_of(row, "print")).content.decode().split('class="last-page"')
    for reason in row.recommendation.reasons:
        assert reason.text not in before
        assert reason.text in result


def test_every_question_is_of_one_subject() -> None:
    assert sorted(key for keys in BY_SUBJECT.values() for key in keys) == sorted(QUESTIONS)
    assert all(BY_SUBJECT.values())


# What fresh eyes stumbled over


def test_save_and_next_goes_through_all_that_is_due_and_ends(staff_client: Client) -> None:
    rows = [submit(IOP, due_at=timezone.now() - timedelta(hours=hours)) for hours in (3, 2, 1)]
    seen, row = [rows[0].pk], rows[0]
    for _ in rows:
        answer = save(staff_client, row, notes__0__text="Looked.", _next="1")
        row = Submission.objects.filter(pk__in=[row.pk for row in rows if f"/{row.pk}/" in answer.url]).first() or row
        seen.append(row.pk)
    assert seen == [row.pk for row in rows] + [rows[2].pk]
    assert answer.url == CASES


def test_note_that_was_struck_out_can_be_written_again(staff_client: Client) -> None:
    row = submit(IOP)
    save(staff_client, row, notes__0__text="She called.")
    staff_client.post(url_of(row, "strike-out"), {"entry": f"note/{row.notes.get().pk}"})
    save(staff_client, row, notes__0__text="She called.")
    assert [note.struck_at is None for note in row.notes.all()] == [False, True]


def test_review_is_not_stored_twice_by_back_and_save(staff_client: Client) -> None:
    row = submit(IOP)
    for _ in range(2):
        save(staff_client, row, _agree="1")
    assert row.reviews.count() == 1


def test_button_that_agrees_does_not_turn_another_choice_round(staff_client: Client) -> None:
    row = submit(IOP)
    refused = save(staff_client, row, _agree="1", reviews__0__program="inpatient", reviews__0__reason="Needs a bed.")
    assert "You chose one program, and pressed the button for another" in errors(refused)
    assert "Needs a bed." in refused.content.decode()
    assert not row.reviews.exists()


def test_case_stays_with_someone_who_lost_the_right_to_it_until_it_is_changed(staff_client: Client) -> None:
    ann = member("ann", "reviewer")
    row = submit(IOP, assigned_to=ann)
    ann.groups.clear()
    save(staff_client, row, notes__0__text="Looked.")
    assert row.assigned_to == ann


def test_case_whose_program_was_damaged_in_the_database_still_opens(staff_client: Client) -> None:
    row = submit(IOP)
    overwrite(row, program="nonsense")
    assert staff_client.get(url_of(row)).status_code == 200
