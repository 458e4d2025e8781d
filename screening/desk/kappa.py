"""How far two judges agree beyond chance: percent agreement, and Cohen's kappa with its interval. Needs no Django.

Cohen (1960), Educational and Psychological Measurement 20:37-46; the standard error for an interval is that of Fleiss,
Cohen and Everitt (1969), Psychological Bulletin 72:323-327.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class Agreement:
    """`table[i][j]` counts how often the first judge said i and the second j."""

    table: Sequence[Sequence[int]]

    @property
    def cases(self) -> int:
        return sum(map(sum, self.table))

    @property
    def observed(self) -> float:
        """The share of cases in which they agree. Raises a ZeroDivisionError without cases."""
        return sum(row[place] for place, row in enumerate(self.table)) / self.cases

    @property
    def _margins(self) -> tuple[list[float], list[float]]:
        rows = [sum(row) / self.cases for row in self.table]
        columns = [sum(column) / self.cases for column in zip(*self.table, strict=True)]
        return rows, columns

    @property
    def expected(self) -> float:
        """The share that chance alone would give judges who say each thing as often as these do."""
        rows, columns = self._margins
        return sum(row * column for row, column in zip(rows, columns, strict=True))

    @property
    def kappa(self) -> float | None:
        """1 is perfect, 0 no better than chance; None if both say one and the same thing of every case."""
        expected = self.expected
        return None if expected == 1 else (self.observed - expected) / (1 - expected)

    @property
    def error(self) -> float:
        """The standard error of kappa, for large samples."""
        rows, columns = self._margins
        observed, expected = self.observed, self.expected
        total = -((observed * expected - 2 * expected + observed) ** 2)
        for i, row in enumerate(self.table):
            for j, count in enumerate(row):
                if i == j:
                    weight = 1 - expected - (rows[i] + columns[i]) * (1 - observed)
                else:
                    weight = (columns[i] + rows[j]) * (1 - observed)
                total += count / self.cases * weight**2
        return sqrt(max(total, 0) / self.cases) / (1 - expected) ** 2

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval of kappa.

        None if they never differ, or never agree beyond chance: the formula would give an interval of width 0.
        """
        if self.kappa is None or self.error < 1e-6:
            return None
        return max(-1.0, self.kappa - Z * self.error), min(1.0, self.kappa + Z * self.error)
