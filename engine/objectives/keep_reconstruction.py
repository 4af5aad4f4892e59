"""`keep_reconstruction`: how much better than the clean sample itself x' is decoded back to it.

    f(x') = ‖x − x̂(x)‖² − ‖x − x̂(x')‖²,    sums over the numbers of a sample

At least zero where the attacked sample is handled as well as the clean one; the target is the clean x for
both. It is zero at δ = 0 too, which is nothing to be reached: x' counts where it lies at least 0.001 (L2)
from x. Source: Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895
(its criterion, with the sign turned so that an attack makes it large).
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.models.outputs import Outputs
from engine.models.protocols import Reconstructs, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register

SMALLEST = 1e-3
"""L2 norm below which a sample has not moved."""


@register
class KeepReconstruction(ObjectiveSettings):
    """Be decoded to the clean sample, at least as well as it is itself."""

    name: ClassVar[str] = "keep_reconstruction"
    title: ClassVar[str] = "Keep the reconstruction"
    summary: ClassVar[str] = (
        "By how much less the reconstruction of the attacked sample differs from the clean sample than the"
        " clean sample's own does (sum of squares)."
    )
    source: ClassVar[str] = "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895"
    equation: ClassVar[str] = r"\lVert x - \hat x(x) \rVert^2 - \lVert x - \hat x(x') \rVert^2"
    needs: ClassVar[tuple[str, ...]] = ("reconstructs",)
    reached_above: ClassVar[float | None] = 0.0
    met_at_mark: ClassVar[bool] = True
    success: ClassVar[str] = "is reconstructed as well as its original"
    effect: ClassVar[str] = "lowers the squared error by {value} (summed)"

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The clean sample's squared error less that of x', both against the clean sample."""
        autoencoder, x = require(model, Reconstructs, self.name), clean.flat().float()
        with torch.no_grad():
            own = squared(autoencoder.reconstruct(clean), x)
        return lambda flat: own - squared(autoencoder.reconstruct(clean.like(flat)), x)

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where x' moved and is decoded to x at least as closely as x is; None without a reconstruction."""
        if before.reconstruction is None or after.reconstruction is None:
            return None
        kept = squared(after.reconstruction, before.x) <= squared(before.reconstruction, before.x)
        return kept & ((after.x - before.x).norm(dim=1) >= SMALLEST)


def squared(reconstruction: Tensor, x: Tensor) -> Tensor:
    """The sum of squared differences of each row: (n, d), (n, d) -> (n,)."""
    return (reconstruction.float() - x).square().sum(dim=1)
