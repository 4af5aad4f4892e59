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
    ),
    Metric(
        "linf_mean",
        "L∞",
        "The largest change within a sample, mean over samples.",
        unit="data unit",
        better=None,
    ),
    Metric(
        "l2_mean",
        "L2",
        "The Euclidean length of the perturbation, mean over samples.",
        unit="data unit",
        better=None,
    ),
    Metric(
        "l0_mean",
        "L0",
        "How many numbers of a sample changed, mean over samples.",
        unit="numbers",
        better=None,
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


def sizes(delta: np.ndarray) -> dict[str, float]:
    """All of them over a set of perturbations (n, d)."""
    delta = delta.astype(np.float64)  # a mean of float32 may pass its own maximum
    return {
        "linf_max": float(linf(delta).max()),
        "linf_mean": float(linf(delta).mean()),
        "l2_mean": float(l2(delta).mean()),
        "l0_mean": float(l0(delta).mean()),
    }


def no_sizes() -> dict[str, None]:
    """The same names where no pixel was moved."""
    return dict.fromkeys(("linf_max", "linf_mean", "l2_mean", "l0_mean"))
