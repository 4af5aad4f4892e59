"""ConvAE with mutual information estimation: a critic that tells a sample's own embedding from another's is
trained along.

    L = L_base + w · I(x, m),    I = −E [log σ(T(x, m)) + log(1 − σ(T(x, m_π)))]

Critic and network work together: what the critic can tell apart, the embedding has kept. The public code
gives the critic (m, m) and (m, m_π) instead, never x, and does not train it; that form is `variant` zz.
Source: Yang, Deng, Wei, Yan and Liu, NeurIPS 2020 (its formula is lost; this is the form that its definitions
imply).
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.models.conv_ae import ConvAE
from engine.models.declared import Curve
from engine.models.forward_pass import vae_of
from engine.models.state import State
from engine.nets.information import dependence, derangement
from engine.nets.layers import float32
from engine.nets.variational import critic
from engine.registry import register
from engine.settings import Settings, Width, knob

INFORMATION = Curve("information", "mutual information (MIE)")


class MIE(Settings):
    """Settings of the module."""

    weight: float = knob(
        0.1,
        "Weight of mutual information",
        "How much it counts that embeddings tell their samples.",
        symbol="w_m",
        source="the predecessor's public code: 0.1, later 0.001",
        ge=0,
        le=100,
    )
    variant: Literal["xz", "zz"] = knob(
        "xz",
        "Critic sees",
        "xz: sample and embedding; zz: two embeddings, as the public code does, with a critic that never "
        "learns.",
        source="the paper (xz), the public code (zz)",
        advanced=True,
    )
    hidden: tuple[Width, ...] = knob(
        (512, 256),
        "Widths of the critic",
        "For xz.",
        source="Feint",
        min_length=1,
        max_length=6,
        advanced=True,
    )

    def critic(self, size: int, embedding: int, rng: torch.Generator) -> nn.Module:
        """T, untrained; frozen for zz."""
        if self.variant == "xz":
            return critic(size + embedding, self.hidden, rng)
        return critic(2 * embedding, (embedding, embedding, embedding), rng).requires_grad_(False)

    def loss(self, state: State, x: Views, m: Tensor) -> dict[str, Tensor]:
        """The weighted loss of a batch with embeddings m (n, d)."""
        seen = vae_of(state).units(x).flatten(1) if self.variant == "xz" else m
        order = derangement(len(m), state.rng).to(m.device)
        with state.how.autocast():
            loss, _ = dependence(state.extra["critic"], seen, m, order)
        return {"information": self.weight * float32(loss)}


@register
class ConvAEMIE(ConvAE):
    """Settings of ConvAE with mutual information estimation."""

    name: ClassVar[str] = "conv_ae_mie"
    title: ClassVar[str] = "ConvAE + MIE"
    equation: ClassVar[str] = (
        r"L = L_{base} - w_m\, \mathbb E\left[\log \sigma(T(x, m)) + \log(1 - \sigma(T(x, m_\pi)))\right]"
    )
    summary: ClassVar[str] = "ConvAE whose embedding must also tell which sample it belongs to."
    curves: ClassVar[tuple[Curve, ...]] = (*ConvAE.curves, INFORMATION)

    mie: MIE = knob(MIE(), "Mutual information", "The module's own settings.")

    def extra(self, size: int, rng: torch.Generator) -> dict[str, nn.Module]:
        """The critic."""
        return {"critic": self.mie.critic(size, self.embedding, rng)}

    def module(self, state: State, x: Views, m: Tensor, y: Tensor) -> dict[str, Tensor]:
        """The module's loss."""
        return self.mie.loss(state, x, m)
