"""`reconstruction_change`: how much the reconstruction changes.

    f(x') = mean over numbers of (x̂(x') − x̂(x))²

With a negative weight beside `leave_cluster` it is the attack that must keep the reconstruction: the slider
λ. Its gradient is zero at δ = 0.
"""

from typing import ClassVar

import torch
from torch import nn

from engine.data.views import Views
from engine.models.protocols import Reconstructs, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register


@register
class ReconstructionChange(ObjectiveSettings):
    """Change what the decoder shows."""

    name: ClassVar[str] = "reconstruction_change"
    title: ClassVar[str] = "Change the reconstruction"
    summary: ClassVar[str] = "The mean squared difference between the attacked and the clean reconstruction."
    source: ClassVar[str] = (
        "Kos, Fischer and Song, SPW 2018, arXiv:1702.06832 (output attack, untargeted); Feint's λ weighs it"
    )
    equation: ClassVar[str] = r"\tfrac{1}{d} \lVert \hat x(x') - \hat x(x) \rVert^2"
    needs: ClassVar[tuple[str, ...]] = ("reconstructs",)
    effect: ClassVar[str] = "changes the reconstruction by {value} (mean square)"
    stationary_at_clean: ClassVar[bool] = True

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The mean squared distance to each sample's clean reconstruction."""
        autoencoder = require(model, Reconstructs, self.name)
        with torch.no_grad():
            clean_reconstruction = autoencoder.reconstruct(clean).float()
        return lambda flat: (
            (autoencoder.reconstruct(clean.like(flat)).float() - clean_reconstruction).square().mean(dim=1)
        )
