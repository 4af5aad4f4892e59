"""`pgd`: projected gradient ascent.

    x_{t+1} = Π( x_t + a · u(∇f(x_t)) ),    u(g) = sign(g) (L∞) or g/‖g‖ (L2),    a = 2.5 ε / T

Π projects to the ball, then to the box. T is `steps`. Source: Madry, Makelov, Schmidt, Tsipras and Vladu,
"Towards deep learning models resistant to adversarial attacks", ICLR 2018, arXiv:1706.06083 (the factor 2.5:
their appendix).
"""

from collections.abc import Generator, Iterator
from typing import ClassVar

import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.protocols import SMALL_START, AttackSettings, Iterate, value_and_gradient, value_only
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import knob

STEP = 2.5
"""A step is STEP · ε / T: enough to cross the ball, small enough to turn inside it."""


@register
class PGD(AttackSettings):
    """Projected gradient ascent; the answer is the best iterate by the objective."""

    name: ClassVar[str] = "pgd"
    title: ClassVar[str] = "PGD"
    summary: ClassVar[str] = (
        "Small steps along the gradient, each brought back into the ball; the best iterate is the answer."
    )
    source: ClassVar[str] = "Madry, Makelov, Schmidt, Tsipras and Vladu, ICLR 2018, arXiv:1706.06083"
    equation: ClassVar[str] = r"x_{t+1} = \Pi\left(x_t + a\, \mathrm{sign}\, \nabla f(x_t)\right)"
    compared_with: ClassVar[tuple[str, ...]] = ("fgsm", "noise")

    steps: int = knob(20, "Steps", "Gradient steps of one start.", symbol="T", ge=1, le=1000)
    step_size: float | None = knob(
        None,
        "Step size",
        "In the unit of ε; 2.5 ε / T where it is not given.",
        symbol="a",
        gt=0,
        advanced=True,
    )
    random_start: bool = knob(
        True, "Random start", "Begin at a random point of the ball, else at the clean sample."
    )
    restarts: int = knob(
        1, "Starts", "How many starts; the best of all iterates is the answer.", ge=1, le=100, advanced=True
    )

    @property
    def iterates(self) -> int:
        """Every point where a gradient is taken, and the answer."""
        return self.steps * self.restarts + 1

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """The path of every start, then the best point of all, row by row. `start` is where the first start
        begins.
        """
        answer = x, torch.full((len(x),), -torch.inf, device=x.device)
        for restart in range(self.restarts):
            point = (
                budget.project(start, x)
                if restart == 0 and start is not None
                else self._start(x, objective, budget, rng, restart)
            )
            found = yield from self._ascend(x, point, objective, budget, restart * self.steps)
            answer = better(*found, *answer)
        yield Iterate(*answer, self.restarts * self.steps)

    def _ascend(
        self, x: Tensor, point: Tensor, objective: Objective, budget: Budget, before: int
    ) -> Generator[Iterate, None, tuple[Tensor, Tensor]]:
        """The path from one start; returns its best point and that one's value.

        Values that come with bf16 gradients err by about 0.01, so where they choose among the points of the
        path, the chosen one is weighed against the last once more, both in float32.
        """
        stride = budget.radius(x) * (STEP / self.steps) if self.step_size is None else self.step_size
        project = budget.around(x)
        best = point, torch.full((len(x),), -torch.inf, device=x.device)
        for step in range(self.steps):
            value, gradient = value_and_gradient(objective, point)
            best = better(point, value, *best)
            yield Iterate(point, value, before + step)
            point = project(budget.steepest(gradient).mul_(stride).add_(point))
        if not objective.is_exact:
            best = best[0], value_only(objective, best[0])
        return better(point, value_only(objective, point), *best)

    def _start(
        self, x: Tensor, objective: Objective, budget: Budget, rng: torch.Generator, restart: int
    ) -> Tensor:
        if self.random_start or restart > 0:
            return budget.random_point(x, rng)
        return budget.random_point(x, rng, SMALL_START) if objective.stationary_at_clean else x


def better(x: Tensor, value: Tensor, best: Tensor, best_value: Tensor) -> tuple[Tensor, Tensor]:
    """Row by row, whichever of two points has the larger value; the older one where they are equal."""
    wins = value > best_value
    return torch.where(wins[:, None], x, best), torch.where(wins, value, best_value)
