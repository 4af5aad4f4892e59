"""LARS: gradient descent with momentum, each weight's step measured by its own length.

    v ← m v + r · λ (g + w θ),   θ ← θ − v,   λ = η ‖θ‖ / ‖g + w θ‖

Biases and the weights of normalisations (vectors) take λ = 1 and no decay. `clipped` (as NVIDIA's LARC and
solo-learn have it) takes λ = min(η ‖θ‖ / (‖g‖ + w ‖θ‖) / r, 1): no step is longer than that of plain descent.
Source: You, Gitman and Ginsburg, "Large batch training of convolutional networks", arXiv:1708.03888, 2017.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

TRUST, TRUST_CLIPPED = 1e-3, 0.02
"""η, as published for SimCLR, and in solo-learn."""
TINY = 1e-12


class LARS(torch.optim.Optimizer):
    """As above: `lr` is r, `momentum` m, `decay` w."""

    def __init__(
        self,
        weights: Iterable[nn.Parameter],
        lr: float,
        momentum: float,
        decay: float,
        clipped: bool = False,
    ) -> None:
        super().__init__(list(weights), {"lr": lr, "momentum": momentum, "decay": decay})
        self.clipped = clipped

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step with the gradients that are there."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                step = weight.grad
                if weight.ndim > 1:
                    step = self._share(weight, step, group) * (step + group["decay"] * weight)
                state = self.state[weight]
                kept = state.setdefault("momentum", torch.zeros_like(weight))
                kept.mul_(group["momentum"]).add_(step, alpha=group["lr"])
                weight.sub_(kept)

    def _share(self, weight: Tensor, gradient: Tensor, group: Mapping[str, Any]) -> Tensor:
        """λ of a weight: ()."""
        size = weight.norm()
        if self.clipped:
            length = gradient.norm() + group["decay"] * size
            share = (TRUST_CLIPPED * size / length / max(group["lr"], TINY)).clamp_max(1.0)
        else:
            length = (gradient + group["decay"] * weight).norm()
            share = TRUST * size / length
        return torch.where((size > 0) & (length > 0), share, 1.0)
