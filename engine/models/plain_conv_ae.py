"""Convolutional autoencoder: two convolutions down, two up, none of it about clusters.

    conv 5x5 16 – max 2 – conv 5x5 8 – max 2 – conv 5x5 8 – up 2 – conv 5x5 16 – up 2 – conv 5x5 C, sigmoid

    L = −mean (x log x̂ + (1 − x) log(1 − x̂))

Source: the convolutional autoencoder of Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import Views
from engine.errors import DataError
from engine.models.declared import Curve
from engine.models.plain_autoencoder import RECONSTRUCTION, Plain
from engine.nets.layers import float32
from engine.nets.plain import ConvolvingAutoencoder, PlainAutoencoder, convolution
from engine.registry import register
from engine.settings import knob

SIDE = 5


@register
class PlainConvAE(Plain):
    """Settings of the convolutional autoencoder."""

    name: ClassVar[str] = "plain_conv_ae"
    title: ClassVar[str] = "Convolutional autoencoder"
    source: ClassVar[str] = "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895"
    equation: ClassVar[str] = r"L = -\mathrm{mean}\,(x \log \hat x + (1 - x) \log(1 - \hat x))"
    summary: ClassVar[str] = "Convolutions copy each picture through a smaller one."
    curves: ClassVar[tuple[Curve, ...]] = (RECONSTRUCTION, Curve("cross_entropy", "cross-entropy", "nats"))
    fits = {"digits": "quick", "mnist_test": "mnist_test"}
    presets = {"quick": {"epochs": 60, "batch": 32}, "mnist_test": {}}

    wide: int = knob(16, "Outer filters", source="the paper's code", ge=1, le=1024)
    narrow: int = knob(8, "Inner filters", source="the paper's code", ge=1, le=1024)
    rate: float = knob(1.0, "Learning rate", "Adadelta's.", source="the paper's code", gt=0, le=10, log=True)

    def drawn(self, shapes: tuple[tuple[int, ...], ...], rng: torch.Generator) -> PlainAutoencoder:
        """The network for one picture whose sides are multiples of 4. Raises DataError for others."""
        if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][1] % 4 or shapes[0][2] % 4:
            raise DataError(
                f"{self.name} needs one picture a sample whose height and width are multiples of 4;"
                f" these data have"
                f" {' and '.join(' x '.join(map(str, shape)) for shape in shapes)}. Choose dense_ae."
            )
        (channels, _, _), wide, narrow = shapes[0], self.wide, self.narrow
        encoder = nn.Sequential(
            convolution(channels, wide, SIDE, rng),
            nn.ReLU(),
            nn.MaxPool2d(2),
            convolution(wide, narrow, SIDE, rng),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        decoder = nn.Sequential(
            convolution(narrow, narrow, SIDE, rng),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            convolution(narrow, wide, SIDE, rng),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            convolution(wide, channels, SIDE, rng),
            nn.Sigmoid(),
        )
        return ConvolvingAutoencoder(encoder, decoder)

    def optimiser(self, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Adadelta as Keras had it: ρ = 0.95, ε = 1e-7."""
        return torch.optim.Adadelta(weights, lr=self.rate, rho=0.95, eps=1e-7)

    def loss(self, model: PlainAutoencoder, x: Views, target: Views) -> tuple[Tensor, dict[str, Tensor]]:
        """The cross-entropy of the batch, and its squared error beside it."""
        wanted = model.seen(target)
        shown = float32(model.decoder(model.encoder(model.seen(x))))
        loss = F.binary_cross_entropy(shown, wanted)
        return loss, {"reconstruction": F.mse_loss(shown, wanted).detach(), "cross_entropy": loss.detach()}
