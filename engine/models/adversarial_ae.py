"""Adversarial autoencoder: a discriminator pulls the code towards a normal distribution.

    three steps a batch, each with its own Adam:
    1. E, G down   mean (x − G(E(x)))²
    2. D down      −mean [ log D(p) + log(1 − D(E(x))) ],    p ~ N(0, I)
    3. E down      −mean log D(E(x))

| symbol | name | shape |
|---|---|---|
| E, G | encoder d-h-h-z and decoder z-h-h-d, ReLU inside | |
| D | discriminator z-h-h-1 | |

The published code ends in a sigmoid: it lies in (0, 1)^z, where N(0, I) does not, so that D can always win.
Source: Makhzani, Shlens, Jaitly, Goodfellow and Frey, arXiv:1511.05644, 2015; sizes and order of the steps by
Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.models.declared import Curve
from engine.models.pace import descend
from engine.models.plain_autoencoder import RECONSTRUCTION, Plain, network_of
from engine.models.state import State
from engine.nets.layers import float32
from engine.nets.plain import PlainAutoencoder, dense
from engine.registry import register
from engine.settings import knob

SMALL = {"width": 128, "rate": 1e-3}
"""For data of thousands of samples; a published one is fourteen megabytes."""


@register
class AdversarialAE(Plain):
    """Settings of the adversarial autoencoder."""

    name: ClassVar[str] = "adversarial_ae"
    title: ClassVar[str] = "Adversarial autoencoder"
    source: ClassVar[str] = "Makhzani et al., arXiv:1511.05644; sizes of Hsu et al., AAAI 2022"
    equation: ClassVar[str] = (
        r"L = \mathrm{mean}\,(x - G(E(x)))^2 - \mathrm{mean} \log D(E(x)), \quad"
        r" D \text{ tells } E(x) \text{ from } \mathcal{N}(0, I)"
    )
    summary: ClassVar[str] = "An autoencoder whose codes a second network cannot tell from random ones."
    curves: ClassVar[tuple[Curve, ...]] = (
        RECONSTRUCTION,
        Curve("discriminator", "loss of the discriminator", "nats"),
        Curve("generator", "loss of the encoder against it", "nats"),
    )
    fits: ClassVar[Mapping[str, str]] = {"digits": "quick", "mnist_test": "mnist_test"}
    presets = {"quick": SMALL | {"epochs": 200}, "mnist_test": SMALL}

    epochs: int = knob(
        50,
        "Epochs",
        "Passes over the training rows.",
        source="supplement, table 7",
        ge=1,
        le=100_000,
        log=True,
    )
    width: int = knob(
        1000, "Hidden width", "Of both layers of each network.", source="the paper's code", ge=1, le=8192
    )
    code: int = knob(
        2, "Code", "Numbers a sample is pressed into.", symbol="z", source="the paper's code", ge=1, le=1024
    )
    code_activation: Literal["sigmoid", "linear"] = knob(
        "sigmoid",
        "End of the encoder",
        "sigmoid: as published, codes in (0, 1); linear: codes that can follow the normal distribution.",
        source="the paper's code",
    )
    rate: float = knob(
        1e-4, "Learning rate", "Of all three Adams.", source="the paper's code", gt=0, le=1, log=True
    )

    def drawn(self, shapes: tuple[tuple[int, ...], ...], rng: torch.Generator) -> PlainAutoencoder:
        """Encoder and decoder with weights from `rng`."""
        size = sum(torch.Size(shape).numel() for shape in shapes)
        encoder = self._three(size, self.code, rng)
        if self.code_activation == "sigmoid":
            encoder.append(nn.Sigmoid())
        return PlainAutoencoder(encoder, self._three(self.code, size, rng).append(nn.Sigmoid()))

    def _three(self, inputs: int, outputs: int, rng: torch.Generator) -> nn.Sequential:
        return nn.Sequential(
            dense(inputs, self.width, rng),
            nn.ReLU(),
            dense(self.width, self.width, rng),
            nn.ReLU(),
            dense(self.width, outputs, rng),
        )

    def discriminator(self, rng: torch.Generator) -> nn.Sequential:
        """D without its last sigmoid, which is part of the loss: (n, z) -> (n, 1)."""
        return self._three(self.code, 1, rng)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """Fresh networks with three optimisers."""
        model = self.drawn(data.shapes, rng).to(how.device)
        judge = self.discriminator(rng).to(how.device)
        state = State(model, rng, how, extra={"discriminator": judge})
        for name, owner in (("autoencoder", model), ("discriminator", judge), ("generator", model.encoder)):
            state.optimisers[name] = self.optimiser(list(owner.parameters()))
        return state

    def optimiser(self, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(weights, lr=self.rate, eps=1e-7, fused=True)

    def loss(self, model: PlainAutoencoder, x: Views, target: Views) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean squared error of the batch: the first of the three steps."""
        error = F.mse_loss(float32(model.decoder(model.encoder(model.seen(x)))), model.seen(target))
        return error, {"reconstruction": error.detach()}

    def step(self, state: State, x: Views, target: Views) -> Mapping[str, Tensor]:
        """The three steps; the discriminator takes two, each on half of the codes and draws together."""
        values = dict(super().step(state, x, target))
        model, judge, how = network_of(state), state.extra["discriminator"], state.how
        with torch.no_grad(), how.autocast():
            codes = model.encode(x)
        both = torch.cat([codes, torch.randn(codes.shape, generator=state.rng).to(codes.device)])
        truth = (torch.arange(len(both), device=both.device) >= len(codes)).float()[:, None]
        for half in torch.randperm(len(both), generator=state.rng).to(both.device).chunk(2):
            values["discriminator"] = self._judged(state, judge(both[half]), truth[half], "discriminator")
        with how.autocast():
            said = judge(model.encode(x))
        values["generator"] = self._judged(state, said, torch.ones_like(said), "generator")
        return values

    def _judged(self, state: State, said: Tensor, truth: Tensor, who: str) -> Tensor:
        """One step of the optimiser `who` towards the discriminator's saying `truth`; the loss before it."""
        loss = F.binary_cross_entropy_with_logits(float32(said), truth.float())
        descend(state.optimisers[who], loss)
        return loss.detach()
