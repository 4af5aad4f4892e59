"""Classifier: a small convolutional network, or two dense layers where samples are no pictures of 16 x 16 or
more.

    conv a – conv b – max 2 – conv c – conv e – max 2 – dense f – dropout – dense g – logits    (3 x 3, ReLU)

    L = −mean_i log softmax(s(x_i))_{y_i}

Source: the classifiers of Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895, which are those of Carlini
and Wagner, S&P 2017, arXiv:1608.04644. They hold 5,000 training images out for validation; here all training
rows are trained on.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.errors import DataError
from engine.events import Event
from engine.models.batches import batches, steps_of, told
from engine.models.declared import Curve, Family
from engine.models.linear_probe import CLASSIFIERS
from engine.models.pace import Pace, descend
from engine.models.protocols import ModelSettings
from engine.models.state import State
from engine.nets.classifier import SMALLEST, ClassNetwork, convolving_classifier, dense_classifier
from engine.registry import register
from engine.settings import Width, knob


@register
class Classifier(ModelSettings):
    """Settings of the network and of its training."""

    name: ClassVar[str] = "classifier"
    title: ClassVar[str] = "Classifier"
    source: ClassVar[str] = "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895"
    equation: ClassVar[str] = r"L = -\mathrm{mean}_i \log \mathrm{softmax}(s(x_i))_{y_i}"
    summary: ClassVar[str] = (
        "A small convolutional network, or a dense one, learns the classes of the training rows."
    )
    abilities: ClassVar[tuple[str, ...]] = ("encodes", "classifies")
    supervised: ClassVar[bool] = True
    rows: ClassVar[str] = "train"
    family: ClassVar[Family] = CLASSIFIERS
    curves: ClassVar[tuple[Curve, ...]] = (Curve("cross_entropy", "cross-entropy, last batch", "nats"),)
    phases: ClassVar[Mapping[str, str]] = {"classifier": "training the classifier"}
    fits: ClassVar[Mapping[str, str]] = {
        "digits": "quick",
        "mnist_test": "mnist_test",
        "mnist": "mnist",
        "fashion_mnist": "mnist",
        "cifar10": "cifar10",
        "svhn": "cifar10",
        "cifar10_jpeg": "cifar10",
        "mice_protein": "table",
        "isolet": "table",
        "har": "table",
    }
    presets = {
        "quick": {"widths": (64, 32), "epochs": 100, "batch": 32},
        "mnist_test": {"epochs": 20},
        "mnist": {},
        "table": {"epochs": 100, "rate": 0.05},
        "cifar10": {"filters": (64, 64, 128, 128), "widths": (256, 256)},
    }

    network_kind: Literal["auto", "convolutions", "dense"] = knob(
        "auto",
        "Network",
        "auto: convolutions for single pictures of at least 16 x 16, else dense layers.",
        source="Feint",
        advanced=True,
    )
    filters: tuple[Width, Width, Width, Width] = knob(
        (32, 32, 64, 64), "Filters", "Of the four convolutions.", source="the paper's code, MNIST"
    )
    widths: tuple[Width, Width] = knob(
        (200, 200), "Dense widths", "Of the two layers before the logits.", source="the paper's code, MNIST"
    )
    dropout: float = knob(
        0.5, "Dropout", "Share of numbers left out between them.", source="the paper's code", ge=0, lt=1
    )
    epochs: int = knob(
        50, "Epochs", "Passes over the training rows.", source="the paper's code", ge=1, le=100_000, log=True
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
        128, "Batch size", "Samples a step.", source="the paper's code", ge=1, le=8192, log=True
    )
    rate: float = knob(
        0.01, "Learning rate", "Of gradient descent.", source="the paper's code", gt=0, le=1, log=True
    )
    decay: float = knob(
        1e-6,
        "Decay of the rate",
        "After t steps it is rate / (1 + decay · t).",
        source="the paper's code",
        ge=0,
        le=1,
        advanced=True,
    )
    momentum: float = knob(
        0.9, "Momentum", "Nesterov's.", source="the paper's code", gt=0, lt=1, advanced=True
    )
    evaluations: int = knob(
        10, "Evaluations", "How often, spread evenly, the scores are taken.", ge=1, le=1000, advanced=True
    )

    def drawn(self, shapes: tuple[tuple[int, ...], ...], classes: int, rng: torch.Generator) -> ClassNetwork:
        """The network with weights from `rng`. Raises DataError where convolutions were asked for and samples
        are too small for them.
        """
        picture = len(shapes) == 1 and len(shapes[0]) == 3 and min(shapes[0][1:]) >= SMALLEST
        if self.network_kind == "convolutions" and not picture:
            had = " and ".join("x".join(map(str, shape)) for shape in shapes)
            raise DataError(
                f"Convolutions need one picture a sample of at least {SMALLEST}x{SMALLEST}; these data have"
                f" {had}. Leave network_kind at auto."
            )
        if picture and self.network_kind != "dense":
            return convolving_classifier(shapes[0], self.filters, self.widths, self.dropout, classes, rng)
        size = sum(torch.Size(shape).numel() for shape in shapes)
        return dense_classifier(size, self.widths, self.dropout, classes, rng)

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> nn.Module:
        """The untrained network for as many classes as `clusters`."""
        return self.drawn(shapes, clusters, torch.Generator().manual_seed(0))

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A fresh network with its optimiser, stochastic gradient descent with Nesterov's momentum."""
        state = State(self.drawn(data.shapes, clusters, rng).to(how.device), rng, how)
        state.optimisers["classifier"] = torch.optim.SGD(
            state.model.parameters(), lr=self.rate, momentum=self.momentum, nesterov=True
        )
        return state

    def train_on_labels(self, state: State, data: AtRest, labels: Tensor) -> Iterator[Event]:
        """Batches of a new order in every epoch, the last one cut short."""
        data, pace, model = data.to(state.how.device), Pace(), network_of(state).train()
        total = steps_of(self.steps, self.epochs, len(data), self.batch)
        optimiser = state.optimisers["classifier"]
        for index in batches(state, len(data), self.batch, total):
            x = self.trained_on(state, data.rows(index), labels[index])
            optimiser.param_groups[0]["lr"] = self.rate / (1 + self.decay * state.step)
            with state.how.autocast():
                loss = F.cross_entropy(model.logits(x), labels[index])
            descend(optimiser, loss)
            state.counters["step"] += 1
            values = {"cross_entropy": loss.detach()}
            yield from told(state, total, self.evaluations, "classifier", values, pace)

    def trained_on(self, state: State, x: Views, labels: Tensor) -> Views:
        """What a step learns from, given a batch: the batch."""
        return x


def network_of(state: State) -> ClassNetwork:
    """The network of a state that a `Classifier` made."""
    assert isinstance(state.model, ClassNetwork)
    return state.model
