"""Networks of the second stage: a student that begins as a trained contrastive encoder, with centroids of its
embedding, and what it may keep of that encoder.
"""

from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Self

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.errors import AbilityError
from engine.models.spherical_k_means import Directed
from engine.nets import dual_norm
from engine.nets.contrastive import ContrastiveNetwork, RandomViews
from engine.nets.layers import float32


class Student(Directed):
    """An encoder whose normalisations may be doubled, with centroids of its embedding. Encodes, clusters,
    compares; through the adversarial normalisations unless it is told otherwise.
    """

    encoder: nn.Sequential
    flat: bool

    def __init__(self, base: "ContrastiveNetwork | Student", width: int, clusters: int, dual: bool) -> None:
        super().__init__()
        self.encoder = dual_norm.doubled(base.encoder) if dual else deepcopy(base.encoder)
        self.encoder.requires_grad_(True)
        self.flat = base.flat
        self.register_buffer("directions", torch.zeros(clusters, width))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def begin(self, base: "ContrastiveNetwork | Student") -> None:
        """Take the weights and statistics of `base`, in both normalisations where there are two."""
        dual = any(isinstance(layer, dual_norm.DualNorm) for layer in self.encoder.modules())
        source = dual_norm.doubled(base.encoder) if dual else base.encoder
        self.encoder.load_state_dict(source.state_dict())

    def reading(self, branch: dual_norm.Branch) -> AbstractContextManager[None]:
        """While this is entered, it reads through the clean or the adversarial normalisations."""
        return dual_norm.reading(self, branch)

    def encode(self, x: Views) -> Tensor:
        """The embedding: (n, m)."""
        return float32(self.encoder(x.flat() if self.flat else x[0]))


class Imitator(Student):
    """A student with its frozen teacher, the encoder that it began as."""

    def __init__(self, base: ContrastiveNetwork | Student, width: int, clusters: int, dual: bool) -> None:
        super().__init__(base, width, clusters, dual)
        self.imitated = deepcopy(base.encoder).requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def begin(self, base: ContrastiveNetwork | Student) -> None:
        """The same, for the teacher too."""
        super().begin(base)
        self.imitated.load_state_dict(base.encoder.state_dict())

    def train(self, mode: bool = True) -> Self:
        """The teacher stays in eval mode."""
        super().train(mode)
        self.imitated.eval()
        return self

    @torch.no_grad()
    def teacher(self, x: Views) -> Tensor:
        """The teacher's embedding: (n, m), without a graph."""
        return float32(self.imitated(x.flat() if self.flat else x[0]))


class Contraster(Student):
    """A student with a projection head, in which views are compared. Contrasts, too."""

    projection: nn.Sequential

    def __init__(self, base: ContrastiveNetwork | Student, width: int, clusters: int, dual: bool) -> None:
        super().__init__(base, width, clusters, dual)
        known = with_head(base)
        self.projection = dual_norm.doubled(known.projection) if dual else deepcopy(known.projection)
        self.projection.requires_grad_(True)
        self.views: RandomViews = known.views
        self.temperature: float = known.temperature
        self.others: Tensor | None = None

    def begin(self, base: ContrastiveNetwork | Student) -> None:
        """The same, with the head."""
        super().begin(base)
        head = with_head(base).projection
        dual = any(isinstance(layer, dual_norm.DualNorm) for layer in self.projection.modules())
        self.projection.load_state_dict((dual_norm.doubled(head) if dual else head).state_dict())

    def remember(self, x: Views) -> None:
        """Other pictures, that a sample's views can be told from; they are no part of what was trained."""
        self.others = x[0]

    def project(self, x: Views) -> Tensor:
        """The projections that the loss compares: (n, p)."""
        return float32(self.projection(self.encoder(x.flat() if self.flat else x[0])))


def with_head(base: nn.Module) -> "ContrastiveNetwork | Contraster":
    """The base, known to have a projection head. Raises AbilityError where it has none."""
    if isinstance(base, ContrastiveNetwork | Contraster):
        return base
    raise AbilityError(
        "Training on the contrast of views needs an encoder with a projection head; the base has none."
        " Begin from a run of simclr."
    )


def as_base(network: nn.Module, name: str, base: str) -> "ContrastiveNetwork | Student":
    """A network of the method `base` that a student can begin as. Raises AbilityError for any other."""
    if isinstance(network, ContrastiveNetwork | Student):
        return network
    raise AbilityError(
        f"{name} begins from a contrastive encoder, such as a run of simclr; got {base}."
        " Choose such a run as base."
    )
