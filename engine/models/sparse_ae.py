"""Sparse autoencoder: a hidden layer that is mostly silent.

    L = mean (x − x̂)² + w · mean_j KL(ρ ‖ ρ̂_j) + a (|h|₁ + |x̂|₁),    ρ̂_j = mean over the batch of h_j

| symbol | name | shape |
|---|---|---|
| x, x̂ | sample and reconstruction | (n, d) |
| h | hidden activations, sigmoid | (n, h) |
| ρ, ρ̂ | wanted and measured mean activation | (), (h,) |

Source: Ng, "Sparse autoencoder", CS294A lecture notes, 2011; sizes of Hsu, Chen, Lu, Liu and Yu, AAAI 2022,
arXiv:2103.01895.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import Views
from engine.models.declared import Curve
from engine.models.dense_ae import DenseAE
from engine.models.plain_autoencoder import RECONSTRUCTION, small
from engine.nets.layers import float32
from engine.nets.plain import PlainAutoencoder
from engine.registry import register
from engine.settings import knob

TINY = 1e-7
QUICK = {"width": 32, "epochs": 200, "rate": 1e-2}


@register
class SparseAE(DenseAE):
    """Settings of the sparse autoencoder."""

    name: ClassVar[str] = "sparse_ae"
    title: ClassVar[str] = "Sparse autoencoder"
    source: ClassVar[str] = "Ng, 2011; sizes of Hsu et al., AAAI 2022, arXiv:2103.01895"
    equation: ClassVar[str] = (
        r"L = \mathrm{mean}\,(x - \hat x)^2 + w\, \mathrm{mean}_j\, \mathrm{KL}(\rho \,\|\, \hat\rho_j)"
    )
    summary: ClassVar[str] = "A dense autoencoder whose hidden numbers are mostly near zero."
    curves: ClassVar[tuple[Curve, ...]] = (
        RECONSTRUCTION,
        Curve("sparsity", "KL to the wanted activity", "nats"),
    )
    presets = {**small(), "quick": QUICK, "mice_protein": QUICK}

    epochs: int = knob(
        50,
        "Epochs",
        "Passes over the training rows.",
        source="supplement, table 7",
        ge=1,
        le=100_000,
        log=True,
    )
    rate: float = knob(1e-3, "Learning rate", "Adam's step.", source="Adam's default", gt=0, le=1, log=True)
    sparsity: float = knob(
        3.0, "Weight of the sparsity", symbol="w", source="the paper's code (SVHN: 1)", ge=0, le=1000
    )
    activity: float = knob(
        0.1, "Wanted activity", "Mean of a hidden number.", symbol="ρ", source="the paper's code", gt=0, lt=1
    )
    penalty: float = knob(
        1e-7,
        "Weight of the activities",
        "Of their absolute values, hidden and shown.",
        symbol="a",
        source="the paper's code",
        ge=0,
        le=1,
        advanced=True,
    )

    def optimiser(self, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(weights, lr=self.rate, eps=1e-7, fused=True)

    def loss(self, model: PlainAutoencoder, x: Views, target: Views) -> tuple[Tensor, dict[str, Tensor]]:
        """Squared error, sparsity and activities of the batch."""
        hidden = float32(model.encoder(model.seen(x)))
        shown = float32(model.decoder(hidden))
        error, gap = F.mse_loss(shown, model.seen(target)), divergence(self.activity, hidden)
        activities = hidden.abs().sum() + shown.abs().sum()
        values = {"reconstruction": error.detach(), "sparsity": gap.detach()}
        return error + self.sparsity * gap + self.penalty * activities / len(hidden), values


def divergence(wanted: float, hidden: Tensor) -> Tensor:
    """mean_j KL(ρ ‖ ρ̂_j) of activations (n, h): (), 0 where every mean is the wanted one."""
    mean = hidden.mean(dim=0).clamp(TINY, 1 - TINY)
    p = torch.tensor(wanted, device=mean.device)
    return (p * (p / mean).log() + (1 - p) * ((1 - p) / (1 - mean)).log()).mean()
