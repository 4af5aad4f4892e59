"""Fully connected blocks whose weights are drawn from a given generator."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import Diverged


def undrawn(kind: type[nn.Module], *sizes: int, **options: int) -> Any:
    """A layer whose weights are about to be drawn; what PyTorch draws meanwhile moves no global generator.

    `nn.utils.skip_init` draws nothing, but imports half a second of symbolic algebra at its first call.
    """
    with torch.random.fork_rng(devices=[]):
        return kind(*sizes, **options)


def linear(inputs: int, outputs: int, rng: torch.Generator) -> nn.Linear:
    """An affine layer: weights U(−1/√inputs, 1/√inputs), biases 0."""
    layer = undrawn(nn.Linear, inputs, outputs)
    with torch.no_grad():
        layer.weight.uniform_(-(inputs**-0.5), inputs**-0.5, generator=rng)
        layer.bias.zero_()
    return layer


def perceptron(widths: Sequence[int], rng: torch.Generator) -> nn.Sequential:
    """Affine layers with ReLU between them and a linear end: (n, widths[0]) -> (n, widths[-1])."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [linear(inputs, outputs, rng), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Dropout(nn.Module):
    """In training, a share p of the numbers is 0 and the others are 1/(1 − p) times as large; drawn on the
    CPU from `rng`, so that a resumed training draws on where it was.
    """

    def __init__(self, p: float, rng: torch.Generator) -> None:
        super().__init__()
        self.p, self.rng = p, rng

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape, generator=self.rng) >= self.p
        return x * kept.to(x.device) / (1 - self.p)


def float32(x: Tensor) -> Tensor:
    """What an autocast forward gave, in float32 (float64 stays)."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def finite(z: Tensor) -> Tensor:
    """`z` as it is. Raises Diverged where an embedding is NaN or infinite."""
    if not bool(torch.isfinite(z).all()):
        raise Diverged(
            "Embeddings must be finite; some are NaN or infinite, so training diverged. Use a lower learning"
            " rate or weight."
        )
    return z
