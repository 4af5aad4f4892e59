"""`fgsm`: the fast gradient sign method, one step of full size.

    L∞: x' = x + ε sign(∇f(x));    L2: x' = x + ε ∇f(x) / ‖∇f(x)‖

Source: Goodfellow, Shlens and Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015,
arXiv:1412.6572.
"""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.protocols import SMALL_START, AttackSettings, Iterate, value_and_gradient, value_only
from engine.objectives.protocols import Objective
from engine.registry import register


@register
class FGSM(AttackSettings):
    """One step along the gradient's sign (L∞) or direction (L2)."""

    name: ClassVar[str] = "fgsm"
    title: ClassVar[str] = "FGSM"
    summary: ClassVar[str] = "One step of full size ε along the gradient's sign (L∞) or direction (L2)."
    source: ClassVar[str] = "Goodfellow, Shlens and Szegedy, ICLR 2015, arXiv:1412.6572"
    equation: ClassVar[str] = r"x' = x + \varepsilon\, \mathrm{sign}\, \nabla f(x)"

    @property
    def iterates(self) -> int:
        """The point where the gradient was taken, and the answer."""
        return 2

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """The clean rows (or a point close by, where the objective is stationary at them), then the
        answer.
        """
        if start is None:
            start = budget.random_point(x, rng, SMALL_START) if objective.stationary_at_clean else x
        value, gradient = value_and_gradient(objective, start)
        yield Iterate(start, value, 0)
        moved = budget.project(x + budget.radius(x) * budget.steepest(gradient), x)
        yield Iterate(moved, value_only(objective, moved), 1)
