"""Linear probe: how much of the classes can be read off a frozen encoder's embedding by one affine layer.

    L(W, b) = −mean_i log softmax(W ẑ_i + b)_{y_i} + ½ w ‖W‖²,    ẑ = (z − mean) / deviation,  z = E(x)

| symbol | name | shape |
|---|---|---|
| z, ẑ | embedding, and standardised by the training rows | (n, m) |
| W, b | head | (c, m), (c,) |
| y | label of a training row | (n,) |

Multinomial logistic regression, all training rows in every step; or, as robust encoders are published
(standard linear fine-tuning, SLF), batches by gradient descent on z as it is. There training rows are cropped
and mirrored, too; here they are embedded once. The encoder is a run of its own and stays bit-identical.
Sources: Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016 (arXiv
1610.01644); the batches: Zhang et al., ECCV 2022, arXiv:2207.10899.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Literal, Protocol, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.errors import DataError, Diverged
from engine.events import Evaluate, Event, Progress
from engine.models.acai import ACAI
from engine.models.batches import batches, steps_of, told
from engine.models.declared import Curve, Family
from engine.models.on_encoder import OnEncoder
from engine.models.pace import Pace, descend, numbers
from engine.models.protocols import Encodes, require
from engine.models.state import State
from engine.nets.dual_norm import Branch, reading
from engine.nets.layers import linear
from engine.registry import register
from engine.settings import knob

CLASSIFIERS = Family(
    "Classifiers", "Models that were shown the classes of their training samples. A push makes them err."
)
SMALLEST = 1e-6
"""Below this deviation a coordinate of the embedding is taken to say nothing and is left unscaled."""
MOMENTUM = 0.9
DROPS = (15 / 25, 20 / 25)
"""Shares of the steps after which the rate of gradient descent is a tenth of what it was."""


class Probe(nn.Module):
    """A frozen encoder, the moments of its embedding, and an affine head. Encodes and classifies."""

    def __init__(
        self,
        encoder: nn.Module,
        width: int,
        classes: int,
        rng: torch.Generator,
        branch: Branch = "adversarial",
    ) -> None:
        super().__init__()
        self.encoder, self.branch = encoder.requires_grad_(False), branch
        self.head = linear(width, classes, rng)
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def train(self, mode: bool = True) -> Self:
        """The encoder stays in eval mode."""
        super().train(mode)
        self.encoder.eval()
        return self

    def encode(self, x: Views) -> Tensor:
        """The encoder's own embedding z, through the normalisations that are read: (n, m)."""
        with reading(self.encoder, self.branch):
            return require(self.encoder, Encodes, "linear_probe").encode(x)

    def logits(self, x: Views) -> Tensor:
        """Class logits: (n, c)."""
        return self.read(self.encode(x))

    def read(self, z: Tensor) -> Tensor:
        """Class logits of embeddings z (n, m): (n, c)."""
        logits: Tensor = self.head((z - self.mean) / self.deviation)
        return logits


@register
class LinearProbe(OnEncoder):
    """Settings of the probe, and of the encoder that it reads."""

    name: ClassVar[str] = "linear_probe"
    title: ClassVar[str] = "Linear probe"
    source: ClassVar[str] = "Alain and Bengio, 2016 (arXiv 1610.01644)"
    equation: ClassVar[str] = r"L = -\mathrm{mean}_i \log \mathrm{softmax}(W \hat z_i + b)_{y_i}"
    summary: ClassVar[str] = (
        "One affine layer learns the classes from a frozen encoder's embedding, with the labels of the"
        " training rows."
    )
    abilities: ClassVar[tuple[str, ...]] = ("encodes", "classifies")
    supervised: ClassVar[bool] = True
    rows: ClassVar[str] = "train"
    family: ClassVar[Family] = CLASSIFIERS
    curves: ClassVar[tuple[Curve, ...]] = (Curve("cross_entropy", "cross-entropy, training rows", "nats"),)
    phases: ClassVar[Mapping[str, str]] = {"probe": "fitting the layer"}
    fits: ClassVar[Mapping[str, str]] = ACAI.fits
    network_kind: ClassVar[type[Probe]] = Probe
    presets = {name: {"encoder": "acai", "encoder_settings": values} for name, values in ACAI.presets.items()}

    encoder: str = knob("acai", "Encoder", "The registered name of a model that encodes.")
    steps: int = knob(
        500, "Steps", "Of Adam, on all training rows.", source="Feint", ge=1, le=100_000, log=True
    )
    rate: float = knob(0.05, "Learning rate", "Adam's step.", source="Feint", gt=0, le=10, log=True)
    decay: float = knob(
        1e-4,
        "Weight decay",
        "Of the layer's weights, not of its biases.",
        symbol="w",
        source="Feint",
        ge=0,
        le=10,
        advanced=True,
    )
    evaluate_every: int = knob(
        50, "Steps between evaluations", source="Feint", ge=1, le=100_000, advanced=True
    )

    protocol: Literal["regression", "published"] = knob(
        "regression",
        "Protocol",
        "regression: Adam on all training rows, z standardised; published: batches by gradient descent, z as"
        " it is.",
        source="Feint; published: DeACL's code",
        added_later=True,
    )
    epochs: int = knob(
        25,
        "Epochs",
        "Of the published protocol.",
        source="DeACL's code",
        ge=1,
        le=100_000,
        log=True,
        added_later=True,
    )
    batch: int = knob(
        512,
        "Batch size",
        "Of the published protocol.",
        source="DeACL's code",
        ge=1,
        le=8192,
        log=True,
        added_later=True,
    )
    branch: Branch = knob(
        "adversarial",
        "Normalisations",
        "Those that are read, of an encoder that normalises clean and attacked samples apart.",
        source="ACL's code",
        advanced=True,
        added_later=True,
    )

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> Probe:
        """The encoder untrained, with a head for as many classes as `clusters`."""
        return self.drawn(shapes, clusters, torch.Generator().manual_seed(0))

    def drawn(self, shapes: tuple[tuple[int, ...], ...], classes: int, rng: torch.Generator) -> Probe:
        """The encoder with a head whose weights come from `rng`. Raises AbilityError for one that does not
        encode.
        """
        return probe_on(self, shapes, classes, rng, self.branch, self.network_kind)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A head and its optimiser."""
        model = self.drawn(data.shapes, clusters, rng).to(how.device)
        state, head = State(model, rng, how), model.head.parameters()
        state.optimisers["head"] = (
            descent(model, self.rate, self.decay)
            if self.protocol == "published"
            else torch.optim.Adam(head, lr=self.rate, fused=True)
        )
        return state

    def adopt(self, state: State, bases: Mapping[str, nn.Module]) -> None:
        """The encoder's weights."""
        self.take(probe_of(state).encoder, bases["base"])

    def train_on_labels(self, state: State, data: AtRest, labels: Tensor) -> Iterator[Event]:
        """Logistic regression on the embeddings of the training rows, which are computed once. Raises
        DataError for a single class, Diverged where the rate is too high.
        """
        at_least_two(labels)
        if self.protocol == "published":
            z = embedded(probe_of(state), data.to(state.how.device))
            every = self.epochs * -(-len(z) // self.batch) // self.evaluate_every
            yield from by_descent(state, self, max(1, every), labels, lambda index: z[index])
        else:
            yield from self._by_regression(state, data, labels)

    def _by_regression(self, state: State, data: AtRest, labels: Tensor) -> Iterator[Event]:
        probe, pace = probe_of(state), Pace()
        z = standardised(probe, data.to(state.how.device))
        while state.step < self.steps:
            cross_entropy = F.cross_entropy(probe.head(z), labels)
            penalty = 0.5 * self.decay * probe.head.weight.square().sum()
            descend(state.optimisers["head"], cross_entropy + penalty)
            state.counters["step"] += 1
            values = {"cross_entropy": cross_entropy.detach()}
            if state.step % self.evaluate_every == 0 or state.step == self.steps:
                yield Evaluate(step=state.step, total=self.steps, values=numbers(values))
            elif pace.due():
                yield Progress(step=state.step, total=self.steps, phase="probe", values=numbers(values))


class ByDescent(Protocol):
    """Settings of a head that learns by gradient descent."""

    rate: float
    epochs: int
    batch: int


def probe_on(
    settings: OnEncoder,
    shapes: tuple[tuple[int, ...], ...],
    classes: int,
    rng: torch.Generator,
    branch: Branch,
    kind: type[Probe] = Probe,
) -> Probe:
    """The untrained encoder of these settings with a head whose weights come from `rng`. Raises AbilityError
    for one that does not encode.
    """
    encoder = settings.untrained(shapes, classes).eval()
    with torch.no_grad():
        one = Views(torch.zeros(1, *shape) for shape in shapes)
        width = require(encoder, Encodes, settings.name).encode(one).shape[1]
    return kind(encoder, width, classes, rng, branch)


def descent(probe: Probe, rate: float, decay: float) -> torch.optim.Optimizer:
    """Stochastic gradient descent of the head, as published."""
    return torch.optim.SGD(probe.head.parameters(), lr=rate, momentum=MOMENTUM, weight_decay=decay)


def by_descent(
    state: State,
    settings: ByDescent,
    evaluations: int,
    labels: Tensor,
    embedding: Callable[[Tensor], Tensor],
) -> Iterator[Event]:
    """Batches in a new order in every epoch; `embedding` gives z (b, m) of the rows (b,). Raises Diverged."""
    probe, pace, optimiser = probe_of(state), Pace(), state.optimisers["head"]
    total = steps_of(None, settings.epochs, len(labels), settings.batch)
    for index in batches(state, len(labels), settings.batch, total):
        loss = F.cross_entropy(probe.read(embedding(index)), labels[index])
        drops = sum(state.step >= share * total for share in DROPS)
        optimiser.param_groups[0]["lr"] = settings.rate / 10**drops
        descend(optimiser, loss)
        state.counters["step"] += 1
        said = loss.detach()
        for event in told(state, total, evaluations, "probe", {"cross_entropy": said}, pace):
            check_descent(float(said), probe.head.out_features, settings.rate, state.step == total)
            yield event


def check_descent(loss: float, classes: int, rate: float, ended: bool) -> None:
    """Raises Diverged where the loss is no number, or in the end far above that of guessing."""
    guessing = math.log(classes)
    if math.isfinite(loss) and not (ended and loss > 2 * guessing):
        return
    raise Diverged(
        f"The layer does not learn at a rate of {rate:g}: its cross-entropy is {loss:.3g} nats, and guessing"
        f" has {guessing:.3g}. Take a lower rate; 10 is for embeddings of small norm alone."
    )


def at_least_two(labels: Tensor) -> None:
    """Raises DataError where all training rows have one class."""
    if len(labels) and bool((labels == labels[0]).all()):
        raise DataError(
            "A probe learns classes from at least 2 of them; all training rows have one. Choose data with"
            " more."
        )


@torch.no_grad()
def embedded(probe: Probe, data: AtRest) -> Tensor:
    """z of `data`: (n, m)."""
    return torch.cat([probe.encode(x) for x in data.chunks()])


@torch.no_grad()
def standardised(probe: Probe, data: AtRest) -> Tensor:
    """ẑ of `data` (n, m); mean and deviation of its embedding become the probe's."""
    z = embedded(probe, data)
    deviation = z.std(dim=0, correction=0)
    probe.mean.copy_(z.mean(dim=0))
    probe.deviation.copy_(torch.where(deviation > SMALLEST, deviation, torch.ones_like(deviation)))
    return (z - probe.mean) / probe.deviation


def probe_of(state: State) -> Probe:
    """The network of a state that a `LinearProbe` made."""
    assert isinstance(state.model, Probe)
    return state.model
