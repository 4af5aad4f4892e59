"""`flip_rotate`: a picture mirrored or not, either way, and turned a little: what is usually appended.

    x' = Π( R(θ) S x + σ g ),   θ ~ U(−angle, angle),   S: each axis mirrored by chance ½,   g ~ N(0, I)

It looks at no gradient. What a turn brings in from outside is 0. Source: the other augmentations in table 6
of Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895, which names flips both ways, an angle of 10 and
σ = 0.01; by what chance each picture is flipped it does not say.
"""

import math
from collections.abc import Iterator
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.gaussian_noise import SCORED
from engine.attacks.own_draws import forked, own_draws
from engine.attacks.protocols import AttackSettings, Iterate, value_only
from engine.errors import SettingsError
from engine.nets.mine import Compression
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import knob


@register
class FlipRotate(AttackSettings):
    """Flips and rotations that look at no gradient; ε = 1 leaves them whole."""

    name: ClassVar[str] = "flip_rotate"
    title: ClassVar[str] = "Flips and rotations (control)"
    summary: ClassVar[str] = (
        "Mirrors a picture by chance, either way, and turns it a little, within the budget: what is usually"
        " appended to training data."
    )
    source: ClassVar[str] = "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895"
    equation: ClassVar[str] = r"x' = R(\theta)\, S\, x + \sigma g"
    searches: ClassVar[bool] = False

    angle: float = knob(
        10.0, "Angle", "Largest turn, either way.", unit="degrees", source="supplement", ge=0, le=180
    )
    sigma: float = knob(
        0.0, "Noise", "Deviation of normal noise on top.", symbol="σ", unit="data unit", ge=0, le=1
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
        """One iterate. A sample's draws are its own, all its views take the same. Raises SettingsError for
        what are no pictures.
        """
        shapes = objective.shapes or ()
        if not shapes or any(len(shape) != 3 for shape in shapes):
            raise SettingsError(
                f"{self.name} mirrors and turns pictures; these samples are rows of numbers. Take"
                " gaussian_noise."
            )
        begun, drawn = x if start is None else start, own_draws(torch.rand, x, rng)[:, :3]
        views = begun.split([math.prod(shape) for shape in shapes], dim=1)
        turned = [
            self._turned(view.unflatten(1, shape), drawn) for view, shape in zip(views, shapes, strict=True)
        ]
        moved = torch.cat([view.flatten(1) for view in turned], dim=1)
        if self.sigma:
            later = forked(rng)
            torch.rand(1, generator=later)  # noise that does not depend on the turn
            moved = moved + self.sigma * own_draws(torch.randn, x, later)
        moved = budget.project(moved, x)
        yield Iterate(moved, value_only(objective, moved), 0)

    def _turned(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Pictures (n, C, H, W), each by three numbers (n, 3) in [0, 1): two flips and a turn."""
        across, down = (1 - 2 * (drawn[:, :2] < 0.5).to(images)).unbind(dim=1)  # −1: mirrored
        theta = math.radians(self.angle) * (2 * drawn[:, 2] - 1)
        cos, sin, aspect = theta.cos(), theta.sin(), images.shape[2] / images.shape[3]
        zero = torch.zeros_like(theta)
        first = torch.stack([across * cos, -across * sin * aspect, zero], dim=1)
        second = torch.stack([down * sin / aspect, down * cos, zero], dim=1)
        grid = F.affine_grid(torch.stack([first, second], dim=1), list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, align_corners=False)
