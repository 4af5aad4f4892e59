"""What the autoencoders have in common that deep clustering begins with: sizes, batches, k-means at every
evaluation.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.events import Evaluate, Event, Progress
from engine.models.declared import Arm, Curve, Family
from engine.models.pace import Pace, numbers
from engine.models.protocols import ModelSettings
from engine.models.state import State
from engine.nets.augmentation import augmented
from engine.nets.autoencoder import ClusteringAutoencoder, embed, unit_scale
from engine.nets.k_means import k_means
from engine.settings import Width, knob

DEEP = Family(
    "Deep clustering",
    "Models that sort samples without labels. A small push sends a sample to another cluster.",
    example="adec",
)
FITS = {"digits": "quick", "mnist_test": "mnist_test"}
ARMS = (
    Arm("dec_star"),
    Arm("idec_star"),
    Arm("adec"),
    Arm("adec", {"adv_weight": 0.0}),
)
"""The comparison on one base: clustering alone, with reconstruction, with an adversary, and with a decoder
that only follows.
"""
RECONSTRUCTION = Curve("reconstruction", "reconstruction")


class Pretraining(ModelSettings):
    """Settings of an autoencoder d-hidden-m that ends with k-means on its embedding."""

    abilities: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "reconstructs", "decodes")
    family: ClassVar[Family] = DEEP
    phases: ClassVar[Mapping[str, str]] = {"autoencoder": "training the autoencoder"}
    fits: ClassVar[Mapping[str, str]] = FITS
    compared_with: ClassVar[tuple[Arm, ...]] = ARMS

    hidden: tuple[Width, ...] = knob(
        (500, 500, 2000),
        "Hidden widths",
        "Widths between input and embedding; the decoder mirrors them.",
        source="Xie et al., 2016 (DEC)",
        min_length=1,
        max_length=6,
    )
    embedding: int = knob(
        10, "Embedding size", "Numbers that a sample is pressed into.", symbol="d", source="DEC", ge=1, le=512
    )
    iterations: int = knob(
        130_000, "Iterations", "Batches to train on.", source="ADEC, section 5", ge=1, le=1_000_000, log=True
    )
    batch: int = knob(
        256,
        "Batch size",
        "Samples an iteration; even, since each is mixed with its mirror image in the batch.",
        source="ADEC",
        ge=2,
        le=8192,
        multiple_of=2,
        log=True,
    )
    rate: float = knob(1e-4, "Learning rate", "Adam's step.", source="ADEC, section 5", gt=0, le=1, log=True)
    augment: bool = knob(
        True,
        "Augment images",
        "Turn and shift each image of a batch a little; what is not an image stays as it is.",
        source="ADEC",
    )
    rotation: float = knob(
        10.0,
        "Largest rotation",
        "Either way.",
        unit="degrees",
        source="DynAE's code",
        ge=0,
        le=180,
        advanced=True,
    )
    shift: float = knob(
        0.1,
        "Largest shift",
        "Either way, as a share of width and height.",
        source="DynAE's code",
        ge=0,
        le=0.5,
        advanced=True,
    )
    normalise: Literal["mean_square", "none"] = knob(
        "mean_square",
        "Scaling of the input",
        "mean_square: one number for the whole set, so that the mean of x² is 1; none: [0, 1] as it is. "
        "It multiplies the reconstruction error by its square, so it also decides what λ and γ mean.",
        source="ADEC (mean square), DynAE's code (none)",
        advanced=True,
    )
    evaluate_every: int = knob(
        2800,
        "Iterations between evaluations",
        "k-means runs and the scores are taken.",
        source="DynAE's code",
        ge=1,
        le=1_000_000,
        log=True,
    )
    starts: int = knob(
        20, "k-means starts", "The best of so many counts.", source="DEC", ge=1, le=200, advanced=True
    )

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> ClusteringAutoencoder:
        """The untrained autoencoder for samples of these shapes."""
        size = sum(torch.Size(shape).numel() for shape in shapes)
        return self.drawn(size, clusters, torch.Generator().manual_seed(0))

    def drawn(self, size: int, clusters: int, rng: torch.Generator) -> ClusteringAutoencoder:
        """An autoencoder for d = `size` with weights from `rng`."""
        return ClusteringAutoencoder(size, self.hidden, self.embedding, clusters, rng)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """Fresh networks, scaled to `data`, with an Adam for each optimiser the method needs."""
        model = self.drawn(data.size, clusters, rng)
        if self.normalise == "mean_square":
            model.scale.copy_(unit_scale(data))
        state = State(model.to(how.device), rng, how, self.extra(data.size, rng))
        state.extra.to(how.device)
        owners: dict[str, list[nn.Module]] = {"autoencoder": [model.encoder, model.decoder]}
        owners |= {name: [network] for name, network in state.extra.items()}
        for name, nets in owners.items():
            state.optimisers[name] = torch.optim.Adam(
                [weight for net in nets for weight in net.parameters()], lr=self.rate, fused=True
            )
        return state

    def extra(self, size: int, rng: torch.Generator) -> dict[str, nn.Module]:
        """Networks that only training needs; each gets an optimiser of its name."""
        return {}

    @abstractmethod
    def update(self, state: State, x: Tensor) -> dict[str, Tensor]:
        """One iteration on the scaled batch x (b, d); the losses, on the device."""

    def minibatch(self, state: State, data: AtRest) -> Views:
        """A random batch, augmented where asked."""
        index = torch.randint(len(data), (self.batch,), generator=state.rng)
        x = data.rows(index.to(state.how.device))
        return augmented(x, state.rng, self.rotation, self.shift) if self.augment else x

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """Iterate to the end; k-means places the centres before each Evaluate."""
        data, pace, model = data.to(state.how.device), Pace(), autoencoder_of(state)
        while state.step < self.iterations:
            values = self.update(state, model.units(self.minibatch(state, data)))
            state.counters["step"] += 1
            if state.step % self.evaluate_every == 0 or state.step == self.iterations:
                place_centres(state, data, self.starts)
                yield Evaluate(step=state.step, total=self.iterations, values=numbers(values))
            elif pace.due():
                yield Progress(
                    step=state.step, total=self.iterations, phase="autoencoder", values=numbers(values)
                )


@torch.no_grad()
def place_centres(state: State, data: AtRest, starts: int) -> None:
    """Put the model's centres where k-means finds them in the embedding of the clean set."""
    model = autoencoder_of(state)
    centres, _ = k_means(embed(model, data), len(model.centres), state.rng, starts)
    model.centres.copy_(centres)


def autoencoder_of(state: State) -> ClusteringAutoencoder:
    """The network of a state that a `Pretraining` made."""
    assert isinstance(state.model, ClusteringAutoencoder)
    return state.model


SMALL: dict[str, dict[str, Any]] = {
    "quick": {"hidden": (128, 128, 256), "iterations": 4000, "rate": 1e-3, "evaluate_every": 500},
    "mnist_test": {"hidden": (256, 256, 512), "iterations": 6000, "rate": 1e-3, "evaluate_every": 1000},
}
"""Reduced settings for digits (8x8) and the 10,000 test images of MNIST. For the latter 1,500 iterations
leave ACC at 0.595 (seed 0), 4,000 at 0.771, 6,000 at 0.820, 12,000 at 0.837.
"""
