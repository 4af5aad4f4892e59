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
UNSURE = 0.05
"""How far above its mark a value of bf16, which errs by about 0.01, must lie to count as reached."""


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

    steps: int = knob(
        20, "Steps", "Gradient steps of one start; 0: the start itself.", symbol="T", ge=0, le=1000
    )
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
        1, "Restarts", "How many starts; the best of all iterates is the answer.", ge=1, le=100, advanced=True
    )

    stop: bool = knob(
        False,
        "Stop at success",
        "A sample that is where the objective wants it leaves the batch: as many succeed, in less time, but"
        " answers lie just beyond the mark. Objectives without such a mark take every step.",
        advanced=True,
        added_later=True,
    )

    @property
    def iterates(self) -> int:
        """Every point where a gradient is taken, and the answer."""
        return self.steps * self.restarts + 1

    @property
    def stops(self) -> bool:
        """Where it was told to."""
        return self.stop

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
            climb = self._until_reached if self.stop and objective.reached_above is not None else self._ascend
            found = yield from climb(x, point, objective, budget, restart * self.steps)
            answer = better(*found, *answer)
        yield Iterate(*answer, self.restarts * self.steps)

    def _ascend(
        self, x: Tensor, point: Tensor, objective: Objective, budget: Budget, before: int
    ) -> Generator[Iterate, None, tuple[Tensor, Tensor]]:
        """The path from one start; returns its best point and that one's value.

        Values that come with bf16 gradients err by about 0.01, so where they choose among the points of the
        path, the chosen one is weighed against the last once more, both in float32.
        """
        stride = self._stride(budget, x)
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

    def _until_reached(
        self, x: Tensor, point: Tensor, objective: Objective, budget: Budget, before: int
    ) -> Generator[Iterate, None, tuple[Tensor, Tensor]]:
        """As `_ascend`, but the batch is cut down to the samples that are still to be reached whenever these
        are fewer than half of it: to bind the objective to fewer rows costs a forward pass.
        """
        mark = (objective.reached_above or 0.0) + (0.0 if objective.is_exact else UNSURE)
        rows, here, within = torch.arange(len(x), device=x.device), objective, budget  # (m,) still climbing
        best, best_value = point.clone(), torch.full((len(x),), -torch.inf, device=x.device)
        for step in range(self.steps):
            value, gradient = value_and_gradient(here, point)
            best[rows], best_value[rows] = better(point, value, best[rows], best_value[rows])
            yield Iterate(best.clone(), best_value.clone(), before + step)
            to_reach = best_value[rows] <= mark
            if not bool(to_reach.any()):
                break
            if 2 * int(to_reach.sum()) < len(rows):
                rows, point, gradient = rows[to_reach], point[to_reach], gradient[to_reach]
                here, within = objective.rows(rows), budget.rows(rows)
            stride = self._stride(within, x[rows])
            point = within.project(point + stride * within.steepest(gradient), x[rows])
        else:
            last = value_only(here, point)
            best[rows], best_value[rows] = better(point, last, best[rows], best_value[rows])
        return best, best_value if objective.is_exact else value_only(objective, best)

    def _stride(self, budget: Budget, x: Tensor) -> Tensor | float:
        return budget.radius(x) * (STEP / max(self.steps, 1)) if self.step_size is None else self.step_size

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
