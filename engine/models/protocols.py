"""The six abilities a model may have, and the base of every model's settings.

Attacks, measures and pages ask for abilities (`isinstance(model, Clusters)`), never for classes.
Every method takes `Views` and gives float32 tensors with n rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.errors import AbilityError
from engine.events import Event
from engine.models.state import State
from engine.settings import Settings


@runtime_checkable
class Encodes(Protocol):
    def encode(self, x: Views) -> Tensor:
        """The embedding z: (n, m)."""
        ...


@runtime_checkable
class Clusters(Protocol):
    def log_assign(self, x: Views) -> Tensor:
        """log q, the log of the soft assignment: (n, k). With stored centres, the Student-t of them."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    def reconstruct(self, x: Views) -> Tensor:
        """x̂ in data units, flat: (n, d)."""
        ...


@runtime_checkable
class Classifies(Protocol):
    def logits(self, x: Views) -> Tensor:
        """Class logits: (n, c)."""
        ...


@runtime_checkable
class Fuses(Protocol):
    def parts(self, x: Views) -> tuple[tuple[Tensor, ...], Tensor]:
        """Each view's embedding z_v: (n, m_v), and the fused h: (n, m)."""
        ...


@runtime_checkable
class Decodes(Protocol):
    """Heads that can be asked about any embedding, so that an attack may move the embedding itself."""

    def decode(self, z: Tensor) -> Tensor:
        """x̂ of embeddings z (n, m) in data units, flat: (n, d)."""
        ...

    def log_assign_embedding(self, z: Tensor) -> Tensor:
        """log q of embeddings z (n, m): (n, k)."""
        ...

    def spread(self, x: Views) -> Tensor:
        """Standard deviation with which the embedding is drawn in training: (n, m), zeros where it is not
        drawn.
        """
        ...


ABILITIES: dict[str, type] = {
    "encodes": Encodes,
    "clusters": Clusters,
    "reconstructs": Reconstructs,
    "classifies": Classifies,
    "fuses": Fuses,
    "decodes": Decodes,
}


Ability = TypeVar("Ability")

BLOCK = 4096
"""Rows in one forward pass of `outputs`."""


def require(model: nn.Module, ability: type[Ability], wanted_by: str) -> Ability:
    """The model, typed as what it can do: `require(model, Clusters, "pairs").log_assign(x)`.

    Raises AbilityError where it cannot.
    """
    if isinstance(model, ability):
        return model
    asked = next((name for name, protocol in ABILITIES.items() if protocol is ability), ability.__name__)
    has = ", ".join(abilities(model)) or "no ability"
    raise AbilityError(
        f"{wanted_by} needs a model that {asked}; this one ({type(model).__name__}) has: {has}. Choose"
        " another model."
    )


def abilities(model: nn.Module) -> list[str]:
    """The names of what a model can do, in the order of `ABILITIES`."""
    return [name for name, protocol in ABILITIES.items() if isinstance(model, protocol)]


@dataclass(frozen=True)
class Outputs:
    """All that a model says of n samples: float32, without a graph; None where it lacks the ability.

    `labels` (n,) are the samples' own, where the data have them; no model says them.
    """

    x: Tensor  # (n, d), the samples themselves
    log_q: Tensor | None = None  # (n, k)
    z: Tensor | None = None  # (n, m)
    reconstruction: Tensor | None = None  # (n, d)
    logits: Tensor | None = None  # (n, c)
    labels: Tensor | None = None  # (n,) int64

    @property
    def cluster(self) -> Tensor | None:
        """(n,) the likeliest cluster."""
        return None if self.log_q is None else self.log_q.argmax(dim=1)

    @property
    def predicted(self) -> Tensor | None:
        """(n,) the likeliest class."""
        return None if self.logits is None else self.logits.argmax(dim=1)

    @property
    def groups(self) -> Tensor | None:
        """Log-probabilities of what the model sorts into: clusters (n, k), else classes (n, c)."""
        if self.log_q is not None:
            return self.log_q
        return None if self.logits is None else self.logits.log_softmax(dim=1)

    @property
    def group(self) -> Tensor | None:
        """(n,) the likeliest of them."""
        groups = self.groups
        return None if groups is None else groups.argmax(dim=1)

    def rows(self, index: Tensor) -> Self:
        """What is said of the samples at `index`, repeats allowed."""
        return type(self)(**{name: value[index] for name, value in self._given()})

    def to(self, device: str | torch.device) -> Self:
        """The same on a device."""
        return type(self)(**{name: value.to(device) for name, value in self._given()})

    def _given(self) -> list[tuple[str, Tensor]]:
        every = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [(name, value) for name, value in every if value is not None]


@torch.no_grad()
def outputs(model: nn.Module, views: Views, labels: Tensor | None = None) -> Outputs:
    """Every ability that the model has, asked about every sample, a block of rows at a time."""
    index = torch.arange(views.n, device=views[0].device)
    parts = [_said(model, views.rows(block)) for block in index.split(BLOCK)]
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return Outputs(x=views.flat().float(), labels=labels, **joined)


def _said(model: nn.Module, views: Views) -> dict[str, Tensor]:
    said = {}
    if isinstance(model, Clusters):
        said["log_q"] = model.log_assign(views).float()
    if isinstance(model, Encodes):
        said["z"] = model.encode(views).float()
    if isinstance(model, Reconstructs):
        said["reconstruction"] = model.reconstruct(views).float()
    if isinstance(model, Classifies):
        said["logits"] = model.logits(views).float()
    return said


class ModelSettings(Settings):
    """The base of every model's settings, which also know how to build, begin and train it."""

    kind: ClassVar[str] = "model"
    abilities: ClassVar[tuple[str, ...]] = ()
    family: ClassVar[str] = ""
    """Heading under which pages list it, e.g. "Deep clustering"."""
    curves: ClassVar[tuple[str, ...]] = ()
    """Names of progress values worth a curve, in order."""

    def bases(self) -> Mapping[str, "ModelSettings"]:
        """Role -> settings of the runs this one builds on (same data, same seed); trained or found by key
        first.
        """
        return {}

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> nn.Module:
        """The untrained model, for loading weights into."""
        raise NotImplementedError

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A fresh state: networks drawn with `rng`, optimisers, zero counters."""
        raise NotImplementedError

    def adopt(self, state: State, bases: Mapping[str, nn.Module]) -> None:
        """Copy into a fresh state what the runs it builds on give."""

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """Train from wherever `state` is to the end, yielding Progress and Evaluate. Sees no labels."""
        raise NotImplementedError

    def fitted_attack(self) -> Mapping[str, Any] | None:
        """The fields of an attack that is fitted to the base before training begins; `adopt` is given it as
        "attack".
        """
        return None

    def watched_attack(self) -> Mapping[str, Any] | None:
        """The fields of an attack whose scores stand beside those of the clean samples at every evaluation;
        None: no attack.
        """
        return None

    @classmethod
    def describe_more(cls) -> dict[str, Any]:
        """What a model adds to its catalogue entry."""
        return {"abilities": list(cls.abilities), "family": cls.family, "curves": list(cls.curves)}
