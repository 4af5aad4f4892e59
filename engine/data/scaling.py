"""Features of a table brought into [0, 1] by what the training rows say of them, and never by a label."""

import warnings

import numpy as np


def filled(x: np.ndarray, training: np.ndarray) -> np.ndarray:
    """x (n, d) with every missing number (NaN) replaced by the median of its feature over the training rows;
    by 0 where the feature is missing in all of them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a feature without a number
        medians = np.nan_to_num(np.nanmedian(x[training], axis=0))
    return np.where(np.isnan(x), medians, x)


def ranged(x: np.ndarray, training: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x − low) / span, (n, d) float32, cut to [0, 1], with low and span (d,): the least value of each
    feature over the training rows and the width of its range there, 1 for a feature that does not change.
    """
    wide = x.astype(np.float64)
    low, high = wide[training].min(axis=0), wide[training].max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    return np.clip((wide - low) / span, 0, 1).astype(np.float32), low, span
