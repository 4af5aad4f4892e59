"""Concrete autoencoder: picks k features from which a decoder draws all others.

    W = softmax((A + G) / τ),    x̂ = D(x Wᵀ),    L = mean (x − x̂)²,    τ_t = τ₀ (τ₁ / τ₀)^{t/T}

| symbol | name | shape |
|---|---|---|
| A | logits of the k mixtures | (k, d) |
| G | Gumbel noise, one matrix a batch | (k, d) |
| τ | temperature | () |

Trained, each mixture is the one feature of its largest logit, and nothing is random. A training that leaves
them undecided begins anew with twice the epochs. Source: Balın, Abid and Zou, "Concrete autoencoders", ICML
2019, arXiv:1901.09346; sizes of Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.errors import DataError
from engine.events import Event
from engine.models.batches import batches, steps_of, told
from engine.models.declared import Curve, Panel
from engine.models.pace import Pace
from engine.models.plain_autoencoder import RECONSTRUCTION, Plain
from engine.models.state import State
from engine.nets.layers import Dropout, float32
from engine.nets.plain import PlainAutoencoder, SelectingAutoencoder, Selector, dense
from engine.registry import register
from engine.settings import Width, knob

PARTS, SMALLEST_BATCH = 256, 16
"""The published batch is a 256th of the samples, but at least 16."""
DECIDED = Panel("decided", "Has it decided?", "Largest weight of each mixture, averaged.", share=True)


@register
class ConcreteAE(Plain):
    """Settings of the concrete autoencoder."""

    version: ClassVar[int] = 3

    name: ClassVar[str] = "concrete_ae"
    title: ClassVar[str] = "Concrete autoencoder"
    source: ClassVar[str] = "Balın, Abid and Zou, ICML 2019, arXiv:1901.09346; sizes of Hsu et al., AAAI 2022"
    equation: ClassVar[str] = (
        r"L = \mathrm{mean}\,(x - D(x W^\top))^2, \quad W = \mathrm{softmax}((A + G)/\tau)"
    )
    summary: ClassVar[str] = "Chooses a few features of the data, and draws all the others from them."
    curves: ClassVar[tuple[Curve, ...]] = (
        RECONSTRUCTION,
        Curve("certainty", "certainty", "share", "decided"),
    )
    panels: ClassVar[tuple[Panel, ...]] = (*Plain.panels, DECIDED)
    fits: ClassVar[Mapping[str, str]] = {
        "digits": "quick",
        "mnist_test": "mnist_test",
        "mice_protein": "mice_protein",
        "isolet": "isolet",
    }
    presets = {
        "quick": {"features": 10, "hidden": (64,), "epochs": 80, "batch": 32, "rate": 3e-3, "tries": 1},
        "mnist_test": {"epochs": 60, "batch": 64, "tries": 1},
        "mice_protein": {"features": 10, "hidden": (64,), "epochs": 300, "batch": 32, "tries": 1},
        "isolet": {"epochs": 60, "batch": 64, "tries": 1},
    }

    features: int = knob(
        50, "Features", "How many are picked.", symbol="k", source="the paper's code, MNIST", ge=1, le=8192
    )
    hidden: tuple[Width, ...] = knob(
        (320, 320), "Hidden widths", "Of the decoder.", source="the paper's code"
    )
    dropout: float = knob(
        0.1, "Dropout", "After each hidden layer.", source="the paper's code", ge=0, lt=1, advanced=True
    )
    hottest: float = knob(
        10.0, "First temperature", symbol="τ₀", source="Balın et al.", gt=0, le=1000, advanced=True
    )
    coldest: float = knob(
        0.1, "Last temperature", symbol="τ₁", source="Balın et al.", gt=0, le=1000, advanced=True
    )
    epochs: int = knob(
        800,
        "Epochs",
        "Passes over the training rows, at first.",
        source="the paper's code (Balın et al.: 300)",
        ge=1,
        le=100_000,
        log=True,
    )
    batch: int = knob(
        0,
        "Batch size",
        "Samples a step. 0: a 256th of the samples, but at least 16.",
        source="Balın et al.",
        ge=0,
        le=8192,
    )
    certain: float = knob(
        0.998,
        "Certain enough",
        "A training by epochs ends early where the largest weight of each mixture, averaged, is so large; one"
        " of so many steps does not.",
        source="Balın et al.",
        gt=0,
        le=1,
        advanced=True,
    )
    tries: int = knob(
        5,
        "Tries",
        "How often it may begin anew with twice the epochs while it is not certain.",
        source="Balın et al.",
        ge=1,
        le=10,
        advanced=True,
    )
    rate: float = knob(1e-3, "Learning rate", "Adam's step.", source="Balın et al.", gt=0, le=1, log=True)

    def drawn(self, shapes: tuple[tuple[int, ...], ...], rng: torch.Generator) -> SelectingAutoencoder:
        """k-hidden-d with weights from `rng`. Raises DataError for more features than there are."""
        size = sum(torch.Size(shape).numel() for shape in shapes)
        if self.features > size:
            raise DataError(
                f"{self.name} was asked to pick {self.features} features; these data have {size}. Ask for"
                " fewer."
            )
        selector = Selector(size, self.features, self.hottest, rng)
        layers: list[nn.Module] = []
        width = self.features
        for outputs in self.hidden:
            layers += [dense(width, outputs, rng), nn.LeakyReLU(0.2), Dropout(self.dropout, rng)]
            width = outputs
        return SelectingAutoencoder(selector, nn.Sequential(*layers, dense(width, size, rng)))

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A fresh network with its optimiser, at the first of its tries."""
        state = super().skeleton(data, clusters, rng, how)
        state.counters |= {"begun": 0, "tries": 1}
        return state

    def optimiser(self, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(weights, lr=self.rate, eps=1e-7, fused=True)

    def loss(self, model: PlainAutoencoder, x: Views, target: Views) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean squared error of the batch."""
        error = F.mse_loss(float32(model.decoder(model.encoder(model.seen(x)))), model.seen(target))
        return error, {"reconstruction": error.detach()}

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """Try by try, each twice as long as the one before, until it is certain or none is left; once, where
        the steps are given.
        """
        data, targets = (part.to(state.how.device) for part in self.learned(state, data))
        model = network_of(state).train()
        batch = self.batch or max(len(data) // PARTS, SMALLEST_BATCH)
        epoch = -(-len(data) // batch)
        while not self._decided(state, epoch):
            epochs = self.epochs * 2 ** (state.counters["tries"] - 1)
            length = steps_of(self.steps, epochs, len(data), batch)
            yield from self._one_try(state, (data, targets), batch, length)
            if self._decided(state, epoch) or self.steps or state.counters["tries"] == self.tries:
                return
            model.load_state_dict(self.drawn(data.shapes, state.rng).state_dict())
            state.optimisers["autoencoder"].state.clear()
            state.counters |= {"begun": state.step, "tries": state.counters["tries"] + 1}

    def _one_try(self, state: State, data: tuple[AtRest, AtRest], batch: int, length: int) -> Iterator[Event]:
        """The steps of a try that are left, fewer where it is certain at the end of an epoch."""
        pace, selector, begun = Pace(), network_of(state).selector, state.counters["begun"]
        n = len(data[0])
        for index in batches(state, n, batch, begun + length):
            cooled = (self.coldest / self.hottest) ** ((state.step + 1 - begun) / length)
            selector.temperature.fill_(self.hottest * cooled)
            values = dict(self.step(state, *(part.rows(index) for part in data)))
            values["certainty"] = torch.tensor(selector.certainty())
            state.counters["step"] += 1
            done = self._decided(state, -(-n // batch))
            end = state.step if done else begun + length
            yield from told(state, end, self.evaluations, "autoencoder", values, pace)
            if done:
                return

    def _decided(self, state: State, epoch: int) -> bool:
        """Whether an epoch of its try has ended, and it is certain; never where the steps are given, so that
        trainings of equal steps are.
        """
        if self.steps:
            return False
        done = state.step - state.counters["begun"]
        return done > 0 and done % epoch == 0 and network_of(state).selector.certainty() >= self.certain


def network_of(state: State) -> SelectingAutoencoder:
    """The network of a state that a `ConcreteAE` made."""
    assert isinstance(state.model, SelectingAutoencoder)
    return state.model
