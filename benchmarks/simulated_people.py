"""What the rules would tell three populations of made-up people. This is no evidence that the rules are right.

Nobody was asked. The shares are assumed; where a public figure was at hand, a comment names it, and even that one was
counted for another question, in other years. Each question is drawn on its own, so nothing hangs together as it does
in a life: someone who uses no alcohol may have a seizure from stopping it. Where serious answers come together, as
they likely do in real people, fewer people have at least one. It takes 20 seconds.
.venv/bin/python -m benchmarks.simulated_people       # --people 20000 --seed 1
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import isclose

from screening.questionnaire import QUESTIONS
from screening.rules import CURRENT, recommend
from screening.rules.ruleset import LEVELS, PROGRAMS, Recommendation, Rule

HEADLINES = ("help_now", "help_today", "iop", "either", "inpatient")
MOST = 10  # rules that are listed

# TEDS: SAMHSA's Treatment Episode Data Set; DASIS: its short reports. Where no source is named, shares are assumed.
Shares = Mapping[str, Mapping[str, float]]  # question -> option -> share
POPULATIONS: Mapping[str, Shares] = {
    "people who look at the site out of worry": {  # all assumed
        "emergency": {"none": 0.99, "withdrawal": 0.005, "medical": 0.005},
        "overdose": {"no": 0.98, "not_sure": 0.01, "yes": 0.01},
        "self_harm": {
            "no": 0.74,
            "past": 0.17,
            "rather_not_say": 0.03,
            "thoughts": 0.05,
            "attempt": 0.005,
            "plan": 0.005,
        },
        "violence": {"no": 0.95, "rather_not_say": 0.02, "thoughts": 0.025, "might_act": 0.005},
        "home_safety": {
            "safe": 0.92,
            "other_place": 0.04,
            "rather_not_say": 0.02,
            "nowhere_else": 0.015,
            "danger": 0.005,
        },
        "job": {"none": 0.2, "can_leave": 0.25, "not_sure": 0.15, "cannot_leave": 0.4},
        "attendance": {"yes": 0.6, "maybe": 0.3, "no": 0.1},
        "caregiving": {"nobody": 0.55, "shared": 0.28, "not_sure": 0.05, "only_me": 0.12},
        "provider": {"no": 0.25, "partly": 0.4, "mostly": 0.35},
        "supporters": {"several": 0.5, "one_or_two": 0.35, "not_sure": 0.08, "nobody": 0.07},
        "home": {"supportive": 0.6, "alone": 0.22, "others_use": 0.16, "no_place": 0.02},
        "alcohol_or_pills": {"unused": 0.15, "fine": 0.52, "shaky": 0.15, "not_sure": 0.1, "more": 0.04, "sick": 0.04},
        "past_withdrawal": {"no": 0.78, "rough": 0.12, "not_sure": 0.04, "risk": 0.03, "severe": 0.03},
        "opioids": {"unused": 0.9, "fine": 0.04, "sick": 0.02, "not_sure": 0.02, "very_sick": 0.02},
        "constant_care": {"no": 0.9, "sometimes": 0.06, "not_sure": 0.03, "always": 0.01},
        "health": {"steady": 0.8, "often": 0.14, "not_sure": 0.05, "most_days": 0.01},
        "mind": {"no": 0.62, "manageable": 0.32, "rather_not_say": 0.03, "not_coping": 0.02, "yes": 0.01},
        "pregnancy": {"no": 0.96, "maybe": 0.03, "yes": 0.01},
        "past_treatment": {"none": 0.75, "helped": 0.1, "returned": 0.1, "many_times": 0.03, "not_enough": 0.02},
    },
    "people like those in outpatient treatment": {
        "emergency": {"none": 0.98, "withdrawal": 0.01, "medical": 0.01},
        "overdose": {"no": 0.94, "not_sure": 0.02, "yes": 0.04},
        # Thoughts within a year: 22.8 to 29.8 % of adults with opioid use disorder (doi 10.1016/j.eclinm.2022.101696).
        # For a month, with attempts and plans, half of that is assumed.
        "self_harm": {"no": 0.6, "past": 0.24, "rather_not_say": 0.04, "thoughts": 0.09, "attempt": 0.02, "plan": 0.01},
        "violence": {"no": 0.9, "rather_not_say": 0.04, "thoughts": 0.05, "might_act": 0.01},
        "home_safety": {
            "safe": 0.84,
            "other_place": 0.07,
            "rather_not_say": 0.04,
            "nowhere_else": 0.04,
            "danger": 0.01,
        },
        # 62.2 % had no job: TEDS discharges 2004, table 3.10 (outpatient, 16 and over). The rest is assumed.
        "job": {"none": 0.62, "can_leave": 0.12, "not_sure": 0.08, "cannot_leave": 0.18},
        "attendance": {"yes": 0.55, "maybe": 0.33, "no": 0.12},
        "caregiving": {"nobody": 0.6, "shared": 0.24, "not_sure": 0.04, "only_me": 0.12},
        "provider": {"no": 0.45, "partly": 0.3, "mostly": 0.25},
        "supporters": {"several": 0.35, "one_or_two": 0.4, "not_sure": 0.1, "nobody": 0.15},
        # 13 % of all admissions were homeless (DASIS 2006, issue 26, on 2004). Fewer are assumed here.
        "home": {"supportive": 0.5, "alone": 0.2, "others_use": 0.2, "no_place": 0.1},
        "alcohol_or_pills": {"unused": 0.3, "fine": 0.35, "shaky": 0.14, "not_sure": 0.1, "more": 0.05, "sick": 0.06},
        "past_withdrawal": {"no": 0.62, "rough": 0.18, "not_sure": 0.06, "risk": 0.06, "severe": 0.08},
        "opioids": {"unused": 0.68, "fine": 0.08, "sick": 0.07, "not_sure": 0.05, "very_sick": 0.12},
        "constant_care": {"no": 0.8, "sometimes": 0.12, "not_sure": 0.05, "always": 0.03},
        "health": {"steady": 0.7, "often": 0.2, "not_sure": 0.06, "most_days": 0.04},
        "mind": {"no": 0.45, "manageable": 0.42, "rather_not_say": 0.05, "not_coping": 0.05, "yes": 0.03},
        # 4 % of the women of 15 to 44 (DASIS, September 3, 2004, on 2002); most people admitted are men.
        "pregnancy": {"no": 0.95, "maybe": 0.04, "yes": 0.01},
        "past_treatment": {"none": 0.4, "helped": 0.2, "returned": 0.25, "many_times": 0.08, "not_enough": 0.07},
    },
    "people like those at the door of a detox": {
        "emergency": {"none": 0.8, "withdrawal": 0.14, "medical": 0.06},
        "overdose": {"no": 0.8, "not_sure": 0.07, "yes": 0.13},
        "self_harm": {
            "no": 0.46,
            "past": 0.27,
            "rather_not_say": 0.06,
            "thoughts": 0.13,
            "attempt": 0.04,
            "plan": 0.04,
        },
        "violence": {"no": 0.84, "rather_not_say": 0.06, "thoughts": 0.08, "might_act": 0.02},
        "home_safety": {"safe": 0.68, "other_place": 0.1, "rather_not_say": 0.06, "nowhere_else": 0.13, "danger": 0.03},
        # 79.6 % had no job: TEDS discharges 2004, table 8.10 (detoxification, 16 and over). The rest is assumed.
        "job": {"none": 0.8, "can_leave": 0.08, "not_sure": 0.05, "cannot_leave": 0.07},
        "attendance": {"yes": 0.4, "maybe": 0.35, "no": 0.25},
        "caregiving": {"nobody": 0.7, "shared": 0.18, "not_sure": 0.04, "only_me": 0.08},
        "provider": {"no": 0.65, "partly": 0.2, "mostly": 0.15},
        "supporters": {"several": 0.2, "one_or_two": 0.38, "not_sure": 0.14, "nobody": 0.28},
        # 13 % of all admissions were homeless (as above). More are assumed here.
        "home": {"supportive": 0.3, "alone": 0.17, "others_use": 0.28, "no_place": 0.25},
        "alcohol_or_pills": {"unused": 0.2, "fine": 0.08, "shaky": 0.15, "not_sure": 0.12, "more": 0.15, "sick": 0.3},
        "past_withdrawal": {"no": 0.3, "rough": 0.26, "not_sure": 0.1, "risk": 0.12, "severe": 0.22},
        "opioids": {"unused": 0.5, "fine": 0.03, "sick": 0.07, "not_sure": 0.08, "very_sick": 0.32},
        "constant_care": {"no": 0.5, "sometimes": 0.25, "not_sure": 0.13, "always": 0.12},
        "health": {"steady": 0.55, "often": 0.25, "not_sure": 0.1, "most_days": 0.1},
        "mind": {"no": 0.28, "manageable": 0.42, "rather_not_say": 0.07, "not_coping": 0.14, "yes": 0.09},
        "pregnancy": {"no": 0.95, "maybe": 0.04, "yes": 0.01},
        # None: 35.6 %, five times or more: 8.5 %: TEDS discharges 2004, table 5.8. That is short-term residential
        # treatment, as the nearest figure at hand. The rest is assumed.
        "past_treatment": {"none": 0.36, "helped": 0.17, "returned": 0.24, "many_times": 0.09, "not_enough": 0.14},
    },
}


def check(populations: Mapping[str, Shares]) -> None:
    """Raise a ValueError that names each question or option without a share, and shares that don't sum to 1."""
    faults = []
    for name, shares in populations.items():
        if odd := shares.keys() ^ QUESTIONS.keys():
            faults.append(f"{name}: missing or unknown questions {sorted(odd)}")
        for key in shares.keys() & QUESTIONS.keys():
            if odd := shares[key].keys() ^ QUESTIONS[key].options.keys():
                faults.append(f"{name}, {key}: missing or unknown options {sorted(odd)}")
            if not isclose(sum(shares[key].values()), 1) or min(shares[key].values()) < 0:
                faults.append(f"{name}, {key}: the shares sum to {sum(shares[key].values()):.4f}, or one is below 0")
    if faults:
        raise ValueError("; ".join(faults))


def draw(shares: Shares, people: int, chance: random.Random) -> Iterator[dict[str, str]]:
    """Yield the answers of so many people, each question drawn on its own."""
    columns = [chance.choices(list(each), list(each.values()), k=people) for each in shares.values()]
    for answers in zip(*columns, strict=True):
        yield dict(zip(shares, answers, strict=True))


def why_to_stay(said: Recommendation, applying: list[Rule]) -> str:
    """Return what led to inpatient care: one answer of high need, two together, or no high need at all."""
    if said.need != "high":
        return "no high need: the lean where both fit"
    alone = any(rule.need == "high" and len(rule.when) == 1 for rule in applying)
    return "a single answer of high need" if alone else "high need from two answers only"


def table(title: str, counts: Mapping[str, int], of: int) -> None:
    print(f"  {title}")
    for label, count in counts.items():
        print(f"    {label:<40}{count / of if of else 0:>7.1%}")


def report(name: str, people: Iterable[dict[str, str]]) -> None:
    """Print what the rules say to one population."""
    named = (HEADLINES, PROGRAMS, LEVELS["urgency"], (), ())
    headlines, programs, urgencies, stays, fired = (Counter(dict.fromkeys(names, 0)) for names in named)
    for answers in people:
        said, applying = recommend(answers), CURRENT.applying(answers)
        headlines[said.headline] += 1
        programs[said.program] += 1
        urgencies[said.urgency] += 1
        fired.update(rule.key for rule in applying if rule.when)
        if said.program == "inpatient":
            stays[why_to_stay(said, applying)] += 1
    total = programs.total()
    print(f"\n{name}")
    table("headline", headlines, total)
    table("program, or lean where both could fit", programs, total)
    table("of those with inpatient", dict(stays.most_common()), stays.total())
    table("urgency", urgencies, total)
    table("the rules that apply most often", dict(fired.most_common(MOST)), total)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    check(POPULATIONS)
    print(f"Rules {CURRENT.version}, {given.people:,} made-up people of each kind, seed {given.seed}. Not evidence.")
    for name, shares in POPULATIONS.items():
        report(name, draw(shares, given.people, random.Random(f"{given.seed} {name}")))


if __name__ == "__main__":
    main()
