"""What multi-view clustering models have in common: one network, one loop over epochs, the parts of their
loss.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.splits import halves
from engine.data.views import AtRest, Views
from engine.device import How
from engine.errors import SettingsError
from engine.events import Evaluate, Event, Progress
from engine.models.declared import WEIGHTED_LOSSES, Arm, Curve, Family, Panel
from engine.models.pace import Pace, numbers
from engine.models.protocols import ModelSettings
from engine.models.state import State
from engine.nets.ddc import contrast, ddc
from engine.nets.views import MultiViewNet
from engine.settings import knob

FAMILY = Family(
    "Multi-view clustering",
    "Models that see a thing twice and agree with themselves. Both views are pushed, or one while the other"
    " is locked.",
    page="multiview",
    example="comvc",
    objective="mv_disrupt",
)
CLUSTERING = (
    Curve("compact", "L1, clusters apart"),
    Curve("orthogonal", "L2, assignments unlike"),
    Curve("corners", "L3, near corners"),
)
CONTRAST = Curve("contrast", "contrast of views")
ARMS = (Arm("comvc"), Arm("ar_dmvc"), Arm("ar_dmvc_am"))
"""The comparison: without defence, trained on attacked views, and with the Attack Mitigator."""


class MultiView(ModelSettings):
    """Settings of a network with an encoder a view, weighted-mean fusion and the DDC head, trained on one
    half of the data.
    """

    abilities: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "fuses")
    family: ClassVar[Family] = FAMILY
    curves: ClassVar[tuple[Curve, ...]] = (*CLUSTERING, CONTRAST)
    panels: ClassVar[tuple[Panel, ...]] = (WEIGHTED_LOSSES,)
    phases: ClassVar[Mapping[str, str]] = {"clustering": "clustering"}
    fits: ClassVar[Mapping[str, str]] = {
        "noisy_digits": "quick",
        "noisy_mnist": "mini",
        "noisy_mnist_mini": "mini",
    }
    compared_with: ClassVar[tuple[Arm, ...]] = ARMS
    rows: ClassVar[str] = "first"

    width: int = knob(
        64, "Width", "Channels of every convolution.", source="Trosten et al., 2021", ge=4, le=256
    )
    epochs: int = knob(20, "Epochs", "Passes over the training half.", source="AR-DMVC's code", ge=1, le=1000)
    batch: int = knob(
        100,
        "Batch size",
        "Samples an iteration; what does not fill the last batch is left out.",
        source="AR-DMVC's code",
        ge=2,
        le=4096,
    )
    rate: float = knob(1e-3, "Learning rate", "Adam's step.", source="AR-DMVC's code", gt=0, le=1, log=True)
    clip: float = knob(
        10.0,
        "Gradient clip",
        "Largest norm of the whole gradient; the released code does not clip.",
        source="DeepMVC (AR-DMVC's code: none)",
        gt=0,
        le=1e6,
        advanced=True,
    )

    watched: int = knob(
        100,
        "Samples under attack",
        "After every epoch so many samples of the other half are attacked (PGD-5, ε = 0.2), to be "
        "watched; training does not see them.",
        source="Feint",
        ge=0,
        le=10000,
        advanced=True,
    )

    def watched_attack(self) -> Mapping[str, Any] | None:
        """PGD on what the GAN attack is trained for, on samples that are not trained on."""
        if not self.watched:
            return None
        return {
            "attack": "pgd",
            "attack_settings": {"steps": 5},
            "objective": "mv_disrupt",
            "epsilon": 0.2,
            "n": self.watched,
            "half": "second",
        }

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> nn.Module:
        """The untrained network."""
        return self.drawn(shapes, clusters, torch.Generator().manual_seed(0))

    def drawn(self, shapes: tuple[tuple[int, ...], ...], clusters: int, rng: torch.Generator) -> MultiViewNet:
        """A network with weights from `rng`."""
        return MultiViewNet(shapes, clusters, self.width, rng)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A fresh network and its Adam. Raises SettingsError where the training half does not fill a
        batch.
        """
        if len(data) // 2 < self.batch:
            raise SettingsError(
                f"batch must be at most half the samples, for one half is trained on; got {self.batch} for"
                f" {len(data)} samples. Use at most {len(data) // 2}."
            )
        model = self.drawn(data.shapes, clusters, rng).to(how.device)
        state = State(model, rng, how)
        state.optimisers["network"] = torch.optim.Adam(model.parameters(), lr=self.rate, fused=True)
        state.counters["epoch"] = 0
        return state

    @property
    def passes(self) -> int:
        """Epochs in all."""
        return self.epochs

    def begin(self, state: State) -> None:
        """What an epoch begins with, beside its order; `state.counters["epoch"]` counts those that
        are over.
        """

    @abstractmethod
    def losses(self, state: State, x: Views) -> Mapping[str, Tensor]:
        """The parts of the loss at a batch, weighted as they are summed, in float32."""

    def update(self, state: State, x: Views) -> dict[str, Tensor]:
        """One Adam step on the sum of the parts; the parts, on the device."""
        return descend(state, self.losses(state, x), self.clip)

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """Shuffled batches of the training half, epoch after epoch, with an Evaluate after each."""
        half = torch.from_numpy(halves(len(data))[0]) if state.rows is None else state.rows
        half = half.to(state.how.device)
        data, pace, steps = data.to(state.how.device), Pace(), len(half) // self.batch
        total = self.passes * steps
        state.model.train()
        while state.step < total:
            if state.step % steps == 0:
                self.begin(state)
                state.tensors["order"] = half[torch.randperm(len(half), generator=state.rng).to(half.device)]
            place = state.step % steps * self.batch
            values = self.update(state, data.rows(state.tensors["order"][place : place + self.batch]))
            state.counters["step"] += 1
            if state.step % steps == 0:
                state.counters["epoch"] += 1
                yield Evaluate(step=state.step, total=total, values=numbers(values))
            elif pace.due():
                yield Progress(step=state.step, total=total, phase="clustering", values=numbers(values))


def descend(state: State, parts: Mapping[str, Tensor], clip: float) -> dict[str, Tensor]:
    """One step of the network's optimiser down the sum of the parts, its gradient clipped."""
    optimiser = state.optimisers["network"]
    optimiser.zero_grad(set_to_none=True)
    torch.stack(list(parts.values())).sum().backward()
    nn.utils.clip_grad_norm_(state.model.parameters(), clip)
    optimiser.step()
    return {name: part.detach() for name, part in parts.items()}


def seen(state: State, x: Views) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
    """z of each view, h and the assignment a of a batch, float32: the convolutions in the run's precision."""
    model = network_of(state)
    with state.how.autocast():
        z = model.views(Views(view.contiguous(memory_format=torch.channels_last) for view in x))
    h, logits = model.head(model.fusion(z))
    return z, h, F.softmax(logits, dim=1)


def clustering(h: Tensor, assignment: Tensor) -> dict[str, Tensor]:
    """The three parts of the DDC loss."""
    return dict(zip(("compact", "orthogonal", "corners"), ddc(h, assignment), strict=True))


def alignment(state: State, z: tuple[Tensor, ...], weight: float) -> Tensor:
    """The contrastive part, weighted also by the smallest fusion weight, through which no gradient flows."""
    smallest = F.softmax(network_of(state).weights, dim=0).min().detach()
    return weight * contrast(z, smallest)


def network_of(state: State) -> MultiViewNet:
    """The network of a state that a `MultiView` made."""
    assert isinstance(state.model, MultiViewNet)
    return state.model


QUICK: dict[str, Any] = {"width": 32, "epochs": 60}
MINI: dict[str, Any] = {"width": 16, "epochs": 20}
SMALL: dict[str, dict[str, Any]] = {"quick": QUICK, "mini": MINI}
"""Reduced settings for 8x8 images, and for a few thousand of 28x28."""
