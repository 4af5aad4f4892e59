"""What the networks of robust deep clustering have in common: four stages of training and the parts of their
loss.

    L_rec = λ_r ‖x − G(z̃)‖²,  z̃ = m + e^{ℓ/2} ⊙ ε;    L_kl = Σ_k y_k ½ Σ_i [e^{ℓ_i} + (m_i − μ_ki)² − 1 −
        ℓ_i];    L_cat = Σ_k y_k log y_k

all means over the batch of sums over a sample, y = C(m). At μ = 0 the clusters are alike and stay so: a plain
VAE comes first, k-means places μ, the head learns its labels, then everything is trained together.

Source: Yang, Deng, Wei, Yan and Liu, NeurIPS 2020; losses as in its public code, which lacks the training
(the four stages are Feint's).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.errors import DataError, SettingsError
from engine.events import Evaluate, Event, Progress
from engine.models.declared import WEIGHTED_LOSSES, Arm, Curve, Family, Panel
from engine.models.forward_pass import ForwardPass, divergence, forward_pass, minibatch, sampled, vae_of
from engine.models.pace import Pace, descend, numbers
from engine.models.protocols import ModelSettings
from engine.models.state import State
from engine.nets.autoencoder import unit_scale
from engine.nets.k_means import k_means
from engine.nets.variational import ClusteringVAE, head_gap
from engine.settings import Width, knob

TINY = 1e-7


FAMILY = Family(
    "Robust clustering",
    "The embedding is moved, not the pixels: decoded pictures stay alike, the cluster changes; then the"
    " network is defended, and attacked anew.",
    page="robust",
    example="conv_ae",
    attack="latent_attack",
    objective="flip_and_keep",
    defence="latent_defence",
)
FITS = {"digits": "quick", "mnist_test": "mini", "newsgroups4": "text", "reuters_r8": "text"}
ARMS = (Arm("conv_ae"), Arm("conv_ae_mie"), Arm("conv_ae_graph"))
LOSS = (
    Curve("reconstruction", "reconstruction"),
    Curve("prior", "KL to the prior"),
    Curve("categorical", "Σ y log y"),
    Curve("cross_entropy", "cross-entropy of the head"),
)
HEALTH = (
    Curve("smallest_share", "share of the smallest cluster", "share", "health"),
    Curve("head_gap", "head gap, nats", "nats", "health"),
)
HEALTHY = Panel("health", "Is it healthy?", "Head gap: KL of C(m) from what the prior means imply.")


class Variational(ModelSettings):
    """Settings of the network and of its four stages."""

    abilities: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "reconstructs", "decodes")
    family: ClassVar[Family] = FAMILY
    curves: ClassVar[tuple[Curve, ...]] = (*LOSS, *HEALTH)
    panels: ClassVar[tuple[Panel, ...]] = (WEIGHTED_LOSSES, HEALTHY)
    phases: ClassVar[Mapping[str, str]] = {
        "autoencoder": "training the autoencoder",
        "head": "teaching the head the labels of k-means",
        "clustering": "clustering",
    }
    fits: ClassVar[Mapping[str, str]] = FITS
    compared_with: ClassVar[tuple[Arm, ...]] = ARMS

    embedding: int = knob(
        64,
        "Latent dimension",
        "Numbers that a sample is pressed into.",
        symbol="d",
        source="the paper's tables: 64 to 512",
        ge=1,
        le=1024,
    )
    form: Literal["conv", "dense"] = knob(
        "conv",
        "Network",
        "conv: strided convolutions, for images; dense: layers of the widths below. Vectors are always "
        "dense.",
        source="the public code (images)",
    )
    filters: tuple[Width, Width] = knob(
        (32, 64), "Filters", "Channels of the convolutions.", source="the public code"
    )
    hidden: tuple[Width, ...] = knob(
        (1024, 512),
        "Hidden widths",
        "Of a dense network; the decoder mirrors them.",
        source="Feint",
        min_length=1,
        max_length=6,
    )
    head: tuple[Width, ...] = knob(
        (1024, 1024, 512),
        "Widths of the clustering head",
        "Between embedding and assignment.",
        source="the public code",
        min_length=1,
        max_length=6,
    )
    output: Literal["auto", "sigmoid", "linear", "softplus"] = knob(
        "auto",
        "Decoder ends with",
        "auto: sigmoid for images, linear for vectors. softplus suits word counts.",
        source="the public code (images)",
        advanced=True,
    )
    normalise: Literal["none", "mean_square"] = knob(
        "none",
        "Scaling of the input",
        "none: [0, 1] as it is; mean_square: one number for the whole set, so that the mean of x² is 1.",
        source="the public code",
        advanced=True,
    )
    weight: float = knob(
        2.5,
        "Weight of the reconstruction",
        "Of the squared error, summed over the numbers of a sample.",
        symbol="λ_r",
        source="the public code",
        gt=0,
        le=1e6,
    )
    warm_steps: int = knob(
        500,
        "Steps of the plain autoencoder",
        "Before there are clusters.",
        source="Feint",
        ge=1,
        le=1_000_000,
        log=True,
    )
    head_steps: int = knob(
        300,
        "Steps of the head",
        "To learn the labels of k-means.",
        source="Feint",
        ge=1,
        le=100_000,
        log=True,
    )
    joint_steps: int = knob(
        2000,
        "Steps of the clustering loss",
        "Everything together. The public code: at most 50,000.",
        source="Feint",
        ge=1,
        le=1_000_000,
        log=True,
    )
    batch: int = knob(
        1000,
        "Batch size",
        "Samples a step, without replacement; all of them where there are fewer.",
        source="the public code",
        ge=2,
        le=8192,
        log=True,
    )
    rate: float = knob(1e-3, "Learning rate", "Adam's step.", source="the public code", gt=0, le=1, log=True)
    evaluate_every: int = knob(
        50,
        "Steps between evaluations",
        "An epoch of the public code.",
        source="the public code",
        ge=1,
        le=1_000_000,
        log=True,
    )
    starts: int = knob(
        20, "k-means starts", "The best of so many counts.", source="DEC", ge=1, le=200, advanced=True
    )

    @property
    def total(self) -> int:
        """Steps of all stages."""
        return self.warm_steps + self.head_steps + self.joint_steps

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> ClusteringVAE:
        """The untrained network."""
        return self.drawn(shapes, clusters, torch.Generator().manual_seed(0))

    def drawn(self, shapes: Sequence[Sequence[int]], clusters: int, rng: torch.Generator) -> ClusteringVAE:
        """A network with weights from `rng`. Raises DataError for several views, and for images too small for
        convolutions.
        """
        if len(shapes) != 1:
            raise DataError(
                f"{self.name} takes samples of one view; these have {len(shapes)}. Choose other data, or a"
                " multi-view model."
            )
        image = len(shapes[0]) == 3
        output = ("sigmoid" if image else "linear") if self.output == "auto" else self.output
        return ClusteringVAE(
            shapes[0],
            clusters,
            self.embedding,
            conv=image and self.form == "conv",
            filters=self.filters,
            hidden=self.hidden,
            head=self.head,
            output=output,
            rng=rng,
        )

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A fresh network, what its modules need, and an Adam for each stage."""
        model = self.drawn(data.shapes, clusters, rng)
        if self.normalise == "mean_square":
            model.scale.copy_(unit_scale(data))
        state = State(model.to(how.device), rng, how, self.extra(data.size, rng))
        state.extra.to(how.device)
        plain = [
            weight for name, weight in model.named_parameters() if not name.startswith(("head.", "centres"))
        ]
        owners = {
            "plain": plain,
            "head": list(model.head.parameters()),
            "joint": [*model.parameters(), *state.extra.parameters()],
        }
        for name, weights in owners.items():
            state.optimisers[name] = torch.optim.Adam(
                [weight for weight in weights if weight.requires_grad], lr=self.rate, fused=True
            )
        return state

    def extra(self, size: int, rng: torch.Generator) -> dict[str, nn.Module]:
        """Networks that only training needs, for samples of `size` numbers."""
        return {}

    def module(self, state: State, x: Views, m: Tensor, y: Tensor) -> dict[str, Tensor]:
        """What a module adds to the loss of a batch with embeddings m (n, d) and assignments y (n, k),
        weighted: nothing here.
        """
        return {}

    def parts(self, state: State, x: Views) -> tuple[dict[str, Tensor], ForwardPass]:
        """The parts of the clustering loss of a batch, weighted as they are summed, in float32; and the
        forward pass they come from.
        """
        made = forward_pass(state, x)
        model = vae_of(state)
        y = made.log_y.exp()
        parts = {
            "reconstruction": self.weight * (made.x_hat - made.x).square().sum(1).mean(),
            "prior": divergence(made.m, made.log_variance, model.centres, y).mean(),
            "categorical": (y * (y + TINY).log()).sum(1).mean(),
        }
        return parts | self.module(state, x, made.m, y), made

    def update(self, state: State, x: Views) -> dict[str, Tensor]:
        """One step of the stage that `state` is in; the parts of its loss, on the device."""
        if state.step < self.warm_steps:
            parts = self._plain(state, x)
            descend(state.optimisers["plain"], torch.stack(list(parts.values())).sum())
        elif state.step < self.warm_steps + self.head_steps:
            parts = self._taught(state, x)
            descend(state.optimisers["head"], parts["cross_entropy"])
        else:
            parts = self.parts(state, x)[0]
            descend(state.optimisers["joint"], torch.stack(list(parts.values())).sum())
        return {name: part.detach() for name, part in parts.items()}

    def _plain(self, state: State, x: Views) -> dict[str, Tensor]:
        model = vae_of(state)
        with state.how.autocast():
            m, log_variance = model.moments(x)
            x_hat = model.generate(sampled(m, log_variance, state.rng))
        standard = 0.5 * (log_variance.exp() + m.square() - 1 - log_variance).sum(1).mean()
        return {
            "reconstruction": self.weight * (x_hat - model.units(x).flatten(1)).square().sum(1).mean(),
            "prior": standard,
        }

    def _taught(self, state: State, x: Views) -> dict[str, Tensor]:
        model = vae_of(state)
        with torch.no_grad():
            m = model.encode(x)
            nearest = torch.cdist(m, model.centres, compute_mode="donot_use_mm_for_euclid_dist").argmin(1)
        return {"cross_entropy": F.nll_loss(model.log_assign_embedding(m), nearest)}

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """The stages one after the other; evaluated from the end of the head's on, for before there are no
        clusters.
        """
        data, pace = data.to(state.how.device), Pace()
        clustered = self.warm_steps + self.head_steps
        while state.step < self.total:
            if state.step == self.warm_steps:
                place_means(state, data, self.starts)
            values = self.update(state, minibatch(state, data, self.batch))
            state.counters["step"] += 1
            due = state.step >= clustered and (state.step - clustered) % self.evaluate_every == 0
            if due or state.step == self.total:
                yield Evaluate(
                    step=state.step, total=self.total, values=numbers(values | health(state, data))
                )
            elif pace.due():
                stage = (
                    "autoencoder"
                    if state.step < self.warm_steps
                    else "head"
                    if state.step < clustered
                    else "clustering"
                )
                yield Progress(step=state.step, total=self.total, phase=stage, values=numbers(values))


@torch.no_grad()
def place_means(state: State, data: AtRest, starts: int) -> None:
    """Put the prior means where k-means finds them in the embedding of the clean set."""
    model = vae_of(state)
    if len(data) < len(model.centres):
        raise SettingsError(
            f"There must be at least as many samples as clusters; got {len(data)} for {len(model.centres)}."
            " Ask for fewer clusters."
        )
    centres, _ = k_means(
        torch.cat([model.encode(x) for x in data.chunks()]), len(model.centres), state.rng, starts
    )
    model.centres.copy_(centres)


@torch.no_grad()
def health(state: State, data: AtRest) -> dict[str, Tensor | float | None]:
    """Signs of a collapse: the share of the smallest cluster, and how far the head is from the assignment
    that the means imply.
    """
    model = vae_of(state)
    m = torch.cat([model.encode(x) for x in data.chunks()])
    log_y = model.log_assign_embedding(m)
    smallest = log_y.argmax(1).bincount(minlength=log_y.shape[1]).min() / len(m)
    return {"smallest_share": smallest, "head_gap": head_gap(m, log_y, model.centres).mean()}


QUICK: dict[str, Any] = {
    "embedding": 10,
    "form": "dense",
    "hidden": (128, 128),
    "head": (128, 128),
    "warm_steps": 1500,
    "head_steps": 300,
    "joint_steps": 1500,
    "batch": 256,
    "evaluate_every": 150,
}
MINI: dict[str, Any] = {
    "filters": (16, 32),
    "head": (256, 256),
    "warm_steps": 400,
    "head_steps": 100,
    "joint_steps": 400,
    "batch": 256,
    "evaluate_every": 50,
}
TEXT: dict[str, Any] = {
    "embedding": 64,
    "hidden": (256, 128),
    "head": (128, 128),
    "output": "softplus",
    "normalise": "mean_square",
    "warm_steps": 400,
    "head_steps": 100,
    "joint_steps": 400,
    "batch": 256,
    "evaluate_every": 50,
}
SMALL: dict[str, dict[str, Any]] = {"quick": QUICK, "mini": MINI, "text": TEXT}
"""Reduced settings: 8x8 digits, 10,000 images of 28x28, documents of some thousand word weights."""
