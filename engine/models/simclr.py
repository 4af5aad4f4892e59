"""SimCLR: an encoder that knows two random views of a picture as one, among the views of all others.

    L = mean over pairs of −2/τ cos(z, z') + log Σ_{a ≠ z} e^{cos(z, a)/τ} + log Σ_{a ≠ z'} e^{cos(z', a)/τ},
    z = g(E(x'))

| symbol | name | shape |
|---|---|---|
| E | encoder: its output is the embedding | (n, m) |
| g | projection head, of which only the loss knows | (n, p) |
| τ | temperature | () |

Crops, flips and colours are drawn for a whole batch at once. Pictures are not normalised first unless
`normalised` says so: the batch normalisation behind the first layer takes their mean and scale out, but at
the border. Source: Chen, Kornblith, Norouzi and Hinton, ICML 2020, arXiv:2002.05709; settings of Hsu, Chen,
Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895.
"""

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.errors import DataError
from engine.events import Event
from engine.models.batches import batches, steps_of, told
from engine.models.declared import Curve, Family
from engine.models.pace import Pace, descend
from engine.models.protocols import ModelSettings
from engine.models.state import State
from engine.nets.contrastive import (
    ContrastiveNetwork,
    ConvolvingContrastiveNetwork,
    Normalise,
    RandomViews,
    nt_xent,
)
from engine.nets.lars import LARS
from engine.nets.resnet import normalised_layers, resnet, three_convolutions
from engine.registry import register
from engine.settings import knob

CONTRASTIVE = Family(
    "Contrastive encoders",
    "Encoders that know two views of a picture as one. A push moves one towards the neighbouring cluster.",
    page="contrastive",
    example="ncp_acl",
    objective="chase_neighbour",
    defence="ncp_acl",
)
QUICK = {"encoder": "three_convolutions", "optimiser": "adam", "rate": 1e-3, "batch": 256, "flip": 0.0}
SMALL = {"encoder": "small_resnet", "projection": (128, 128, 64), "crop": 0.2, "epochs": 60} | {
    "optimiser": "adam",
    "rate": 1e-3,
    "batch": 256,
}
"""Of colour pictures on two cores."""


@register
class SimCLR(ModelSettings):
    """Settings of the encoder, of its head, of the views and of the training."""

    name: ClassVar[str] = "simclr"
    title: ClassVar[str] = "SimCLR"
    source: ClassVar[str] = "Chen, Kornblith, Norouzi and Hinton, ICML 2020, arXiv:2002.05709"
    equation: ClassVar[str] = (
        r"L = \mathrm{mean} \left[ -\log \frac{e^{\cos(z, z')/\tau}}{\sum_{a \neq z} e^{\cos(z, a)/\tau}}"
        r" - \log \frac{e^{\cos(z', z)/\tau}}{\sum_{a \neq z'} e^{\cos(z', a)/\tau}} \right]"
    )
    summary: ClassVar[str] = (
        "An encoder that tells two random views of one picture from those of all others. UAE's criterion for"
        " it is constant as published; attacks here use the repaired one (Keep the contrast)."
    )
    abilities: ClassVar[tuple[str, ...]] = ("encodes", "contrasts")
    rows: ClassVar[str] = "train"
    family: ClassVar[Family] = CONTRASTIVE
    curves: ClassVar[tuple[Curve, ...]] = (Curve("contrast", "contrastive loss, last batch", "nats"),)
    phases: ClassVar[Mapping[str, str]] = {"simclr": "training the encoder"}
    fits: ClassVar[Mapping[str, str]] = {
        "digits": "quick",
        "mnist_test": "mnist_test",
        "cifar10": "cifar10",
        "cifar10_jpeg": "cifar10",
        "cifar10_jpeg_mini": "small",
    }
    presets = {
        "quick": QUICK | {"crop": 0.4, "epochs": 60, "rate": 3e-3, "projection": (128, 128, 64)},
        "mnist_test": QUICK | {"crop": 0.3, "epochs": 20},
        "cifar10": {},
        "small": SMALL,
    }

    encoder: Literal["auto", "layers", "three_convolutions", "small_resnet", "resnet18"] = knob(
        "auto",
        "Encoder",
        "auto: three convolutions below 16 x 16, a small residual network below 32 x 32, else ResNet-18.",
        source="the paper: ResNet-18",
    )
    projection: tuple[int, ...] = knob(
        (512, 512, 128), "Projection head", "Widths of its layers.", source="the paper's code", min_length=1
    )
    temperature: float = knob(
        0.5, "Temperature", symbol="τ", source="the paper's code", gt=0, le=10, log=True
    )
    crop: float = knob(
        0.08, "Smallest crop", "Share of the area, at least.", source="the paper's code", gt=0, le=1
    )
    flip: float = knob(0.5, "Flips", "How often a view is mirrored.", source="the paper's code", ge=0, le=1)
    strength: float = knob(
        0.5, "Jitter of colours", "Its strength; 0.8 of all views.", source="the paper's code", ge=0, le=1
    )
    grey: float = knob(0.2, "Grey views", "How often, in colour.", source="the paper's code", ge=0, le=1)
    blur: float = knob(
        0.0,
        "Blurred views",
        "How often; by a radius of 0.1 to 2 pixels.",
        source="NCP-ACL: 0.5 in colour",
        ge=0,
        le=1,
        added_later=True,
    )
    normalised: bool = knob(
        False,
        "Normalised first",
        "The encoder first takes mean and deviation of each channel of its training pictures out of what it"
        " sees; ε stays in pixels.",
        source="NCP-ACL, DeACL: on",
        added_later=True,
        advanced=True,
    )
    epochs: int = knob(
        1000, "Epochs", "Passes over the training rows.", source="the paper", ge=1, le=100_000, log=True
    )
    steps: int | None = knob(
        None,
        "Steps",
        "Batches in place of epochs, so that trainings on more or fewer samples are compared at equal steps.",
        ge=1,
        le=10_000_000,
        advanced=True,
    )
    batch: int = knob(
        512,
        "Batch size",
        "Pictures a step, each seen twice; what is left of an epoch is left out.",
        source="the paper's code",
        ge=2,
        le=8192,
        log=True,
    )
    optimiser: Literal["lars", "lars_clipped", "adam"] = knob(
        "lars",
        "Optimiser",
        "lars_clipped: no weight's step is longer than that of plain descent, η = 0.02.",
        source="the paper's code; clipped: solo-learn",
    )
    rate: float = knob(
        1.0,
        "Learning rate",
        "For a batch of 256, and in proportion for others.",
        source="the paper's code",
        gt=0,
        le=10,
        log=True,
    )
    momentum: float = knob(0.9, "Momentum", "Of LARS.", source="the paper's code", ge=0, lt=1, advanced=True)
    decay: float = knob(
        1e-4, "Weight decay", "Of LARS.", source="the paper's code", ge=0, le=1, advanced=True
    )
    warm_up: float = knob(
        0.01,
        "Warm-up",
        "Share of the steps in which the rate grows; it then falls along a cosine.",
        source="the paper's code: 10 of 1,000 epochs",
        ge=0,
        lt=1,
        advanced=True,
    )
    evaluations: int = knob(
        10, "Evaluations", "How often, spread evenly, the scores are taken.", ge=1, le=1000, advanced=True
    )

    def drawn(self, shapes: tuple[tuple[int, ...], ...], rng: torch.Generator) -> ContrastiveNetwork:
        """The network with weights from `rng`. Raises DataError for what are no single pictures."""
        if len(shapes) != 1 or len(shapes[0]) != 3 or shapes[0][0] not in (1, 3):
            had = " and ".join("x".join(map(str, shape)) + " numbers" * (len(shape) == 1) for shape in shapes)
            raise DataError(
                f"{self.name} crops and colours one picture a sample, grey or in colour; these data have"
                f" {had}. Choose an autoencoder."
            )
        channels, height, width = shapes[0]
        encoder, m = self._encoder(channels, height, width, rng)
        if self.normalised:
            encoder = nn.Sequential(Normalise(channels), *encoder)
        head = normalised_layers((m, *self.projection), rng, end=False)
        side = height, width
        views = RandomViews(side, channels, self.crop, self.flip, self.strength, self.grey, blur=self.blur)
        flat = self.encoder == "layers"
        kind = ContrastiveNetwork if flat else ConvolvingContrastiveNetwork
        return kind(encoder, head, views, self.temperature, flat)

    def _encoder(
        self, channels: int, height: int, width: int, rng: torch.Generator
    ) -> tuple[nn.Sequential, int]:
        """E, and how many numbers it gives."""
        side, chosen = min(height, width), self.encoder
        if chosen == "auto":
            chosen = "three_convolutions" if side < 16 else "small_resnet" if side < 32 else "resnet18"
        if chosen == "layers":
            return normalised_layers((channels * height * width, 256, 128), rng), 128
        if chosen == "three_convolutions":
            return three_convolutions(channels, 32, rng), 128
        if chosen == "small_resnet":
            return resnet(channels, (16, 32, 64), 1, rng), 64
        encoder = resnet(channels, (64, 128, 256, 512), 2, rng)
        return encoder.to(memory_format=torch.channels_last), 512  # type: ignore[call-overload]

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> nn.Module:
        """The untrained network; it knows no clusters."""
        return self.drawn(shapes, torch.Generator().manual_seed(0))

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A fresh network with its optimiser."""
        state = State(self.drawn(data.shapes, rng).to(how.device), rng, how)
        weights = state.model.parameters()
        state.optimisers["simclr"] = (
            torch.optim.Adam(weights, lr=self.rate, fused=True)
            if self.optimiser == "adam"
            else LARS(weights, self.rate, self.momentum, self.decay, self.optimiser == "lars_clipped")
        )
        return state

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """Whole batches of a new order in every epoch, of the training rows alone."""
        data = data if state.rows is None else data.subset(state.rows)
        data, pace = data.to(state.how.device), Pace()
        total = steps_of(self.steps, self.epochs, len(data), self.batch, whole=True)
        first = network_of(state).train().encoder[0]
        if isinstance(first, Normalise) and state.step == 0:
            first.like(data)
        for index in batches(state, len(data), self.batch, total, whole=True):
            loss = self.loss(state, data.rows(index))
            share = min(len(index), self.batch) / 256
            state.optimisers["simclr"].param_groups[0]["lr"] = (
                self.rate * share * self.pace(state.step, total)
            )
            descend(state.optimisers["simclr"], loss)
            state.counters["step"] += 1
            yield from told(state, total, self.evaluations, "simclr", {"contrast": loss.detach()}, pace)

    def loss(self, state: State, x: Views) -> Tensor:
        """The mean contrastive loss of two random views of a batch."""
        model = network_of(state)
        one, two = (model.views.seen(x[0], model.views.draw(x.n, state.rng)) for _ in range(2))
        with state.how.autocast():
            z = model.project(Views([torch.cat([one, two])]))
        return nt_xent(z[: x.n], z[x.n :], self.temperature).mean()

    def pace(self, step: int, total: int) -> float:
        """The rate's share at a step: growing in the warm-up, then falling along a cosine."""
        warm = round(self.warm_up * total)
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def network_of(state: State) -> ContrastiveNetwork:
    """The network of a state that `SimCLR` made."""
    assert isinstance(state.model, ContrastiveNetwork)
    return state.model
