"""The six abilities a model may have, and the base of every model's settings.

Attacks, measures and pages ask for abilities (`isinstance(model, Clusters)`), never for classes.
Every method takes `Views` and gives float32 tensors with n rows.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

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


def require(model: nn.Module, ability: str, wanted_by: str) -> None:
    """Raises AbilityError where `model` lacks `ability`."""
    if not isinstance(model, ABILITIES[ability]):
        has = (
            ", ".join(name for name, protocol in ABILITIES.items() if isinstance(model, protocol))
            or "no ability"
        )
        raise AbilityError(
            f"{wanted_by} needs a model that {ability}; this one ({type(model).__name__}) has: {has}. Choose"
            " another model."
        )


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
