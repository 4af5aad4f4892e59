"""How often the cluster, or the class, is another one under attack, and against what that must be held."""

import numpy as np

from engine.metrics.protocols import AttackedSamples
from engine.metrics.robustness import matched_labels
from engine.models.outputs import Outputs
from engine.registry import Metric, register_metric


def right(seen: AttackedSamples) -> np.ndarray:
    """(n,) bool: whether the clean cluster, matched to a class, is the sample's."""
    clean, _ = seen.clusters()
    return matched_labels(seen.labels, clean, clean) == seen.labels


def flips(seen: AttackedSamples, after: Outputs | None) -> np.ndarray:
    """(n,) bool: whether the cluster is another one in `after`; nobody where that is None."""
    if after is None or after.cluster is None or seen.clean.cluster is None:
        return np.zeros(0, bool)
    return (seen.clean.cluster != after.cluster).numpy()


def class_flips(seen: AttackedSamples, after: Outputs | None) -> np.ndarray:
    """(n,) bool: whether the predicted class is another one in `after`; nobody where that is None."""
    if after is None or after.predicted is None or seen.clean.predicted is None:
        return np.zeros(0, bool)
    return (seen.clean.predicted != after.predicted).numpy()


register_metric(
    Metric(
        "flip_rate",
        "Flip rate",
        "Share of samples whose cluster under attack is not the clean one.",
        better="down",
        of="attack",
        watched=True,
        needs=("clusters",),
        headline=6,
        column="flipped",
        measure=lambda seen: flips(seen, seen.attacked),
    ),
    Metric(
        "flip_rate_right",
        "Flip rate among the right",
        "The flip rate among samples whose clean cluster matches their class.",
        better="down",
        labels=True,
        of="attack",
        needs=("clusters",),
        column="",
        measure=lambda seen: flips(seen, seen.attacked)[right(seen)],
    ),
    Metric(
        "noise_flip_rate",
        "Flip rate, noise",
        "The flip rate under random noise of the same norm and size: the control.",
        better="down",
        of="attack",
        control_of="flip_rate",
        watched=True,
        needs=("clusters", "noise"),
        headline=7,
        column="",
        measure=lambda seen: flips(seen, seen.noisy),
    ),
    Metric(
        "other_delta_flip_rate",
        "Flip rate, another's δ",
        "The flip rate under the perturbation of another sample: the control.",
        better="down",
        of="attack",
        control_of="flip_rate",
        needs=("clusters", "noise"),
        headline=8,
        column="",
        measure=lambda seen: flips(seen, seen.other),
    ),
    Metric(
        "n_right",
        "n right",
        "How many of them were right before the attack.",
        unit="samples",
        better=None,
        labels=True,
        of="attack",
        needs=("clusters",),
        measure=lambda seen: int(right(seen).sum()),
    ),
    Metric(
        "class_flip_rate",
        "Class flip rate",
        "Share of samples whose predicted class under attack is not the clean one.",
        better="down",
        of="attack",
        watched=True,
        needs=("classifies",),
        headline=6,
        column="class_flipped",
        measure=lambda seen: class_flips(seen, seen.attacked),
    ),
    Metric(
        "noise_class_flip_rate",
        "Class flip rate, noise",
        "The class flip rate under random noise of the same norm and size: the control.",
        better="down",
        of="attack",
        control_of="class_flip_rate",
        watched=True,
        needs=("classifies", "noise"),
        headline=7,
        column="",
        measure=lambda seen: class_flips(seen, seen.noisy),
    ),
    Metric(
        "other_delta_class_flip_rate",
        "Class flip rate, another's δ",
        "The class flip rate under the perturbation of another sample: the control.",
        better="down",
        of="attack",
        control_of="class_flip_rate",
        needs=("classifies", "noise"),
        headline=8,
        column="",
        measure=lambda seen: class_flips(seen, seen.other),
    ),
)
