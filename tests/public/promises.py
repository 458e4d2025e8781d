"""The promises of the privacy page, and the tests that keep each; a run fails if one is missing or does not pass.

A promise, as the page says it -> its tests, "file::name" below tests/, space-separated.
"""

# fmt: off
PROMISES = {
    "We keep nothing of you until you press “Save”. You can see your result without saving.":
        "public/test_saving.py::test_nothing_reaches_the_database_before_save_or_without_it "
        "test_leaks.py::test_journey_leaves_no_trace_but_where_it_belongs",
    "Your answers stay on your device, locked. An hour after the last page you sent, they can’t be opened. Nor can they be opened more than six hours after you began or came back.":
        "public/test_questions.py::test_cookie_is_encrypted_http_only_and_ends_with_the_session "
        "public/test_questions.py::test_answers_expire_after_an_hour_without_a_new_page "
        "public/test_questions.py::test_answers_are_opened_for_six_hours_at_most_even_if_a_copy_is_sent_again",
    "Your answers, your result and the time. We don’t keep your internet address or what device you use.":
        "test_leaks.py::test_no_address_and_no_device_is_kept_or_logged",
    "To stop automated misuse, we count how often one internet connection saves or tries a code. We do that under a code that changes every hour, and that code is gone within a few hours.":
        "test_rate_limits.py::test_mark_of_an_address_is_keyed_and_is_another_one_in_each_hour "
        "test_rate_limits.py::test_what_marks_are_made_with_goes_soon_after_its_hour_and_the_counters_with_it",
    "We keep them for %(days)s days. After that, nobody is shown them, and they are erased.":
        "test_retention.py::test_what_has_had_its_time_is_shown_to_nobody_even_before_it_is_erased "
        "test_retention.py::test_expired_submissions_are_erased_with_all_that_hangs_on_them",
    "We keep your name, phone number or e-mail only if you ask for a call. You can take that back at any time with your code. It is erased no later than %(contact_days)s days after our staff has closed your case.":
        "public/test_contact.py::test_taking_it_back_erases_it "
        "test_retention.py::test_contact_details_go_some_days_after_the_case_was_closed",
    "Your answers and reasons, those details, and the notes of our staff are locked. Someone who steals only the database can’t read them.":
        "test_leaks.py::test_stolen_database_shows_no_name_number_note_or_code "
        "test_leaks.py::test_journey_leaves_no_trace_but_where_it_belongs",
    "We count how often each page is opened and finished, how many save, ask for a call and are called, how soon, and, for each program that was named, how it ended and what our staff judged. These are numbers by week, without your answers, name, code or reference. They stay when you erase.":
        "desk/test_figures.py::test_table_of_counts_holds_a_week_what_kind_and_number_and_nothing_of_anyone "
        "desk/test_figures.py::test_erasing_500_cases_changes_no_count",
    "If a link that brought you here says where it stood, such as “flyer”, we count that word. We keep it nowhere else.":
        "desk/test_figures.py::test_only_words_of_the_centers_list_are_counted_as_a_source",
    "We show no number under five, and round all others, so that none points to one person.":
        "desk/test_figures.py::test_no_number_under_five_is_shown_or_exported",
    "Only staff of %(center)s who have signed in and have the right to.":
        "desk/test_site.py::test_anonymous_visitors_are_sent_to_sign_in "
        "desk/test_site.py::test_staff_without_permission_see_nothing",
    "Each time that our staff opens your answers, or looks up how to reach you, it is written into a log.":
        "desk/test_audit.py::test_every_view_and_deed_at_the_desk_leaves_a_line "
        "desk/test_audit.py::test_deed_whose_line_cannot_be_written_does_not_happen "
        "desk/test_audit_chain.py::test_any_tampering_is_found_and_stays_found_when_the_log_goes_on",
    "Your result page tells you when our staff opened your answers: the first time and the last time.":
        "public/test_return_code.py::test_person_is_told_whether_and_when_staff_opened_it_and_not_who "
        "desk/test_audit.py::test_times_that_the_person_is_told_come_from_the_log",
    "To sign in, our staff needs a code from their own phone as well as a password.":
        "desk/test_sign_in.py::test_first_sign_in_sets_up_the_second_factor_and_shows_recovery_codes_once",
    "If we mail our staff that someone needs them, the mail says nothing about you.":
        "test_notifications.py::test_mail_holds_neutral_words_and_a_link_and_nothing_of_the_person",
    "No other company. Our pages load nothing from anyone else: no ads, no counters, no maps, no fonts.":
        "browser/test_crawl.py::test_no_page_asks_anything_of_another_site",
    "What we write down about errors holds none of your answers, and no code, name or number.":
        "test_leaks.py::test_failure_shows_nothing_of_the_person",
    "With the code you get when you save, you can see your result again on any device.":
        "public/test_return_code.py::test_code_shows_the_result_again_on_another_device",
    "Our staff can leave you one of a few fixed answers there. No one can write anything else. Whoever has your code can read it.":
        "desk/test_replies.py::test_person_finds_every_sentence_at_the_code_with_its_day_and_whom_to_call "
        "desk/test_replies.py::test_nobody_can_type_words_there",
    "You can erase it all: answers, result, how to reach you, and the notes of our staff on this site. It goes at once. What stays is how many were erased on that day, counts by week, and the log: who of our staff opened which reference, and when. None of it holds your answers or who you are.":
        "public/test_return_code.py::test_erasing_takes_everything_and_leaves_a_dated_count "
        "desk/test_audit.py::test_log_holds_no_answers_and_not_how_a_case_ended "
        "public/test_return_code.py::test_nothing_of_an_erased_submission_is_left_in_the_database_file",
    "We say that it is erased only if we know that it is. If some of it may be left, we say that.":
        "public/test_return_code.py::test_wrong_keys_are_not_taken_for_erased_and_the_code_stays_on_the_device "
        "public/test_return_code.py::test_what_a_browser_saved_too_often_to_remember_is_said_to_stay",
    "If someone copied your answers in this browser before you saved: once you have saved and see your code, the copy can’t open or erase what you saved.": ("public/test_saved.py::test_copy_from_before_the_save_sees_changes_and_erases_nothing"),
    "We keep the code only in a form that can’t be read back. If you lose it, we can’t tell it to you.":
        "public/test_return_code.py::test_database_holds_the_code_only_sealed",
    "“Leave now” is on every page. It clears your answers from this browser and opens a neutral page. The Back button then shows nothing of them.":
        "public/test_headers.py::test_leave_clears_cookies_and_goes_to_a_neutral_site "
        "browser/test_leaving.py::test_after_leaving_back_forward_and_reload_show_nothing "
        "browser/test_disk.py::test_browser_keeps_nothing_of_the_answers_on_disk",
    "The name of a page, as your browser shows it, never says what your answers or your result are.":
        "public/test_headers.py::test_titles_and_addresses_are_the_same_for_every_result",
}
# fmt: on
