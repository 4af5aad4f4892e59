"""How often a classifier is right, clean and attacked."""

import numpy as np

from engine.metrics.protocols import AttackedSamples
from engine.models.outputs import Outputs
from engine.registry import Metric, register_metric


def hits(said: Outputs) -> np.ndarray:
    """(n,) bool: whether the likeliest class is the label."""
    assert said.predicted is not None and said.labels is not None
    return (said.predicted == said.labels).numpy()


def mistaken(seen: AttackedSamples, after: Outputs | None) -> np.ndarray:
    """(m,) bool: whether a wrong class wins in `after`, of the samples that were classified correctly."""
    return np.zeros(0, bool) if after is None else ~hits(after)[hits(seen.clean)]


def lost(seen: AttackedSamples, after: Outputs | None) -> np.ndarray:
    """(m,) what `after` takes from the probability of the label, times 100, of those same samples."""
    if after is None:
        return np.zeros(0)
    before, left = (_of_label(said) for said in (seen.clean, after))
    return 100 * (before - left)[hits(seen.clean)]


def _of_label(said: Outputs) -> np.ndarray:
    """(n,) the probability of the label."""
    assert said.logits is not None and said.labels is not None
    probability = said.logits.double().softmax(dim=1).gather(1, said.labels[:, None])[:, 0]
    return probability.numpy()


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
    Metric(
        "mistaken_rate",
        "Mistaken of the right",
        "Share of the samples classified correctly before whose class is wrong under attack.",
        better="down",
        labels=True,
        of="attack",
        needs=("classifies",),
        column="",
        measure=lambda seen: mistaken(seen, seen.attacked),
    ),
    Metric(
        "noise_mistaken_rate",
        "Mistaken of the right, noise",
        "The same share under random noise of the same norm and size: the control.",
        better="down",
        labels=True,
        of="attack",
        control_of="mistaken_rate",
        needs=("classifies", "noise"),
        column="",
        measure=lambda seen: mistaken(seen, seen.noisy),
    ),
    Metric(
        "probability_lost",
        "Decrease of probability",
        "By how much the probability of the label falls under attack, times 100, mean over the samples"
        " classified correctly before.",
        unit="percentage points",
        better="down",
        labels=True,
        of="attack",
        needs=("classifies",),
        column="",
        measure=lambda seen: lost(seen, seen.attacked),
    ),
    Metric(
        "noise_probability_lost",
        "Decrease of probability, noise",
        "The same under random noise of the same norm and size: the control.",
        unit="percentage points",
        better="down",
        labels=True,
        of="attack",
        control_of="probability_lost",
        needs=("classifies", "noise"),
        column="",
        measure=lambda seen: lost(seen, seen.noisy),
    ),
)
