"""What the plain autoencoders have in common: batches over the training rows, epoch by epoch."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.events import Event
from engine.models.batches import batches, steps_of, told
from engine.models.declared import Curve, Family
from engine.models.pace import Pace, descend
from engine.models.protocols import ModelSettings
from engine.models.state import State
from engine.nets.plain import PlainAutoencoder
from engine.settings import knob

AUTOENCODERS = Family(
    "Autoencoders",
    "Models that copy what they see through fewer numbers. Some samples far from any"
    " that were seen are copied better than their originals.",
    page="uae",
    example="dense_ae",
    attack="minmax",
    objective="keep_reconstruction",
)
RECONSTRUCTION = Curve("reconstruction", "reconstruction error, training rows", "squared data unit")


class Plain(ModelSettings):
    """Settings of an autoencoder that is trained on the training rows and sees no labels."""

    version: ClassVar[int] = 2
    abilities: ClassVar[tuple[str, ...]] = ("encodes", "reconstructs")
    rows: ClassVar[str] = "train"
    family: ClassVar[Family] = AUTOENCODERS
    curves: ClassVar[tuple[Curve, ...]] = (RECONSTRUCTION,)
    phases: ClassVar[Mapping[str, str]] = {"autoencoder": "training the autoencoder"}

    epochs: int = knob(20, "Epochs", "Passes over the training rows.", ge=1, le=100_000, log=True)
    steps: int | None = knob(
        None,
        "Steps",
        "Batches in place of epochs, so that trainings on more or fewer samples are compared at equal steps.",
        ge=1,
        le=10_000_000,
        advanced=True,
    )
    batch: int = knob(
        100, "Batch size", "Samples a step.", source="the paper's code", ge=1, le=8192, log=True
    )
    uae_target: Literal["self", "clean"] = knob(
        "self",
        "Target of appended samples",
        "What an attacked sample that was appended is to be copied to: self, the attacked sample; clean, the"
        " one that it was made of.",
        source="the paper's code (self; clean stands there, switched off)",
        advanced=True,
    )
    evaluations: int = knob(
        10, "Evaluations", "How often, spread evenly, the scores are taken.", ge=1, le=1000, advanced=True
    )

    @abstractmethod
    def drawn(self, shapes: tuple[tuple[int, ...], ...], rng: torch.Generator) -> PlainAutoencoder:
        """The untrained network for samples of these shapes. Raises DataError for what it cannot see."""

    @abstractmethod
    def optimiser(self, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        """What takes the steps."""

    @abstractmethod
    def loss(self, model: PlainAutoencoder, x: Views, target: Views) -> tuple[Tensor, dict[str, Tensor]]:
        """What a step makes small on a batch, (), and its parts by name: x is to be copied to `target`, which
        is x itself unless it was made of another.
        """

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> nn.Module:
        """The untrained network; it knows no clusters."""
        return self.drawn(shapes, torch.Generator().manual_seed(0))

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A fresh network with its optimiser."""
        model = self.drawn(data.shapes, rng).to(how.device)
        state = State(model, rng, how)
        state.optimisers["autoencoder"] = self.optimiser(list(model.parameters()))
        return state

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """Batches of a new order in every epoch, the last one cut short, of the training rows alone."""
        data, targets = (part.to(state.how.device) for part in self.learned(state, data))
        pace, total = Pace(), steps_of(self.steps, self.epochs, len(data), self.batch)
        for index in batches(state, len(data), self.batch, total):
            values = self.step(state, data.rows(index), targets.rows(index))
            state.counters["step"] += 1
            yield from told(state, total, self.evaluations, "autoencoder", values, pace)

    def step(self, state: State, x: Views, target: Views) -> Mapping[str, Tensor]:
        """One step down the loss of a batch; returns its parts by name."""
        with state.how.autocast():
            loss, values = self.loss(network_of(state), x, target)
        descend(state.optimisers["autoencoder"], loss)
        return values

    def learned(self, state: State, data: AtRest) -> tuple[AtRest, AtRest]:
        """The training rows, and what each of them is to be copied to."""
        rows = torch.arange(len(data)) if state.rows is None else state.rows
        own = data.subset(rows)
        if self.uae_target == "self" or state.made_of is None:
            return own, own
        return own, data.subset(state.made_of[rows])


def network_of(state: State) -> PlainAutoencoder:
    """The network of a state that a `Plain` made."""
    assert isinstance(state.model, PlainAutoencoder)
    return state.model


def small(**values: Any) -> dict[str, dict[str, Any]]:
    """Presets for digits, MNIST's 10,000 test images and two tables, of a method's own values."""
    return {
        "quick": {"width": 32, "epochs": 200} | values,
        "mnist_test": values,
        "mice_protein": {"width": 32, "epochs": 200} | values,
        "isolet": {"epochs": 50} | values,
    }


FITS = {"digits": "quick", "mnist_test": "mnist_test", "mice_protein": "mice_protein", "isolet": "isolet"}
"""Name of a data set -> the one of them that is meant for it."""
