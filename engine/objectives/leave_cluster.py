"""`leave_cluster`: the margin by which another cluster beats the clean one.

    f(x') = max_{j ≠ c} log q_j(x') − log q_c(x'),    c = argmax_j q_j(x)

Positive exactly where the assignment has flipped. In log q, never in q: a margin of probabilities has no
gradient where the model is certain, and −log q_c alone rewards being far from all clusters. Source of the
margin: Carlini and Wagner, "Towards evaluating the robustness of neural networks", S&P 2017, arXiv:1608.04644
(there on logits).
"""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from engine import registry
from engine.data.views import Views
from engine.errors import SettingsError
from engine.models.outputs import Outputs, margin
from engine.models.protocols import Clusters, Fuses, require
from engine.objectives.protocols import Measure, ObjectiveSettings, cluster_changed
from engine.objectives.towards import ToCluster, groups
from engine.registry import register
from engine.settings import Settings


@register
class LeaveCluster(ObjectiveSettings):
    """Make another cluster win."""

    name: ClassVar[str] = "leave_cluster"
    title: ClassVar[str] = "Leave the cluster"
    summary: ClassVar[str] = (
        "The margin in log q by which the best other cluster beats the clean one; above zero the sample has"
        " flipped."
    )
    source: ClassVar[str] = "Carlini and Wagner, S&P 2017, arXiv:1608.04644 (margin on logits); here on log q"
    equation: ClassVar[str] = r"\max_{j \neq c} \log q_j(x') - \log q_c(x'), \quad c = \arg\max_j q_j(x)"
    needs: ClassVar[tuple[str, ...]] = ("clusters",)
    success: ClassVar[str] = "leaves {own}"
    reached_above: ClassVar[float | None] = 0.0
    effect: ClassVar[str] = "reaches a margin of {value} nats"

    @classmethod
    def depends_on(cls) -> tuple[type[Settings], ...]:
        """What else is tried for the same success."""
        return (ToCluster, registry.find("objective", "mv_disrupt"))

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The negative margin of each sample's clean cluster. Raises SettingsError for a model with one
        cluster.
        """
        clusters = require(model, Clusters, self.name)
        with torch.no_grad():
            log_q = clusters.log_assign(clean).float()
        if log_q.shape[1] < 2:
            raise SettingsError(
                "leave_cluster needs a model with at least 2 clusters; this one has 1, and there is nowhere"
                " to go."
            )
        own = log_q.argmax(dim=1)
        return lambda flat: -margin(clusters.log_assign(clean.like(flat)).float(), own)

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where the cluster is another one than before."""
        return cluster_changed(before, after)

    def alternatives(
        self, model: nn.Module, clean: Views, targets: int | None
    ) -> Iterator[ObjectiveSettings]:
        """Towards each other cluster, the nearest first; and what its paper attacks a multi-view model by."""
        clusters = groups(require(model, Clusters, self.name).log_assign, clean)
        yield from (ToCluster(rank=rank) for rank in range(clusters - 1)[:targets])
        if isinstance(model, Fuses):
            yield registry.find("objective", "mv_disrupt")()
