"""What other rules would make of submissions on file."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from screening import audit, rules
from screening.audit import Action
from screening.models import Submission, result_visible_to
from screening.rules import versions
from screening.rules.ruleset import Decision, RuleSet, changed_rules


@dataclass
class Replay:
    """How many would get the same result under `new` rules; who would get which other, and by which rule."""

    new: RuleSet
    stay: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    movers: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.stay + self.moves.total() + self.left_out.total()

    def of(self, rows: Iterable[tuple[Submission, dict[str, str]]]) -> "Replay":
        """Counts these submissions, each with its answers."""
        new, changes = self.new, cache(lambda version: _Changes(version, self.new))
        for submission, answers in rows:
            if lacking := new.unanswered(answers):
                self.left_out[f"no answer that rules {new.version} know to {', '.join(lacking)}"] += 1
                continue
            try:
                differences = changes(submission.rules_version)
            except versions.UnusableRules as error:
                self.left_out[str(error)] += 1
                continue
            before = submission.readable_recommendation()
            if before is None:
                self.left_out["the stored result can't be read"] += 1
                continue
            after = new.decide(answers)
            if before.decision == after:
                self.stay += 1
                continue
            self.moves[f"{in_short(before.decision)}  ->  {in_short(after)}"] += 1
            self.movers.update(differences.movers(before.decision, answers))
        return self


MOST = 2000  # submissions that the page asks about, the newest; the command asks about all


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The same for the clinical lead, at the desk: rules in code or a released version."""
    offered = dict.fromkeys(versions.released_versions(), _("released")) | {rules.CURRENT.version: _("in force")}
    asked = request.GET.get("to", "")
    told: dict[str, Any] = {"title": _("What other rules would say"), "versions": offered.items(), "asked": asked}
    if asked in offered:
        audit.record(Action.REPLAYED, request.user, version=asked)
        try:
            new = versions.prove(rules.CURRENT) if asked == rules.CURRENT.version else versions.find(asked)
        except versions.UnusableRules as error:
            told["error"] = str(error)
        else:
            shown = Submission.objects.unexpired().filter(result_visible_to(request.user))
            rows = shown.order_by("-pk").defer("code")[:MOST]
            told["replay"] = Replay(new).of((row, row.readable_answers) for row in rows)
            told["most"] = MOST
    return TemplateResponse(request, "admin/replay.html", context | told)


def in_short(outcome: Decision) -> str:
    """An outcome in a line of output, for example "iop (close call), urgency soon"."""
    program, close_call, urgency = outcome
    return f"{program}{' (close call)' if close_call else ''}, urgency {urgency}"


class _Changes:
    """What differs between the rules of one version and `new`, and who is moved by which difference."""

    def __init__(self, version: str, new: RuleSet) -> None:
        self.old, self.new = versions.released(version), new
        self.without: dict[str, RuleSet] = {}  # a difference -> the new rules without it
        olds = {rule.key: rule for rule in self.old.rules}
        for key, how in changed_rules(self.old, new).items():
            if how != "reworded":
                rules = [olds[key] if rule.key == key else rule for rule in new.rules if rule.key != key or key in olds]
                rules += [olds[key]] if how == "removed" else []
                with suppress(ValueError):  # the old rule reads what the new version does not know
                    self.without[f"{key} ({how})"] = replace(new, rules=tuple(rules))
        if self.old.grid != new.grid:
            self.without["the grid"] = replace(new, grid=self.old.grid)

    def movers(self, before: Decision, answers: dict[str, str]) -> set[str]:
        """The differences that alone, if undone, would undo the move; else all that bear on these answers at all."""
        if self.old.unanswered(answers) or self.old.decide(answers) != before:
            return {f"none: the stored result is not what rules {self.old.version} give (see verify_results)"}
        after = self.new.decide(answers)
        results = {name: rules.decide(answers) for name, rules in self.without.items()}
        alone = {name for name, result in results.items() if result == before}
        return alone or {name for name, result in results.items() if result != after} or {"several together"}
