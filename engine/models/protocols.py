"""The nine abilities a model may have, and the base of every model's settings.

Attacks, measures and pages ask for abilities (`isinstance(model, Clusters)`), never for classes.
Every method takes `Views` and gives float32 tensors with n rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.device import How
from engine.errors import AbilityError
from engine.events import Event
from engine.models.declared import (
    LOSSES,
    OTHER,
    Alarm,
    Arm,
    Curve,
    Family,
    Panel,
    Qualifier,
    attack_in_words,
    check_names,
    plain,
)
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
class AssignsEmbeddings(Protocol):
    """A model whose log q follows from the embedding alone, so that a sample is encoded once for both."""

    def log_assign_embedding(self, z: Tensor) -> Tensor:
        """log q of embeddings z (n, m): (n, k), what `log_assign` says of their samples."""
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

    def view_weights(self) -> Tensor:
        """The weight of each view in the fusion: (v,), adding up to one."""
        ...

    def log_assign_view(self, z: Tensor) -> Tensor | None:
        """log q that the head, trained on the fusion, gives one view's embeddings z (n, m_v) alone: (n, k).

        None where the model does not cluster.
        """
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


@runtime_checkable
class Contrasts(Protocol):
    """A model that knows random views of a picture as one, among those of others."""

    temperature: float
    views: Any  # engine.nets.contrastive.RandomViews
    others: Tensor | None
    """Pictures (m, C, H, W) that a sample's views are told from; None until somebody gives them."""

    def project(self, x: Views) -> Tensor:
        """What is compared: (n, p)."""
        ...

    def remember(self, x: Views) -> None:
        """Take these for the others."""
        ...


@runtime_checkable
class Compares(Protocol):
    """A model that sorts samples by the direction of their embeddings."""

    def centroids(self) -> Tensor:
        """The directions that it compares them with: (k, m), rows of unit length."""
        ...


@runtime_checkable
class Imitates(Protocol):
    """A model that was trained to embed clean samples as a frozen teacher does."""

    def teacher(self, x: Views) -> Tensor:
        """The teacher's embedding: (n, m)."""
        ...


@runtime_checkable
class Scales(Protocol):
    """A model whose network sees samples times `scale`; sums of squares of its paper are in those units."""

    scale: Tensor  # ()


@runtime_checkable
class Convolves(Protocol):
    """A model that begins with a convolution whose maps can be looked at."""

    def maps(self, x: Views) -> Tensor:
        """The maps of the first convolution after its ReLU: (n, K, h, w)."""
        ...


@runtime_checkable
class Selects(Protocol):
    """A model that looks at some features of flat samples only."""

    def features(self) -> Tensor:
        """The numbers of those features, repeats included: (k,) int64."""
        ...


@runtime_checkable
class FollowsPriors(Protocol):
    """A model whose clustering head is trained towards what its prior means imply."""

    def head_gap(self, z: Tensor) -> Tensor:
        """How far the head lies from that, at embeddings z (n, m): (n,) nats."""
        ...


ABILITIES: dict[str, type] = {
    "encodes": Encodes,
    "clusters": Clusters,
    "reconstructs": Reconstructs,
    "classifies": Classifies,
    "fuses": Fuses,
    "decodes": Decodes,
    "contrasts": Contrasts,
    "compares": Compares,
    "imitates": Imitates,
}


Ability = TypeVar("Ability")


def require(model: nn.Module, ability: type[Ability], wanted_by: str) -> Ability:
    """The model, typed as what it can do: `require(model, Clusters, "pairs").log_assign(x)`.

    Raises AbilityError where it cannot.
    """
    if isinstance(model, ability):
        return model
    asked = next((name for name, protocol in ABILITIES.items() if protocol is ability), ability.__name__)
    raise _lacking(asked, wanted_by, f"this one ({type(model).__name__})", abilities(model))


def check_abilities(model: nn.Module, needs: Iterable[str], wanted_by: str) -> None:
    """Raises AbilityError where the model lacks one of the abilities called so."""
    for name in needs:
        require(model, ABILITIES[name], wanted_by)


def check_declared(declared: Sequence[str], needs: Iterable[str], wanted_by: str, name: str) -> None:
    """The same of a model that is not loaded, called `name`, by the abilities that its method declares.

    A method that declares none says nothing: its model is asked when it is there.
    """
    for need in needs:
        if declared and need not in declared:
            raise _lacking(need, wanted_by, name, declared)


def _lacking(asked: str, wanted_by: str, model: str, has: Sequence[str]) -> AbilityError:
    return AbilityError(
        f"{wanted_by} needs a model that {asked}; {model} has: {', '.join(has) or 'no ability'}. Choose"
        " another model."
    )


def abilities(model: nn.Module) -> list[str]:
    """The names of what a model can do, in the order of `ABILITIES`."""
    return [name for name, protocol in ABILITIES.items() if isinstance(model, protocol)]


class ModelSettings(Settings):
    """The base of every model's settings, which also know how to build, begin and train it."""

    kind: ClassVar[str] = "model"
    abilities: ClassVar[tuple[str, ...]] = ()
    supervised: ClassVar[bool] = False
    """Whether its training sees labels: those of the training rows, and no others."""
    defends: ClassVar[bool] = False
    """Whether it is a defence: trained to hold where others are misled."""
    rows: ClassVar[str] = "all"
    """The part of the data that it is trained on, by its name in `engine.data.splits.PARTS`."""
    family: ClassVar[Family] = OTHER
    """The kind of model under which pages list it."""
    curves: ClassVar[tuple[Curve, ...]] = ()
    """The values of its events that are worth a curve, in order."""
    panels: ClassVar[tuple[Panel, ...]] = (LOSSES,)
    """The figures in which they are drawn, in order."""
    along: ClassVar[Mapping[str, str]] = {}
    """Values beside the step along which curves may be drawn -> the title of that axis."""
    phases: ClassVar[Mapping[str, str]] = {}
    """Phase of a Progress event -> what is going on then, in words."""
    alarms: ClassVar[tuple[Alarm, ...]] = ()
    """Values that warn of a failing training."""
    blocks: ClassVar[str] = ""
    """The setting that holds the length of a block of iterations, where every other block, the first one too,
    moves the decoder alone.
    """
    fits: ClassVar[Mapping[str, str]] = {}
    """Name of a data set -> the preset that is meant for it."""
    compared_with: ClassVar[tuple[Arm, ...]] = ()
    """The arms that it is compared among, itself included."""
    control: ClassVar[Arm | None] = None
    """The arm, trained from the same base, whose curves stand behind those of a run."""
    base_fields: ClassVar[Mapping[str, str]] = {}
    """For methods that take a run as base: the parts of that run's settings ("model", "model_settings",
    "clusters") -> the own fields that hold them. Without "model" the base is of the method's own kind.
    """
    begins_from: ClassVar[tuple[str, ...]] = ()
    """For defences that go on from another method's network: the models they can begin from."""
    qualifiers: ClassVar[tuple[Qualifier, ...]] = ()
    """What is added to its title where settings make it another method."""

    def bases(self) -> Mapping[str, "ModelSettings"]:
        """Role -> settings of the runs this one builds on (same data, same seed); trained or found by key
        first.
        """
        return {}

    def clusters_of_base(self, clusters: int | None) -> int | None:
        """How many clusters a base is asked for, where this is asked for `clusters`."""
        return clusters

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

    def train_on_labels(self, state: State, data: AtRest, labels: Tensor) -> Iterator[Event]:
        """What `train` is for a supervised method: `data` are the training rows alone, with their labels (n,)
        int64.
        """
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

    def watched_in_words(self) -> str:
        """That attack, as a caption says it; "" where there is none."""
        fields = self.watched_attack()
        return attack_in_words(fields) if fields else ""

    @classmethod
    def describe_more(cls) -> dict[str, Any]:
        """What a model adds to its catalogue entry. Raises RegistrationError where it contradicts itself."""
        check_names(cls.name, "abilities", cls.abilities, ABILITIES)
        check_names(cls.name, "fits", cls.fits.values(), cls.presets)
        return {
            "abilities": list(cls.abilities),
            "supervised": cls.supervised,
            "defends": cls.defends,
            "rows": cls.rows,
            "family": asdict(cls.family),
            "curves": plain(cls.curves),
            "panels": plain(cls.panels),
            "along": dict(cls.along),
            "phases": dict(cls.phases),
            "alarms": plain(cls.alarms),
            "blocks": cls.blocks,
            "fits": dict(cls.fits),
            "compared_with": plain(cls.compared_with),
            "control": asdict(cls.control) if cls.control else None,
            "base_fields": dict(cls.base_fields),
            "begins_from": list(cls.begins_from),
            "qualifiers": plain(cls.qualifiers),
        }
