"""Versions of the rules as files, frozen in released/.

A file lists for each condition all the answers that count, so that it can be read, and judged, without today's
questionnaire. docs/rules-json.md says what each key means; /rules.json publishes the same.
"""

import hashlib
import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from screening.rules.invariants import violations
from screening.rules.ruleset import LEVELS, Notice, Rule, RuleSet

RELEASED = Path(__file__).parent / "released"


class UnusableRules(ValueError):
    """Rules that are not released, or violate an invariant; the message says why, in plain words."""


def as_data(rules: RuleSet) -> dict[str, Any]:
    """Return rules, grid, reasons and notices as plain data for JSON; what there is none of is left out."""
    data: dict[str, Any] = {
        "version": rules.version,
        "levels": {dimension: list(order) for dimension, order in LEVELS.items()},
        "questions": {key: list(values) for key, values in rules.options.items()},
        "rules": [
            {
                "key": rule.key,
                "when": {key: list(rules.options[key][rank:]) for key, rank in rules.least[rule.key].items()},
                "raises": rule.raises,
                "reason": rule.text,
                "sources": rule.sources.split(),
                **({"notices": rule.notices.split()} if rule.notices else {}),
            }
            for rule in rules.rules
        ],
        "grid": {
            need: {support: rules.grid[need, support] for support in LEVELS["support"]} for need in LEVELS["need"]
        },
    }
    if rules.notices:
        data["notices"] = [
            {
                "key": notice.key,
                "text": notice.text,
                "sources": notice.sources.split(),
                **({"about_programs": True} if notice.about_programs else {}),
            }
            for notice in rules.notices
        ]
    if rules.replaces:
        data["replaces"] = {key: dict(values) for key, values in rules.replaces.items()}
    return data


def content_hash(data: dict[str, Any]) -> str:
    """Return the SHA-256, in hex, of the data as JSON in UTF-8: keys sorted, no spaces, no needless escapes."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def from_data(data: dict[str, Any]) -> RuleSet:
    """Return the rules that `as_data` described. Raise UnusableRules if RuleSet refuses them."""
    options = {key: tuple(values) for key, values in data["questions"].items()}
    try:
        return RuleSet(
            data["version"],
            options,
            tuple(
                Rule(
                    rule["key"],
                    {key: values[0] for key, values in rule["when"].items()},
                    rule["reason"],
                    " ".join(rule["sources"]),
                    **rule["raises"],
                    notices=" ".join(rule.get("notices", [])),
                )
                for rule in data["rules"]
            ),
            {(need, support): program for need, row in data["grid"].items() for support, program in row.items()},
            tuple(
                Notice(each["key"], each["text"], " ".join(each["sources"]), each.get("about_programs", False))
                for each in data.get("notices", [])
            ),
            data.get("replaces", {}),
        )
    except ValueError as error:
        raise UnusableRules(str(error)) from None


def prove(rules: RuleSet) -> RuleSet:
    """Return the same rules if every invariant holds; raise UnusableRules that names each violated one."""
    if violated := [*violations(rules), *conflicts(rules)]:
        raise UnusableRules(f"rules version {rules.version}: " + "; ".join(violated))
    return rules


def path_of(version: str) -> Path:
    return RELEASED / f"{version}.json"


def released_versions() -> list[str]:
    return sorted(path.stem for path in RELEASED.glob("*.json"))


def frozen_hashes() -> dict[str, str]:
    """Return version -> the content hash recorded when it was frozen."""
    path = RELEASED / "SHA256SUMS"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {version: mark for mark, version in (line.split() for line in lines)}


@cache
def released(version: str) -> RuleSet:
    """Return the frozen rules of a version. Raise UnusableRules if it is unknown or its copy was edited."""
    if version not in released_versions():
        raise UnusableRules(f"no rules version {version!r}; released are: {', '.join(released_versions()) or 'none'}")
    data: dict[str, Any] = {}
    with suppress(ValueError):
        data = json.loads(path_of(version).read_text(encoding="utf-8"))
    if content_hash(data) != frozen_hashes().get(version):
        raise UnusableRules(f"the frozen copy of rules version {version} is not as it was frozen: take it from history")
    return from_data(data)


def conflicts(rules: RuleSet) -> list[str]:
    """Return where `rules` order the answers of a question differently from a released version.

    The order says which answer is worse, and stored answers keep their meaning.
    """
    reordered = []
    for version in released_versions():
        for key, values in released(version).options.items():
            now = [value for value in rules.options.get(key, ()) if value in values]
            if now != [value for value in values if value in now]:
                reordered.append(f"question {key!r} has its answers in another order than in version {version}")
    return reordered


def removed_options(rules: RuleSet) -> list[str]:
    """Return the answers of released versions that `rules` no longer know, though they read the question."""
    return [
        f"question {key!r} no longer has the answer {value!r} of version {version}, which is stored"
        for version in released_versions()
        for key, values in released(version).options.items()
        for value in values
        if key in rules.options and value not in rules.options[key]
    ]


def find(name: str, in_code: RuleSet) -> RuleSet:
    """Return a released version by its name, or those `in_code` by "code"; proved. Raise UnusableRules."""
    return prove(in_code if name == "code" else released(name))


def freeze(rules: RuleSet) -> bool:
    """Write the frozen copy of a version; return False if the same copy exists. A frozen copy is never replaced.

    Raise UnusableRules if another copy is frozen under this version, or the rules violate an invariant.
    """
    data = as_data(prove(rules))
    path = path_of(rules.version)
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) == data:
            return False
        raise UnusableRules(
            f"rules version {rules.version} is frozen already, and differs. Add a new version to VERSIONS in "
            "screening/rules/current.py, with what changed, and freeze that."
        )
    if removed := removed_options(rules):
        raise UnusableRules("; ".join(removed))
    RELEASED.mkdir(exist_ok=True)
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    with (RELEASED / "SHA256SUMS").open("a", encoding="utf-8") as hashes:
        hashes.write(f"{content_hash(data)}  {rules.version}\n")
    released.cache_clear()
    return True
