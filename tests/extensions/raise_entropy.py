"""`raise_entropy`: make the model unsure, an objective in one file.

    f(x') = −Σ_j q_j(x') log q_j(x')

It says nothing of clusters being left, so it has no `reached`: how far it got is its value.
Source: the entropy of the soft assignment, as in Shannon, "A mathematical theory of communication", 1948.
"""

from typing import ClassVar

from torch import Tensor, nn

from engine.data.views import Views
from engine.models.protocols import Clusters, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register


@register
class RaiseEntropy(ObjectiveSettings):
    """Spread the soft assignment over all clusters."""

    name: ClassVar[str] = "raise_entropy"
    title: ClassVar[str] = "Raise the entropy"
    summary: ClassVar[str] = "How unsure the model is of its cluster."
    source: ClassVar[str] = "Shannon, 1948"
    equation: ClassVar[str] = r"-\sum_j q_j(x') \log q_j(x')"
    needs: ClassVar[tuple[str, ...]] = ("clusters",)
    effect: ClassVar[str] = "raises the entropy to {value} nats"

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The entropy of each sample's assignment."""
        clusters = require(model, Clusters, self.name)

        def entropy(flat: Tensor) -> Tensor:
            log_q = clusters.log_assign(clean.like(flat)).float()  # (n, k)
            return -(log_q.exp() * log_q).sum(dim=1)

        return entropy
