"""Spherical k-means on a frozen encoder: clusters of the directions of its embedding.

    max_C Σ_i max_k cos(z_i, C_k),    log q_ik = log softmax_k (cos(z_i, C_k) / τ),    z = E(x)

| symbol | name | shape |
|---|---|---|
| z | embedding of a training row | (n, m) |
| C | unit centroids | (k, m) |
| τ | 0.1 | () |

The centroids are found once, and the encoder stays bit-identical. Sources: Dhillon and Modha, Machine
Learning 2001; seeds by AFK-MC² (Bachem et al., NeurIPS 2016). The soft assignment is Feint's: centroids give
none.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.events import Evaluate, Event
from engine.models.declared import Curve, Family
from engine.models.on_encoder import OnEncoder
from engine.models.protocols import Encodes, require
from engine.models.simclr import CONTRASTIVE, SimCLR
from engine.models.state import State
from engine.nets.spherical_k_means import spherical_k_means
from engine.registry import register
from engine.settings import knob

TEMPERATURE = 0.1
"""τ: cosines lie close together, so a softmax of them alone would be nearly even."""


class Directed(nn.Module):
    """What has unit centroids: an embedding that is compared with them. Encodes, clusters, compares."""

    directions: Tensor  # (k, m)

    def encode(self, x: Views) -> Tensor:
        """The embedding z: (n, m)."""
        raise NotImplementedError

    def centroids(self) -> Tensor:
        """Unit rows, one a cluster: (k, m)."""
        return self.directions

    def log_assign(self, x: Views) -> Tensor:
        """log q, by the cosines with the centroids: (n, k)."""
        return self.log_assign_embedding(self.encode(x))

    def log_assign_embedding(self, z: Tensor) -> Tensor:
        """log q of embeddings z (n, m): (n, k)."""
        cosines = F.normalize(z, dim=1) @ self.directions.T
        return F.log_softmax(cosines / TEMPERATURE, dim=1)


class FrozenDirected(Directed):
    """A frozen encoder with centroids of its embedding."""

    def __init__(self, encoder: nn.Module, width: int, clusters: int) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.register_buffer("directions", torch.zeros(clusters, width))

    def train(self, mode: bool = True) -> Self:
        """The encoder stays in eval mode."""
        super().train(mode)
        self.encoder.eval()
        return self

    def encode(self, x: Views) -> Tensor:
        """The encoder's own embedding z: (n, m)."""
        return require(self.encoder, Encodes, "spherical_k_means").encode(x)


@register
class SphericalKMeans(OnEncoder):
    """Settings of the search, and of the encoder on whose embedding it works."""

    name: ClassVar[str] = "spherical_k_means"
    title: ClassVar[str] = "Spherical k-means"
    source: ClassVar[str] = "Dhillon and Modha, Machine Learning 2001; Bachem et al., NeurIPS 2016"
    equation: ClassVar[str] = r"\max_C \sum_i \max_k \cos(z_i, C_k)"
    summary: ClassVar[str] = "A frozen encoder, whose embedding is sorted by its direction among K centroids."
    abilities: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "compares")
    rows: ClassVar[str] = "train"
    family: ClassVar[Family] = CONTRASTIVE
    curves: ClassVar[tuple[Curve, ...]] = (Curve("cosine", "cosine with the own centroid"),)
    phases: ClassVar[Mapping[str, str]] = {"k_means": "finding the centroids"}
    fits: ClassVar[Mapping[str, str]] = SimCLR.fits
    presets = {
        name: {"encoder": "simclr", "encoder_settings": values} for name, values in SimCLR.presets.items()
    }

    iterations: int = knob(
        30, "Turns", "Of assignment and centroids, at most.", source="Feint", ge=1, le=1000, advanced=True
    )
    tolerance: float = knob(
        0.01,
        "Tolerance",
        "It ends when no larger share of the samples changes its cluster.",
        source="kmcuda",
        ge=0,
        lt=1,
        advanced=True,
    )

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> FrozenDirected:
        """The encoder untrained, with a place for as many centroids as `clusters`. Raises AbilityError for
        one that does not encode.
        """
        encoder = self.untrained(shapes, clusters).eval()
        with torch.no_grad():
            one = Views(torch.zeros(1, *shape) for shape in shapes)
            width = require(encoder, Encodes, self.name).encode(one).shape[1]
        return FrozenDirected(encoder, width, clusters)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """The network; nothing is learned by gradients."""
        return State(self.network(data.shapes, clusters).to(how.device), rng, how)

    def adopt(self, state: State, bases: Mapping[str, nn.Module]) -> None:
        """The encoder's weights."""
        self.take(state.model.get_submodule("encoder"), bases["base"])

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """One k-means of the training rows."""
        if state.step:
            return
        data = data if state.rows is None else data.subset(state.rows)
        model = state.model
        assert isinstance(model, FrozenDirected)
        z = embedding(model.train(), data.to(state.how.device))
        centroids, labels = spherical_k_means(
            z, len(model.directions), state.rng, self.iterations, self.tolerance
        )
        model.directions.copy_(centroids)
        state.counters["step"] = 1
        cosine = float((F.normalize(z, dim=1) * centroids[labels]).sum(dim=1).mean())
        yield Evaluate(step=1, total=1, values={"cosine": cosine})


@torch.no_grad()
def embedding(model: Encodes, data: AtRest) -> Tensor:
    """z of all samples, in the mode that the model is in: (n, m)."""
    return torch.cat([model.encode(x) for x in data.chunks()])
