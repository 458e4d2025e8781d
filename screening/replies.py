"""What staff can leave at a person's code: one of these sentences, in which nobody can type a word.

A key is never used again for other words. A sentence that staff should no longer leave is `retired`, not taken out: who
has the code still reads what was left.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy as _

from screening import audit
from screening.center import facts
from screening.models import Action, Reply, Submission, Try


@dataclass(frozen=True)
class Sentence:
    """`judges`: only who may review cases can leave it. `urgent`: it may be left where help comes first."""

    words: Any
    judges: bool = False
    urgent: bool = False
    retired: bool = False


# fmt: off
SENTENCES = {
    "agree": Sentence(_("We read your answers, and we think so too. Call us when you are ready."), judges=True),
    "other": Sentence(_("We read your answers. We think the other program may fit you better. Please call: we’ll explain."), judges=True),
    "either": Sentence(_("We read your answers. Either program could work. Please call: let’s find out what suits your life."), judges=True),
    "elsewhere": Sentence(_("We read your answers. Another place may be better for you. Please call: we’ll help you find it."), judges=True),
    "question": Sentence(_("We read your answers, and would like to ask you something first. Please call.")),
    "tried": Sentence(_("We tried to call you on %(day)s. You can call us, or tell us a better time."), urgent=True),
    "come_by": Sentence(_("Come by, you need no appointment: %(hours)s.")),
    "no_hurry": Sentence(_("We read your answers. You don’t have to decide now. We are here when you want to talk.")),
    "worried": Sentence(_("We read your answers, and we are worried about you. Please call 988 or 911 now, or call us."), urgent=True),
}
# fmt: on
GONE = _("Our staff left you an answer here. It can’t be shown any more. Please call us.")
IN_VAIN = (Try.Result.NO_ANSWER, Try.Result.VOICEMAIL)  # attempts that a person may be told of
TWICE = timedelta(minutes=15)  # in which the same sentence is not left again, as by Back and Save


def words_of(reply: Reply) -> str:
    """Return a sentence as its person reads it."""
    if reply.sentence not in SENTENCES or (reply.sentence == "come_by" and not facts().walk_in):
        return str(GONE)
    day = date_format(timezone.localtime(reply.attempt.made_at), gettext("l, N j")) if reply.attempt else ""
    return str(SENTENCES[reply.sentence].words) % {"day": day, "hours": facts().walk_in}


def _attempt_for(case: Submission, sentence: str) -> Try | None:
    """Return the attempt that a sentence speaks of: the latest, if it was in vain."""
    last = case.tries.filter(struck_at=None).last() if sentence == "tried" else None
    return last if last and last.result in IN_VAIN else None


def offered(case: Submission, staff: Any) -> list[tuple[str, str]]:
    """Return the sentences that this member of staff can leave at the case, each with its words."""
    found = []
    for key, sentence in SENTENCES.items():
        allowed = (sentence.urgent or not case.is_urgent) and (
            staff.has_perm("screening.add_review") or not sentence.judges
        )
        reply = Reply(sentence=key, attempt=_attempt_for(case, key))
        if allowed and not sentence.retired and (reply.attempt or key != "tried") and words_of(reply) != str(GONE):
            found.append((key, words_of(reply)))
    return found


def leave(case: Submission, sentence: str, author: Any) -> None:
    """Leave a sentence at the code of a locked case, with its audit entry; but not the same one twice in a row.

    The entry outlives the case, so it does not hold the sentence.
    """
    since = timezone.now() - TWICE
    mine = case.replies.filter(author=author.pk, left_at__gt=since, struck_at=None)
    if not mine.filter(sentence=sentence).exists():
        attempt = _attempt_for(case, sentence)
        Reply.objects.create(submission=case, sentence=sentence, attempt=attempt, author=author)
        audit.record(Action.REPLIED, author, case.reference)


def all_at(case: Submission) -> list[tuple[Reply, str]]:
    """Return all that was left at a case, as its staff sees it, with the words."""
    return [(reply, words_of(reply)) for reply in case.replies.select_related("author", "attempt")]


def standing_at(case: Submission) -> list[tuple[datetime, str]]:
    """Return what its person finds at their code, the latest first: when it was left, and the words."""
    return [(reply.left_at, words) for reply, words in reversed(all_at(case)) if not reply.is_struck_out]
