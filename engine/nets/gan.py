"""The generator and the discriminator of a view, as the GAN attack on multi-view clustering has them.

Source: Huang et al., ICML 2024, as released (its table 5 differs); after AdvGAN, Xiao et al., IJCAI 2018
(arXiv 1801.02610).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.errors import DataError
from engine.nets.layers import float32

SLOPE = 0.2
SMALL_SIDE = 22
"""Images with a shorter side keep their borders: valid convolutions would leave nothing of them."""


def generator(shape: Sequence[int], rng: torch.Generator, sd: float) -> nn.Sequential:
    """A perturbation in [−1, 1] of a view, of its size: (n, C, H, W) -> (n, C, H, W); kernels N(0, sd²)."""
    channels, side = shape[0], _side(shape)
    down = (
        ((8, 3, 1, 1), (16, 3, 2, 1), (32, 3, 1, 1))
        if side < SMALL_SIDE
        else ((8, 3, 1, 0), (16, 3, 2, 0), (32, 3, 2, 0))
    )
    up = ((16, 3, 1, 1), (8, 4, 2, 1)) if side < SMALL_SIDE else ((16, 3, 2, 0), (8, 3, 2, 0))
    layers: list[nn.Module] = []
    inputs, here = channels, side
    for width, kernel, stride, padding in down:
        layers += [nn.Conv2d(inputs, width, kernel, stride, padding), nn.InstanceNorm2d(width), nn.ReLU()]
        inputs, here = width, (here + 2 * padding - kernel) // stride + 1
    for width, kernel, stride, padding in up:
        layers += [
            nn.ConvTranspose2d(inputs, width, kernel, stride, padding, bias=False),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
        ]
        inputs, here = width, (here - 1) * stride - 2 * padding + kernel
    last = (3, 1) if here == side else (side - here + 1, 0)
    layers += [nn.ConvTranspose2d(inputs, channels, last[0], 1, last[1], bias=False), nn.Tanh()]
    return _drawn(nn.Sequential(*layers), rng, sd)


def discriminator(shape: Sequence[int], rng: torch.Generator, sd: float) -> nn.Sequential:
    """How real each image of a view looks, from 0 to 1: (n, C, H, W) -> (n,)."""
    side = _side(shape)
    sizes = (
        ((8, 4, 2, 1), (16, 4, 2, 1), (32, side // 4, 1, 0))
        if side < SMALL_SIDE
        else ((8, 4, 2, 0), (16, 4, 2, 0), (32, 4, 2, 0))
    )
    layers: list[nn.Module] = []
    inputs = shape[0]
    for number, (width, kernel, stride, padding) in enumerate(sizes):
        layers += [
            nn.Conv2d(inputs, width, kernel, stride, padding),
            *([nn.BatchNorm2d(width)] if number else []),
            nn.LeakyReLU(SLOPE),
        ]
        inputs = width
    return _drawn(
        nn.Sequential(*layers, nn.Conv2d(inputs, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(0), nn.Sigmoid()),
        rng,
        sd,
    )


def _side(shape: Sequence[int]) -> int:
    if len(shape) != 3 or shape[1] != shape[2] or not (shape[1] in (8, 12, 16, 20) or shape[1] >= SMALL_SIDE):
        raise DataError(
            f"The GAN attack needs square images of 8, 12, 16, 20 or at least {SMALL_SIDE} pixels a side; a"
            f" view has the shape {tuple(shape)}. Use pgd with mv_disrupt instead."
        )
    return shape[1]


@torch.no_grad()
def _drawn(network: nn.Sequential, rng: torch.Generator, sd: float) -> nn.Sequential:
    """Kernels N(0, sd²), batch norms N(1, 0.02²), biases of convolutions as PyTorch draws them."""
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.weight.normal_(0, sd, generator=rng)
            if layer.bias is not None:
                fan = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
                layer.bias.uniform_(-(fan**-0.5), fan**-0.5, generator=rng)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.weight.normal_(1, 0.02, generator=rng)
    return network


def judged(discriminators: nn.ModuleList, views: Sequence[Tensor]) -> Tensor:
    """The answers of all views' discriminators, one after the other: (V n,)."""
    return torch.cat([float32(judge(view)) for judge, view in zip(discriminators, views, strict=True)])
