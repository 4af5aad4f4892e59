"""How well a model shows what it sees, clean and attacked: mean squares over the numbers of a sample."""

import numpy as np

from engine.metrics.protocols import AttackedSamples
from engine.models.outputs import Outputs
from engine.registry import Metric, register_metric


def errors(said: Outputs) -> np.ndarray:
    """(n,) of the samples and their own reconstruction."""
    assert said.reconstruction is not None
    return np.square((said.reconstruction - said.x).numpy()).mean(axis=1)


def changes(seen: AttackedSamples) -> np.ndarray:
    """(n,) of the attacked and the clean reconstruction."""
    assert seen.attacked.reconstruction is not None and seen.clean.reconstruction is not None
    return np.square((seen.attacked.reconstruction - seen.clean.reconstruction).numpy()).mean(axis=1)


register_metric(
    Metric(
        "reconstruction_mse",
        "Reconstruction error",
        "Mean squared difference of all clean samples and their reconstruction.",
        unit="squared data unit",
        better="down",
        of="model",
        needs=("reconstructs",),
        measure=lambda seen: float(seen.said.error.numpy().mean(dtype=np.float64)),
    ),
    Metric(
        "reconstruction_mse_test",
        "Reconstruction error, test",
        "The same over the samples outside the training rows.",
        unit="squared data unit",
        better="down",
        of="model",
        needs=("reconstructs", "unseen"),
        headline=1,
        measure=lambda seen: float(seen.said.error.numpy()[seen.test].mean(dtype=np.float64)),
    ),
    Metric(
        "reconstruction_mse_train",
        "Reconstruction error, training",
        "The same over the training rows.",
        unit="squared data unit",
        better="down",
        of="model",
        needs=("reconstructs", "unseen"),
        measure=lambda seen: float(seen.said.error.numpy()[seen.train].mean(dtype=np.float64)),
    ),
    Metric(
        "reconstruction_clean_mean",
        "Reconstruction error, clean",
        "Mean squared difference of clean samples and their reconstruction.",
        unit="squared data unit",
        better="down",
        of="attack",
        needs=("reconstructs",),
        column="reconstruction_clean",
        measure=lambda seen: errors(seen.clean),
    ),
    Metric(
        "reconstruction_attacked_mean",
        "Reconstruction error, attacked",
        "Mean squared difference of attacked samples and their reconstruction.",
        unit="squared data unit",
        better="down",
        of="attack",
        needs=("reconstructs",),
        column="reconstruction_attacked",
        measure=lambda seen: errors(seen.attacked),
    ),
    Metric(
        "reconstruction_change_mean",
        "Change of the reconstruction",
        "Mean squared difference of attacked and clean reconstruction.",
        unit="squared data unit",
        better="down",
        of="attack",
        watched=True,
        needs=("reconstructs",),
        column="reconstruction_change",
        measure=changes,
    ),
)
