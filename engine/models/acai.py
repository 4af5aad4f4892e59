"""ACAI with augmentation: the autoencoder that ADEC, IDEC* and DEC* begin from.

A critic C guesses how strongly two embeddings were mixed from the decoded mixture; the autoencoder tries to
make it answer 0, so that mixtures look like data.

    L_EG = mean (x − x̂)² + λ mean C(x̂_α)²                                   ADEC eq. (8)
    L_C  = mean (C(x̂_α) − α)² + mean C(β x + (1 − β) x̂)²                    ADEC eq. (9); β is its γ

| symbol | name | shape |
|---|---|---|
| x, x̂ | augmented batch (input and target), reconstruction | (b, d) |
| z | embedding | (b, m) |
| alpha | mixing coefficient, one a sample | (b, 1) |
| beta | blend of data and reconstruction, one a batch | () |

Sources: Berthelot, Raffel, Roy, Goodfellow, "Understanding and Improving Interpolation in Autoencoders via an
Adversarial Regularizer", ICLR 2019 (arXiv 1807.07543); Mrabah et al., 2019 (ADEC), section 4.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.declared import Curve
from engine.models.pace import step_along
from engine.models.pretraining import RECONSTRUCTION, SMALL, Pretraining, autoencoder_of
from engine.models.state import State
from engine.nets.layers import float32, perceptron
from engine.registry import register
from engine.settings import knob


def coefficients(n: int, rng: torch.Generator, fold: bool) -> Tensor:
    """n mixing coefficients, (n, 1): U[0, 1], folded to [0, 0.5] where asked.

    With a mirrored batch every mixture occurs under α and under 1 − α and nothing shows which: only folded
    ones can be told.
    """
    alpha = torch.rand(n, 1, generator=rng)
    return 0.5 - (alpha - 0.5).abs() if fold else alpha


def mixed(z: Tensor, alpha: Tensor) -> Tensor:
    """α z + (1 − α) z of the partner, where the last sample is the first one's partner: (b, m)."""
    return alpha * z + (1 - alpha) * z.flip(0)


def autoencoder_loss(x: Tensor, x_hat: Tensor, of_mixture: Tensor, lam: float) -> Tensor:
    """L_EG, ADEC eq. (8); `of_mixture` (b,) is the critic's answer to x̂_α."""
    return F.mse_loss(x_hat, x) + lam * of_mixture.square().mean()


def critic_loss(of_mixture: Tensor, alpha: Tensor, of_blend: Tensor) -> Tensor:
    """L_C, ADEC eq. (9); `of_blend` (b,) is the critic's answer to β x + (1 − β) x̂."""
    return F.mse_loss(of_mixture, alpha.squeeze(1)) + of_blend.square().mean()


def forward(state: State, x: Tensor, alpha: Tensor, beta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x̂ (b, d) and the critic's answers (b,) to the decoded mixture and to the blend, all with graphs.

    One pass of the critic serves both losses: the graph to the autoencoder for L_EG, to the critic for L_C.
    """
    model, critic = autoencoder_of(state), state.extra["critic"]
    with state.how.autocast():
        z = float32(model.encoder(x))
        x_hat, x_mixed = model.decoder(torch.cat([z, mixed(z, alpha)])).chunk(2)
        blend = beta * x + (1 - beta) * float32(x_hat).detach()
        of_mixture, of_blend = critic(x_mixed), critic(blend)
    return float32(x_hat), float32(of_mixture).mean(1), float32(of_blend).mean(1)


@register
class ACAI(Pretraining):
    """Settings of ACAI with augmentation."""

    name: ClassVar[str] = "acai"
    title: ClassVar[str] = "ACAI + k-means"
    source: ClassVar[str] = (
        "Berthelot et al., ICLR 2019 (arXiv 1807.07543), as ADEC pretrains with it (Mrabah et al., 2019)"
    )
    equation: ClassVar[str] = (
        r"L_{EG} = \mathrm{mean}\,(x-\hat x)^2 + \lambda\,\mathrm{mean}\,C(\hat x_\alpha)^2,\quad "
        r"L_C = \mathrm{mean}\,(C(\hat x_\alpha)-\alpha)^2 + \mathrm{mean}\,C(\beta x+(1-\beta)\hat x)^2"
    )
    summary: ClassVar[str] = (
        "An autoencoder whose mixtures of two embeddings must decode to what a critic takes for data; then"
        " k-means."
    )
    curves: ClassVar[tuple[Curve, ...]] = (
        RECONSTRUCTION,
        Curve("interpolation", "interpolation"),
        Curve("critic", "critic"),
    )
    presets = SMALL

    lam: float = knob(
        0.5,
        "Weight of the critic",
        "How much the autoencoder cares that mixtures look like data.",
        symbol="λ",
        source="ADEC, section 5",
        ge=0,
        le=100,
    )
    alpha_fold: bool = knob(
        True,
        "Fold α to [0, 0.5]",
        "On: as the original ACAI, so that the critic can tell α. Off: α from [0, 1] as ADEC prints it; "
        "the best critic then answers 0.5 to every mixture.",
        symbol="α",
        source="ACAI's code (on), ADEC (off)",
        advanced=True,
    )

    def extra(self, size: int, rng: torch.Generator) -> dict[str, nn.Module]:
        """The critic: the encoder's widths; its answer is the mean of its outputs."""
        return {"critic": perceptron((size, *self.hidden, self.embedding), rng)}

    def update(self, state: State, x: Tensor) -> dict[str, Tensor]:
        """One Adam step of encoder and decoder on L_EG, one of the critic on L_C, both at the same point; x
        is (b, d).
        """
        alpha = coefficients(len(x), state.rng, self.alpha_fold).to(x.device)
        beta = coefficients(1, state.rng, fold=True).squeeze().to(x.device)
        x_hat, of_mixture, of_blend = forward(state, x, alpha, beta)
        losses = {
            "autoencoder": autoencoder_loss(x, x_hat, of_mixture, self.lam),
            "critic": critic_loss(of_mixture, alpha, of_blend),
        }
        weights = {
            name: [weight for group in state.optimisers[name].param_groups for weight in group["params"]]
            for name in losses
        }
        # Both gradients before either step: the steps change the weights that the graph holds on to.
        gradients = {
            name: torch.autograd.grad(loss, weights[name], retain_graph=name == "autoencoder")
            for name, loss in losses.items()
        }
        for name in losses:
            step_along(state.optimisers[name], weights[name], gradients[name])
        with torch.no_grad():
            return {
                "reconstruction": F.mse_loss(x_hat, x),
                "interpolation": of_mixture.square().mean(),
                "critic": losses["critic"].detach(),
            }
