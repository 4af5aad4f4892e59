"""`rms_change`: how large a perturbation is on average, a metric in one file.

    sqrt( mean_i (x'_i − x_i)² )

One value a sample, (n,), so that it is averaged and stands in the table of samples too.
"""

import numpy as np

from engine.metrics.protocols import AttackedSamples
from engine.registry import Metric, register_metric


def rms_change(seen: AttackedSamples) -> np.ndarray:
    """The root of the mean squared change of each sample's numbers: (n,)."""
    return np.sqrt(np.square(seen.delta()).mean(axis=1))


register_metric(
    Metric(
        "rms_change",
        "RMS change",
        "The root of the mean squared change of a sample's numbers, mean over samples.",
        unit="data unit",
        of="attack",
        needs=("pixels",),
        measure=rms_change,
    )
)
