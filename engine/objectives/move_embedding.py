"""`move_embedding`: how far the embedding moves.

    f(x') = ‖z(x') − z(x)‖²

Its gradient is zero at δ = 0 (and that of the plain norm is undefined there), so an attack starts beside the
clean point. Source: Sabour, Cao, Faghri and Fleet, "Adversarial manipulation of deep representations", ICLR
2016, arXiv:1511.05122 (there towards another image's embedding; here away from its own).
"""

from typing import ClassVar

import torch
from torch import nn

from engine.data.views import Views
from engine.models.protocols import Encodes, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register


@register
class MoveEmbedding(ObjectiveSettings):
    """Move the embedding away from where it was."""

    name: ClassVar[str] = "move_embedding"
    title: ClassVar[str] = "Move the embedding"
    summary: ClassVar[str] = "The squared Euclidean distance between the attacked and the clean embedding."
    source: ClassVar[str] = (
        "Sabour, Cao, Faghri and Fleet, ICLR 2016, arXiv:1511.05122 (there towards an image; here away from"
        " its own)"
    )
    equation: ClassVar[str] = r"\lVert z(x') - z(x) \rVert^2"
    needs: ClassVar[tuple[str, ...]] = ("encodes",)
    effect: ClassVar[str] = "moves the embedding by {value} (squared distance)"
    stationary_at_clean: ClassVar[bool] = True

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The squared distance to each sample's clean embedding."""
        encoder = require(model, Encodes, self.name)
        with torch.no_grad():
            z = encoder.encode(clean).float()
        return lambda flat: (encoder.encode(clean.like(flat)).float() - z).square().sum(dim=1)
