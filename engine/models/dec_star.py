"""DEC*: clustering alone, from the same pretrained weights as ADEC. The control that ADEC's paper measures
itself by.

    L(φ, μ) = KL(P‖Q) = mean_i Σ_j p_ij (log p_ij − log q_ij)

The decoder stays as the base left it, for pictures only. Sources: Xie et al., ICML 2016 (arXiv 1511.06335),
eq. (2); the star: Mrabah et al., 2019 (arXiv 1909.11832), table 2.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.declared import Curve
from engine.models.embedded import CLUSTERING, SETTLED, SMALL, Embedded, EmbeddedState, count_update
from engine.models.pace import descend
from engine.nets.layers import float32
from engine.nets.student_t import assignment_loss, log_assignment
from engine.registry import register


@register
class DECStar(Embedded):
    """Settings of DEC*."""

    name: ClassVar[str] = "dec_star"
    title: ClassVar[str] = "DEC*"
    source: ClassVar[str] = (
        "Xie, Girshick, Farhadi, ICML 2016 (arXiv 1511.06335), on ADEC's base (Mrabah et al., 2019, table 2)"
    )
    equation: ClassVar[str] = r"L = \mathrm{KL}(P\|Q)"
    summary: ClassVar[str] = (
        "Sharpens its own soft assignment and nothing else: the control beside ADEC and IDEC*."
    )
    curves: ClassVar[tuple[Curve, ...]] = (CLUSTERING, SETTLED)
    presets = SMALL

    def owners(self, state: EmbeddedState) -> Mapping[str, list[nn.Parameter]]:
        """One SGD for encoder and centres."""
        return {"encoder": [*state.model.encoder.parameters(), state.model.centres]}

    def update(self, state: EmbeddedState, x: Tensor, p: Tensor) -> dict[str, Tensor]:
        """One step of encoder and centres on KL(P‖Q)."""
        with state.how.autocast():
            z = float32(state.model.encoder(x))
        kl = assignment_loss(p, log_assignment(z, state.model.centres))
        descend(state.optimisers["encoder"], kl)
        count_update(state)
        return {"kl": kl.detach()}

    def regularised(self, state: EmbeddedState, x: Tensor, z: Tensor, kl: Tensor) -> dict[str, Tensor]:
        """No regulariser is trained; the reconstruction error through the frozen decoder stands in as a
        hypothetical one.
        """
        return {"self": F.mse_loss(float32(state.model.decoder(z)), x), "total": kl, "weighted:pseudo": kl}
