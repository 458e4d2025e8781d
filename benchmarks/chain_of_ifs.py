"""The rules in force written out as a chain of ifs: what a program costs that can do nothing else."""

from collections.abc import Callable, Mapping

from screening.rules import CURRENT
from screening.rules.ruleset import LEVELS, Reason, Recommendation


def source() -> tuple[str, dict[str, object]]:
    """Return the text of a function `recommend(answers)`, and the names that it needs."""
    names: dict[str, object] = {"Recommendation": Recommendation, "program_for": CURRENT.program_for}
    lines = ["def recommend(answers):", "    reasons = []", "    notices = []"]
    lines += [f"    {key} = answers[{key!r}]" for key in CURRENT.options]
    holds = {rule.key: f"holds_{number}" for number, rule in enumerate(CURRENT.rules)}
    for rule in CURRENT.rules:
        conditions = []
        for key, least in rule.when.items():
            counting = CURRENT.options[key][CURRENT.options[key].index(least) :]
            conditions.append(f"{key} == {least!r}" if len(counting) == 1 else f"{key} in {counting!r}")
        lines.append(f"    {holds[rule.key]} = {' and '.join(conditions) or True}")
    for dimension, order in LEVELS.items():
        lines.append(f"    level_{dimension} = {order[0]!r}")
        for level in order:
            raising = [rule for rule in CURRENT.rules if rule.raises.get(dimension) == level]
            if raising:
                lines.append(f"    if {' or '.join(holds[rule.key] for rule in raising)}:")
                lines.append(f"        level_{dimension} = {level!r}")
        for level in reversed(order):
            for rule in CURRENT.rules:
                if rule.raises.get(dimension) == level:
                    name = f"reason_{dimension}_{rule.key}"
                    names[name] = Reason(
                        rule.key, rule.text, dimension, level, tuple(rule.sources.split()), tuple(rule.when)
                    )
                    stricter = [other for other in CURRENT.rules if CURRENT.says_more(other, rule, dimension)]
                    unless = "".join(f" and not {holds[other.key]}" for other in stricter)
                    lines.append(f"    if {holds[rule.key]}{unless}: reasons.append({name})")
    for notice in CURRENT.notices:
        bringing = [holds[rule.key] for rule in CURRENT.rules if notice.key in rule.notices.split()]
        lines.append(f"    if {' or '.join(bringing)}: notices.append({notice.key!r})")
    levels = "level_need, level_support, level_duties"
    lines.append(f"    program, close_call = program_for({levels})")
    lines.append(f"    return Recommendation(program, level_urgency, {levels}, close_call,")
    lines.append(f"        tuple(reasons), {CURRENT.version!r}, tuple(notices))")
    return "\n".join(lines), names


def built() -> Callable[[Mapping[str, str]], Recommendation]:
    text, names = source()
    exec(text, names)
    return names["recommend"]  # type: ignore[return-value]
