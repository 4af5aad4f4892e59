"""IDEC*: clustering with reconstruction through the encoder, from the same pretrained weights as ADEC.

    L(φ, θ, μ) = mean (x − G(E(x)))² + γ KL(P‖Q)

Sources: Guo, Gao, Liu, Yin, "Improved Deep Embedded Clustering with Local Structure Preservation", IJCAI
2017; the star: Mrabah et al., 2019 (arXiv 1909.11832), table 2.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.declared import Curve
from engine.models.embedded import CLUSTERING, SETTLED, SMALL, Embedded, EmbeddedState, count_update
from engine.models.pace import descend
from engine.models.pretraining import RECONSTRUCTION
from engine.nets.layers import float32
from engine.nets.student_t import assignment_loss, log_assignment
from engine.registry import register
from engine.settings import knob


@register
class IDECStar(Embedded):
    """Settings of IDEC*."""

    name: ClassVar[str] = "idec_star"
    title: ClassVar[str] = "IDEC*"
    source: ClassVar[str] = "Guo, Gao, Liu, Yin, IJCAI 2017, on ADEC's base (Mrabah et al., 2019, table 2)"
    equation: ClassVar[str] = r"L = \mathrm{mean}\,(x-G(E(x)))^2 + \gamma\,\mathrm{KL}(P\|Q)"
    summary: ClassVar[str] = "Sharpens its soft assignment while it must still reconstruct its input."
    curves: ClassVar[tuple[Curve, ...]] = (CLUSTERING, RECONSTRUCTION, SETTLED)
    presets = {name: values | {"gamma": 0.1} for name, values in SMALL.items()}

    gamma: float = knob(
        0.01,
        "Weight of clustering",
        "Large: clustering rules (feature randomness); small: reconstruction rules (feature drift). "
        "The presets take IDEC's own 0.1, since at 0.01 so few iterations change nothing.",
        symbol="γ",
        source="ADEC, figure 10",
        ge=0,
        le=1e6,
        log=True,
    )
    scale_rate: bool = knob(
        False,
        "Divide the learning rate by γ above 1",
        "Keeps the steps of a large γ from exploding; the paper does not.",
        source="Feint's choice",
        advanced=True,
    )

    def rate_of(self, optimiser: str) -> float:
        """The learning rate, over max(1, γ) where asked."""
        return self.rate / max(1.0, self.gamma) if self.scale_rate else self.rate

    def owners(self, state: EmbeddedState) -> Mapping[str, list[nn.Parameter]]:
        """One SGD for encoder, decoder and centres."""
        return {
            "all": [*state.model.encoder.parameters(), *state.model.decoder.parameters(), state.model.centres]
        }

    def update(self, state: EmbeddedState, x: Tensor, p: Tensor) -> dict[str, Tensor]:
        """One joint step on mean (x − x̂)² + γ KL(P‖Q)."""
        with state.how.autocast():
            z = float32(state.model.encoder(x))
            x_hat = state.model.decoder(z)
        kl = assignment_loss(p, log_assignment(z, state.model.centres))
        reconstruction = F.mse_loss(float32(x_hat), x)
        descend(state.optimisers["all"], reconstruction + self.gamma * kl)
        count_update(state)
        return {"kl": kl.detach(), "reconstruction": reconstruction.detach()}

    def regularised(self, state: EmbeddedState, x: Tensor, z: Tensor, kl: Tensor) -> dict[str, Tensor]:
        """The regulariser is the reconstruction error."""
        reconstruction = F.mse_loss(float32(state.model.decoder(z)), x)
        return {
            "self": reconstruction,
            "total": reconstruction + self.gamma * kl,
            "weighted:self": reconstruction,
            "weighted:pseudo": self.gamma * kl,
        }
