"""How often a classifier is right, clean and attacked."""

import numpy as np

from engine.metrics.protocols import AttackedSamples
from engine.models.protocols import Outputs
from engine.registry import Metric, register_metric


def hits(said: Outputs) -> np.ndarray:
    """(n,) bool: whether the likeliest class is the label."""
    assert said.predicted is not None and said.labels is not None
    return (said.predicted == said.labels).numpy()


def attacked_hits(seen: AttackedSamples) -> np.ndarray:
    """(n,) bool: whether the likeliest class under attack is the label."""
    return hits(seen.attacked)


register_metric(
    Metric(
        "accuracy_test",
        "Accuracy, test",
        "Share of the samples outside the training rows whose predicted class is their label.",
        better="up",
        labels=True,
        of="model",
        needs=("classifies", "unseen"),
        headline=1,
        measure=lambda seen: float(hits(seen.said)[seen.test].mean()),
    ),
    Metric(
        "accuracy_train",
        "Accuracy, training",
        "Share of the training rows whose predicted class is their label.",
        better="up",
        labels=True,
        of="model",
        needs=("classifies",),
        measure=lambda seen: float(hits(seen.said)[seen.train].mean()),
    ),
    Metric(
        "accuracy_clean",
        "Accuracy, clean",
        "Share of the chosen samples whose predicted class is their label before the attack.",
        better="up",
        labels=True,
        of="attack",
        needs=("classifies",),
        headline=1,
        column="",
        measure=lambda seen: hits(seen.clean),
    ),
    Metric(
        "accuracy_attacked",
        "Accuracy, attacked",
        "Share of them whose predicted class is their label under attack.",
        better="up",
        labels=True,
        of="attack",
        watched=True,
        needs=("classifies",),
        headline=2,
        column="",
        measure=attacked_hits,
    ),
)
