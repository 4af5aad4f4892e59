"""SiMVC: an encoder a view, a learned mean of their embeddings, and the DDC loss on it. The simplest deep
multi-view clustering.

    L = L1 + L2 + L3

Source: Trosten, Løkse, Jenssen and Kampffmeyer, "Reconsidering representation alignment for multi-view
clustering", CVPR 2021.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from engine.data.views import Views
from engine.models.declared import Curve
from engine.models.multiview import CLUSTERING, SMALL, MultiView, clustering, seen
from engine.models.state import State
from engine.registry import register


@register
class SiMVC(MultiView):
    """Settings of SiMVC."""

    name: ClassVar[str] = "simvc"
    title: ClassVar[str] = "SiMVC"
    source: ClassVar[str] = "Trosten, Løkse, Jenssen and Kampffmeyer, CVPR 2021 (arXiv 2103.07738)"
    equation: ClassVar[str] = r"L = L_1 + L_2 + L_3"
    summary: ClassVar[str] = (
        "Views are fused by learned weights; clusters are pulled apart in the fused embedding. Views are not"
        " aligned."
    )
    curves: ClassVar[tuple[Curve, ...]] = CLUSTERING
    presets = SMALL

    def losses(self, state: State, x: Views) -> Mapping[str, Tensor]:
        """L1, L2 and L3."""
        _, h, assignment = seen(state, x)
        return clustering(h, assignment)
