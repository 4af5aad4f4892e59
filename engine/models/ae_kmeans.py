"""AE + k-means: a plain autoencoder, then k-means on its embedding. The least that deep clustering must beat.

    L = mean (x − G(E(x)))²

Source: the baseline "AE + k-means" of Xie et al., ICML 2016 (arXiv 1511.06335), without their layer-wise
pretraining.
"""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from engine.models.declared import Curve
from engine.models.pace import descend
from engine.models.pretraining import RECONSTRUCTION, SMALL, Pretraining, autoencoder_of
from engine.models.state import State
from engine.nets.layers import float32
from engine.registry import register
from engine.settings import knob


@register
class AEKMeans(Pretraining):
    """Settings of AE + k-means."""

    name: ClassVar[str] = "ae_kmeans"
    title: ClassVar[str] = "AE + k-means"
    source: ClassVar[str] = "Baseline of Xie, Girshick, Farhadi, ICML 2016 (arXiv 1511.06335)"
    equation: ClassVar[str] = r"L = \mathrm{mean}\,(x - G(E(x)))^2"
    summary: ClassVar[str] = (
        "An autoencoder learns to copy its input through ten numbers; k-means groups those numbers."
    )
    curves: ClassVar[tuple[Curve, ...]] = (RECONSTRUCTION,)
    presets = {
        name: values | {"iterations": values["iterations"] // 2} if name == "quick" else values
        for name, values in SMALL.items()
    }

    iterations: int = knob(
        54_700,
        "Iterations",
        "Batches to train on; 200 passes over the 70,000 images of MNIST.",
        source="ADEC's table 1",
        ge=1,
        le=1_000_000,
        log=True,
    )
    rate: float = knob(1e-3, "Learning rate", "Adam's step.", source="Adam's default", gt=0, le=1, log=True)
    augment: bool = knob(
        False,
        "Augment images",
        "Turn and shift each image of a batch a little; the plain baseline does not.",
        source="DEC",
    )

    def update(self, state: State, x: Tensor) -> dict[str, Tensor]:
        """One Adam step on the reconstruction error of the scaled batch x (b, d)."""
        model = autoencoder_of(state)
        with state.how.autocast():
            x_hat = model.decoder(model.encoder(x))
        loss = F.mse_loss(float32(x_hat), x)
        descend(state.optimisers["autoencoder"], loss)
        return {"reconstruction": loss.detach()}
