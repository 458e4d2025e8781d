"""Which of many statements hold for a set of answers, as the bits of one number: an AND for each answer.

What belongs to the statements that hold is looked up eight bits at a time, in tables that are worked out beforehand.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import getitem
from typing import Generic, TypeVar

T = TypeVar("T")


def bits_of(places: Iterable[int]) -> int:
    """Return the number in which just these bits are set."""
    return sum(1 << place for place in set(places))


class Conditions:
    """The least answers under which each of many statements holds."""

    def __init__(self, least: Sequence[Mapping[str, int]], options: Mapping[str, Sequence[str]]):
        """Take question -> rank of the least answer that counts, for each statement, and the answers in their order."""
        every = (1 << len(least)) - 1

        def met(key: str, rank: int) -> int:
            return every - bits_of(place for place, each in enumerate(least) if each.get(key, -1) > rank)

        self._met = {key: {value: met(key, rank) for rank, value in enumerate(options[key])} for key in options}
        self._unanswered = {key: met(key, -1) for key in options}

    def met(self, answers: Mapping[str, str]) -> int:
        """Return the statements that hold for the answers given so far."""
        holding = -1
        for key, met in self._met.items():
            holding &= met.get(answers.get(key, ""), self._unanswered[key])
        return holding

    def met_by_all(self, answers: Mapping[str, str]) -> int:
        """Return the same a little sooner. Raise a KeyError if a question has no known answer."""
        holding = -1
        for key, met in self._met.items():
            holding &= met[answers[key]]
        return holding

    def met_by_each(self, answers: Mapping[str, str], varied: Sequence[str]) -> dict[tuple[str, ...], int]:
        """Return the same for each combination of answers to the questions `varied`, beside the other answers."""
        worst = {key: [*self._met[key]][-1] for key in varied}  # which rule out nothing
        holding: dict[tuple[str, ...], int] = {(): self.met({**answers, **worst})}
        for key in varied:
            met = self._met[key].items()
            holding = {(*values, value): bits & of for values, bits in holding.items() for value, of in met}
        return holding


class Belongings(Generic[T]):
    """What belongs to each bit of a number."""

    def __init__(self, values: Sequence[T], join: Callable[[Iterable[T]], T]):
        """Take the value of each bit, and how values of several bits are joined, in their order."""
        eights = [values[start : start + 8] for start in range(0, len(values), 8)]
        self._tables = [
            [join(value for place, value in enumerate(eight) if byte >> place & 1) for byte in range(256)]
            for eight in eights
        ]
        self._join = join

    def of(self, bits: int) -> T:
        """Return what belongs to the bits that are set."""
        return self._join(map(getitem, self._tables, bits.to_bytes(len(self._tables), "little")))
