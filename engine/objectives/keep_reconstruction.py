"""`keep_reconstruction`: how much better than the clean sample itself x' is decoded back to it.

    f(x') = ‖x − x̂(x)‖² − ‖x − x̂(x')‖²,    sums over the numbers of a sample

Positive where the attacked sample is handled at least as well as the clean one; the target is the clean x for
both. Nothing is there at δ = 0, where f = 0. Source: Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895
(its criterion, with the sign turned so that an attack makes it large).
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.models.protocols import Outputs, Reconstructs, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register


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
    success: ClassVar[str] = "is reconstructed better than its original"
    effect: ClassVar[str] = "lowers the squared error by {value}"

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The clean sample's squared error less that of x', both against the clean sample."""
        autoencoder, x = require(model, Reconstructs, self.name), clean.flat().float()
        with torch.no_grad():
            own = squared(autoencoder.reconstruct(clean), x)
        return lambda flat: own - squared(autoencoder.reconstruct(clean.like(flat)), x)

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where x' is decoded closer to x than x is; None without a reconstruction."""
        if before.reconstruction is None or after.reconstruction is None:
            return None
        return squared(after.reconstruction, before.x) < squared(before.reconstruction, before.x)


def squared(reconstruction: Tensor, x: Tensor) -> Tensor:
    """The sum of squared differences of each row: (n, d), (n, d) -> (n,)."""
    return (reconstruction.float() - x).square().sum(dim=1)
