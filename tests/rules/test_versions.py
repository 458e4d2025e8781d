"""The rules in force equal the frozen copy of their version, and unsafe files are refused."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from screening.rules import CURRENT, VERSIONS, refuse_other_approvals, versions
from screening.rules.current import Approval
from screening.rules.ruleset import RuleSet
from screening.rules.versions import (
    RELEASED,
    UnusableRules,
    as_data,
    conflicts,
    content_hash,
    find,
    freeze,
    from_data,
    frozen_hashes,
    prove,
    released,
    removed_options,
)
from tests.answers import KINDS
from tests.rules.helpers import with_rule

pytestmark = pytest.mark.sqlite_is_enough

TO_DO = (
    "the rules in screening/rules/current.py are not those frozen as version {}. A change of rules is a new version: "
    "add it to VERSIONS with what changed, then run manage.py freeze_rules (docs/changing-the-rules.md)."
)


def test_rules_in_force_are_the_frozen_copy_of_their_version() -> None:
    if CURRENT.version not in versions.released_versions() or released(CURRENT.version) != CURRENT:
        pytest.fail(TO_DO.format(CURRENT.version))


def test_each_version_has_a_frozen_copy_a_date_and_a_line_on_what_changed() -> None:
    assert [version.version for version in VERSIONS] == versions.released_versions()
    assert [version.released for version in VERSIONS] == sorted(version.released for version in VERSIONS)
    assert all(version.changes.endswith(".") for version in VERSIONS)


@pytest.mark.parametrize("version", [version.version for version in VERSIONS])
def test_frozen_copy_holds_every_proof(version: str) -> None:
    assert find(version, CURRENT).version == version


def test_frozen_copy_decides_as_the_rules_do() -> None:
    for given in KINDS.values():
        assert released(CURRENT.version).recommend(given) == CURRENT.recommend(given)


@pytest.fixture
def frozen_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(versions, "RELEASED", tmp_path)
    return tmp_path


def test_freezing_writes_once_and_never_over_another_copy(frozen_elsewhere: Path) -> None:
    assert freeze(CURRENT) is True
    assert freeze(CURRENT) is False
    before = (frozen_elsewhere / f"{CURRENT.version}.json").read_text()
    assert before == (RELEASED / f"{CURRENT.version}.json").read_text()
    with pytest.raises(UnusableRules, match=r"frozen already, and differs.*VERSIONS"):
        freeze(with_rule(CURRENT, "tell_them_of_your_health", urgency="soon"))
    assert (frozen_elsewhere / f"{CURRENT.version}.json").read_text() == before


def test_hash_follows_what_decides_and_why_but_not_the_order_of_keys() -> None:
    data = as_data(CURRENT)
    turned = dict(reversed(data.items()))
    assert content_hash(turned) == content_hash(data)
    for other in (
        with_rule(CURRENT, "tell_them_of_your_health", urgency="soon"),
        with_rule(CURRENT, "tell_them_of_your_health", text="Another reason."),
        with_rule(CURRENT, "tell_them_of_your_health", sources="A1"),
        with_rule(CURRENT, "tell_them_of_your_health", notices="health attendance"),
    ):
        assert content_hash(as_data(other)) != content_hash(data)


def rule(data: dict[str, Any], key: str) -> dict[str, Any]:
    return next(rule for rule in data["rules"] if rule["key"] == key)


def drop_rule(data: dict[str, Any], key: str) -> None:
    data["rules"] = [rule for rule in data["rules"] if rule["key"] != key]


# name -> (an unsafe change of the rules, the error message)
UNSAFE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "hole in the grid": (lambda data: data["grid"]["some"].pop("some"), "hole at need 'some', support 'some'"),
    "row missing": (lambda data: data["grid"].pop("high"), "hole at need 'high'"),
    "less care for more need": (
        lambda data: data["grid"]["high"].update(strong="iop"),
        "less care to support 'some' than|urgency 'now' comes with IOP",
    ),
    "less care for weaker support": (
        lambda data: data["grid"]["some"].update(strong="inpatient"),
        "less care to support 'some' than to 'strong', at need 'some'",
    ),
    "no source": (lambda data: rule(data, "lives_alone").update(sources=[]), "'lives_alone': it needs a source"),
    "unknown source": (lambda data: rule(data, "lives_alone").update(sources=["Q9"]), "unknown source 'Q9'"),
    "no reason": (lambda data: rule(data, "lives_alone").update(reason=""), "needs a reason in words"),
    "raises nothing": (lambda data: rule(data, "lives_alone").update(raises={}), "needs a level to raise, or a no"),
    "unknown level": (lambda data: rule(data, "lives_alone").update(raises={"need": "huge"}), "unknown level 'huge'"),
    "unknown question": (lambda data: rule(data, "lives_alone").update(when={"age": ["40"]}), "question 'age'"),
    "unknown option": (lambda data: rule(data, "lives_alone").update(when={"home": ["tent"]}), "option 'tent'"),
    "always holds": (
        lambda data: rule(data, "lives_alone").update(when={"home": data["questions"]["home"]}),
        "first option of 'home' always holds",
    ),
    "same key twice": (lambda data: data["rules"].append(rule(data, "lives_alone")), "share the key 'lives_alone'"),
    "urgent at home": (
        lambda data: rule(data, "emergency_now")["raises"].pop("need"),
        "urgency 'now' comes with IOP, for example for emergency=withdrawal",
    ),
    "duties mixed with need": (
        lambda data: rule(data, "only_carer")["raises"].update(need="some"),
        "'caregiving' raises duties and something else",
    ),
    "no reason for the lowest level": (lambda data: drop_rule(data, "free_to_leave"), "duties can have no reason"),
    "a question that changes nothing": (lambda data: drop_rule(data, "main_provider"), "'provider'"),
    "a blank reason": (lambda data: rule(data, "lives_alone").update(reason="  "), "needs a reason in words"),
    "answers turned round": (
        lambda data: (
            data["questions"].update(job=list(reversed(data["questions"]["job"]))),
            rule(data, "job_cannot_be_left").update(when={"job": ["none"]}),
        ),
        "'job' has its answers in another order than in version",
    ),
}


BOX = {"key": "box", "text": "Words.", "sources": ["S1"]}
UNSAFE |= {
    "a notice that no rule brings": (lambda data: data["notices"].append(BOX), "no rule brings the notice 'box'"),
    "a notice without words": (
        lambda data: data["notices"].append(BOX | {"text": " "}),
        "notice 'box': it needs a reason in words",
    ),
    "a notice without a source": (
        lambda data: data["notices"].append(BOX | {"sources": ["Q9"]}),
        "'box': unknown sour",
    ),
    "unknown notice": (lambda data: rule(data, "lives_alone").update(notices=["box"]), "unknown notice 'box'"),
    "an answer that replaces and is not there": (
        lambda data: data.update(replaces={"job": {"on_strike": "none"}}),
        "unknown option 'on_strike' for question 'job' replaces",
    ),
    "a close call with urgency": (
        lambda data: rule(data, "no_supporters")["raises"].update(urgency="today"),
        "urgency 'today' comes with",
    ),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_rules_that_break_a_proof_are_refused_with_the_reason(name: str) -> None:
    change, message = UNSAFE[name]
    data = deepcopy(as_data(CURRENT))
    assert from_data(deepcopy(data)) == CURRENT  # before the change; that it holds every proof is tested above
    change(data)
    with pytest.raises(UnusableRules, match=message) as refused:
        prove(from_data(data))
    assert "\n" not in str(refused.value)


def test_unknown_version_is_named_with_the_released_ones() -> None:
    with pytest.raises(UnusableRules, match=rf"no rules version '1999\.9'; released are: .*{CURRENT.version}"):
        find("1999.9", CURRENT)
    with pytest.raises(UnusableRules, match="no rules version"):
        find("../../etc/passwd", CURRENT)


def test_file_is_read_back_as_it_was() -> None:
    assert from_data(as_data(CURRENT)) == CURRENT
    assert isinstance(from_data(as_data(CURRENT)), RuleSet)


def test_file_of_a_version_without_notices_has_none_so_that_its_hash_holds() -> None:
    first = as_data(released("2026.1"))
    assert not first.keys() & {"notices", "replaces"}
    assert not any("notices" in rule for rule in first["rules"])
    assert as_data(CURRENT).keys() - first.keys() == {"notices", "replaces"}


def test_first_version_is_as_it_was_frozen_before_there_was_a_second() -> None:
    data = json.loads((RELEASED / "2026.1.json").read_text())
    assert content_hash(data) == "783a9bc4aebfb0752183aea7897b2c51bfe085639a1c9aaa15b90b6ea40dd851"
    assert as_data(released("2026.1")) == data
    assert "overdose" not in released("2026.1").options


def test_each_new_answer_names_the_one_that_stood_for_it_in_the_first_version() -> None:
    first = released("2026.1").options
    assert CURRENT.replaces == {  # typed a second time
        "self_harm": {"attempt": "thoughts"},
        "alcohol_or_pills": {"unused": "fine", "more": "sick"},
        "past_withdrawal": {"risk": "no"},
        "opioids": {"unused": "fine"},
        "mind": {"not_coping": "yes"},
    }
    new = {key: set(values) - set(first[key]) for key, values in CURRENT.options.items() if key in first}
    assert {key: set(values) for key, values in CURRENT.replaces.items()} == {k: v for k, v in new.items() if v}
    assert all(old in first[key] for key, values in CURRENT.replaces.items() for old in values.values())
    assert CURRENT.options.keys() - first.keys() == {"overdose", "violence"}


def test_edited_frozen_copy_is_refused(frozen_elsewhere: Path) -> None:
    later = replace(CURRENT, version="2099.1")
    freeze(later)
    path = frozen_elsewhere / "2099.1.json"
    path.write_text(path.read_text().replace('"urgency": "now"', '"urgency": "soon"', 1))
    versions.released.cache_clear()
    with pytest.raises(UnusableRules, match=r"2099\.1 is not as it was frozen"):
        released("2099.1")


@pytest.mark.parametrize("content", ["", "{not json", "[]"])
def test_frozen_copy_that_is_no_copy_is_refused(content: str, frozen_elsewhere: Path) -> None:
    freeze(replace(CURRENT, version="2099.1"))
    (frozen_elsewhere / "2099.1.json").write_text(content)
    versions.released.cache_clear()
    with pytest.raises(UnusableRules, match=r"2099\.1 is not as it was frozen"):
        released("2099.1")


def test_rules_in_code_can_be_tried_before_they_are_frozen() -> None:
    tried = with_rule(replace(CURRENT, version="2099.1"), "lives_alone", support="weak")
    assert find("code", tried) is tried


@pytest.mark.parametrize("version", [version.version for version in VERSIONS])
def test_frozen_copy_is_as_it_was_frozen(version: str) -> None:
    assert released(version).version == version


def test_questionnaire_keeps_every_released_answer_in_its_order() -> None:
    assert conflicts(CURRENT) == []
    assert removed_options(CURRENT) == []


def test_answers_that_change_places_or_names_are_not_frozen() -> None:
    order = CURRENT.options["alcohol_or_pills"]
    turned = replace(
        CURRENT, version="2099.1", options={**CURRENT.options, "alcohol_or_pills": (order[0], *order[:0:-1])}
    )
    with pytest.raises(UnusableRules, match="'alcohol_or_pills' has its answers in another order"):
        freeze(turned)
    names = tuple(value if value != "rough" else "felt_sick" for value in CURRENT.options["past_withdrawal"])
    with pytest.raises(UnusableRules, match="no longer has the answer 'rough' of version"):
        freeze(replace(CURRENT, version="2099.1", options={**CURRENT.options, "past_withdrawal": names}))


def test_approval_of_another_hash_is_refused() -> None:
    latest = VERSIONS[-1]
    right = Approval("Ann Example", "medical director", "MD 1", latest.released, frozen_hashes()[latest.version])
    refuse_other_approvals([replace(latest, approval=right)])
    with pytest.raises(ValueError, match=f"rules {latest.version}: Ann Example approved another file than is frozen"):
        refuse_other_approvals([replace(latest, approval=replace(right, sha256="0" * 64))])


def test_start_refuses_an_approval_of_another_hash(tmp_path: Path) -> None:
    shutil.copytree(RELEASED.parents[1], tmp_path / "screening", ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "screening/rules/current.py"
    approval = '        approval=Approval("Ann Example", "director", "MD 1", date(2026, 12, 1), "0" * 64),\n'
    text = path.read_text()
    assert text.count('help today."\n        ),\n') == 1
    path.write_text(text.replace('help today."\n        ),\n', 'help today."\n        ),\n' + approval))
    command = [sys.executable, "-c", "import screening.rules"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env={})
    assert "Ann Example approved another file than is frozen" in ran.stderr
