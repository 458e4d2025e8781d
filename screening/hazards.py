"""Hazards: what can go wrong for a person, what controls it, and the tests that keep each control.

A run of all tests fails if one of these tests is missing or does not pass. /how-it-works/ shows the hazards;
`python -m screening.hazards > docs/safety.md` writes the same as a document.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from screening.questionnaire import _

DEATH, HARM = _("death"), _("serious harm")
PERSON, OTHERS = _("the person"), _("the person, and a child")


@dataclass(frozen=True)
class Hazard:
    """What can go wrong, why, and what is done about it; `tests` are "file::name" below tests/."""

    severity: str
    hazard: str
    cause: str
    controls: str
    remains: str
    tests: str  # space-separated
    harmed: str = PERSON

    def in_words(self) -> dict[str, str]:
        """Return what each line says -> the line."""
        return {
            _("Who is harmed"): self.harmed,
            _("Cause"): self.cause,
            _("Severity"): self.severity,
            _("Controls"): self.controls,
            _("What remains"): self.remains,
        }


# fmt: off
HAZARDS = (
    Hazard(DEATH, _("Someone who drinks each day stops alone, and has a seizure."),
        _("The result says “in the next few days”, or speaks of a program and not of stopping."),
        _("From “a little shaky” up, each answer brings “Please don’t stop on your own”, or help today."),
        _("People may not know, or not say, how they feel when they stop."),
        "public/test_result.py::test_notices_of_danger_are_never_folded_and_only_soon_speaks_of_the_next_few_days "
        "rules/test_rules.py::test_rules_are_those_of_the_clinical_table_and_no_others "
        "public/test_result.py::test_every_notice_a_rule_brings_is_shown_whatever_the_program",
    ),
    Hazard(DEATH, _("A recent overdose or suicide attempt stays unseen."),
        _("It is not asked, or the answer does not count."),
        _("Both are asked, one on each page. Each means help today, whatever the program."),
        _("People may not say so on a phone that others can pick up."),
        "rules/test_questionnaire.py::test_words_of_an_answer_that_means_danger_are_its_own "
        "rules/test_questionnaire.py::test_where_two_answers_can_be_true_the_last_true_one_is_asked_for "
        "rules/test_questionnaire.py::test_safety_stopping_and_care_ask_one_question_a_page_and_the_others_a_pair "
        "rules/test_questionnaire.py::test_questions_and_options_are_those_of_the_specification_in_its_order "
        "rules/test_rules.py::test_recommend_agrees_with_the_table_worked_out_the_plain_way",
    ),
    Hazard(HARM, _("Someone is sent to a bed for want of a ride, a home or a job."),
        _("A circumstance counts as a need for care."),
        _("Circumstances alone never give a high need, nor help today. A proof covers all answers."),
        _("A center may still offer a bed because it has one."),
        "rules/test_rules.py::test_grid_is_the_clinical_grid "
        "rules/test_invariants.py::test_home_ride_work_and_family_alone_are_no_high_need_and_no_urgency_today",
    ),
    Hazard(HARM, _("Many are sent to a place to stay who do not need one."),
        _("The rules are more careful than staff would be."),
        _("Three cells say that both could fit, and the result says so first. Where even less may do, it is named."),
        _("No study has shown how often it happens: docs/validation.md."),
        "rules/test_rules.py::test_headline_is_help_before_anything_else "
        "rules/test_rules.py::test_grid_is_the_clinical_grid "
        "public/test_result.py::test_what_to_ask_about_too_follows_from_the_cell",
    ),
    Hazard(DEATH, _("Good answers outweigh one that means danger."),
        _("Answers are added up, or a worse one leads to less care."),
        _("The highest level counts. A worse answer never means less care or urgency, for any set of answers."),
        _("A danger that no question asks about is not seen."),
        "rules/test_rules.py::test_recommend_agrees_with_the_table_worked_out_the_plain_way "
        "rules/test_invariants.py::test_a_worse_answer_never_means_less_care_or_less_urgency",
    ),
    Hazard(DEATH, _("Someone in danger reads about programs, and does not call."),
        _("The number stands below the result, or a program is the headline."),
        _("Help is the headline, with a number on the first screen. After such an answer the next tap leads to it."),
        _("Nobody can make someone call."),
        "rules/test_invariants.py::test_no_program_is_the_headline_where_help_is_needed_now_or_today "
        "public/test_result.py::test_urgent_result_puts_numbers_before_notices_before_code_before_the_program "
        "browser/test_first_screen.py::test_number_to_call_is_on_the_first_screen_of_every_urgent_result "
        "public/test_questions.py::test_answer_that_means_now_leads_to_the_numbers_at_the_next_tap "
        "public/test_questions.py::test_urgent_answer_leads_to_the_numbers_also_when_one_is_changed "
        "public/test_result.py::test_no_fold_of_an_urgent_result_is_open_and_nobody_is_watching_is_in_none "
        "public/test_questions.py::test_urgent_answer_leads_to_the_numbers_also_if_another_is_missing "
        "public/test_questions.py::test_urgent_help_is_shown_even_after_a_csrf_failure",
    ),
    Hazard(DEATH, _("Someone in danger saves, and waits for help that nobody sends."),
        _("They think that someone is watching."),
        _("Beside “save”, on the result, the numbers and the request for a call it says that nobody is watching."),
        _("Some will not read it."),
        "public/test_questions.py::test_check_page_says_beside_save_that_nobody_is_watching "
        "public/test_result.py::test_urgent_result_puts_numbers_before_notices_before_code_before_the_program "
        "public/test_contact.py::test_nobody_is_watching_is_said_whenever_help_comes_first "
        "public/test_result.py::test_nobody_is_watching_stands_beside_save "
        "public/test_contact.py::test_request_ends_on_a_page_that_confirms_it",
    ),
    Hazard(DEATH, _("Staff overlook an urgent case, or take one that can’t be called for one that was."),
        _("Urgent cases are mixed with others, or those without a number are counted as work done."),
        _("They stand on top, staff get a mail, and those whom nobody can reach are counted apart."),
        _("A case without a number waits until the person calls."),
        "desk/test_queues.py::test_list_begins_with_who_needs_a_person_first "
        "desk/test_queues.py::test_urgent_cases_that_nobody_can_reach_are_counted_apart "
        "test_notifications.py::test_urgent_submission_is_notified_of_also_if_it_was_looked_at_or_changed_before "
        "test_notifications.py::test_failed_mail_is_tried_again_later_and_later_until_it_is_sent "
        "test_notifications.py::test_urgent_submission_is_notified_of_once",
    ),
    Hazard(DEATH, _("A number to call no longer answers."),
        _("Numbers change, and nobody looks."),
        _("Each has the day it was checked and where. After 180 days a check warns whoever runs the site."),
        _("The check asks a person to look. Nothing dials."),
        "test_help_lines.py::test_check_of_help_lines_is_one_of_those_before_going_live "
        "test_help_lines.py::test_check_warns_of_a_line_that_was_not_checked_for_180_days",
    ),
    Hazard(HARM, _("The site is down for someone who looks for a number."),
        _("The database or the site is down."),
        _("Questions, numbers, result and error pages need no database. Each carries the crisis numbers."),
        _("If the server itself is off, there is no page."),
        "public/test_error_pages.py::test_error_page_has_the_crisis_numbers_twice_in_the_page_and_in_its_foot "
        "public/test_saving.py::test_whole_screening_works_while_the_database_is_down "
        "public/test_error_pages.py::test_error_page "
        "public/test_saving.py::test_saved_result_can_still_be_seen_while_the_database_is_down",
    ),
    Hazard(HARM, _("Someone misreads a question or the result, or takes it for a diagnosis."),
        _("A page with levels looks like a finding; hard words; two answers that are both true."),
        _("The first screen says that nobody has approved or tested the rules. All words are at grade 6 or lower."),
        _("It is in English only so far, and was read by no panel of people."),
        "public/test_result.py::test_page_says_that_nobody_approved_or_tested_the_rules_until_somebody_did "
        "public/test_words.py::test_words_are_person_first_and_never_judge "
        "public/test_words.py::test_every_page_reads_at_grade_six_or_lower "
        "public/test_words.py::test_every_reason_and_notice_reads_at_grade_six_or_lower",
    ),
    Hazard(HARM, _("Someone answers for another person, and the result fits neither."),
        _("Families look for help, too."),
        _("A page of their own says why not to, and what helps. No field takes another person’s data."),
        _("Nobody can see who holds the phone."),
        "public/test_helping.py::test_danger_comes_first_then_doing_it_together_then_what_helps "
        "public/test_helping.py::test_no_field_anywhere_takes_another_persons_data",
    ),
    Hazard(HARM, _("Someone hides danger, or takes on duties, to get the result they want."),
        _("The page names answers that lead elsewhere."),
        _("Only the home and those who can help are named as a change, and none where help comes first."),
        _("All rules are public, so whoever wants to can find out."),
        "public/test_result.py::test_every_change_that_may_be_shown_is_on_the_page_in_words "
        "rules/test_what_if.py::test_an_answer_on_safety_health_work_or_family_is_never_shown "
        "rules/test_what_if.py::test_nothing_is_shown_where_help_comes_first",
    ),
    Hazard(HARM, _("Someone who is pregnant does not say so, and gets the wrong advice."),
        _("Fear of what others do with the answer."),
        _("“Maybe, or I’d rather not say” leads to the same advice as yes."),
        _("Laws differ by state: docs/intended-use.md."),
        "rules/test_invariants.py::test_every_rule_on_pregnancy_begins_at_maybe_so_that_nobody_has_to_say",
        OTHERS,
    ),
    Hazard(HARM, _("Someone at home finds the answers."),
        _("A shared phone, or the Back button."),
        _("“Leave now” on every page clears them, and nothing is kept unless the person saves."),
        _("It can’t help against someone who watches the device."),
        "public/test_headers.py::test_leave_clears_cookies_and_goes_to_a_neutral_site "
        "browser/test_leaving.py::test_after_leaving_back_forward_and_reload_show_nothing "
        "public/test_questions.py::test_who_left_and_comes_back_is_not_told_that_there_were_answers",
    ),
    Hazard(HARM, _("Staff act on answers or a result that were changed."),
        _("Someone changes a cookie, a row or the rules."),
        _("Cookies are encrypted, rows are sealed, versions of the rules are frozen. All of it is checked."),
        _("Who has the keys can do as they like."),
        "public/test_questions.py::test_cookie_that_cannot_be_read_starts_again_and_keeps_the_page_just_posted "
        "rules/test_versions.py::test_edited_frozen_copy_is_refused "
        "rules/test_commands.py::test_verify_names_each_mismatch",
    ),
    Hazard(HARM, _("Rules that no clinician has approved decide, and nobody notices."),
        _("A new version goes live, or an approval is carried over."),
        _("An approval counts for the hash that was read alone. Without one, every result says so."),
        _("The site runs without an approval, too."),
        "rules/test_versions.py::test_approval_of_another_hash_is_refused "
        "test_checks.py::test_rules_that_nobody_approved_are_a_warning",
    ),
)
# fmt: on


def as_markdown() -> Iterator[str]:
    """Yield the lines of docs/safety.md."""
    yield "# Safety\n"
    yield "What can go wrong for a person, and what keeps it from happening. Written from `screening/hazards.py`."
    for number, hazard in enumerate(HAZARDS, start=1):
        yield f"\n## {number}. {hazard.hazard}\n"
        yield from (f"- **{name}:** {text}" for name, text in hazard.in_words().items())
        yield "- **Tests:** " + ", ".join(f"`{test}`" for test in hazard.tests.split())


if __name__ == "__main__":
    print("\n".join(as_markdown()))  # noqa: T201
