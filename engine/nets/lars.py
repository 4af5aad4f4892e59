"""LARS: gradient descent with momentum, each weight's step measured by its own length.

    v ← m v + r · λ (g + w θ),   θ ← θ − v,   λ = η ‖θ‖ / ‖g + w θ‖

Biases and the weights of normalisations (vectors) take λ = 1 and no decay. Source: You, Gitman and Ginsburg,
"Large batch training of convolutional networks", arXiv:1708.03888, 2017.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

TRUST = 1e-3


class LARS(torch.optim.Optimizer):
    """As above: `lr` is r, `momentum` m, `decay` w."""

    def __init__(self, weights: Iterable[nn.Parameter], lr: float, momentum: float, decay: float) -> None:
        super().__init__(list(weights), {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step with the gradients that are there."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                step = weight.grad
                if weight.ndim > 1:
                    step = step + group["decay"] * weight
                    size, length = weight.norm(), step.norm()
                    step = step * torch.where((size > 0) & (length > 0), TRUST * size / length, 1.0)
                state = self.state[weight]
                kept = state.setdefault("momentum", torch.zeros_like(weight))
                kept.mul_(group["momentum"]).add_(step, alpha=group["lr"])
                weight.sub_(kept)
