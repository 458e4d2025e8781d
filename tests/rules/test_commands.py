"""The commands verify_results, replay_rules, diff_rules and freeze_rules."""

import math
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from screening import rules
from screening.management import streaming
from screening.models import Submission
from screening.rules import CURRENT, versions
from screening.rules.ruleset import Rule, RuleSet
from screening.rules.versions import released
from tests.answers import BEST, KINDS, answers
from tests.helpers import output_of, overwrite
from tests.rules.helpers import with_rule

ALL = math.prod(map(len, CURRENT.options.values()))
SOME_STAY = {("some", "some"): "inpatient", ("some", "weak"): "inpatient"}


@pytest.fixture
def in_code(monkeypatch: pytest.MonkeyPatch) -> Callable[[RuleSet], None]:
    """Puts other rules in the place of those in code."""
    return lambda rule_set: monkeypatch.setattr(rules, "CURRENT", rule_set)


@pytest.fixture
def on_file(db: None) -> list[Submission]:
    return [Submission.objects.submit(given) for given in KINDS.values()]


def changed(submission: Submission, **fields: object) -> None:
    Submission.objects.filter(pk=submission.pk).update(**fields)


def everything() -> list[object]:
    return list(Submission.objects.order_by("pk").values())


# verify_results


def test_verify_agrees_with_what_was_saved(on_file: list[Submission]) -> None:
    assert output_of("verify_results") == (
        "5 checked: 5 agree, 0 differ, 0 of unknown rules, 0 with answers that their rules don't know, "
        "0 reviews changed.\n"
    )


def test_verify_of_nothing_says_so(db: None) -> None:
    assert output_of("verify_results").startswith("0 checked")


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("program", "iop", "program is iop, rules {} give inpatient"),
        ("urgency", 1, "urgency is soon, rules {} give now"),
        ("close_call", True, "close_call is True, rules {} give False"),
        ("answers", BEST, "need is high, rules {} give low"),
        ("result", {"need": "high", "support": "weak", "duties": "fixed", "reasons": []}, "the reasons are not those"),
        ("result", {"need": "low"}, "the stored result can't be read"),
        ("result", [], "the stored result can't be read"),
        ("urgency", 77, "the stored result can't be read"),
    ],
)
def test_verify_names_each_mismatch(on_file: list[Submission], field: str, value: object, named: str) -> None:
    urgent = on_file[4]
    changed(urgent, **{field: value})
    out = StringIO()
    with pytest.raises(CommandError, match="5 checked: 4 agree, 1 differ"):
        call_command("verify_results", stdout=out, stderr=StringIO())
    assert out.getvalue().count("\n") == 1
    assert out.getvalue().startswith(f"{urgent}: ")
    assert named.format(CURRENT.version) in out.getvalue()


def test_verify_counts_separately_what_it_cannot_judge(on_file: list[Submission]) -> None:
    changed(on_file[0], rules_version="1999.9")
    changed(on_file[1], answers={key: value for key, value in BEST.items() if key != "mind"})
    changed(on_file[2], answers=BEST | {"job": "astronaut"})
    changed(on_file[3], answers=[])
    out = StringIO()
    with pytest.raises(
        CommandError, match=r"5 checked: 1 agree, 0 differ, 1 of unknown rules, 3 with answers that their rules don't"
    ):
        call_command("verify_results", stdout=out, stderr=StringIO())
    lines = out.getvalue().splitlines()
    assert len(lines) == 4
    assert "no rules version '1999.9'; released are" in lines[0]
    assert lines[1].endswith("know to mind")
    assert lines[2].endswith("know to job")
    assert "astronaut" not in out.getvalue()


def test_verify_judges_by_the_version_a_result_was_given_under(
    on_file: list[Submission], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A later version decides otherwise; results of the earlier version stay valid.
    later = replace(with_rule(CURRENT, "some_supervision", need="high"), version="2099.1")
    monkeypatch.setattr(rules, "CURRENT", later)
    assert "5 agree" in output_of("verify_results")


def test_verify_knows_words_of_another_language_from_words_that_were_overwrite(on_file: list[Submission]) -> None:
    result = on_file[0].result
    result["reasons"][0]["text"] = "Otra lengua."
    overwrite(on_file[0], result=result, language="es")
    assert "5 agree" in output_of("verify_results")
    overwrite(on_file[0], language="en")
    with pytest.raises(CommandError, match="1 differ"):
        output_of("verify_results")
    overwrite(on_file[0], language="es", result=result | {"reasons": result["reasons"][1:]})
    with pytest.raises(CommandError, match="1 differ"):
        output_of("verify_results")


def test_long_runs_show_how_far_they_are(on_file: list[Submission], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "PROGRESS_INTERVAL", 0)
    progress = StringIO()
    call_command("verify_results", stdout=StringIO(), stderr=progress)
    assert progress.getvalue().splitlines()[0] == "1 of 5 ..."


@pytest.mark.parametrize("command", ["verify_results", "replay_rules"])
def test_columns_that_a_command_needs_come_at_once(on_file: list[Submission], command: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        output_of(command)
    assert len(queries) < len(on_file)


# replay_rules


def test_replay_of_the_rules_in_force_moves_nobody(on_file: list[Submission]) -> None:
    output = output_of("replay_rules")
    assert f"With rules {CURRENT.version}, of 5 submissions:" in output
    assert "5 stay as they are" in output
    assert "0 move" in output


def test_replay_counts_each_move_with_the_rule_behind_it(
    on_file: list[Submission], in_code: Callable[[RuleSet], None]
) -> None:
    stricter = replace(with_rule(CURRENT, "some_supervision", need="high"), version="2099.1")
    before = everything()
    in_code(stricter)
    output = output_of("replay_rules")
    assert "4 stay as they are" in output
    assert "1 move" in output
    assert "1  iop (close call), urgency none  ->  inpatient, urgency none" in output
    assert "1  some_supervision (changed)" in output
    assert "Nothing was written." in output
    assert everything() == before


def test_replay_names_the_grid_where_no_rule_moved_anyone(
    on_file: list[Submission], in_code: Callable[[RuleSet], None]
) -> None:
    bolder = replace(CURRENT, version="2099.1", grid={**CURRENT.grid, ("some", "some"): "iop"})
    in_code(bolder)
    output = output_of("replay_rules")
    assert "iop (close call), urgency none  ->  iop, urgency none" in output
    assert "the grid" in output


def test_replay_names_the_grid_beside_a_rule_that_changed_and_moved_nobody(
    on_file: list[Submission], in_code: Callable[[RuleSet], None]
) -> None:
    other = replace(
        CURRENT,
        version="2099.1",
        grid={**CURRENT.grid, **SOME_STAY},
        rules=(*CURRENT.rules, Rule("more_care", {"constant_care": "sometimes"}, "Words.", "S4", need="some")),
    )
    in_code(other)
    output = output_of("replay_rules")
    assert "iop (close call), urgency none  ->  inpatient, urgency none" in output
    assert "1  the grid" in output
    assert "more_care" not in output


def test_replay_names_only_the_change_that_moved_someone_not_another_that_bears_on_them(
    on_file: list[Submission], in_code: Callable[[RuleSet], None]
) -> None:
    Submission.objects.submit(answers(supporters="one_or_two"))
    other = replace(
        with_rule(CURRENT, "few_supporters", need="some"),
        version="2099.1",
        grid={**CURRENT.grid, **SOME_STAY},
    )
    in_code(other)
    output = output_of("replay_rules")
    assert "2 move" in output
    assert "1  few_supporters (changed)" in output
    assert "1  the grid" in output  # the grid moved the close call, and not the other one


def test_replay_says_where_the_stored_result_was_not_the_rules(on_file: list[Submission]) -> None:
    changed(on_file[0], program="inpatient")
    output = output_of("replay_rules")
    assert f"1  none: the stored result is not what rules {CURRENT.version} give (see verify_results)" in output


def test_replay_names_rules_added_and_removed(on_file: list[Submission], in_code: Callable[[RuleSet], None]) -> None:
    kept = tuple(rule for rule in CURRENT.rules if rule.key != "constant_care")
    new = Rule("carer_alone", {"caregiving": "only_me"}, "Words.", "S2", duties="fixed")
    other = replace(CURRENT, version="2099.1", rules=(*kept, new))
    in_code(other)
    output = output_of("replay_rules")
    assert "constant_care (removed)" in output
    assert "carer_alone" not in output  # it applies to one submission, and moves none


def test_replay_counts_separately_what_it_cannot_judge(
    on_file: list[Submission], in_code: Callable[[RuleSet], None]
) -> None:
    newer = replace(
        CURRENT,
        version="2099.1",
        options={**CURRENT.options, "made_up": ("well", "badly")},
        rules=(*CURRENT.rules, Rule("made_up_rule", {"made_up": "badly"}, "Words.", "A1", need="some")),
    )
    changed(on_file[0], answers=BEST | {"made_up": "badly"}, rules_version="1999.9")
    changed(on_file[1], answers=BEST | {"made_up": "well"}, program="iop", urgency=0)
    changed(on_file[2], answers=BEST | {"made_up": "well"}, program="hospital")
    in_code(newer)
    output = output_of("replay_rules")
    assert "2  no answer that rules 2099.1 know to made_up" in output
    assert "1  the stored result can't be read" in output
    assert "1  no rules version '1999.9'" in output
    assert "1 stay as they are" in output


def test_results_of_the_first_version_are_verified_and_replayed_by_it_and_what_is_new_is_counted_apart(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = released("2026.1")
    with monkeypatch.context() as then:
        then.setattr(rules, "CURRENT", first)
        for given in (answers(self_harm="plan"), answers(home="no_place")):
            asked = given | {"alcohol_or_pills": "fine", "opioids": "fine"}
            row = Submission.objects.submit(asked)
            overwrite(row, answers={key: asked[key] for key in first.options})
    assert "2 checked: 2 agree" in output_of("verify_results")
    assert "2 stay as they are" in output_of("replay_rules", "--to", "2026.1")
    output = output_of("replay_rules", "--to", "2026.2")
    assert "2  no answer that rules 2026.2 know to overdose, violence" in output
    overwrite(row, answers=row.answers | {"overdose": "no", "violence": "no"})
    assert "inpatient, urgency soon  ->  inpatient (close call), urgency soon" in output_of("replay_rules")


def test_commands_refuse_rules_that_they_cannot_trust(db: None, in_code: Callable[[RuleSet], None]) -> None:
    for command in (["replay_rules", "--to", "1999.9"], ["diff_rules", "1999.9", CURRENT.version]):
        with pytest.raises(CommandError, match=r"no rules version '1999\.9'"):
            output_of(*command)
    in_code(replace(CURRENT, grid={**CURRENT.grid, ("high", "weak"): "iop"}))
    for command in (["replay_rules"], ["diff_rules", CURRENT.version, "code"]):
        with pytest.raises(CommandError, match="the grid gives less care"):
            output_of(*command)


# diff_rules


def test_diff_of_a_version_with_itself_finds_nothing() -> None:
    assert output_of("diff_rules", CURRENT.version, CURRENT.version) == f"{ALL:,} answer sets; 0 get another result\n"


def test_diff_counts_each_move_with_its_smallest_example(in_code: Callable[[RuleSet], None]) -> None:
    other = replace(
        with_rule(CURRENT, "health_unsure", when={"health": "often"}),
        version="2099.1",
        grid={**CURRENT.grid, ("some", "weak"): "inpatient"},
    )
    other = with_rule(other, "lives_alone", text="Other words.")
    in_code(other)
    output = output_of("diff_rules", CURRENT.version, "code")
    assert "rule health_unsure: changed" in output
    assert "rule lives_alone: reworded" in output
    assert "grid at need some, support weak: duties decide -> inpatient" in output
    assert "iop, urgency none  ->  iop, urgency soon\n" in output
    assert "for example: health=often\n" in output


def test_diff_says_which_questions_and_options_it_cannot_compare(in_code: Callable[[RuleSet], None]) -> None:
    newer = replace(
        CURRENT,
        version="2099.1",
        options={**CURRENT.options, "made_up": ("well", "badly"), "job": (*CURRENT.options["job"], "on_strike")},
        rules=(*CURRENT.rules, Rule("made_up_rule", {"made_up": "badly"}, "Words.", "A1", need="some")),
    )
    in_code(newer)
    output = output_of("diff_rules", CURRENT.version, "code")
    assert "rule made_up_rule: added" in output
    assert "question made_up: only rules 2099.1 read it" in output
    assert "question job: only rules 2099.1 know on_strike; not compared" in output
    assert f"{2 * ALL:,} answer sets" in output


def test_diff_says_as_what_a_newer_option_is_compared(in_code: Callable[[RuleSet], None]) -> None:
    options = {**CURRENT.options, "job": (*CURRENT.options["job"], "on_strike")}
    newer = replace(CURRENT, version="2099.1", options=options, replaces={"job": {"on_strike": "can_leave"}})
    in_code(newer)
    output = output_of("diff_rules", CURRENT.version, "code")
    assert "question job: only rules 2099.1 know on_strike; compared as can_leave" in output
    assert f"{ALL // 4 * 5:,} answer sets" in output


def test_diff_of_the_first_version_and_this_one_counts_every_answer_set_of_this_one() -> None:
    output = output_of("diff_rules", "2026.1", "2026.2")
    assert f"{math.prod(map(len, released('2026.2').options.values())):,} answer sets" in output
    assert "not compared" not in output
    for key, value, before in (
        ("self_harm", "attempt", "thoughts"),
        ("alcohol_or_pills", "unused", "fine"),
        ("alcohol_or_pills", "more", "sick"),
        ("past_withdrawal", "risk", "no"),
        ("opioids", "unused", "fine"),
        ("mind", "not_coping", "yes"),
    ):
        assert f"question {key}: only rules 2026.2 know {value}; compared as {before}" in output
    for key in ("overdose", "violence"):
        assert f"question {key}: only rules 2026.2 read it" in output


# freeze_rules


def test_freeze_writes_the_copy_and_refuses_to_replace_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "RELEASED", tmp_path)
    assert "is now frozen" in output_of("freeze_rules")
    assert "frozen already" in output_of("freeze_rules")
    monkeypatch.setattr(rules, "CURRENT", with_rule(CURRENT, "lives_alone", support="weak"))
    with pytest.raises(CommandError, match="Add a new version"):
        output_of("freeze_rules")
