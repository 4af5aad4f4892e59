"""`keep_contrast`: by how much less the views of x' are mistaken for views of others than those of x.

    L(x) = mean over pairs j of  −log e^{s(z, z')} / (e^{s(z, z')} + Σ_a e^{s(z, a)}) − the same from z'
    f(x') = L(x) − L(x'),    z = g(ω_j x),  z' = g(ω'_j x),  s = cos / τ

The draws ω of the views are the same for x and x', and for every sample; a are views of a fixed set of other
samples. At least zero where x' is contrasted as well as x; zero at δ = 0, too.

The published criterion asks for views while its augmentation is switched off: all of them are the same
picture, the loss is 2 log 99 whatever the picture is, its gradient is zero and every perturbation a success.
This is what it was meant to be. Source: Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895; the loss:
Chen, Kornblith, Norouzi and Hinton, ICML 2020, arXiv:2002.05709.
"""

from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.errors import DataError
from engine.models.outputs import BLOCK, Outputs
from engine.models.protocols import Contrasts, require
from engine.objectives.keep_reconstruction import SMALLEST
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register
from engine.settings import knob

ROUNDING = 1e-6
"""Of a loss, by which two passes of one sample may differ."""


@register
class KeepContrast(ObjectiveSettings):
    """Be told from others by its views, at least as well as the clean sample is."""

    name: ClassVar[str] = "keep_contrast"
    title: ClassVar[str] = "Keep the contrast"
    summary: ClassVar[str] = (
        "By how much the contrastive loss of the attacked sample's views is below that of the clean sample's."
        " As published the loss is constant, 2 log 99 whatever the sample, for no view is augmented; this is"
        " the repaired one."
    )
    source: ClassVar[str] = "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895; repaired"
    equation: ClassVar[str] = r"L(x) - L(x')"
    needs: ClassVar[tuple[str, ...]] = ("contrasts",)
    reached_above: ClassVar[float | None] = 0.0
    met_at_mark: ClassVar[bool] = True
    version: ClassVar[int] = 2
    success: ClassVar[str] = "is told from others as well as its original"
    effect: ClassVar[str] = "lowers the contrastive loss by {value} nats"

    pairs: int = knob(8, "Pairs of views", "Of every sample.", symbol="m", source="Feint", ge=1, le=64)

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The clean sample's loss less that of x'. Raises DataError where there are no others."""
        contrast = _Contrast(require(model, Contrasts, self.name), self.pairs, clean.n)
        with torch.no_grad():
            own = contrast(clean[0])
        return lambda flat: own - contrast(clean.like(flat)[0])

    @torch.no_grad()
    def more_of(self, model: nn.Module, views: Views) -> dict[str, Tensor]:
        """The loss of each sample's views, the same draws for all: (n,) nats."""
        contrasting = require(model, Contrasts, self.name)
        blocks = torch.arange(views.n, device=views[0].device).split(BLOCK)
        return {
            "contrast": torch.cat(
                [_Contrast(contrasting, self.pairs, len(rows))(views.rows(rows)[0]) for rows in blocks]
            )
        }

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where x' moved and its loss is not above that of x, but for rounding; None where nobody looked."""
        if before.contrast is None or after.contrast is None:
            return None
        kept = after.contrast <= before.contrast + ROUNDING * (1 + before.contrast)
        return kept & ((after.x - before.x).norm(dim=1) >= SMALLEST)


class _Contrast:
    """The loss of pictures (n, C, H, W) by views that are drawn once: (n,) nats."""

    def __init__(self, model: Contrasts, pairs: int, n: int) -> None:
        if model.others is None:
            raise DataError("keep_contrast needs other samples to tell a sample from; got none.")
        self.model, self.views = model, replace(model.views, shared=True)
        rng = torch.Generator().manual_seed(0)
        with torch.no_grad():
            seen = [
                model.views.seen(model.others, model.views.draw(len(model.others), rng)) for _ in range(2)
            ]
            self.others = self._projected(torch.cat(seen))  # (2 m, p)
        seeds = torch.randint(2**31, (2 * pairs,), generator=rng).tolist()
        self.draws = [self.views.draw(n, torch.Generator().manual_seed(seed)) for seed in seeds]

    def __call__(self, images: Tensor) -> Tensor:
        z = [self._projected(self.views.seen(images, drawn)) for drawn in self.draws]
        both = zip(z[::2], z[1::2], strict=True)
        return torch.stack([self._told(*pair) for pair in both]).mean(dim=0)

    def _told(self, one: Tensor, two: Tensor) -> Tensor:
        """The loss of views z and z' (n, p) of each sample, both directions added: (n,)."""
        alike = (one * two).sum(dim=1, keepdim=True) / self.model.temperature
        every = [torch.cat([alike, z @ self.others.T / self.model.temperature], dim=1) for z in (one, two)]
        return every[0].logsumexp(dim=1) + every[1].logsumexp(dim=1) - 2 * alike[:, 0]

    def _projected(self, images: Tensor) -> Tensor:
        return nn.functional.normalize(self.model.project(Views([images])), dim=1)
