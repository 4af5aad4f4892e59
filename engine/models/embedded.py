"""What DEC*, IDEC* and ADEC have in common: the base they start from, target P, batches, refreshes and the
stop.

Every T iterations P is made anew from the whole clean set; between refreshes it is a constant. The three see
the same batches when they stand on the same base: batch i is drawn from a seed taken from the base's centres,
plus i.

Source: Xie et al., ICML 2016 (DEC); Mrabah et al., 2019 (arXiv 1909.11832), algorithm 1.
"""

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.events import Evaluate, Event, Progress
from engine.models.acai import ACAI
from engine.models.declared import LOSSES, Arm, Curve, Family, Panel
from engine.models.pace import Pace, numbers
from engine.models.pretraining import ARMS, DEEP, FITS
from engine.models.protocols import ModelSettings
from engine.models.state import State
from engine.nets.augmentation import augmented
from engine.nets.autoencoder import ClusteringAutoencoder, embed
from engine.nets.layers import finite
from engine.nets.student_t import assignment_loss, log_assignment, target_distribution
from engine.settings import knob


class EmbeddedState(State):
    """A training on a base: `tensors` holds p (n, k) and the labels (n,) of the last refresh.

    Counters: step (iterations), order (seed of the batches), encoder_updates, moved (encoder updates since
    the last refresh), refreshed (its step), settled, and latest, the values of the last event.
    """

    model: ClusteringAutoencoder

    def __init__(
        self,
        settings: "Embedded",
        model: ClusteringAutoencoder,
        rng: torch.Generator,
        how: How,
        extra: dict[str, nn.Module],
    ) -> None:
        super().__init__(model, rng, how, extra)
        self.settings = settings
        self.counters |= {"encoder_updates": 0, "moved": 0, "refreshed": -1, "settled": False, "latest": {}}

    def losses(self, x: Views, index: Tensor) -> dict[str, Tensor]:
        """As `State.losses`; {} before the first refresh of P."""
        if "p" not in self.tensors:
            return {}
        z = self.model.encode(x)
        log_q = log_assignment(z, self.model.centres)
        kl = assignment_loss(self.tensors["p"][index.to(z.device)], log_q)
        return {"pseudo": kl, "q": log_q.exp()} | self.settings.regularised(self, self.model.units(x), z, kl)

    def probe_rows(self, n: int) -> Tensor | None:
        """A fixed random subset, at the first refresh after every `delta_every` iterations and at the end."""
        every, interval = self.settings.delta_every, self.settings.interval
        between = self.step > 0 and self.step // every == (self.step - interval) // every
        if between and self.step < self.settings.iterations and not self.counters["settled"]:
            return None
        return torch.randperm(n, generator=self.order(-1))[: self.settings.probe]

    def order(self, step: int) -> torch.Generator:
        """The generator of batch `step`: the same for every method on one base."""
        return torch.Generator().manual_seed(self.counters["order"] + 1 + step)


CLUSTERING = Curve("kl", "clustering, KL(P‖Q)")
SETTLED = Curve("label_change", "samples that changed their cluster", "share", "settling")
SETTLING = Panel(
    "settling",
    "Has it settled?",
    "Between two refreshes of P. Training has settled where fewer than the tolerance change.",
    y_title="share",
)


class Embedded(ModelSettings):
    """Settings of a clustering phase that starts from an ACAI base and its k-means centres."""

    abilities: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "reconstructs", "decodes")
    family: ClassVar[Family] = DEEP
    panels: ClassVar[tuple[Panel, ...]] = (LOSSES, SETTLING)
    along: ClassVar[Mapping[str, str]] = {"encoder_updates": "encoder updates"}
    phases: ClassVar[Mapping[str, str]] = {"clustering": "clustering"}
    fits: ClassVar[Mapping[str, str]] = FITS
    compared_with: ClassVar[tuple[Arm, ...]] = ARMS
    control: ClassVar[Arm | None] = Arm("dec_star")
    base_fields: ClassVar[Mapping[str, str]] = {"model_settings": "base"}

    base: ACAI = knob(
        ACAI(), "Base", "The pretrained autoencoder whose weights and centres this method starts from."
    )
    iterations: int = knob(
        100_000,
        "Iterations",
        "At most; each a batch, whatever it updates.",
        source="ADEC, section 5",
        ge=1,
        le=1_000_000,
        log=True,
    )
    interval: int = knob(
        140,
        "Iterations between refreshes of P",
        "The paper does not say; 140 for MNIST, 30 for about 10,000 samples.",
        symbol="T",
        source="DEC's and IDEC's codes",
        ge=1,
        le=10_000,
        log=True,
    )
    batch: int = knob(256, "Batch size", "Samples an iteration.", source="ADEC", ge=1, le=8192, log=True)
    rate: float = knob(1e-3, "Learning rate", "SGD's step.", source="ADEC, section 5", gt=0, le=10, log=True)
    momentum: float = knob(0.9, "Momentum", "SGD's.", source="ADEC, section 5", ge=0, lt=1, advanced=True)
    tolerance: float = knob(
        1e-3,
        "Tolerance",
        "Training has settled when fewer than this share of the samples change their cluster between"
        " refreshes.",
        symbol="tol",
        source="DEC",
        ge=0,
        le=1,
        log=True,
    )
    stop_at_tolerance: bool = knob(
        True,
        "Stop when settled",
        "Off: go on to the last iteration; the share of changed clusters is shown either way.",
        source="DEC",
    )
    cluster_augment: bool = knob(
        False,
        "Augment while clustering",
        "Turn and shift the images of each batch; P stays that of the clean images.",
        source="DynAE's code (on); ADEC does not say",
        advanced=True,
    )
    probe: int = knob(
        4096,
        "Samples of a gradient probe",
        "A fixed random subset; all samples where there are fewer.",
        source="Feint's choice",
        ge=2,
        le=100_000,
        advanced=True,
    )
    delta_every: int = knob(
        140,
        "Iterations between gradient probes",
        "Δ_FR and Δ_FD are measured at the first refresh after each.",
        source="ADEC's figures 7 and 8",
        ge=1,
        le=1_000_000,
        advanced=True,
    )

    def bases(self) -> Mapping[str, ModelSettings]:
        """The ACAI run on the same data and seed, unless another was chosen."""
        return {"base": self.base}

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> ClusteringAutoencoder:
        """The base's network: clustering adds nothing to it."""
        return self.base.network(shapes, clusters)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> EmbeddedState:
        """Fresh networks and one SGD for each part that steps by itself."""
        model = self.base.drawn(data.size, clusters, rng).to(how.device)
        state = EmbeddedState(self, model, rng, how, self.extra(data.size, rng))
        state.extra.to(how.device)
        for name, weights in self.owners(state).items():
            state.optimisers[name] = torch.optim.SGD(
                weights, lr=self.rate_of(name), momentum=self.momentum, fused=True
            )
        return state

    def adopt(self, state: State, bases: Mapping[str, nn.Module]) -> None:
        """The base's weights, scale and centres; the order of the batches follows from the centres."""
        weights = bases["base"].state_dict()
        state.model.load_state_dict(weights)
        digest = hashlib.sha256(weights["centres"].float().cpu().numpy().tobytes()).digest()
        state.counters["order"] = int.from_bytes(digest[:6])

    def extra(self, size: int, rng: torch.Generator) -> dict[str, nn.Module]:
        """Networks that only training needs."""
        return {}

    def rate_of(self, optimiser: str) -> float:
        """The learning rate of an optimiser."""
        return self.rate

    @abstractmethod
    def owners(self, state: EmbeddedState) -> Mapping[str, list[nn.Parameter]]:
        """Optimiser name -> the parameters it owns."""

    @abstractmethod
    def update(self, state: EmbeddedState, x: Tensor, p: Tensor) -> dict[str, Tensor]:
        """One iteration on the scaled batch x (b, d) with its targets p (b, k); the losses, on the device."""

    @abstractmethod
    def regularised(self, state: EmbeddedState, x: Tensor, z: Tensor, kl: Tensor) -> dict[str, Tensor]:
        """ "self", "total" and the "weighted:" parts of `State.losses`, for scaled x (n, d) and its z
        (n, m).
        """

    def prepare(self, state: EmbeddedState, data: AtRest) -> Iterator[Event]:
        """What comes before the first iteration."""
        yield from ()

    def signs(self, state: EmbeddedState, x: Tensor, p: Tensor) -> dict[str, Tensor | float | None]:
        """What an evaluation adds, from the batch that comes next."""
        return {}

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """Refresh, evaluate, iterate; from wherever `state` is to the end or until the clusters have
        settled.
        """
        assert isinstance(state, EmbeddedState), "a state comes from this settings class's skeleton"
        data, pace = data.to(state.how.device), Pace()
        latest: dict[str, Tensor | float | None] = dict(state.counters["latest"])
        yield from self.prepare(state, data)
        while not state.counters["settled"]:
            done = state.step >= self.iterations
            if (done or state.step % self.interval == 0) and state.counters["refreshed"] != state.step:
                latest |= refresh(state, data)
                latest |= self.signs(state, *self.minibatch(state, data))
                state.counters["settled"] = self.stop_at_tolerance and state.counters["quiet"]
                yield Evaluate(step=state.step, total=self.iterations, values=self.reported(state, latest))
            if done or state.counters["settled"]:
                return
            latest |= self.update(state, *self.minibatch(state, data))
            state.counters["step"] += 1
            if pace.due():
                yield Progress(
                    step=state.step,
                    total=self.iterations,
                    phase="clustering",
                    values=self.reported(state, latest),
                )

    def minibatch(self, state: EmbeddedState, data: AtRest) -> tuple[Tensor, Tensor]:
        """Batch number `state.step`: scaled x (b, d) and its targets p (b, k)."""
        index = torch.randint(len(data), (self.batch,), generator=state.order(state.step)).to(
            state.how.device
        )
        x = data.rows(index)
        if self.cluster_augment:
            x = augmented(x, state.rng, self.base.rotation, self.base.shift)
        return state.model.units(x), state.tensors["p"][index]

    def reported(
        self, state: EmbeddedState, values: Mapping[str, Tensor | float | None]
    ) -> dict[str, float | None]:
        """The values of an event: how often the encoder has moved, losses and signs; a resumed training goes
        on from them.
        """
        state.counters["latest"] = numbers(values)
        return {"encoder_updates": float(state.counters["encoder_updates"])} | state.counters["latest"]


@torch.no_grad()
def refresh(state: EmbeddedState, data: AtRest) -> dict[str, Tensor | float | None]:
    """Make P anew from the whole clean set, in float32, and see how much has changed.

    The first refresh compares with nothing, and one before which the encoder did not move compares with what
    was before that: neither can end the training, though no label has changed. Raises Diverged.
    """
    z = finite(embed(state.model, data))
    q = log_assignment(z, state.model.centres).exp()
    labels, counters = q.argmax(1), state.counters
    compared = counters["moved"] > 0 and "labels" in state.tensors
    change = float((labels != state.tensors["labels"]).float().mean()) if compared else None
    if compared or "labels" not in state.tensors:
        state.tensors["labels"] = labels
    state.tensors["p"] = target_distribution(q)
    counters |= {
        "moved": 0,
        "refreshed": state.step,
        "quiet": change is not None and change < state.settings.tolerance,
    }
    smallest = float(labels.bincount(minlength=q.shape[1]).min())
    return {"label_change": change, "smallest_cluster": smallest, "z_std": z.std(0, correction=0).mean()}


def count_update(state: EmbeddedState) -> None:
    """Count one update of the encoder."""
    state.counters["encoder_updates"] += 1
    state.counters["moved"] += 1


SMALL: dict[str, dict[str, Any]] = {
    "quick": {
        "base": ACAI.presets["quick"],
        "iterations": 3000,
        "interval": 20,
        "stop_at_tolerance": False,
        "delta_every": 60,
    },
    "mnist_test": {
        "base": ACAI.presets["mnist_test"],
        "iterations": 1200,
        "interval": 30,
        "stop_at_tolerance": False,
        "delta_every": 30,
        "probe": 1000,
    },
}
"""Reduced settings for digits (8x8) and the 10,000 test images of MNIST."""
