"""Invariants: what must hold of any version of the rules before it may decide for anyone.

A RuleSet refuses unknown names, holes in the grid and rules without a reason or source when it is made, and its
conditions are upward closed by their form. What is left is proved here, over the whole answer space.
"""

from dataclasses import replace
from itertools import pairwise, product

from screening.rules.answer_space import raised_answers, walk
from screening.rules.ruleset import LEVELS, PROGRAMS, RuleSet

# Rules that may raise urgency to today or now without a need for a stay. Wherever their results are shown, help comes
# first, and no program is the headline.
HELP_FIRST = {
    "danger_at_home",
    "nowhere_safe",
    "recent_overdose",
    "possible_opioid_overdose",
    "thoughts_and_watch",
    "shaky_and_unsure",
    "severe_before_still_using",
    "maybe_pregnant_in_opioid_withdrawal",
}


def violations(rules: RuleSet) -> list[str]:
    """Return a sentence for each violated invariant; an empty list if all hold."""
    return [
        *_of_the_grid(rules),
        *_of_duties(rules),
        *_of_reasons(rules),
        *_of_urgency(rules),
        *_of_questions(rules),
        *_of_notices(rules),
    ]


def _of_the_grid(rules: RuleSet) -> list[str]:
    """More need, or weaker support, never leads to less care."""
    broken = []
    for (need, more_need), support in product(pairwise(LEVELS["need"]), LEVELS["support"]):
        if _less_care(rules, (need, support), (more_need, support)):
            broken.append(f"the grid gives less care to need {more_need!r} than to {need!r}, at support {support!r}")
    for need, (support, less_support) in product(LEVELS["need"], pairwise(LEVELS["support"])):
        if _less_care(rules, (need, support), (need, less_support)):
            broken.append(f"the grid gives less care to support {less_support!r} than to {support!r}, at need {need!r}")
    return broken


def _less_care(rules: RuleSet, before: tuple[str, str], after: tuple[str, str]) -> bool:
    return any(
        PROGRAMS.index(rules.program_for(*after, duties)[0]) < PROGRAMS.index(rules.program_for(*before, duties)[0])
        for duties in LEVELS["duties"]
    )


def _of_duties(rules: RuleSet) -> list[str]:
    """Duties are apart: fixed ones can mean less care, so no answer may raise them together with anything else."""
    raise_duties = {key for rule in rules.rules if "duties" in rule.raises for key in rule.when}
    raise_others = {key for rule in rules.rules if rule.raises.keys() - {"duties"} for key in rule.when}
    return [
        f"question {key!r} raises duties and something else: a worse answer could lead to less care"
        for key in sorted(raise_duties & raise_others)
    ]


def _of_reasons(rules: RuleSet) -> list[str]:
    """Each dimension of the grid always has a reason, so its lowest level needs a rule of its own."""
    always = {dimension for rule in rules.rules if not rule.when for dimension in rule.raises}
    return [
        f"{dimension} can have no reason: it needs a rule without conditions for its lowest level"
        for dimension in ("need", "support", "duties")
        if dimension not in always
    ]


def _of_urgency(rules: RuleSet) -> list[str]:
    """Who must be spoken to now or today is not told that a program from home fits, but by the rules of HELP_FIRST."""
    bound = replace(rules, rules=tuple(rule for rule in rules.rules if rule.key not in HELP_FIRST))
    broken = []
    for levels, sets in walk(bound).items():
        program, close_call, urgency = rules.decision_at(levels)
        if urgency in ("now", "today") and (close_call or program == "iop"):
            example = raised_answers(rules.options, sets.example)
            broken.append(
                f"urgency {urgency!r} comes with {'a close call' if close_call else 'IOP'}, for example for {example}"
            )
    return broken


def _of_questions(rules: RuleSet) -> list[str]:
    """Each question that the rules read can change what a person is told, or it should not be asked."""
    return [
        f"no answer to {key!r} can change the program, the urgency or a notice"
        for key in rules.options
        if not pair(rules, key)
    ]


def _of_notices(rules: RuleSet) -> list[str]:
    """Each notice can be shown: some rule brings it, and every rule can apply, by its form."""
    brought = {notice for rule in rules.rules for notice in rule.notices.split()}
    return [f"no rule brings the notice {notice.key!r}" for notice in rules.notices if notice.key not in brought]


def pair(rules: RuleSet, key: str) -> tuple[dict[str, str], dict[str, str]] | None:
    """Return two answer sets that differ only in `key`, and in what is told; None if there are none."""
    least = {other: values[0] for other, values in rules.options.items()}
    likely = [least | dict(rule.when) for rule in rules.rules if key in rule.when]
    return _pair_among(likely, rules, key) or _pair_among(_every_context(rules, key), rules, key)


def _every_context(rules: RuleSet, key: str) -> list[dict[str, str]]:
    """Return the other answers in every combination that matters, with and without rules that read `key`."""
    others = replace(rules, rules=tuple(rule for rule in rules.rules if key not in rule.when))
    contexts = [dict(sets.example) for sets in walk(others, {key: rules.options[key][0]}).values()]
    return contexts + [given | dict(rule.when) for rule in rules.rules if key in rule.when for given in contexts]


def _pair_among(
    contexts: list[dict[str, str]], rules: RuleSet, key: str
) -> tuple[dict[str, str], dict[str, str]] | None:
    for context in contexts:
        milder, *others = ({**context, key: value} for value in rules.options[key])
        for other in others:
            if rules.told(other) != rules.told(milder):
                return milder, other
    return None
