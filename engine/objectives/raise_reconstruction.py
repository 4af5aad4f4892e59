"""`raise_reconstruction`: how badly the model reconstructs the attacked sample.

    f(x') = mean over numbers of (x̂(x') − x')²

Source: the reconstruction attack on autoencoders as in Kos, Fischer and Song, "Adversarial examples for
generative models", SPW 2018, arXiv:1702.06832; untargeted here.
"""

from typing import ClassVar

from torch import nn

from engine.data.views import Views
from engine.models.protocols import Reconstructs, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register


@register
class RaiseReconstruction(ObjectiveSettings):
    """Make the model fail to reconstruct what it sees."""

    name: ClassVar[str] = "raise_reconstruction"
    title: ClassVar[str] = "Raise the reconstruction error"
    summary: ClassVar[str] = (
        "The mean squared difference between the attacked sample and its own reconstruction."
    )
    source: ClassVar[str] = "Kos, Fischer and Song, SPW 2018, arXiv:1702.06832 (untargeted here)"
    equation: ClassVar[str] = r"\tfrac{1}{d} \lVert \hat x(x') - x' \rVert^2"
    needs: ClassVar[tuple[str, ...]] = ("reconstructs",)
    effect: ClassVar[str] = "raises the reconstruction error to {value} (mean square)"

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The mean squared reconstruction error of x' itself."""
        autoencoder = require(model, Reconstructs, self.name)
        return lambda flat: (autoencoder.reconstruct(clean.like(flat)).float() - flat).square().mean(dim=1)
