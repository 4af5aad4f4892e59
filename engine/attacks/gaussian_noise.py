"""`gaussian_noise`: normal noise of one deviation on every number, the control of augmentation.

    x' = Π( x + σ g ),   g ~ N(0, I)

Source: the comparison of Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895 (σ = 0.01 and 0.001).
"""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.own_draws import own_draws
from engine.attacks.protocols import AttackSettings, Iterate, value_only
from engine.nets.mine import Compression
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import knob

SCORED = Compression(96, 128)
"""As the answers of `minmax` by default."""


@register
class GaussianNoise(AttackSettings):
    """Noise that looks at no gradient, and is far smaller than the budget."""

    name: ClassVar[str] = "gaussian_noise"
    title: ClassVar[str] = "Gaussian noise (control)"
    summary: ClassVar[str] = (
        "Normal noise on every number, within the budget: what samples made for training must beat."
    )
    source: ClassVar[str] = "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895"
    equation: ClassVar[str] = r"x' = x + \sigma g,\quad g \sim \mathcal{N}(0, I)"
    searches: ClassVar[bool] = False

    sigma: float = knob(
        0.01,
        "Deviation",
        "Of the noise on each number, before budget and box cut it.",
        symbol="σ",
        unit="data unit",
        source="supplement (0.01 and 0.001)",
        gt=0,
        le=1,
        log=True,
    )

    @property
    def compression(self) -> Compression:
        """Beside found samples it is scored as they are."""
        return SCORED

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """One iterate: noise added to `start`, or to the clean rows; a sample's is its own."""
        begun = x if start is None else start
        moved = budget.project(begun + self.sigma * own_draws(torch.randn, x, rng), x)
        yield Iterate(moved, value_only(objective, moved), 0)
