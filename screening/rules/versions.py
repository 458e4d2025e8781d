"""Versions of the rules as files: the released ones, frozen in released/, and any other file to try out.

A file lists for each condition all the answers that count, so that it can be read, and judged, without today's
questionnaire. docs/rules-json.md says what each key means; /rules.json publishes the same.
"""

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from screening.rules.invariants import violations
from screening.rules.ruleset import LEVELS, Notice, Rule, RuleSet
from screening.rules.sources import SOURCES

RELEASED = Path(__file__).parent / "released"
NAME = re.compile(r"[A-Za-z0-9._-]+")


class UnusableRules(ValueError):
    """Rules that can't be found or read, or that violate an invariant; the message says why, in plain words."""


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


def from_data(data: Any) -> RuleSet:
    """Return the rules that `data` describes. Raise UnusableRules if it is malformed or not upward closed."""
    try:
        if data["levels"] != {dimension: list(order) for dimension, order in LEVELS.items()}:
            raise ValueError("its levels are not the ones that a result is made of")
        options = {key: tuple(values) for key, values in data["questions"].items()}
        names = [data["version"], *options, *(value for values in options.values() for value in values)]
        notices, replaces = data.get("notices", []), data.get("replaces", {})
        names += [each["key"] for each in (*data["rules"], *notices)]
        names += [value for values in replaces.values() for pair in values.items() for value in pair]
        if odd := [name for name in names if not (isinstance(name, str) and NAME.fullmatch(name))]:
            raise ValueError(f"{odd[0]!r} is not a name: letters, digits and . _ - only")
        if empty := [key for key, values in options.items() if len(values) < 2 or len(set(values)) < len(values)]:
            raise ValueError(f"question {empty[0]!r} needs two options or more, all different")
        return RuleSet(
            data["version"],
            options,
            tuple(_rule(rule, options) for rule in data["rules"]),
            {(need, support): program for need, row in data["grid"].items() for support, program in row.items()},
            tuple(
                Notice(each["key"], *_said(each["key"], each, "text"), each.get("about_programs", False) is True)
                for each in notices
            ),
            replaces,
        )
    except KeyError as error:
        raise UnusableRules(f"malformed: {error} is missing") from None
    except (AttributeError, TypeError) as error:
        raise UnusableRules(f"malformed: {error}") from None
    except ValueError as error:
        raise UnusableRules(str(error)) from None


def prove(rules: RuleSet) -> RuleSet:
    """Return the same rules if every invariant holds; raise UnusableRules that names each violated one."""
    if violated := [*violations(rules), *conflicts(rules)]:
        raise UnusableRules(f"rules version {rules.version}: " + "; ".join(violated))
    return rules


def _rule(data: dict[str, Any], options: dict[str, tuple[str, ...]]) -> Rule:
    for dimension, level in data["raises"].items():
        if dimension not in LEVELS:
            raise ValueError(f"rule {data['key']!r}: unknown dimension {dimension!r}")
        if level not in LEVELS[dimension]:
            raise ValueError(f"rule {data['key']!r}: unknown level {level!r} for {dimension!r}")
    return Rule(
        data["key"],
        {key: _least(data["key"], key, values, options) for key, values in data["when"].items()},
        *_said(data["key"], data, "reason"),
        **data["raises"],
        notices=" ".join(data.get("notices", [])),
    )


def _said(key: str, data: dict[str, Any], name: str) -> tuple[str, str]:
    """Return the words and the sources of a rule or a notice."""
    if not (isinstance(data[name], str) and isinstance(data["sources"], list)):
        raise ValueError(f"{key!r}: the {name} must be text, and the sources a list")
    if unknown := [source for source in data["sources"] if source not in SOURCES]:
        raise ValueError(f"{key!r}: unknown source {unknown[0]!r}")
    return data[name], " ".join(data["sources"])


def _least(rule: str, question: str, values: list[str], options: dict[str, tuple[str, ...]]) -> str:
    """Return the least of the answers that count; raise a ValueError if a worse one does not count."""
    order = options.get(question)
    if order is None:
        raise ValueError(f"rule {rule!r}: unknown question {question!r}")
    if unknown := [value for value in values if value not in order]:
        raise ValueError(f"rule {rule!r}: unknown option {unknown[0]!r} for question {question!r}")
    if not values:
        raise ValueError(f"rule {rule!r}: no answer to {question!r} counts")
    least = min(values, key=order.index)
    if left_out := [value for value in order[order.index(least) :] if value not in values]:
        raise ValueError(
            f"rule {rule!r} is not upward closed: {question!r} counts from {least!r} on, but not {left_out[0]!r}"
        )
    return least


def read(path: Path) -> RuleSet:
    """Read rules from a file, without proving them. Raise UnusableRules if it holds none."""
    try:
        return from_data(json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_no_key_twice))
    except OSError as error:
        raise UnusableRules(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnusableRules(f"{path}: it is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise UnusableRules(f"{path}: not JSON, line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise UnusableRules(f"{path}: {error}") from None


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        keys = [key for key, _value in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return unique


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
    rules = read(path_of(version))
    if content_hash(as_data(rules)) != frozen_hashes().get(version):
        raise UnusableRules(f"the frozen copy of rules version {version} is not as it was frozen: take it from history")
    return rules


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


def find(name: str) -> RuleSet:
    """Return a released version by name, or a file by its path (.json), proved. Raise UnusableRules."""
    return prove(read(Path(name)) if name.endswith(".json") else released(name))


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
