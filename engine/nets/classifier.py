"""Classifiers: an encoder and an affine head."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.nets.layers import Dropout, float32
from engine.nets.plain import convolution, dense, seen

SMALLEST = 16
"""Height and width of the smallest picture that four convolutions of 3 x 3 and two poolings leave anything
of."""


class ClassNetwork(nn.Module):
    """An encoder (n, d) -> (n, m) or, where `images`, (n, C, H, W) -> (n, m), and a head of logits. Encodes
    and classifies.
    """

    def __init__(self, encoder: nn.Sequential, head: nn.Linear, images: bool = False) -> None:
        super().__init__()
        self.encoder, self.head, self.images = encoder, head, images

    def encode(self, x: Views) -> Tensor:
        """What the head reads: (n, m)."""
        return float32(self.encoder(seen(x, self.images)))

    def logits(self, x: Views) -> Tensor:
        """Class logits: (n, c)."""
        return float32(self.head(self.encoder(seen(x, self.images))))


class ConvolvingClassNetwork(ClassNetwork):
    """The same for pictures, with maps of the first convolution."""

    def __init__(self, encoder: nn.Sequential, head: nn.Linear) -> None:
        super().__init__(encoder, head, images=True)

    def maps(self, x: Views) -> Tensor:
        """The first convolution's maps after its ReLU: (n, K, h, w)."""
        return float32(self.encoder[:2](x[0]))


def dense_classifier(
    size: int, widths: Sequence[int], dropout: float, classes: int, rng: torch.Generator
) -> ClassNetwork:
    """Affine layers with ReLU, and dropout between them, on flat samples of `size` numbers."""
    encoder = nn.Sequential(*_hidden(size, widths, dropout, rng))
    return ClassNetwork(encoder, dense(widths[-1], classes, rng))


def convolving_classifier(
    shape: Sequence[int],
    filters: Sequence[int],
    widths: Sequence[int],
    dropout: float,
    classes: int,
    rng: torch.Generator,
) -> ConvolvingClassNetwork:
    """Convolutions of 3 x 3 without a border, a pooling by 2 after every second, then `dense_classifier`."""
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(pairwise((shape[0], *filters)), start=1):
        layers += [convolution(inputs, outputs, 3, rng, pad=False), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] * (number % 2 == 0)
    height, width = shape[1:]
    for number in range(1, len(filters) + 1):
        height, width = height - 2, width - 2
        if number % 2 == 0:
            height, width = height // 2, width // 2
    layers += [nn.Flatten(), *_hidden(filters[-1] * height * width, widths, dropout, rng)]
    return ConvolvingClassNetwork(nn.Sequential(*layers), dense(widths[-1], classes, rng))


def _hidden(size: int, widths: Sequence[int], dropout: float, rng: torch.Generator) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((size, *widths)):
        layers += [dense(inputs, outputs, rng), nn.ReLU(), Dropout(dropout, rng)]
    return layers[:-1]
