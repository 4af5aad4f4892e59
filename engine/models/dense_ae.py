"""Dense autoencoder: one hidden layer, sigmoid at both ends.

    x̂ = σ(V σ(W x + b) + c),    L = mean (x − x̂)²

| symbol | name | shape |
|---|---|---|
| x, x̂ | sample and reconstruction | (n, d) |
| W, V | weights | (h, d), (d, h) |

Source: the dense autoencoder of Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895 (RMSprop, 128 units).
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import Views
from engine.models.plain_autoencoder import FITS, Plain, small
from engine.nets.layers import float32
from engine.nets.plain import PlainAutoencoder, dense
from engine.registry import register
from engine.settings import knob


@register
class DenseAE(Plain):
    """Settings of the dense autoencoder."""

    name: ClassVar[str] = "dense_ae"
    title: ClassVar[str] = "Dense autoencoder"
    source: ClassVar[str] = "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895"
    equation: ClassVar[str] = r"L = \mathrm{mean}\,(x - \sigma(V \sigma(W x + b) + c))^2"
    summary: ClassVar[str] = "One hidden layer copies each sample through fewer numbers."
    fits = FITS
    presets = small()

    width: int = knob(
        128,
        "Hidden width",
        "Numbers that a sample is pressed into.",
        source="the paper's code",
        ge=1,
        le=8192,
    )
    rate: float = knob(
        0.0025, "Learning rate", "RMSprop's step.", source="the paper's code", gt=0, le=1, log=True
    )

    def drawn(self, shapes: tuple[tuple[int, ...], ...], rng: torch.Generator) -> PlainAutoencoder:
        """d-h-d with weights from `rng`."""
        size = sum(torch.Size(shape).numel() for shape in shapes)
        return PlainAutoencoder(
            nn.Sequential(dense(size, self.width, rng), nn.Sigmoid()),
            nn.Sequential(dense(self.width, size, rng), nn.Sigmoid()),
        )

    def optimiser(self, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        """RMSprop as Keras has it: ρ = 0.9, ε = 1e-7."""
        return torch.optim.RMSprop(weights, lr=self.rate, alpha=0.9, eps=1e-7)

    def loss(self, model: PlainAutoencoder, x: Views, target: Views) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean squared error of the batch."""
        error = F.mse_loss(float32(model.decoder(model.encoder(model.seen(x)))), model.seen(target))
        return error, {"reconstruction": error.detach()}
