"""Networks that see several views: a convolutional encoder and decoder a view, fusion by learned weights, the
DDC head.

Sources: Trosten, Løkse, Jenssen, Kampffmeyer, "Reconsidering representation alignment for multi-view
clustering", CVPR 2021 (encoder, fusion, head); Kampffmeyer et al., "Deep divergence-based approach to
clustering", Neural Networks 2019 (head).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import Views
from engine.errors import DataError
from engine.nets.layers import float32, undrawn

SMALL_SIDE = 16
"""Images with a shorter side keep their borders: valid convolutions would leave nothing of them."""
HIDDEN = 100
"""Width of the DDC head's hidden layer."""


def convolution(
    inputs: int, outputs: int, rng: torch.Generator, padding: int, transposed: bool = False
) -> nn.Module:
    """A 3x3 convolution, weights and biases U(−1/√fan, 1/√fan) as PyTorch draws them."""
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    layer = undrawn(kind, inputs, outputs, 3, padding=padding)
    bound = (9 * (outputs if transposed else inputs)) ** -0.5
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=rng)
        layer.bias.uniform_(-bound, bound, generator=rng)
    return layer


def affine(inputs: int, outputs: int, rng: torch.Generator) -> nn.Linear:
    """An affine layer, weights and biases U(−1/√inputs, 1/√inputs) as PyTorch draws them."""
    layer = undrawn(nn.Linear, inputs, outputs)
    with torch.no_grad():
        for weight in (layer.weight, layer.bias):
            weight.uniform_(-(inputs**-0.5), inputs**-0.5, generator=rng)
    return layer


def encoder(shape: Sequence[int], width: int, rng: torch.Generator) -> nn.Sequential:
    """Two blocks of conv, ReLU, conv, batch norm, ReLU, max pool; then flat: (n, C, H, W) -> (n, features).

    Raises DataError for what is not an image of at least 4x4.
    """
    channels, padding = _image(shape)
    layers: list[nn.Module] = []
    for inputs in (channels, width):
        layers += [
            convolution(inputs, width, rng, padding),
            nn.ReLU(),
            convolution(width, width, rng, padding),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(*layers, nn.Flatten())


def sides(shape: Sequence[int]) -> tuple[int, int]:
    """Height and width of the encoder's last maps."""
    lost = 0 if _image(shape)[1] else 4
    height, width = (((side - lost) // 2 - lost) // 2 for side in shape[1:])
    return height, width


def decoder(shape: Sequence[int], width: int, rng: torch.Generator) -> nn.Sequential:
    """The encoder's mirror: upsampling and transposed convolutions, a sigmoid at the end: (n, features) ->
    (n, C, H, W).
    """
    channels, padding = _image(shape)
    height, across = sides(shape)
    up = nn.Upsample(size=tuple(side - (0 if padding else 4) for side in shape[1:]), mode="nearest")

    def step(outputs: int) -> nn.Module:
        return convolution(width, outputs, rng, padding, transposed=True)

    return nn.Sequential(
        nn.Unflatten(1, (width, height, across)),
        nn.Upsample(scale_factor=2, mode="nearest"),
        step(width),
        nn.ReLU(),
        step(width),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        up,
        step(width),
        nn.ReLU(),
        step(channels),
        nn.Sigmoid(),
    )


def _image(shape: Sequence[int]) -> tuple[int, int]:
    if len(shape) != 3 or min(shape[1:]) < 4:
        raise DataError(
            f"Multi-view networks need images (C, H, W) of at least 4x4; a view has the shape {tuple(shape)}."
            " Choose images, or bring the data as images."
        )
    return shape[0], int(min(shape[1:]) < SMALL_SIDE)


class DDCHead(nn.Module):
    """Linear, ReLU, batch norm give h (n, 100); Linear gives the logits of the assignment (n, k)."""

    def __init__(self, size: int, clusters: int, rng: torch.Generator) -> None:
        super().__init__()
        self.hidden = nn.Sequential(affine(size, HIDDEN, rng), nn.ReLU(), nn.BatchNorm1d(HIDDEN))
        self.last = affine(HIDDEN, clusters, rng)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """h (n, 100) and the logits (n, k) of embeddings z (n, m), float32."""
        h = float32(self.hidden(z))
        return h, float32(self.last(h))


class MultiViewNet(nn.Module):
    """An encoder a view, weighted-mean fusion z* = Σ softmax(w)_v z^v, the DDC head, decoders if asked for.

    Encodes (z*), clusters (log a), fuses. Raises DataError for one view, or features of different sizes.
    """

    def __init__(
        self, shapes: Sequence[Sequence[int]], clusters: int, width: int, rng: torch.Generator
    ) -> None:
        super().__init__()
        if len(shapes) < 2:
            raise DataError(
                "A multi-view model needs at least 2 views; the data have 1. Choose data such as"
                " noisy_digits, or make views of them."
            )
        if clusters < 2:
            raise DataError(
                f"Clusters must be at least 2; got {clusters}. The DDC loss compares clusters with one"
                " another."
            )
        features = [width * height * across for height, across in map(sides, shapes)]
        if len(set(features)) > 1:
            raise DataError(
                f"Weighted fusion needs views with equally many features; these have {features}. Bring the"
                " views to one size."
            )
        self.encoders = nn.ModuleList(encoder(shape, width, rng) for shape in shapes)
        self.weights = nn.Parameter(torch.full((len(shapes),), 1 / len(shapes)))
        self.head = DDCHead(features[0], clusters, rng)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def views(self, x: Views) -> tuple[Tensor, ...]:
        """z of each view: (n, m), float32."""
        if len(x) != len(self.encoders):
            raise DataError(
                f"The model takes {len(self.encoders)} views; got {len(x)}. Choose the data it was"
                " trained on."
            )
        return tuple(float32(encode(view)) for encode, view in zip(self.encoders, x, strict=True))

    def fusion(self, z: Sequence[Tensor]) -> Tensor:
        """z*: (n, m), the mean of the views by their weights."""
        return torch.einsum("v,vnm->nm", F.softmax(self.weights, dim=0), torch.stack(tuple(z)))

    def encode(self, x: Views) -> Tensor:
        """The fused embedding z*: (n, m)."""
        return self.fusion(self.views(x))

    def log_assign(self, x: Views) -> Tensor:
        """log a: (n, k)."""
        return self.log_assign_embedding(self.encode(x))

    def log_assign_embedding(self, z: Tensor) -> Tensor:
        """log a of fused embeddings z* (n, m): (n, k)."""
        return F.log_softmax(self.head(z)[1], dim=1)

    def parts(self, x: Views) -> tuple[tuple[Tensor, ...], Tensor]:
        """z of each view (n, m), and h (n, 100) of their fusion."""
        z = self.views(x)
        return z, self.head(self.fusion(z))[0]

    def view_weights(self) -> Tensor:
        """softmax(w): (v,), adding up to one."""
        return F.softmax(self.weights, dim=0).detach()

    def log_assign_view(self, z: Tensor) -> Tensor:
        """log a of one view's embeddings z (n, m): (n, k)."""
        return self.log_assign_embedding(z)


@contextmanager
def still(network: nn.Module, batch_statistics: bool = True) -> Iterator[None]:
    """Batch statistics are used (or not), running ones not touched, and the mode is put back."""
    mode = network.training
    norms = [layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    momenta = [layer.momentum for layer in norms]
    counts = [layer.num_batches_tracked.clone() for layer in norms]  # type: ignore[union-attr]
    for layer in norms:
        layer.momentum = 0.0
    network.train(batch_statistics)
    try:
        yield
    finally:
        network.train(mode)
        for layer, momentum, count in zip(norms, momenta, counts, strict=True):
            layer.momentum = momentum
            layer.num_batches_tracked.copy_(count)  # type: ignore[union-attr]
