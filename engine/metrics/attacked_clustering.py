"""How well the clusters of the chosen samples agree with their classes before and under an attack."""

import numpy as np

from engine.metrics.clustering import accuracy, ari, nmi
from engine.metrics.protocols import AttackedSamples
from engine.metrics.robustness import matched_labels
from engine.registry import Metric, register_metric


def clean(seen: AttackedSamples) -> tuple[np.ndarray, np.ndarray]:
    """(n,) labels and clean clusters."""
    return seen.labels, seen.clusters()[0]


def attacked(seen: AttackedSamples) -> tuple[np.ndarray, np.ndarray]:
    """(n,) labels and attacked clusters."""
    return seen.labels, seen.clusters()[1]


def still_right(seen: AttackedSamples) -> np.ndarray:
    """(n,) bool: whether the attacked cluster, matched as the clean ones are, is the sample's class."""
    return matched_labels(seen.labels, *seen.clusters()) == seen.labels


register_metric(
    Metric(
        "acc_clean",
        "ACC, clean",
        "ACC of the chosen samples before the attack.",
        better="up",
        labels=True,
        of="attack",
        needs=("clusters",),
        headline=1,
        measure=lambda seen: accuracy(*clean(seen)),
    ),
    Metric(
        "acc_attacked",
        "ACC, attacked",
        "ACC under attack, clusters matched anew (which hides a consistent relabelling).",
        better="up",
        labels=True,
        of="attack",
        watched=True,
        needs=("clusters",),
        headline=2,
        measure=lambda seen: accuracy(*attacked(seen)),
    ),
    Metric(
        "acc_attacked_fixed_match",
        "ACC, attacked, clean matching",
        "ACC under attack with the matching of the clean clusters: what a user of the model meets.",
        better="up",
        labels=True,
        of="attack",
        needs=("clusters",),
        headline=3,
        column="",
        measure=still_right,
    ),
    Metric(
        "nmi_clean",
        "NMI, clean",
        "NMI of the chosen samples before the attack.",
        unit="index",
        better="up",
        labels=True,
        of="attack",
        needs=("clusters",),
        measure=lambda seen: nmi(*clean(seen)),
    ),
    Metric(
        "nmi_attacked",
        "NMI, attacked",
        "NMI of the chosen samples under attack.",
        unit="index",
        better="up",
        labels=True,
        of="attack",
        watched=True,
        needs=("clusters",),
        headline=4,
        measure=lambda seen: nmi(*attacked(seen)),
    ),
    Metric(
        "ari_clean",
        "ARI, clean",
        "ARI of the chosen samples before the attack.",
        unit="index",
        better="up",
        labels=True,
        of="attack",
        needs=("clusters",),
        measure=lambda seen: ari(*clean(seen)),
    ),
    Metric(
        "ari_attacked",
        "ARI, attacked",
        "ARI of the chosen samples under attack.",
        unit="index",
        better="up",
        labels=True,
        of="attack",
        needs=("clusters",),
        measure=lambda seen: ari(*attacked(seen)),
    ),
)
