"""The tests that keep what is done about each hazard; a run fails if one is missing or does not pass.

A hazard, as /how-it-works/ says it -> its tests, "file::name" below tests/, space-separated. What is said of each is in
templates/public/hazards.html. `python -m tests.hazards > docs/safety.md` writes both as a document.
"""

from collections.abc import Iterator
from typing import Any

# fmt: off
HAZARDS = {
    "Someone who drinks each day stops alone, and has a seizure.":
        "public/test_result.py::test_notices_of_danger_are_never_folded_and_only_soon_speaks_of_the_next_few_days "
        "rules/test_rules.py::test_rules_are_those_of_the_clinical_table_and_no_others "
        "public/test_result.py::test_every_notice_a_rule_brings_is_shown_whatever_the_program",
    "A recent overdose or suicide attempt stays unseen.":
        "rules/test_questionnaire.py::test_words_of_an_answer_that_means_danger_are_its_own "
        "rules/test_questionnaire.py::test_where_two_answers_can_be_true_the_last_true_one_is_asked_for "
        "rules/test_questionnaire.py::test_safety_stopping_and_care_ask_one_question_a_page_and_the_others_a_pair "
        "rules/test_questionnaire.py::test_questions_and_options_are_those_of_the_specification_in_its_order "
        "rules/test_rules.py::test_recommend_agrees_with_the_table_worked_out_the_plain_way",
    "Someone is sent to a bed for want of a ride, a home or a job.":
        "rules/test_rules.py::test_grid_is_the_clinical_grid "
        "rules/test_invariants.py::test_home_ride_work_and_family_alone_are_no_high_need_and_no_urgency_today",
    "Many are sent to a place to stay who do not need one.":
        "rules/test_rules.py::test_headline_is_help_before_anything_else "
        "rules/test_rules.py::test_grid_is_the_clinical_grid "
        "public/test_result.py::test_what_to_ask_about_too_follows_from_the_cell",
    "Good answers outweigh one that means danger.":
        "rules/test_rules.py::test_recommend_agrees_with_the_table_worked_out_the_plain_way "
        "rules/test_invariants.py::test_a_worse_answer_never_means_less_care_or_less_urgency",
    "Someone in danger reads about programs, and does not call.":
        "rules/test_invariants.py::test_no_program_is_the_headline_where_help_is_needed_now_or_today "
        "public/test_result.py::test_urgent_result_puts_numbers_before_notices_before_code_before_the_program "
        "browser/test_first_screen.py::test_number_to_call_is_on_the_first_screen_of_every_urgent_result "
        "public/test_questions.py::test_answer_that_means_now_leads_to_the_numbers_at_the_next_tap "
        "public/test_questions.py::test_urgent_answer_leads_to_the_numbers_also_when_one_is_changed "
        "public/test_result.py::test_no_fold_of_an_urgent_result_is_open_and_nobody_is_watching_is_in_none "
        "public/test_questions.py::test_urgent_answer_leads_to_the_numbers_also_if_another_is_missing "
        "public/test_questions.py::test_urgent_help_is_shown_even_after_a_csrf_failure",
    "Someone in danger saves, and waits for help that nobody sends.":
        "public/test_questions.py::test_check_page_says_beside_save_that_nobody_is_watching "
        "public/test_result.py::test_urgent_result_puts_numbers_before_notices_before_code_before_the_program "
        "public/test_contact.py::test_nobody_is_watching_is_said_whenever_help_comes_first "
        "public/test_result.py::test_nobody_is_watching_stands_beside_save "
        "public/test_contact.py::test_request_ends_on_a_page_that_confirms_it",
    "Someone in danger waits for an answer at their code, or is calmed by one.":
        "desk/test_replies.py::test_person_finds_every_sentence_at_the_code_with_its_day_and_whom_to_call",
    "Staff overlook an urgent case, or take one that can’t be called for one that was.":
        "desk/test_queues.py::test_due_cases_are_in_the_order_of_work "
        "desk/test_queues.py::test_urgent_cases_that_nobody_can_reach_are_counted_apart "
        "test_notifications.py::test_urgent_submission_is_notified_of_also_if_it_was_looked_at_or_changed_before "
        "test_notifications.py::test_failed_mail_is_tried_again_later_and_later_until_it_is_sent "
        "test_notifications.py::test_urgent_submission_is_notified_of_once",
    "A number to call no longer answers.":
        "test_help_lines.py::test_check_of_help_lines_is_one_of_those_before_going_live "
        "test_help_lines.py::test_check_warns_of_a_line_that_was_not_checked_for_180_days",
    "The site is down for someone who looks for a number.":
        "public/test_error_pages.py::test_error_page_has_the_crisis_numbers_twice_in_the_page_and_in_its_foot "
        "public/test_saving.py::test_whole_screening_works_while_the_database_is_down "
        "public/test_error_pages.py::test_error_page "
        "public/test_saving.py::test_saved_result_can_still_be_seen_while_the_database_is_down",
    "Someone misreads a question or the result, or takes it for a diagnosis.":
        "public/test_result.py::test_page_says_that_nobody_approved_or_tested_the_rules_until_somebody_did "
        "public/test_words.py::test_words_are_person_first_and_never_judge "
        "public/test_words.py::test_every_page_reads_at_grade_five_or_lower "
        "public/test_words.py::test_every_reason_and_notice_reads_at_grade_five_or_lower",
    "Someone answers for another person. The result fits neither of them.":
        "public/test_helping.py::test_danger_comes_first_then_doing_it_together_then_what_helps "
        "public/test_helping.py::test_no_field_anywhere_takes_another_persons_data",
    "Someone hides danger, or takes on duties, to get the result they want.":
        "public/test_result.py::test_every_change_that_may_be_shown_is_on_the_page_in_words "
        "rules/test_what_if.py::test_an_answer_on_safety_health_work_or_family_is_never_shown "
        "rules/test_what_if.py::test_nothing_is_shown_where_help_comes_first",
    "Someone who is pregnant does not say so, and gets the wrong advice.":
        "rules/test_invariants.py::test_every_rule_on_pregnancy_begins_at_maybe_so_that_nobody_has_to_say",
    "Someone at home finds the answers.":
        "public/test_headers.py::test_leave_clears_cookies_and_goes_to_a_neutral_site "
        "browser/test_leaving.py::test_after_leaving_back_forward_and_reload_show_nothing "
        "public/test_questions.py::test_who_left_and_comes_back_is_not_told_that_there_were_answers",
    "Staff act on answers or a result that were changed.":
        "public/test_questions.py::test_cookie_that_cannot_be_read_starts_again_and_keeps_the_page_just_posted "
        "rules/test_versions.py::test_edited_frozen_copy_is_refused "
        "rules/test_commands.py::test_verify_names_each_mismatch",
    "Rules that no clinician has approved decide, and nobody notices.":
        "rules/test_versions.py::test_approval_of_another_hash_is_refused "
        "test_checks.py::test_rules_that_nobody_approved_are_a_warning",
    "Someone is sent to a center that lacks what fits, or to a phone that no one picks up.":
        "test_center.py::test_where_the_center_lacks_what_fits_others_come_first "
        "test_center.py::test_out_of_hours_the_helpline_is_the_number_and_the_page_says_when_the_phones_open "
        "test_center.py::test_rules_are_blind_to_the_facts "
        "test_center.py::test_next_start_hides_itself_some_days_after_it_was_confirmed",
}
# fmt: on


def shown() -> list[Any]:
    """Return the folds of the page, one for each hazard."""
    from bs4 import BeautifulSoup
    from django.template.loader import render_to_string

    return BeautifulSoup(render_to_string("public/hazards.html"), "lxml").select("details")


def as_markdown() -> Iterator[str]:
    """Yield the lines of docs/safety.md."""
    yield "# Safety\n"
    yield "What can go wrong for a person, and what keeps it from happening. Written from `templates/public/hazards.html`"
    yield "and `tests/hazards.py`."
    for number, fold in enumerate(shown(), start=1):
        yield f"\n## {number}. {fold.summary.text}\n"
        for line in fold.select("li"):
            yield f"- **{line.b.text}**{line.text.removeprefix(line.b.text)}"
        yield "- **Tests:** " + ", ".join(f"`{test}`" for test in HAZARDS[fold.summary.text].split())


if __name__ == "__main__":
    import django

    django.setup()
    print("\n".join(as_markdown()))  # noqa: T201
