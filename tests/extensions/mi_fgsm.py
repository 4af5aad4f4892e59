"""`mi_fgsm`: gradient ascent with momentum, an attack in one file.

    g_{t+1} = μ g_t + ∇f(x_t) / ‖∇f(x_t)‖₁,    x_{t+1} = Π( x_t + a · u(g_{t+1}) ),    a = ε / T

Source: Dong et al., "Boosting adversarial attacks with momentum", CVPR 2018, arXiv:1710.06081.
"""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings, Iterate, value_and_gradient, value_only
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import knob


@register
class MIFGSM(AttackSettings):
    """Ascent along a running mean of gradients."""

    name: ClassVar[str] = "mi_fgsm"
    title: ClassVar[str] = "MI-FGSM"
    summary: ClassVar[str] = "Small steps along a gradient that remembers the ones before it."
    source: ClassVar[str] = "Dong et al., CVPR 2018, arXiv:1710.06081"
    equation: ClassVar[str] = r"g_{t+1} = \mu\, g_t + \nabla f(x_t) / \lVert \nabla f(x_t) \rVert_1"

    steps: int = knob(10, "Steps", "Gradient steps.", symbol="T", ge=1, le=1000)
    momentum: float = knob(1.0, "Momentum", "How much of the last direction stays.", symbol="μ", ge=0, le=1)

    @property
    def iterates(self) -> int:
        """Every point where a gradient is taken, and the answer."""
        return self.steps + 1

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """The path from a random point of the ball; the answer is its end."""
        point = budget.random_point(x, rng) if start is None else budget.project(start, x)
        direction = torch.zeros_like(x)  # (n, d)
        for step in range(self.steps):
            value, gradient = value_and_gradient(objective, point)
            yield Iterate(point, value, step)
            size = gradient.abs().sum(dim=1, keepdim=True).clamp_min(1e-12)
            direction = self.momentum * direction + gradient / size
            stride = budget.radius(x) / self.steps
            point = budget.project(point + stride * budget.steepest(direction), x)
        yield Iterate(point, value_only(objective, point), self.steps)
