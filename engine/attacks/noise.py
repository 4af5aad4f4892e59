"""`noise`: the control beside every attack, a random perturbation of the same norm and size.

L∞: random signs times ε;    L2: a random direction at radius ε

Published controls are often weaker: uniform in the ball, which few numbers of a sample leave by nearly ε.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings, Iterate, value_only
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import knob


@register
class Noise(AttackSettings):
    """Random noise of the budget's full size; it looks at no gradient."""

    name: ClassVar[str] = "noise"
    title: ClassVar[str] = "Noise (control)"
    summary: ClassVar[str] = (
        "Random signs times ε (L∞) or a random direction at radius ε (L2): what an attack must beat."
    )
    source: ClassVar[str] = "Feint; the control that every attacked number is shown beside"
    equation: ClassVar[str] = r"x' = x + \varepsilon\, s,\quad s_i = \pm 1"
    searches: ClassVar[bool] = False

    drawn: Literal["rim", "ball"] = knob(
        "rim",
        "Drawn from",
        "rim: every number by ε, or the whole sample at distance ε; ball: uniformly anywhere within ε.",
        added_later=True,
    )

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """One iterate: noise added to `start`, or to the clean rows."""
        draw = budget.random_rim if self.drawn == "rim" else budget.random_point
        moved = draw(x, rng) if start is None else budget.project(start, x)
        yield Iterate(moved, value_only(objective, moved), 0)
