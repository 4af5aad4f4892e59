"""Missing numbers (NaN) in a table that a person brings: what is said of them, and when they are too many to
be replaced.
"""

import numpy as np
from numpy.typing import NDArray

MOST = 0.5
"""The share of a feature's values that may be missing: its median would come from too few."""
NAMED = 6
"""Features or samples that are named."""
Gaps = NDArray[np.bool_]
"""(n, d) which numbers are missing."""


def problem(gaps: Gaps, features: tuple[str, ...], training: NDArray[np.bool_]) -> str:
    """Why missing numbers cannot be replaced; "" where they can."""
    for rows, where in ((np.ones(len(gaps), bool), ""), (training, " in the training rows")):
        few = gaps[rows].mean(axis=0) > MOST
        if few.any():
            return (
                f"more than half of the values are missing{where} in {int(few.sum())} of {gaps.shape[1]}"
                f" features ({_counted(gaps[rows] & few, features)}). Fill them, or leave these features out."
            )
    empty = np.flatnonzero(gaps.all(axis=1))
    if len(empty):
        return (
            f"{len(empty):,} of {len(gaps):,} samples have no value at all"
            f" ({_listed([f'number {row}' for row in empty])}). Leave them out."
        )
    return ""


def fact(gaps: Gaps, features: tuple[str, ...]) -> str:
    """How many numbers are missing, and where."""
    return (
        f"{int(gaps.sum()):,} of {gaps.size:,} values are missing, in {int(gaps.any(axis=1).sum()):,} of"
        f" {len(gaps):,} samples and {int(gaps.any(axis=0).sum()):,} of {gaps.shape[1]:,} features"
        f" ({_counted(gaps, features)})."
    )


def done(training: NDArray[np.bool_]) -> str:
    """What is done to them, by `engine.data.scaling.filled`."""
    rows = "samples" if training.all() else "training samples"
    return f"Each missing value is replaced by the median of its feature over the {rows} that have it."


def _counted(gaps: Gaps, features: tuple[str, ...]) -> str:
    """The features in which most is missing, and how much, the largest first."""
    counts = gaps.sum(axis=0)
    order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i]]
    return _listed([f"{features[i] if features else f'number {i}'}: {counts[i]:,}" for i in order])


def _listed(names: list[str]) -> str:
    """The first few."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
