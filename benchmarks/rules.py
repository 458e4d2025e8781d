"""What the rules cost beside a chain of ifs that says the same, and beside rule engines that only find which apply.

make peers; .venv/bin/python -m benchmarks.rules
"""

import argparse
import importlib.util
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import chain_of_ifs
from benchmarks.measure import by_turns, machine, table
from screening.questionnaire import QUESTIONS
from screening.rules import CURRENT, recommend, what_would_change
from screening.rules.what_if import CIRCUMSTANCES
from tests.answers import BEST, random_answers

SETS = [random_answers(generator) for generator in [random.Random(20)] for _set in range(2000)]
RANKED = [{key: QUESTIONS[key].rank(value) for key, value in answers.items()} for answers in SETS]
AT_EASE = [BEST | {key: answers[key] for key in CIRCUMSTANCES} for answers in SETS]  # urgent results offer no change
LEAST = CURRENT.least  # rule -> question -> rank of the least answer that counts
Engine = Callable[[dict[str, int]], set[str]]  # ranks of answers -> keys of the rules that apply


def with_zen() -> Engine:
    """Build a decision table of all rules for zen-engine, compiled once by its static loader."""
    import zen

    inputs = [{"id": key, "name": key, "field": key} for key in QUESTIONS]
    rows = [
        {"_id": rule, "rule": json.dumps(rule)} | {key: f">= {rank}" for key, rank in least.items()}
        for rule, least in LEAST.items()
    ]
    content = {
        "hitPolicy": "collect",
        "inputs": inputs,
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": rows,
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode", "position": {"x": 0, "y": 0}},
        {"id": "table", "name": "table", "type": "decisionTableNode", "position": {"x": 1, "y": 0}, "content": content},
        {"id": "out", "name": "out", "type": "outputNode", "position": {"x": 2, "y": 0}},
    ]
    edges = [
        {"id": "1", "sourceId": "in", "targetId": "table", "type": "edge"},
        {"id": "2", "sourceId": "table", "targetId": "out", "type": "edge"},
    ]
    loader: Any = {"type": "static", "content": {"rules": {"nodes": nodes, "edges": edges}}}
    engine = zen.ZenEngine({"loader": loader})
    return lambda ranks: {row["rule"] for row in engine.evaluate("rules", ranks)["result"]}


def with_json_logic() -> Engine:
    from json_logic import jsonLogic

    rules = {
        rule: {"and": [True, *({">=": [{"var": key}, rank]} for key, rank in least.items())]}
        for rule, least in LEAST.items()
    }
    return lambda ranks: {rule for rule, logic in rules.items() if jsonLogic(logic, ranks)}


def with_business_rules() -> Engine:
    from business_rules import run_all
    from business_rules.actions import BaseActions, rule_action
    from business_rules.fields import FIELD_TEXT
    from business_rules.variables import BaseVariables, numeric_rule_variable

    class Variables(BaseVariables):  # type: ignore[misc]
        def __init__(self, ranks: Mapping[str, int]) -> None:
            self.ranks = ranks

    def variable(key: str) -> Any:
        return numeric_rule_variable(lambda self: self.ranks[key])

    for key in QUESTIONS:
        setattr(Variables, key, variable(key))

    class Actions(BaseActions):  # type: ignore[misc]
        def __init__(self) -> None:
            self.applying: set[str] = set()

        @rule_action(params={"rule": FIELD_TEXT})  # type: ignore[untyped-decorator]
        def apply(self, rule: str) -> None:
            self.applying.add(rule)

    rules = [
        {
            "conditions": {
                "all": [
                    {"name": key, "operator": "greater_than_or_equal_to", "value": rank}
                    for key, rank in (least or {next(iter(QUESTIONS)): 0}).items()
                ]
            },
            "actions": [{"name": "apply", "params": {"rule": rule}}],
        }
        for rule, least in LEAST.items()
    ]

    def applying(ranks: Mapping[str, int]) -> set[str]:
        actions = Actions()
        run_all(rule_list=rules, defined_variables=Variables(ranks), defined_actions=actions)
        return actions.applying

    return applying


def with_rule_engine() -> Engine:
    import rule_engine

    rules = {
        rule: rule_engine.Rule(" and ".join(f"{key} >= {rank}" for key, rank in least.items()) or "true")
        for rule, least in LEAST.items()
    }
    return lambda ranks: {rule for rule, each in rules.items() if each.matches(ranks)}


ENGINES = {  # by the module of the package
    "zen": with_zen,
    "json_logic": with_json_logic,
    "business_rules": with_business_rules,
    "rule_engine": with_rule_engine,
}


def there() -> dict[str, Engine]:
    """Build the engines that are installed."""
    return {name: build() for name, build in ENGINES.items() if importlib.util.find_spec(name)}


def cost(work: Callable[[Any], object], sets: list[Any]) -> Callable[[], float]:
    def seconds() -> float:
        started = time.process_time()
        for each in sets:
            work(each)
        return (time.process_time() - started) / len(sets)

    return seconds


IMPORT = "import time; started = time.process_time(); import screening.rules; print(time.process_time() - started)"


def to_import() -> float:
    """Return the CPU seconds that a new process takes to import the rules."""
    ran = subprocess.run([sys.executable, "-c", IMPORT], stdout=subprocess.PIPE, text=True, check=True)
    return float(ran.stdout)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    given = options.parse_args()
    by_ifs, engines = chain_of_ifs.built(), there()
    for answers, ranks in zip(SETS, RANKED, strict=True):
        assert by_ifs(answers) == recommend(answers)
        applying = {rule.key for rule in CURRENT.applying(answers)}
        for name, engine in engines.items() if answers in SETS[:50] else ():
            assert engine(ranks) == applying, name
    costs = {
        "a chain of ifs": cost(by_ifs, SETS),
        "recommend()": cost(recommend, SETS),
        "what_would_change()": cost(what_would_change, AT_EASE),
        **{f"{name}, which rules apply": cost(engine, RANKED[:200]) for name, engine in engines.items()},
    }
    print(machine())
    table(by_turns(costs, given.rounds), "a chain of ifs")
    importing = statistics.median(to_import() for _round in range(given.rounds))
    print(f"{'import screening.rules':44} {1000 * importing:10.2f} ms")
    for name in ENGINES.keys() - engines.keys():
        print(f"{name} is not installed: make peers")


if __name__ == "__main__":
    main()
