"""CoMVC, called CL-MVC where it is the base of AR-DMVC: SiMVC with a contrastive term that aligns the views.

    L = L1 + L2 + L3 + 0.1 · min_v softmax(w)_v · L_CL

Source: Trosten et al., CVPR 2021; as AR-DMVC's released code trains it (Huang et al., ICML 2024).
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from engine.data.views import Views
from engine.models.multiview import SMALL, MultiView, alignment, clustering, seen
from engine.models.state import State
from engine.registry import register
from engine.settings import knob


@register
class CoMVC(MultiView):
    """Settings of CoMVC."""

    name: ClassVar[str] = "comvc"
    title: ClassVar[str] = "CoMVC (CL-MVC)"
    source: ClassVar[str] = (
        "Trosten et al., CVPR 2021 (arXiv 2103.07738); the base model of Huang et al., ICML 2024"
    )
    equation: ClassVar[str] = r"L = L_1 + L_2 + L_3 + 0.1\, \min_v \mathrm{softmax}(w)_v\, L_{CL}"
    summary: ClassVar[str] = (
        "As SiMVC, and each sample's views must find one another among all samples of the batch."
    )
    presets = SMALL

    contrast: float = knob(
        0.1,
        "Weight of the contrast",
        "How much the views are aligned.",
        source="AR-DMVC's code",
        ge=0,
        le=100,
    )

    def losses(self, state: State, x: Views) -> Mapping[str, Tensor]:
        """L1, L2, L3 and the contrastive term."""
        z, h, assignment = seen(state, x)
        return clustering(h, assignment) | {"contrast": alignment(state, z, self.contrast)}
