"""The promises about privacy. Each names the tests that keep it; a run fails if one is missing or does not pass.

Title -> promise -> its tests, "file::name" below tests/, space-separated. A promise may use the values in privacy.py.
"""

from screening.questionnaire import _

# fmt: off
PROMISES = {
    _("Before you save"): {
        _("We keep nothing until you press “Save”. You can see your result without saving."):
            "public/test_saving.py::test_nothing_reaches_the_database_before_save_or_without_it "
            "test_leaks.py::test_journey_leaves_no_trace_but_where_it_belongs",
        _("Your answers stay on your device, locked. An hour after the last page you sent, they can’t be opened. Nor can they be opened more than six hours after you began or came back."):
            "public/test_questions.py::test_cookie_is_encrypted_http_only_and_ends_with_the_session "
            "public/test_questions.py::test_answers_expire_after_an_hour_without_a_new_page "
            "public/test_questions.py::test_answers_are_opened_for_six_hours_at_most_even_if_a_copy_is_sent_again",
    },
    _("What we keep if you save"): {
        _("Your answers, your result and the time. We don’t keep your internet address or what device you use."):
            "test_leaks.py::test_no_address_and_no_device_is_kept_or_logged",
        _("To stop automated misuse, we count how often one internet connection saves or tries a code. We do that under a code that changes every hour, and that code is gone within a few hours."):
            "test_rate_limits.py::test_mark_of_an_address_is_keyed_and_is_another_one_in_each_hour "
            "test_rate_limits.py::test_what_marks_are_made_with_goes_soon_after_its_hour_and_the_counters_with_it",
        _("We keep them for %(days)s days. After that, nobody is shown them, and they are erased."):
            "test_retention.py::test_what_has_had_its_time_is_shown_to_nobody_even_before_it_is_erased "
            "test_retention.py::test_expired_submissions_are_erased_with_all_that_hangs_on_them",
        _("We keep your name, phone number or e-mail only if you ask for a call. You can take that back at any time with your code. It is erased no later than %(contact_days)s days after our staff has closed your case."):
            "public/test_contact.py::test_taking_it_back_erases_it "
            "test_retention.py::test_contact_details_go_some_days_after_the_case_was_closed",
        _("Your answers and reasons, those details, and the notes of our staff are locked. Someone who steals only the database can’t read them."):
            "test_leaks.py::test_stolen_database_shows_no_name_number_note_or_code "
            "test_leaks.py::test_journey_leaves_no_trace_but_where_it_belongs",
    },
    _("Who can see it"): {
        _("Only staff of %(center)s who have signed in and have the right to."):
            "desk/test_site.py::test_anonymous_visitors_are_sent_to_sign_in "
            "desk/test_site.py::test_staff_without_permission_see_nothing",
        _("Each time that our staff opens your answers, or looks up how to reach you, it is written into a log."):
            "desk/test_audit.py::test_every_view_and_deed_at_the_desk_leaves_a_line "
            "desk/test_audit.py::test_deed_whose_line_cannot_be_written_does_not_happen "
            "desk/test_audit_chain.py::test_any_tampering_is_found_and_stays_found_when_the_log_goes_on",
        _("Your result page tells you when our staff opened your answers: the first time and the last time."):
            "public/test_return_code.py::test_person_is_told_whether_and_when_staff_opened_it_and_not_who "
            "desk/test_audit.py::test_times_that_the_person_is_told_come_from_the_log",
        _("To sign in, our staff needs a code from their own phone as well as a password."):
            "desk/test_sign_in.py::test_first_sign_in_sets_up_the_second_factor_and_shows_recovery_codes_once",
        _("If we mail our staff that someone needs them, the mail says nothing about you."):
            "test_notifications.py::test_mail_holds_neutral_words_and_a_link_and_nothing_of_the_person",
        _("No other company. Our pages load nothing from anyone else: no ads, no counters, no maps, no fonts."):
            "browser/test_crawl.py::test_no_page_asks_anything_of_another_site",
        _("What we write down about errors holds none of your answers, and no code, name or number."):
            "test_leaks.py::test_failure_shows_nothing_of_the_person",
    },
    _("What your code can do"): {
        _("With the code you get when you save, you can see your result again on any device."):
            "public/test_return_code.py::test_code_shows_the_result_again_on_another_device",
        _("You can erase it all: answers, result, how to reach you, and the notes of our staff on this site. It goes at once. What stays is how many were erased on that day, and the log: who of our staff opened which reference, and when. It holds none of your answers and not who you are."):
            "public/test_return_code.py::test_erasing_takes_everything_and_leaves_a_dated_count "
            "desk/test_audit.py::test_log_holds_no_answers_and_not_how_a_case_ended "
            "public/test_return_code.py::test_nothing_of_an_erased_submission_is_left_in_the_database_file",
        _("We say that it is erased only if we know that it is. If some of it may be left, we say that."):
            "public/test_return_code.py::test_wrong_keys_are_not_taken_for_erased_and_the_code_stays_on_the_device "
            "public/test_return_code.py::test_what_a_browser_saved_too_often_to_remember_is_said_to_stay",
        _("If someone copied your answers in this browser before you saved: once you have saved and see your code, the copy can’t open or erase what you saved."): ("public/test_saved.py::test_copy_from_before_the_save_sees_changes_and_erases_nothing"),
        _("We keep the code only in a form that can’t be read back. If you lose it, we can’t tell it to you."):
            "public/test_return_code.py::test_database_holds_the_code_only_sealed",
    },
    _("Leaving fast"): {
        _("“Leave now” is on every page. It clears your answers from this browser and opens a neutral page. The Back button then shows nothing of them."):
            "public/test_headers.py::test_leave_clears_cookies_and_goes_to_a_neutral_site "
            "browser/test_leaving.py::test_after_leaving_back_forward_and_reload_show_nothing "
            "browser/test_disk.py::test_browser_keeps_nothing_of_the_answers_on_disk",
        _("The name of a page, as your browser shows it, never says what your answers or your result are."):
            "public/test_headers.py::test_titles_and_addresses_are_the_same_for_every_result",
    },
}
# fmt: on

CANNOT = (
    _("We can’t take this site out of your browser’s history. A private window leaves no history."),
    _("We can’t help against someone who watches your screen, or who has put a spy program on this device."),
    _("Your phone company, or who runs the Wi-Fi, can see that you were on this site. They can’t see your answers."),
    _("Anyone who has your code can see your result and erase it. Keep it where only you look."),
    _("If you print the page or take a picture of it, we can’t erase that."),
    _("What you tell our staff by phone or in person may be written down elsewhere. Ask them about it."),
    _("Backups of our database, and the disk below it, may hold what was erased until newer data takes its place."),
    _("No one can be sure that a law or a court will never ask for what is kept, or that no one will ever break in."),
)
