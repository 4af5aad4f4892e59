"""`mv_disrupt`: what the GAN attack on multi-view clustering is trained for, as an objective for any attack.

    f(x') = ½ ‖h(x') − h(x)‖ + ½ Σ_v ‖z^v(x') − z^v(x)‖

h is the consistency between views, z^v what each view brings of its own. Plain norms, whose gradient is
undefined at δ = 0. Source: Huang et al., ICML 2024, as its released code computes equations 2 and 3.
"""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.models.outputs import Outputs
from engine.models.protocols import Clusters, Fuses, require
from engine.objectives.leave_cluster import LeaveCluster
from engine.objectives.protocols import Measure, ObjectiveSettings, cluster_changed
from engine.registry import register
from engine.settings import Settings, knob

TINY = 1e-12


@register
class MvDisrupt(ObjectiveSettings):
    """Move every view's embedding and the fused one."""

    name: ClassVar[str] = "mv_disrupt"
    title: ClassVar[str] = "Disrupt the views"
    summary: ClassVar[str] = "How far the embedding of each view and that of their fusion move."
    source: ClassVar[str] = "Huang, Zhou, Zheng, Qiu, Wang and Zhao, ICML 2024 (as released: plain norms)"
    equation: ClassVar[str] = (
        r"\mu_2\, \lVert h(x') - h(x) \rVert + \mu_1 \sum_v \lVert z^v(x') - z^v(x) \rVert"
    )
    needs: ClassVar[tuple[str, ...]] = ("fuses",)
    success: ClassVar[str] = "leaves {own}"
    effect: ClassVar[str] = "moves the embeddings of the views and their fusion by {value}"
    stationary_at_clean: ClassVar[bool] = True

    mu1: float = knob(
        0.5,
        "Weight of complementarity",
        "Counts how far each view's own embedding moves.",
        symbol="μ₁",
        source="AR-DMVC's code",
        ge=0,
        le=100,
    )
    mu2: float = knob(
        0.5,
        "Weight of consistency",
        "Counts how far the fused representation moves.",
        symbol="μ₂",
        source="AR-DMVC's code",
        ge=0,
        le=100,
    )

    @classmethod
    def depends_on(cls) -> tuple[type[Settings], ...]:
        """What else is tried for the same success."""
        return (LeaveCluster,)

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The weighted sum of the distances, each sample for itself."""
        fusing = require(model, Fuses, self.name)
        with torch.no_grad():
            z, h = fusing.parts(clean)

        def distance(flat: Tensor) -> Tensor:
            new_z, new_h = fusing.parts(clean.like(flat))
            views = torch.stack([_length(new - old) for new, old in zip(new_z, z, strict=True)]).sum(0)
            return self.mu2 * _length(new_h - h) + self.mu1 * views

        return distance

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where the cluster is another one than before."""
        return cluster_changed(before, after)

    def alternatives(
        self, model: nn.Module, clean: Views, targets: int | None
    ) -> Iterator[ObjectiveSettings]:
        """Leaving the cluster, which its success is, by the margin and towards each other one."""
        if isinstance(model, Clusters):
            yield LeaveCluster()
            yield from LeaveCluster().alternatives(model, clean, targets)


def _length(x: Tensor) -> Tensor:
    """‖x‖ (n,), with a gradient at 0."""
    return (x.float().square().sum(1) + TINY).sqrt()
