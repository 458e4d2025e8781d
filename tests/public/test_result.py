"""The result page: what to do first, the place in the grid, why, and what can be done next."""

import random
import re
from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from django.test import Client

from screening import rules
from screening.explanation import HEADLINES, Explanation, explain, rules_of
from screening.models import in_words
from screening.questionnaire import QUESTIONS
from screening.rules import CURRENT, recommend, what_would_change
from screening.rules.current import Approval
from screening.rules.ruleset import LEVELS
from tests.answers import BEST, CLOSE_CALL, INPATIENT, IOP, KINDS, URGENT, WORST, answers, random_answers
from tests.conftest import Person
from tests.helpers import parse, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_in_gate]  # the result page looks for a saved result

NEED = {"low": {}, "some": {"constant_care": "sometimes"}, "high": {"constant_care": "always"}}
SUPPORT = {"strong": {}, "some": {"supporters": "one_or_two"}, "weak": {"home": "others_use"}}
TODAY = answers(past_withdrawal="severe", alcohol_or_pills="shaky")
FIVE = {"help_now": URGENT, "help_today": TODAY, "iop": IOP, "either": CLOSE_CALL, "inpatient": INPATIENT}


def result_page(given: dict[str, str]) -> BeautifulSoup:
    return parse(Person(Client()).finishes(given, "view"))


def explained(given: dict[str, str]) -> Explanation:
    recommendation = in_words(recommend(given))
    return explain(recommendation, given, rules_of(recommendation.rules_version))


def words(element: Tag | None) -> str:
    return " ".join(element.text.split())


def place_of(page: BeautifulSoup, selector: str) -> int:
    """Return where an element begins on the page; 0 is the first."""
    elements: list[Tag | None] = [*page.select("main *")]
    return elements.index(page.select_one(selector))


# What is said first


@pytest.mark.parametrize("headline", FIVE)
def test_headline_says_what_to_do_or_which_program(headline: str) -> None:
    assert recommend(FIVE[headline]).headline == headline
    (heading,) = result_page(FIVE[headline]).select("h1")
    assert heading.text == HEADLINES[headline]


@pytest.mark.parametrize("headline", ["iop", "either", "inpatient"])
def test_plain_result_puts_call_before_code_before_grid_before_why_before_the_rest(headline: str) -> None:
    page = result_page(FIVE[headline])
    order = [
        "h1",
        ".lead strong",
        ".phone",
        "a[href='/contact/']",
        ".grid",
        ".why",
        "#what-if",
        ".folds",
        ".done",
    ]
    places = [place_of(page, selector) for selector in order]
    assert places == sorted(places)
    assert not page.select("main .urgent")


@pytest.mark.parametrize("headline", ["help_now", "help_today"])
def test_urgent_result_puts_numbers_before_notices_before_code_before_the_program(headline: str) -> None:
    page = result_page(FIVE[headline])
    order = ["#urgent", ".numbers a", ".notices", ".headline", ".grid", ".done"]
    places = [place_of(page, selector) for selector in order]
    assert places == sorted(places)
    box = page.select_one("section.urgent")
    assert "No one is watching this page. Saving does not send help. To get help now, call." in words(box)
    assert not page.find(id="what-if")
    assert HEADLINES["inpatient"] == page.select_one(".headline").text
    folded = page.select_one(".headline").find_parent("details")
    assert bool(folded) == (headline == "help_now")
    if folded:
        assert all(part.find_parent("details") for part in page.select(".headline, .phone, .grid, .why, .folds"))
        assert folded.summary.text == "When you are safe: what kind of program may fit"


def test_code_stands_below_the_first_screen_and_in_an_urgent_result_below_the_notices(person: Person) -> None:
    page = parse(person.finishes(answers(past_withdrawal="severe"), "save"))
    assert place_of(page, ".phone") < place_of(page, ".saved .code") < place_of(page, ".notices")
    urgent = parse(Person(Client()).finishes(TODAY, "save"))
    assert place_of(urgent, ".notices") < place_of(urgent, ".saved .code") < place_of(urgent, ".headline")


def test_nobody_is_watching_stands_beside_save(person: Person) -> None:
    assert "No one is watching this page." in words(parse(person.finishes(TODAY, "view")).select_one(".done"))
    assert "No one is watching" not in parse(Person(Client()).finishes(IOP, "view")).text


@pytest.mark.parametrize("given", [answers(past_withdrawal="severe"), TODAY, URGENT], ids=["soon", "today", "now"])
def test_notices_of_danger_are_never_folded_and_only_soon_speaks_of_the_next_few_days(given: dict[str, str]) -> None:
    page = result_page(given)
    assert not [notice for notice in page.select(".notices .notice") if notice.find_parent("details")]
    assert page.select(".notices .notice")
    soon = recommend(given).urgency == "soon"
    assert ("in the next few days" in page.text) == soon


def test_in_danger_at_home_the_headline_is_help_now() -> None:
    assert result_page(answers(home_safety="danger")).h1.text == "Please get help now"


def test_no_fold_of_an_urgent_result_is_open_and_nobody_is_watching_is_in_none() -> None:
    for given in (URGENT, TODAY, answers(self_harm="plan", home_safety="danger")):
        page = result_page(given)
        assert not page.select("details[open]")
        said = [
            text for text in page.find_all(string="No one is watching this page.") if not text.find_parent("details")
        ]
        assert len(said) == 2  # below the numbers, and beside save


def test_reasons_for_the_urgency_are_folded_if_there_are_several() -> None:
    (reason,) = explained(URGENT).urgent
    assert not result_page(URGENT).find(string=re.compile(re.escape(reason.text))).find_parent("details")
    several = answers(self_harm="plan", home_safety="danger")
    for reason in explained(several).urgent:
        shown = result_page(several).find(string=re.compile(re.escape(reason.text)))
        assert shown.find_parent("details").summary.text == "Why we say this"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"alcohol_or_pills": "sick"}, ["Call your doctor"]),
        ({"self_harm": "attempt"}, ["Talk with someone"]),
        ({"home_safety": "nowhere_else"}, ["The hotline and 211"]),
        ({"home_safety": "nowhere_else", "overdose": "yes"}, ["Call your doctor", "The hotline and 211"]),
        ({"mind": "not_coping"}, ["Talk with someone"]),
    ],
)
def test_who_to_call_today_follows_from_the_rules_that_raised_it(changed: dict[str, str], said: list[str]) -> None:
    calls = ("Call your doctor, or go", "Talk with someone, or go", "The hotline and 211 can")
    sentences = [words(paragraph) for paragraph in result_page(answers(**changed)).select(".urgent > p")]
    assert sorted(sentence for sentence in sentences if sentence.startswith(calls)) == [
        next(sentence for sentence in sentences if sentence.startswith(each)) for each in said
    ]


def test_who_to_call_stands_above_the_numbers_or_if_there_are_several_below() -> None:
    for given, above in ((TODAY, True), (answers(home_safety="nowhere_else", overdose="yes"), False)):
        page = result_page(given)
        sentence = "main p:-soup-contains('Call your doctor')"
        assert (place_of(page, sentence) < place_of(page, ".numbers")) == above


def test_only_a_safe_place_is_the_headline_where_nothing_else_is_urgent() -> None:
    assert result_page(answers(home_safety="nowhere_else")).h1.text == "Call for a safe place today"
    assert result_page(answers(home_safety="nowhere_else", overdose="yes")).h1.text == "Please get help today"


def test_milder_reasons_are_not_given_as_why_help_comes_first() -> None:
    card = result_page(TODAY | {"mind": "manageable"}).find(id="card-urgency").find_parent("section")
    assert card.h3.text == "Tell them this, too"
    assert "Your mind may need care too." in card.text
    assert not card.select(".level")
    for reason in explained(TODAY | {"mind": "manageable"}).urgent:
        assert reason.text not in card.text


@pytest.mark.parametrize("number", range(3))
def test_every_urgent_result_has_a_number_to_call_in_its_box(number: int) -> None:
    generator, seen = random.Random(number), 0
    while seen < 30:
        given = BEST | dict(generator.sample(sorted(random_answers(generator).items()), 4))
        explanation = explained(given)
        if explanation.help_first:
            seen += 1
            assert explanation.crisis_lines
            assert "988" in {line.key for line in explanation.crisis_lines}
            assert explanation.urgent


def lines(given: dict[str, str]) -> list[str]:
    return [line.key for line in (*explained(given).crisis_lines, *explained(given).help_lines)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"emergency": "withdrawal"}, ["911", "988"]),
        ({"emergency": "medical"}, ["911", "poison", "988"]),
        ({"self_harm": "past"}, ["988"]),
        ({"self_harm": "plan"}, ["988", "911"]),
        ({"violence": "might_act"}, ["988", "911"]),
        ({"mind": "yes"}, ["988", "911"]),
        ({"mind": "manageable"}, ["988"]),
        ({"home_safety": "other_place"}, ["domestic_violence"]),
        ({"home_safety": "nowhere_else"}, ["domestic_violence", "211", "988"]),
        ({"home_safety": "danger"}, ["911", "domestic_violence", "211", "988"]),
        ({"home": "no_place"}, ["211"]),
        ({"alcohol_or_pills": "sick"}, ["988"]),
        ({"pregnancy": "maybe"}, ["maternal"]),
        # What the urgent answers bring comes before what the others bring.
        ({"pregnancy": "maybe", "opioids": "sick", "home": "no_place"}, ["988", "211", "maternal"]),
        ({"alcohol_or_pills": "sick", "home_safety": "other_place"}, ["988", "domestic_violence"]),
        # Physical danger comes before the suicide lifeline: docs/decisions/0004.
        ({"emergency": "medical", "self_harm": "plan"}, ["911", "988", "poison"]),
    ],
)
def test_numbers_to_call_fit_the_answers(changed: dict[str, str], expected: list[str]) -> None:
    assert lines(answers(**changed)) == [*expected, "samhsa", "findtreatment"]


def test_page_has_a_number_to_call_with_and_without_a_phone_of_the_center(center_tells: Any) -> None:
    assert result_page(IOP).select_one(".phone")["href"] == "tel:+14055550100"
    center_tells(phone="")
    assert result_page(IOP).select_one(".phone")["href"] == "tel:+18006624357"
    assert "You can also call: 1-800-662-4357" in words(result_page(TODAY).select_one(".urgent"))


@pytest.mark.parametrize(
    ("given", "because"),
    [
        (IOP, "You have people you can count on."),
        (answers(supporters="one_or_two"), "Your answers don’t point to a need for care day and night."),
        (INPATIENT, "You need someone with you day and night. A program you go to from home can’t give you that."),
        (CLOSE_CALL, "You have work or family that can’t wait, so we suggest the one from home."),
        (
            CLOSE_CALL | {"caregiving": "nobody"},
            "Because you may be able to step away for some weeks, we suggest the one where you stay.",
        ),
    ],
)
def test_strongest_reason_is_said_in_one_sentence(given: dict[str, str], because: str) -> None:
    assert result_page(given).select_one(".lead strong").text == because


def test_page_says_that_nobody_approved_or_tested_the_rules_until_somebody_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for given in FIVE.values():
        main = result_page(given).select_one("main")
        for fold in main.select("details"):
            fold.decompose()
        said = words(main)
        assert said.count("A first idea from fixed rules. No clinician has approved them yet, and no study") == 1
    assert "Country Road Recovery Center runs this site." in said
    *earlier, latest = rules.VERSIONS
    approval = Approval("Ann Example", "medical director", "MD 1", latest.released, "0" * 64)
    monkeypatch.setattr(rules, "VERSIONS", (*earlier, replace(latest, approval=approval)))
    said = words(result_page(IOP).select_one("main"))
    assert "A first idea from fixed rules. No study has tested them." in said


# Notices


@pytest.mark.parametrize("notice", CURRENT.notices, ids=lambda notice: notice.key)
def test_every_notice_a_rule_brings_is_shown_whatever_the_program(notice: Any) -> None:
    for rule in CURRENT.rules:
        if notice.key in rule.notices.split():
            page = result_page(BEST | dict(rule.when))
            assert any(notice.text in words(box) for box in page.select(".callout.notice")), rule.key
    assert notice.text not in words(result_page(BEST).select_one("main"))


def test_what_to_do_at_once_stands_below_the_numbers_and_on_their_page(person: Person) -> None:
    said = "If someone took too much, give naloxone now, call 911, and stay with them."
    for given in (answers(emergency="medical"), answers(emergency="medical", alcohol_or_pills="sick")):
        page = result_page(given)
        assert page.select_one(".urgent strong").text == said
        assert place_of(page, ".numbers") < place_of(page, ".urgent strong")
    page = parse(person.client.post("/questions/emergency/", {"emergency": "medical"}, follow=True))
    assert page.select_one("main strong").text == said


def test_what_a_rule_that_raises_nothing_says_stands_before_its_notice() -> None:
    (attendance,) = result_page(answers(attendance="maybe")).select(".notice")
    assert words(attendance).startswith("Something could keep you from coming for nine hours a week. Ask about rides")
    (attendance,) = result_page(answers(attendance="no")).select(".notice")
    assert words(attendance).startswith("You can’t come to a program for nine hours a week, and an IOP asks for at")


def test_notice_about_programs_waits_until_the_person_is_safe() -> None:
    page = result_page(URGENT | {"home": "others_use"})
    (waiting,) = page.select("details .notice")
    assert "A sober house" in waiting.text
    assert "sober house" not in page.select_one(".urgent").text
    today = result_page(TODAY | {"home": "others_use"})
    assert "A sober house" in today.select_one("main > .notices").text


FOUR = {"home": "others_use", "attendance": "no", "health": "often"}  # and what brings a notice of danger


@pytest.mark.parametrize("danger", [{"past_withdrawal": "severe"}, {"alcohol_or_pills": "sick"}], ids=["soon", "today"])
def test_of_more_than_three_notices_those_about_programs_are_folded_and_dangers_never(danger: dict[str, str]) -> None:
    page = result_page(answers(**FOUR, **danger))
    folded = [words(notice) for notice in page.select("details .notice")]
    open_ones = [words(notice) for notice in page.select(".notice") if not notice.find_parent("details")]
    assert len(folded) == 3
    assert open_ones[0].startswith("Please don’t stop on your own.")
    (one,) = {len(result_page(answers(**{key: FOUR[key]})).select("details .notice")) for key in FOUR}
    assert one == 0  # a few are not worth a fold


# The grid and the reasons


@pytest.mark.parametrize("duties", [{}, {"job": "cannot_leave"}], ids=["flexible", "fixed"])
@pytest.mark.parametrize(("need", "support"), CURRENT.grid)
def test_grid_marks_the_place_that_the_answers_lead_to(need: str, support: str, duties: dict[str, str]) -> None:
    given = answers(**NEED[need], **SUPPORT[support], **duties)
    page = result_page(given)
    (here,) = page.select(".grid td.here")
    row = here.find_parent("tr")
    assert row.th.text == {"low": "Low", "some": "Some", "high": "High"}[need]
    assert row.find_all("td").index(here) == list(SUPPORT).index(support)
    assert here["aria-current"] == "true"
    headline = recommend(given).headline
    assert {"iop": "Home", "inpatient": "Stay", "either": "Both"}[headline] in here.text
    assert headline in here["class"]
    said = words(page.select_one(".grid figcaption"))
    assert {"low": "don’t show a need", "some": "some need", "high": "a high need"}[need] in said
    assert {"strong": "strong support", "some": "some support", "weak": "little support"}[support] in said


@pytest.mark.parametrize("given", [*KINDS.values(), WORST, BEST], ids=[*KINDS, "worst", "best"])
def test_no_publication_is_listed_twice(given: dict[str, str]) -> None:
    listed = [entry.text for entry in result_page(given).select(".sources li")]
    assert listed
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("given", [*KINDS.values(), WORST, BEST], ids=[*KINDS, "worst", "best"])
def test_every_reason_stands_with_its_answers_and_its_sources(given: dict[str, str]) -> None:
    page = result_page(given)
    entries = {entry["id"] for entry in page.select(".sources li")}
    shown = page.get_text(" ", strip=True)
    for reason in recommend(given).reasons:
        assert reason.text in shown
        for key in reason.questions:
            assert QUESTIONS[key].options[given[key]] in shown
    links = page.select("a.ref")
    assert links
    assert {link["href"].lstrip("#") for link in links} == entries


@pytest.mark.parametrize("given", [*KINDS.values(), BEST], ids=[*KINDS, "best"])
def test_no_card_says_a_reason_twice_and_three_cards_say_level_and_reasons(given: dict[str, str]) -> None:
    page = result_page(given)
    cards = page.select(".card")
    assert [card["aria-labelledby"] for card in cards][:3] == ["card-need", "card-support", "card-duties"]
    for card in cards:
        assert card.select_one(".level").text
    for reason in recommend(given).reasons:
        assert sum(card.text.count(reason.text) for card in cards) <= 1


def test_urgency_has_a_card_only_for_reasons_that_no_other_card_gives() -> None:
    def headings(given: dict[str, str]) -> list[str]:
        return [card.h3.text for card in result_page(given).select(".card")]

    assert "How soon to get help" not in headings(IOP)
    assert "How soon to get help" not in headings(INPATIENT)  # constant_care raises need as well
    assert "How soon to get help" in headings(answers(mind="manageable"))
    for given in (INPATIENT, answers(mind="manageable")):
        assert "Please talk with our staff or a doctor in the next few days." in result_page(given).text


def test_answers_that_kept_a_level_lower_are_folded_below_the_cards() -> None:
    fold = result_page(answers(supporters="nobody")).select_one(".because")
    assert "Answers that kept this lower:" in fold.text
    assert any(QUESTIONS["constant_care"].options["no"] in part.text for part in fold.select(".kept-lower"))
    assert not any(QUESTIONS["home"].options["supportive"] in part.text for part in fold.select(".kept-lower"))


def test_answers_kept_a_level_lower_only_if_their_worst_would_raise_it_and_never_did_not_matter() -> None:
    generator = random.Random(20261128)
    seen = 0
    for _ in range(40):
        given = random_answers(generator)
        explanation = explained(given)
        for card in explanation.cards:
            for answer in card.kept_lower:
                seen += 1
                worst = {**given, answer.key: [*QUESTIONS[answer.key].options][-1]}
                order = LEVELS[card.dimension]
                before, after = (getattr(recommend(each), card.dimension) for each in (given, worst))
                assert order.index(after) > order.index(before)
                assert answer.topic not in explanation.did_not_matter
    assert seen


def test_answer_that_was_not_given_is_never_asserted() -> None:
    for key, question in QUESTIONS.items():
        if "rather_not_say" in question.options:
            said = [reason.text for reason in recommend(answers(**{key: "rather_not_say"})).reasons]
            assert any("You chose not to say" in text and "That is fine." in text for text in said), key


def test_place_in_the_grid_is_said_in_words_care_first() -> None:
    page = result_page(answers(constant_care="sometimes", supporters="one_or_two"))
    assert "Your answers point to some need for care. They point to some support around you." in words(page.main)


# What would change it


@pytest.mark.parametrize("given", [*KINDS.values(), BEST], ids=[*KINDS, "best"])
def test_every_change_that_may_be_shown_is_on_the_page_in_words(given: dict[str, str]) -> None:
    page = result_page(given)
    expected = {
        (change.headline, QUESTIONS[change.question].text, QUESTIONS[change.question].options[change.value])
        for change in what_would_change(given)
    }
    said = {
        "we would suggest a program from home:": "iop",
        "we would say that both could fit:": "either",
        "we would suggest a place to stay:": "inpatient",
    }
    shown = {
        (said[words(group.find_previous_sibling("p")).rpartition(", ")[2]], item.select_one(".said").text, item.b.text)
        for group in page.select(".switches")
        for item in group.select("li")
    }
    assert shown == expected
    for group in page.select(".switches"):
        of_some = words(group.find_previous_sibling("p")).startswith("If any one of these")
        assert of_some == (len(group.select("li")) > 1)
    assert bool(expected) == (recommend(given).headline in ("iop", "either"))


def test_health_and_safety_are_one_sentence_in_every_result_that_is_not_urgent() -> None:
    for given in FIVE.values():
        said = "If your health or safety changes, call, or answer again." in result_page(given).text
        assert said != explained(given).help_first


def test_what_did_not_affect_the_result_is_named() -> None:
    nursed = answers(health="most_days")
    unmoved = ("your job or school", "people who need your care", "your income", "who can help you")
    assert explained(nursed).did_not_matter == unmoved
    assert "Your job or school" in result_page(INPATIENT).select_one(".did-not-matter").text
    assert "who can help you" not in explained(nursed | {"supporters": "nobody"}).did_not_matter
    assert "where you will live" not in explained(answers(home_safety="nowhere_else")).did_not_matter


def test_answers_that_an_earlier_version_did_not_ask_are_explained_without_what_if() -> None:
    fewer = {key: value for key, value in BEST.items() if key != "mind"}
    explanation = explain(recommend(BEST), fewer, CURRENT)
    assert (explanation.changes, explanation.did_not_matter) == ((), ())


def test_result_under_an_unknown_version_still_shows_its_reasons() -> None:
    unknown = in_words(replace(recommend(WORST), rules_version="1999.9"))
    explanation = explain(unknown, WORST, rules_of(unknown.rules_version))
    assert (explanation.changes, explanation.grid, explanation.notices) == ((), (), ())
    assert explanation.cards[0].reasons
    assert explanation.headline == HEADLINES["help_now"]


def test_urgent_reason_that_reads_a_question_no_longer_asked_leads_to_a_doctor() -> None:
    earlier = in_words(recommend(TODAY))
    reasons = tuple(replace(reason, questions=("no_longer_asked",)) for reason in earlier.reasons)
    explanation = explain(replace(earlier, reasons=reasons), TODAY, CURRENT)
    assert explanation.first_calls == ("",)


def test_result_under_an_earlier_version_is_explained_by_its_own_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    later = replace(CURRENT, version="2099.1", grid={**CURRENT.grid, ("low", "strong"): "inpatient"})
    monkeypatch.setattr(rules, "CURRENT", later)
    earlier = in_words(CURRENT.recommend(BEST))
    explanation = explain(earlier, BEST, rules_of(earlier.rules_version))
    assert explanation.grid[0][1][0].word == "Home"
    assert explanation.changes


# The rest


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "less"),
        ({"supporters": "one_or_two"}, "less"),
        ({"constant_care": "sometimes"}, ""),
        ({"constant_care": "sometimes", "supporters": "one_or_two"}, "either"),
        ({"constant_care": "always"}, ""),
    ],
)
def test_what_to_ask_about_too_follows_from_the_cell(changed: dict[str, str], said: str) -> None:
    assert explained(answers(**changed)).also_ask == said
    page = result_page(answers(**changed))
    assert ("Also ask about" in page.select_one(".folds").text) == bool(said)
    for key, sentence in {"less": "Even less may do", "either": "Ask about day treatment"}.items():
        assert (sentence in page.select_one(".folds").text) == (said == key)


def test_medicine_comes_first_for_who_uses_opioids_and_never_a_word_of_even_less() -> None:
    page = result_page(answers(opioids="fine"))
    first = page.find(string=re.compile("Ask about medicine first"))
    assert not first.find_parent("details")
    assert place_of(page, ".lead") < place_of(page, "main p:-soup-contains('Ask about medicine first')")
    assert place_of(page, "main p:-soup-contains('Ask about medicine first')") < place_of(page, ".phone")
    assert "Even less" not in page.text
    assert "Also ask about" not in page.text


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"constant_care": "always", "job": "cannot_leave"}, True),
        ({"constant_care": "always", "caregiving": "only_me"}, True),
        ({"constant_care": "always"}, False),
        ({"job": "cannot_leave"}, False),
        ({"home": "others_use"}, False),
    ],
)
def test_inpatient_with_fixed_duties_explains_what_can_be_done_about_them(changed: dict[str, str], shown: bool) -> None:
    card = result_page(answers(**changed)).find(id="card-duties").find_parent("section")
    assert bool(card.select("#duties-help")) == shown
    if shown:
        for phrase in ("work and family did not change it", "12 weeks", "does not cover everyone", "call all the same"):
            assert phrase in words(card)


def test_the_rest_is_folded() -> None:
    page = result_page(IOP)
    folds = [fold.summary.text for fold in page.select(".folds details")]
    assert folds == [
        "Also ask about", "Questions to ask the center", "What each program is like", "Others you can reach",
        "About this result", "Where the reasons come from",
    ]  # fmt: skip
    assert not page.select("details[open]")
    compared = [row.select("td") for row in page.select(".programs tbody")]
    assert [len(cells) for cells in compared] == [2] * 8
    assert [item.text[-1] for item in page.select(".ask li")] == ["?"] * 7
    for phrase in ("not a doctor", "No study has tested", "can’t see you", "insurance", "Rules version"):
        assert phrase in words(page.select_one(".limits"))


def test_page_ends_with_keeping_and_clearing_and_clearing_is_not_the_loudest() -> None:
    *_others, last = result_page(IOP).select("main > section")
    assert [words(button) for button in last.select(".button")] == ["Save, and get a code", "Clear my answers"]
    assert [button.text for button in last.select(".button:not(.quiet)")] == ["Save, and get a code"]
    assert last.select_one("[data-print][hidden]")


def test_result_that_was_only_looked_at_can_still_be_saved_from_its_page(person: Person) -> None:
    page = parse(person.finishes(IOP, "view"))
    assert "We kept nothing. Our staff can’t see your answers." in page.text
    form = page.select_one(".done form")
    data = {field["name"]: field["value"] for field in form.select("input[name]") if field["name"] == "shown"}
    assert person.client.post(str(form["action"]), data | {"action": "save"}).url == "/result/"
    saved = parse(person.client.get("/result/"))
    assert saved.select_one(".saved .code").text
    assert saved.select_one(".saved .reference").text
    assert "Erase what I saved" in saved.select_one(".done").text


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"self_harm": "thoughts"}, "988"),
        ({"mind": "manageable"}, "988"),
        ({"home_safety": "other_place"}, "1-800-799-7233"),
    ],
)
def test_someone_to_talk_to_stands_above_the_reasons(changed: dict[str, str], number: str) -> None:
    page = result_page(answers(**changed))
    assert page.select_one("section[aria-labelledby=someone] .number").text == number
    assert place_of(page, ".phone") < place_of(page, "#someone") < place_of(page, ".why")


def test_without_a_phone_of_the_center_nothing_is_promised_for_it(center_tells: Any) -> None:
    center_tells(phone="")
    start = parse(Client().get("/"))
    assert "an adult you trust" in start.text
    assert start.select_one('.facts a[href="tel:+18006624357"]')
    assert "our staff" not in text_of(Person(Client()).finishes(TODAY, "view"), ".urgent")
