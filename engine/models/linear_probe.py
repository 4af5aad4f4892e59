"""Linear probe: how much of the classes can be read off a frozen encoder's embedding by one affine layer.

    L(W, b) = −mean_i log softmax(W ẑ_i + b)_{y_i} + ½ w ‖W‖²,    ẑ = (z − mean) / deviation,  z = E(x)

| symbol | name | shape |
|---|---|---|
| z, ẑ | embedding, and standardised by the training rows | (n, m) |
| W, b | head | (c, m), (c,) |
| y | label of a training row | (n,) |

Multinomial logistic regression, all training rows in every step. The encoder is a run of its own and stays
bit-identical. Source: Alain and Bengio, "Understanding intermediate layers using linear classifier probes",
2016 (arXiv 1610.01644).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from pydantic import model_validator
from torch import Tensor, nn

from engine import registry
from engine.data.views import AtRest, Views
from engine.device import How
from engine.events import Evaluate, Event, Progress
from engine.models.acai import ACAI
from engine.models.declared import Curve, Family
from engine.models.pace import Pace, descend, numbers
from engine.models.protocols import Encodes, ModelSettings, require
from engine.models.state import State
from engine.nets.layers import linear
from engine.registry import register
from engine.settings import knob

CLASSIFIERS = Family(
    "Classifiers", "Models that were shown the classes of their training samples. A push makes them err."
)
SMALLEST = 1e-6
"""Below this deviation a coordinate of the embedding is taken to say nothing and is left unscaled."""


class Probe(nn.Module):
    """A frozen encoder, the moments of its embedding, and an affine head. Encodes and classifies."""

    def __init__(self, encoder: nn.Module, width: int, classes: int, rng: torch.Generator) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
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
        """The encoder's own embedding z: (n, m)."""
        return require(self.encoder, Encodes, "linear_probe").encode(x)

    def logits(self, x: Views) -> Tensor:
        """Class logits: (n, c)."""
        return self.read(self.encode(x))

    def read(self, z: Tensor) -> Tensor:
        """Class logits of embeddings z (n, m): (n, c)."""
        logits: Tensor = self.head((z - self.mean) / self.deviation)
        return logits


@register
class LinearProbe(ModelSettings):
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
    base_fields: ClassVar[Mapping[str, str]] = {
        "model": "encoder",
        "model_settings": "encoder_settings",
        "clusters": "encoder_clusters",
    }
    presets = {name: {"encoder": "acai", "encoder_settings": values} for name, values in ACAI.presets.items()}

    encoder: str = knob("acai", "Encoder", "The registered name of a model that encodes.")
    encoder_settings: dict[str, Any] = knob({}, "Encoder's settings", "Those that differ from its defaults.")
    encoder_clusters: int | None = knob(
        None,
        "Encoder's clusters",
        "How many the encoder looked for; as many as the data have unless set.",
        ge=2,
        advanced=True,
    )
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

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """The encoder's settings with all its fields, so that one encoder has one key. Raises FeintError."""
        object.__setattr__(self, "encoder_settings", self.reads().values())
        return self

    def __hash__(self) -> int:
        return hash(json.dumps(self.values(), sort_keys=True))

    def reads(self) -> ModelSettings:
        """The settings of the encoder."""
        found: ModelSettings = registry.find("model", self.encoder)(**self.encoder_settings)
        return found

    def bases(self) -> Mapping[str, ModelSettings]:
        """The encoder's run."""
        return {"base": self.reads()}

    def clusters_of_base(self, clusters: int | None) -> int | None:
        """What the encoder was asked for; the probe's own number is that of the classes."""
        return self.encoder_clusters

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> Probe:
        """The encoder untrained, with a head for as many classes as `clusters`."""
        return self.drawn(shapes, clusters, torch.Generator().manual_seed(0))

    def drawn(self, shapes: tuple[tuple[int, ...], ...], classes: int, rng: torch.Generator) -> Probe:
        """The encoder with a head whose weights come from `rng`. Raises AbilityError for one that does not
        encode.
        """
        encoder = self.reads().network(shapes, self.encoder_clusters or classes).eval()
        with torch.no_grad():
            one = Views(torch.zeros(1, *shape) for shape in shapes)
            width = require(encoder, Encodes, self.name).encode(one).shape[1]
        return Probe(encoder, width, classes, rng)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A head and its Adam."""
        model = self.drawn(data.shapes, clusters, rng).to(how.device)
        state = State(model, rng, how)
        state.optimisers["head"] = torch.optim.Adam(model.head.parameters(), lr=self.rate, fused=True)
        return state

    def adopt(self, state: State, bases: Mapping[str, nn.Module]) -> None:
        """The encoder's weights."""
        probe_of(state).encoder.load_state_dict(bases["base"].state_dict())

    def train_on_labels(self, state: State, data: AtRest, labels: Tensor) -> Iterator[Event]:
        """Logistic regression on the embeddings of the training rows, which are computed once."""
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


@torch.no_grad()
def standardised(probe: Probe, data: AtRest) -> Tensor:
    """ẑ of `data` (n, m); mean and deviation of its embedding become the probe's."""
    z = torch.cat([probe.encode(x) for x in data.chunks()])
    deviation = z.std(dim=0, correction=0)
    probe.mean.copy_(z.mean(dim=0))
    probe.deviation.copy_(torch.where(deviation > SMALLEST, deviation, torch.ones_like(deviation)))
    return (z - probe.mean) / probe.deviation


def probe_of(state: State) -> Probe:
    """The network of a state that a `LinearProbe` made."""
    assert isinstance(state.model, Probe)
    return state.model
