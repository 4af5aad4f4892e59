"""What a paper says of its tables, held against rows that were measured here: holds, holds only beside some,
is not shown by so few seeds, or does not hold.

A claim compares rows that differ in nothing else, value by value over the same seeds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.events import Row
from engine.metrics.intervals import paired_difference

Word = Literal["holds", "holds only", "not shown", "does not hold"]


CHANCE = 0.05
"""Differences of a single seed count by their signs where chance gives so many of one sign less often than
that: five of five, eight of nine.
"""


@dataclass(frozen=True)
class Claim:
    """That `value` of the rows `first` is larger than that of the rows `second`, which differ in nothing else
    that sets them apart; with `within`, that they differ by no more than that.

    Rows are named by what they must be: their model, arm, treatment, or what else is said about them; of
    several values, any. `relative`: the difference is told as a share of the first one's mean.
    """

    says: str
    value: str
    first: Mapping[str, Any]
    second: Sequence[Mapping[str, Any]]
    within: float | None = None
    relative: bool = False


@dataclass(frozen=True)
class Comparison:
    """Two rows, and the first one's value less the second one's: mean and 95 % interval over seeds, which is
    infinite for one seed.
    """

    first: Row
    second: Row
    difference: tuple[float, float, float]

    def bears_out(self, claim: Claim) -> bool:
        """Whether it is as the claim says: beyond the interval over seeds, of one seed by its sign."""
        mean, low, _ = self.difference
        if claim.within is not None:
            return abs(mean) <= claim.within
        return low > 0 or (low == -np.inf and mean > 0)

    def leans_to(self, claim: Claim) -> bool:
        """Whether the mean is as the claim says, however wide the interval."""
        return self.bears_out(claim) or (claim.within is None and self.difference[0] > 0)


@dataclass(frozen=True)
class Verdict:
    """What is left of a claim: each comparison that could be made."""

    claim: Claim
    comparisons: tuple[Comparison, ...]

    @property
    def borne_out(self) -> tuple[Comparison, ...]:
        """Those that are as the claim says."""
        return tuple(one for one in self.comparisons if one.bears_out(self.claim))

    @property
    def word(self) -> Word:
        """holds, holds only (beside some); where no difference is beyond its interval, or all are told by
        their sign alone, which may be chance: not shown, if most lean to it, or does not hold.
        """
        signs = self.claim.within is None and all(one.difference[1] == -np.inf for one in self.comparisons)
        counted = () if signs and self._by_chance > CHANCE else self.borne_out
        if len(counted) == len(self.comparisons):
            return "holds"
        if counted:
            return "holds only"
        lean = [one for one in self.comparisons if one.leans_to(self.claim)]
        return "not shown" if 2 * len(lean) > len(self.comparisons) else "does not hold"

    @property
    def _by_chance(self) -> float:
        """How often as many signs or more would agree with the claim if each were a coin's (sign test)."""
        n = len(self.comparisons)
        return sum(math.comb(n, k) for k in range(len(self.borne_out), n + 1)) / 2**n


def verdicts(claims: Sequence[Claim], rows: Sequence[Row]) -> list[Verdict]:
    """The claims that the measured rows can be held against, in their order."""
    measured = [row for row in rows if row.measured]
    found = [Verdict(claim, tuple(_comparisons(claim, measured))) for claim in claims]
    return [verdict for verdict in found if verdict.comparisons]


def about(row: Row) -> dict[str, Any]:
    """All that sets a row apart, but what stands beside it."""
    more = {name: value for name, value in row.about.items() if name != "published_for"}
    return {"model": row.model, "arm": row.arm, "treatment": row.treatment} | more


def held(row: Row, name: str) -> dict[str, Any]:
    """What a row measured, or holds as a control, under a name; empty where it has none."""
    return (row.measured or {}).get(name) or row.controls.get(name) or {}


def seeds(row: Row, name: str) -> np.ndarray | None:
    """The values of a row by seed: (n,); None where it has none of that name."""
    values = held(row, name)
    return np.array(values["seeds"]) if "seeds" in values else None


def _comparisons(claim: Claim, rows: Sequence[Row]) -> list[Comparison]:
    found = []
    for first in (row for row in rows if _is(row, claim.first)):
        for wanted in claim.second:
            other = about(first) | dict(wanted)
            for second in (row for row in rows if row is not first and about(row) == other):
                mine, its = seeds(first, claim.value), seeds(second, claim.value)
                if mine is not None and its is not None and len(mine) == len(its):
                    share = float(mine.mean()) if claim.relative else 1.0
                    mean, low, high = (value / share for value in paired_difference(mine, its))
                    found.append(Comparison(first, second, (mean, low, high)))
    return found


def _is(row: Row, wanted: Mapping[str, Any]) -> bool:
    said = about(row)
    return all(
        said.get(name) in value if isinstance(value, list | tuple) else said.get(name) == value
        for name, value in wanted.items()
    )
