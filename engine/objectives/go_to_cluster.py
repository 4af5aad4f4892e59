"""`go_to_cluster`: the targeted form of `leave_cluster`.

    f(x') = log q_t(x') − max_{j ≠ t} log q_j(x')

Positive exactly where the sample is assigned to the cluster t.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.errors import SettingsError
from engine.models.outputs import Outputs, margin
from engine.models.protocols import Clusters, require
from engine.objectives.protocols import Measure, ObjectiveSettings
from engine.registry import register
from engine.settings import knob


@register
class GoToCluster(ObjectiveSettings):
    """Make one cluster win."""

    name: ClassVar[str] = "go_to_cluster"
    title: ClassVar[str] = "Go to a cluster"
    summary: ClassVar[str] = (
        "The margin in log q by which the chosen cluster beats all others; above zero the sample has arrived."
    )
    source: ClassVar[str] = (
        "Carlini and Wagner, S&P 2017, arXiv:1608.04644 (targeted margin on logits); here on log q"
    )
    equation: ClassVar[str] = r"\log q_t(x') - \max_{j \neq t} \log q_j(x')"
    needs: ClassVar[tuple[str, ...]] = ("clusters",)
    success: ClassVar[str] = "goes from {own} to {target}"
    reached_above: ClassVar[float | None] = 0.0
    effect: ClassVar[str] = "reaches a margin of {value} nats"
    targeted: ClassVar[bool] = True

    cluster: int = knob(0, "Target cluster", "The cluster to reach, counted from 0.", symbol="t", ge=0)

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The margin of the target cluster. Raises SettingsError for a cluster the model does not have."""
        clusters = require(model, Clusters, self.name)
        with torch.no_grad():
            k = clusters.log_assign(clean.like(clean.flat()[:1])).shape[1]
        if k < 2 or self.cluster >= k:
            cure = (
                f"This model has the clusters 0 to {k - 1}."
                if k > 1
                else "This model has one cluster, and there is nowhere to go."
            )
            raise SettingsError(
                f"go_to_cluster.cluster must be between 0 and {k - 1}; got {self.cluster}. {cure}"
            )
        return lambda flat: margin(
            clusters.log_assign(clean.like(flat)).float(),
            flat.new_full((len(flat),), self.cluster, dtype=torch.long),
        )

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where the cluster is the target."""
        return None if after.cluster is None else after.cluster == self.cluster
