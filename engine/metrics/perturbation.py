"""How large a perturbation is: L∞, L2 and L0 of every row. Numpy in, numpy out."""

import numpy as np

from engine.registry import Metric, register_metric

UNTOUCHED = 1e-6
"""A number that moved by less counts as untouched: the rounding of float32."""

register_metric(
    Metric(
        "linf_max",
        "L∞, largest",
        "The largest change of any number of any sample.",
        unit="data unit",
        better=None,
        of="attack",
        needs=("pixels",),
        measure=lambda seen: float(linf(seen.delta()).max()),
    ),
    Metric(
        "linf_mean",
        "L∞",
        "The largest change within a sample, mean over samples.",
        unit="data unit",
        better=None,
        of="attack",
        needs=("pixels",),
        column="linf",
        measure=lambda seen: linf(seen.delta()),
    ),
    Metric(
        "l2_mean",
        "L2",
        "The Euclidean length of the perturbation, mean over samples.",
        unit="data unit",
        better=None,
        of="attack",
        needs=("pixels",),
        column="l2",
        measure=lambda seen: l2(seen.delta()),
    ),
    Metric(
        "l0_mean",
        "L0",
        "How many numbers of a sample changed, mean over samples.",
        unit="numbers",
        better=None,
        of="attack",
        needs=("pixels",),
        column="l0",
        measure=lambda seen: l0(seen.delta()),
    ),
)


def linf(delta: np.ndarray) -> np.ndarray:
    """The largest absolute change of each row: (n, d) -> (n,)."""
    return np.abs(delta).max(axis=1)


def l2(delta: np.ndarray) -> np.ndarray:
    """The Euclidean length of each row: (n, d) -> (n,)."""
    return np.linalg.norm(delta, axis=1)


def l0(delta: np.ndarray) -> np.ndarray:
    """How many numbers of each row changed: (n, d) -> (n,) int64."""
    return np.count_nonzero(np.abs(delta) > UNTOUCHED, axis=1)
