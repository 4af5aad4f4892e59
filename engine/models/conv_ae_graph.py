"""ConvAE with the graph module: neighbours in the embedding shall be assigned alike.

    L = L_base + w · Σ_ij W_ij ‖ỹ_i − ỹ_j‖² / n

Source: Yang, Deng, Wei, Yan and Liu, NeurIPS 2020; after Yang et al., CVPR 2019.
"""

from typing import ClassVar

import torch
from torch import Tensor

from engine.data.views import Views
from engine.models.conv_ae import ConvAE
from engine.models.declared import Curve
from engine.models.state import State
from engine.nets.neighbourhood import affinity, orthonormal, smoothness
from engine.registry import register
from engine.settings import Settings, knob

GRAPH = Curve("graph", "graph")


class Graph(Settings):
    """Settings of the module."""

    weight: float = knob(
        1.0,
        "Weight of the graph",
        "How much it counts that neighbours are assigned alike.",
        symbol="w_g",
        source="the public code",
        ge=0,
        le=100,
    )
    neighbours: int = knob(
        3,
        "Neighbours",
        "Of each sample in its batch, itself among them.",
        symbol="k",
        source="the public code",
        ge=2,
        le=100,
    )
    width: float | None = knob(
        None,
        "Width of the kernel",
        "None: the median distance to the nearest other sample. The public code has 1.97 for MNIST "
        "at d = 64.",
        symbol="s",
        source="the public code's alternative",
        gt=0,
        advanced=True,
    )
    through_weights: bool = knob(
        False,
        "Gradient through W",
        "As released: then growing distances lower the loss too.",
        source="the public code (on)",
        advanced=True,
    )

    def loss(self, m: Tensor, y: Tensor) -> dict[str, Tensor]:
        """The weighted loss of embeddings m (n, d) and assignments y (n, k); zero where a cluster is too
        empty to be made orthonormal.
        """
        weights = affinity(m if self.through_weights else m.detach(), self.neighbours, self.width)
        flat = orthonormal(y)
        return {
            "graph": (
                self.weight * smoothness(weights, flat)
                if flat is not None
                else torch.zeros((), device=y.device)
            )
        }


@register
class ConvAEGraph(ConvAE):
    """Settings of ConvAE with the graph module."""

    name: ClassVar[str] = "conv_ae_graph"
    title: ClassVar[str] = "ConvAE + Graph"
    equation: ClassVar[str] = (
        r"L = L_{base} + w_g \tfrac1n \sum_{ij} W_{ij} \lVert \tilde y_i - \tilde y_j \rVert^2"
    )
    summary: ClassVar[str] = "ConvAE in which neighbours in the embedding are assigned to the same cluster."
    curves: ClassVar[tuple[Curve, ...]] = (*ConvAE.curves, GRAPH)

    graph: Graph = knob(Graph(), "Graph", "The module's own settings.")

    def module(self, state: State, x: Views, m: Tensor, y: Tensor) -> dict[str, Tensor]:
        """The module's loss."""
        return self.graph.loss(m, y)
