"""Versions of the rules as files: the released ones, frozen in released_rules/, and any other that one wants to try.

A file lists for each condition all the answers that count, so that it can be read, and judged, without today's
questionnaire. docs/rules-json.md says what each key means; /rules.json publishes the same.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from screening.proofs import faults
from screening.ruleset import LEVELS, Rule, RuleSet

RELEASED = Path(__file__).parent / "released_rules"


class UnusableRules(ValueError):
    """Rules that can't be found, can't be read, or break a proof; the message says why, for a person to read."""


def as_data(rules: RuleSet) -> dict[str, Any]:
    """What decides, and the reasons given, as plain data for JSON."""
    return {
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
            }
            for rule in rules.rules
        ],
        "grid": {
            need: {support: rules.grid[need, support] for support in LEVELS["support"]} for need in LEVELS["need"]
        },
    }


def content_hash(data: dict[str, Any]) -> str:
    """SHA-256, in hex, of the data as JSON in UTF-8: keys sorted, no spaces, nothing escaped that need not be."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def from_data(data: Any) -> RuleSet:
    """The rules that `data` describes. Raises UnusableRules where it is malformed, or not upward closed."""
    try:
        if data["levels"] != {dimension: list(order) for dimension, order in LEVELS.items()}:
            raise ValueError("its levels are not the ones that a result is made of")
        options = {str(key): tuple(map(str, values)) for key, values in data["questions"].items()}
        if empty := [key for key, values in options.items() if len(values) < 2 or len(set(values)) < len(values)]:
            raise ValueError(f"question {empty[0]!r} needs two options or more, all different")
        return RuleSet(
            str(data["version"]),
            options,
            tuple(_rule(rule, options) for rule in data["rules"]),
            {(need, support): program for need, row in data["grid"].items() for support, program in row.items()},
        )
    except KeyError as error:
        raise UnusableRules(f"malformed: {error} is missing") from None
    except (AttributeError, TypeError) as error:
        raise UnusableRules(f"malformed: {error}") from None
    except ValueError as error:
        raise UnusableRules(str(error)) from None


def prove(rules: RuleSet) -> RuleSet:
    """The same rules, once every proof has been shown to hold. Raises UnusableRules that names each broken one."""
    if found := faults(rules):
        raise UnusableRules(f"rules version {rules.version}: " + "; ".join(found))
    return rules


def _rule(data: dict[str, Any], options: dict[str, tuple[str, ...]]) -> Rule:
    if extra := set(data["raises"]) - set(LEVELS):
        raise ValueError(f"rule {data['key']!r}: unknown dimension {extra.pop()!r}")
    return Rule(
        str(data["key"]),
        {key: _least(data["key"], key, values, options) for key, values in data["when"].items()},
        str(data["reason"]),
        " ".join(data["sources"]),
        **data["raises"],
    )


def _least(rule: str, question: str, values: list[str], options: dict[str, tuple[str, ...]]) -> str:
    """The least of the answers that count, once they are shown to be upward closed: that one and all worse ones."""
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
    """The rules in a file, not proved yet. Raises UnusableRules where there are none that can be read."""
    try:
        return from_data(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UnusableRules(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnusableRules(f"{path}: it is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise UnusableRules(f"{path}: not JSON, line {error.lineno}: {error.msg}") from None
    except UnusableRules as error:
        raise UnusableRules(f"{path}: {error}") from None


def path_of(version: str) -> Path:
    return RELEASED / f"{version}.json"


def released_versions() -> list[str]:
    return sorted(path.stem for path in RELEASED.glob("*.json"))


@cache
def released(version: str) -> RuleSet:
    """The frozen rules of a released version. Raises UnusableRules for an unknown one."""
    if version not in released_versions():
        raise UnusableRules(f"no rules version {version!r}; released are: {', '.join(released_versions()) or 'none'}")
    return read(path_of(version))


def find(name: str) -> RuleSet:
    """A released version by its name, or a file by its path (it ends in .json), proved. Raises UnusableRules."""
    return prove(read(Path(name)) if name.endswith(".json") else released(name))


def freeze(rules: RuleSet) -> bool:
    """Writes the frozen copy of a version; False if it is there already, the same. A frozen copy is never replaced.

    Raises UnusableRules where another copy is frozen under this version, or the rules break a proof.
    """
    data = as_data(prove(rules))
    path = path_of(rules.version)
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) == data:
            return False
        raise UnusableRules(
            f"rules version {rules.version} is frozen already, and differs. Add a new version to VERSIONS in "
            "screening/rules.py, with what changed, and freeze that."
        )
    RELEASED.mkdir(exist_ok=True)
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return True
