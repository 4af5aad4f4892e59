"""ADEC: deep clustering whose encoder is held by a discriminator instead of a reconstruction error.

    L_E(φ, μ) = KL(P‖Q) + mean log(1 − D(G(E(x))))              eq. (10)
    L_G(θ)    = mean (x − G(stop E(x)))²                        eq. (11)
    V_D(ω)    = mean log D(x) + mean log(1 − D(stop G(E(x))))   eq. (12), made large

M iterations move the decoder alone, M the encoder and its centres, then the decoder, then the discriminator;
and again.

| symbol | name | here |
|---|---|---|
| E_φ, G_θ, μ | encoder, decoder, centres | state.model |
| D_ω | discriminator (b, d) -> (b, 1) logit s | state.extra["discriminator"] |
| log D, log(1 − D) | −softplus(−s), −softplus(s) | |

Where the paper's algorithm 1 leaves gaps: no stop at the first refresh nor in a window in which the encoder
stood still, blocks of M (not M + 1), one optimiser for (φ, μ), and the saturating loss of eq. (10), with the
other one as a setting.

Source: Mrabah, Bouguessa, Ksantini, "Adversarial Deep Embedded Clustering: on a better trade-off between
Feature Randomness and Feature Drift", IEEE TKDE 2020 (arXiv 1909.11832).
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import AtRest
from engine.events import Event, Progress
from engine.models.declared import LOSSES, Alarm, Curve, Panel, Qualifier
from engine.models.embedded import CLUSTERING, SETTLED, SETTLING, SMALL, Embedded, EmbeddedState, count_update
from engine.models.pace import Pace, descend, numbers
from engine.models.pretraining import RECONSTRUCTION
from engine.nets.layers import float32, perceptron
from engine.nets.student_t import assignment_loss, log_assignment
from engine.registry import register
from engine.settings import Width, knob

ALARM = 2.0
"""Above this ratio of gradient norms the adversary rules and clusterings were seen to collapse."""
BALANCE = Panel(
    "balance",
    "Adversary against clustering",
    f"On a batch. Above {ALARM:g} (dashed) the adversary rules; clusterings were seen to collapse.",
    y_title="ratio",
    limit=ALARM,
)
JUDGED = Panel(
    "judged",
    "What the discriminator believes",
    "1: real. Both at 0.5: it cannot tell samples from reconstructions.",
    y_title="mean D",
    share=True,
)


def adversarial_loss(fake: Tensor, form: str) -> Tensor:
    """What the encoder adds to KL, from the logits of reconstructions: log(1 − D) (eq. 10) or,
    non-saturating, −log D.
    """
    return -F.softplus(fake).mean() if form == "saturating" else F.softplus(-fake).mean()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """−V_D of eq. (12), from logits."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def balanced_accuracy(real: Tensor, fake: Tensor) -> float:
    """Mean of the shares of real and of reconstructed samples that the logits judge rightly."""
    return float(((real > 0).float().mean() + (fake <= 0).float().mean()) / 2)


def encoder_step(state: EmbeddedState, x: Tensor, p: Tensor, weight: float, form: str) -> dict[str, Tensor]:
    """One step of encoder and centres on eq. (10), through a decoder and a discriminator that stand still."""
    with state.how.autocast():
        z = float32(state.model.encoder(x))
        fake = state.extra["discriminator"](state.model.decoder(z)) if weight else None
    kl = assignment_loss(p, log_assignment(z, state.model.centres))
    loss = kl if fake is None else kl + weight * adversarial_loss(float32(fake), form)
    descend(state.optimisers["encoder"], loss)
    count_update(state)
    return {"kl": kl.detach()}


def decoder_step(state: EmbeddedState, x: Tensor) -> dict[str, Tensor]:
    """One step of the decoder on eq. (11), with the encoder as it is now."""
    with torch.no_grad(), state.how.autocast():
        z = float32(state.model.encoder(x))
    with state.how.autocast():
        x_hat = state.model.decoder(z)
    loss = F.mse_loss(float32(x_hat), x)
    descend(state.optimisers["decoder"], loss)
    return {"reconstruction": loss.detach()}


def discriminator_step(state: EmbeddedState, x: Tensor) -> dict[str, Tensor]:
    """One step of the discriminator on eq. (12); its logits (b,) before the step come back as "real" and
    "fake".
    """
    with torch.no_grad(), state.how.autocast():
        x_hat = float32(state.model.decoder(state.model.encoder(x)))
    with state.how.autocast():
        judged = state.extra["discriminator"](torch.cat([x, x_hat]))
    real, fake = float32(judged).squeeze(1).chunk(2)
    loss = discriminator_loss(real, fake)
    descend(state.optimisers["discriminator"], loss)
    return {"discriminator": loss.detach(), "real": real.detach(), "fake": fake.detach()}


@register
class ADEC(Embedded):
    """Settings of ADEC."""

    name: ClassVar[str] = "adec"
    title: ClassVar[str] = "ADEC"
    source: ClassVar[str] = "Mrabah, Bouguessa, Ksantini, IEEE TKDE 2020 (arXiv 1909.11832)"
    equation: ClassVar[str] = r"L_E = \mathrm{KL}(P\|Q) + \mathrm{mean}\,\log(1 - D(G(E(x))))"
    summary: ClassVar[str] = (
        "Sharpens its soft assignment while a discriminator must take its output for data; the decoder"
        " follows."
    )
    curves: ClassVar[tuple[Curve, ...]] = (
        CLUSTERING,
        RECONSTRUCTION,
        Curve("discriminator", "discriminator"),
        Curve("ratio_adv_kl", "‖∇adv‖ / ‖∇KL‖", "ratio", "balance"),
        Curve("d_real", "D(real)", "share", "judged"),
        Curve("d_fake", "D(reconstruction)", "share", "judged"),
        SETTLED,
    )
    panels: ClassVar[tuple[Panel, ...]] = (LOSSES, BALANCE, JUDGED, SETTLING)
    phases: ClassVar[Mapping[str, str]] = {
        "discriminator": "the discriminator's head start",
        "clustering": "clustering",
    }
    alarms: ClassVar[tuple[Alarm, ...]] = (
        Alarm(
            "ratio_adv_kl",
            ALARM,
            "The adversary's gradient is {value:.1f} times the clustering's (alarm above {above:g}): the"
            " discriminator is too sure. Lower its learning rate or the adversary's weight.",
        ),
    )
    blocks: ClassVar[str] = "block"
    qualifiers: ClassVar[tuple[Qualifier, ...]] = (Qualifier("adv_weight", " without adversary", 0.0),)
    presets = {
        name: values | {"discriminator": values["base"]["hidden"], "block": 10}
        for name, values in SMALL.items()
    }

    block: int = knob(
        20,
        "Iterations a block",
        "So many for the decoder alone, then so many for all; the paper does not say how many. Keep it"
        " below T.",
        symbol="M",
        source="Feint's choice",
        ge=1,
        le=10_000,
        log=True,
    )
    adv_loss: Literal["saturating", "nonsaturating"] = knob(
        "saturating",
        "Adversarial loss",
        "log(1 − D), as printed, or −log D, whose gradient does not vanish where the discriminator is sure.",
        source="ADEC, eq. (10)",
    )
    adv_weight: float = knob(
        1.0,
        "Weight of the adversary",
        "0: no adversary, the decoder follows; it shows what the discriminator adds.",
        source="ADEC (1)",
        ge=0,
        le=100,
    )
    discriminator: tuple[Width, ...] = knob(
        (500, 500, 2000),
        "Discriminator widths",
        "Hidden widths; the paper does not say.",
        source="Feint's choice: the encoder's",
        min_length=1,
        max_length=6,
        advanced=True,
    )
    discriminator_steps: int = knob(
        300,
        "Discriminator's head start",
        "Steps before clustering, at most. A discriminator trained to the end destroys the clustering.",
        source="Feint's choice",
        ge=0,
        le=100_000,
        advanced=True,
    )
    discriminator_accuracy: float = knob(
        0.9,
        "Head start ends at accuracy",
        "Balanced accuracy on a batch.",
        source="Feint's choice",
        ge=0.5,
        le=1,
        advanced=True,
    )
    discriminator_rate: float = knob(
        1e-3,
        "Discriminator's learning rate",
        "SGD's step.",
        source="ADEC, section 5",
        gt=0,
        le=10,
        log=True,
        advanced=True,
    )

    def extra(self, size: int, rng: torch.Generator) -> dict[str, nn.Module]:
        """The discriminator."""
        return {"discriminator": perceptron((size, *self.discriminator, 1), rng)}

    def rate_of(self, optimiser: str) -> float:
        """The discriminator has a learning rate of its own."""
        return self.discriminator_rate if optimiser == "discriminator" else self.rate

    def owners(self, state: EmbeddedState) -> Mapping[str, list[nn.Parameter]]:
        """Three SGDs, kept through all blocks with their momentum."""
        return {
            "encoder": [*state.model.encoder.parameters(), state.model.centres],
            "decoder": list(state.model.decoder.parameters()),
            "discriminator": list(state.extra["discriminator"].parameters()),
        }

    def moves_encoder(self, step: int) -> bool:
        """Whether iteration `step` is in a block that moves everything; the first block moves the decoder
        alone.
        """
        return step // self.block % 2 == 1

    def prepare(self, state: EmbeddedState, data: AtRest) -> Iterator[Event]:
        """The discriminator's head start, on random clean batches."""
        pace = Pace()
        counters = state.counters
        while counters.setdefault("head_start", 0) < self.discriminator_steps:
            index = torch.randint(len(data), (self.batch,), generator=state.rng).to(state.how.device)
            judged = discriminator_step(state, state.model.units(data.rows(index)))
            good = balanced_accuracy(judged["real"], judged["fake"]) > self.discriminator_accuracy
            counters["head_start"] = self.discriminator_steps if good else counters["head_start"] + 1
            if pace.due():
                yield Progress(
                    step=state.step,
                    total=self.iterations,
                    phase="discriminator",
                    values=numbers(_judgement(judged)),
                )

    def update(self, state: EmbeddedState, x: Tensor, p: Tensor) -> dict[str, Tensor]:
        """One iteration: the decoder alone, or encoder and centres, decoder, discriminator, in this order."""
        if not self.moves_encoder(state.step):
            return decoder_step(state, x) | {"block": torch.tensor(0.0)}
        losses = encoder_step(state, x, p, self.adv_weight, self.adv_loss) | decoder_step(state, x)
        return losses | _judgement(discriminator_step(state, x)) | {"block": torch.tensor(1.0)}

    def regularised(self, state: EmbeddedState, x: Tensor, z: Tensor, kl: Tensor) -> dict[str, Tensor]:
        """The regulariser is the adversarial loss; with weight 0 it is hypothetical."""
        adversarial = adversarial_loss(
            float32(state.extra["discriminator"](state.model.decoder(z))), self.adv_loss
        )
        if not self.adv_weight:
            return {"self": adversarial, "total": kl, "weighted:pseudo": kl}
        weighted = self.adv_weight * adversarial
        return {"self": adversarial, "total": kl + weighted, "weighted:pseudo": kl, "weighted:self": weighted}

    def signs(self, state: EmbeddedState, x: Tensor, p: Tensor) -> dict[str, Tensor | float | None]:
        """On the batch that comes next: D(real), D(fake), the norms of both gradients, their ratio and its
        alarm.
        """
        weights = list(state.model.encoder.parameters())
        z = float32(state.model.encoder(x))
        fake, real = (
            state.extra["discriminator"](state.model.decoder(z)),
            state.extra["discriminator"](x).detach(),
        )
        kl = _norm(assignment_loss(p, log_assignment(z, state.model.centres)), weights)
        adversarial = self.adv_weight * _norm(adversarial_loss(fake, self.adv_loss), weights)
        ratio = adversarial / kl if kl > 0 else None
        return {
            "d_real": real.sigmoid().mean(),
            "d_fake": fake.detach().sigmoid().mean(),
            "norm_kl": kl,
            "norm_adv": adversarial,
            "ratio_adv_kl": ratio,
            "alarm": float(ratio is not None and ratio > ALARM),
            "block": float(self.moves_encoder(state.step)),
        }


def _judgement(judged: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        "discriminator": judged["discriminator"],
        "d_real": judged["real"].sigmoid().mean(),
        "d_fake": judged["fake"].sigmoid().mean(),
    }


def _norm(loss: Tensor, weights: list[nn.Parameter]) -> float:
    """Norm of the gradient in float64."""
    gradients = torch.autograd.grad(loss, weights, retain_graph=True)
    return float(torch.stack([gradient.double().square().sum() for gradient in gradients]).sum().sqrt())
