"""Encoders of pictures: residual networks whose stem keeps 32 x 32, a small convolutional one, and layers for
flat samples. Each is a sequence that begins with its first layer and ends in (n, m).

Source of the residual blocks: He, Zhang, Ren and Sun, "Deep residual learning", CVPR 2016, arXiv:1512.03385.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from engine.nets.layers import undrawn


class Block(nn.Module):
    """relu(x' + F(x)), F two convolutions of 3 x 3; x' is x, or a convolution of 1 x 1 of it where the shape
    changes: (n, c, h, w) -> (n, c', h/stride, w/stride).
    """

    def __init__(self, inputs: int, outputs: int, stride: int, rng: torch.Generator) -> None:
        super().__init__()
        self.body = nn.Sequential(
            kaiming(inputs, outputs, 3, stride, rng),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            kaiming(outputs, outputs, 3, 1, rng),
            nn.BatchNorm2d(outputs),
        )
        self.past: nn.Module = nn.Identity()
        if inputs != outputs or stride != 1:
            self.past = nn.Sequential(kaiming(inputs, outputs, 1, stride, rng), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return (self.body(x) + self.past(x)).relu()


def kaiming(inputs: int, outputs: int, side: int, stride: int, rng: torch.Generator) -> nn.Conv2d:
    """A convolution without bias, weights normal with variance 2 / (outputs · side²) (He et al., 2015)."""
    layer: nn.Conv2d = undrawn(nn.Conv2d, inputs, outputs, side, stride=stride, padding=side // 2, bias=False)
    with torch.no_grad():
        layer.weight.normal_(0, (2 / (outputs * side * side)) ** 0.5, generator=rng)
    return layer


def resnet(channels: int, widths: Sequence[int], blocks: int, rng: torch.Generator) -> nn.Sequential:
    """`blocks` blocks of each width, every width but the first at half the side: (n, C, H, W) -> (n,
    widths[-1]). Widths 64, 128, 256, 512 with two blocks each are ResNet-18.
    """
    layers: list[nn.Module] = [kaiming(channels, widths[0], 3, 1, rng), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    inputs = widths[0]
    for number, width in enumerate(widths):
        for place in range(blocks):
            layers.append(Block(inputs, width, 2 if number and place == 0 else 1, rng))
            inputs = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def three_convolutions(channels: int, width: int, rng: torch.Generator) -> nn.Sequential:
    """Three convolutions of width, 2 width and 4 width filters, the last two at half the side: (n, C, H, W)
    -> (n, 4 width).
    """
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(pairwise((channels, width, 2 * width, 4 * width))):
        layers += [kaiming(inputs, outputs, 3, 2 if number else 1, rng), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def normalised_layers(widths: Sequence[int], rng: torch.Generator, end: bool = True) -> nn.Sequential:
    """Affine layers without bias, each with batch normalisation and ReLU; without `end`, no ReLU after the
    last: (n, widths[0]) -> (n, widths[-1]).
    """
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layer = undrawn(nn.Linear, inputs, outputs, bias=False)
        with torch.no_grad():
            layer.weight.normal_(0, (2 / inputs) ** 0.5, generator=rng)
        layers += [layer, nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(*(layers if end else layers[:-1]))
