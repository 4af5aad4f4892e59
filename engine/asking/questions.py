"""What a page may ask of the warm workers: one frozen class a question, each naming the class of its answer.
Torch-free.

Models and runs in a question are run keys, which hold their settings, the version of their method and the
fingerprint of their data. A question's own key adds the versions of the methods that it names.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

import numpy as np
from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from engine.asking import answers
from engine.asking.answers import Answer
from engine.asking.parts import LAMBDA_TOP as LAMBDA_TOP
from engine.asking.parts import TOP as TOP
from engine.asking.parts import AttackChoice as AttackChoice
from engine.asking.parts import Axis as Axis
from engine.asking.parts import Norm as Norm
from engine.asking.parts import ObjectiveChoice as ObjectiveChoice
from engine.asking.parts import OwnPicture as OwnPicture
from engine.asking.parts import Part as Part
from engine.store import catalogue
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.wanted import BASE, objectives_named

A = TypeVar("A", bound=Answer)
Method = tuple[str, str]
"""Kind and name of a registered method."""

CLUSTERS_OF = "spherical_k_means"
"""The method that only clusters what an encoder gives."""
FEW_LEVELS = 33
"""Of a ladder over ε under an attack that takes its time at each."""
NU_TOP, SMALL_NU_TOP, SMALL_SIZE = 0.12, 0.04, 200
"""The largest ν of a ladder; that for samples of fewer than so many numbers."""
COMPARED_AT = 0.051563
"""The ε (L∞) at which models are compared at first: a level of every ladder."""
OWN = -1
"""The number of a person's own picture, which is no sample of the data."""
SHOWN = {"digits": 3, "mnist_test": 3, "noisy_digits": 3, "noisy_mnist": 5}
"""The sample a page shows first."""
LOOKED_AT = {
    "mnist_test": (3, 2, 1, 18, 4, 8, 11, 0, 61, 7),
    "cifar10_jpeg_mini": (29, 4, 6, 9, 3, 27, 0, 7, 8, 1),
}
"""Samples of data that must be fetched or supplied, one of each class, of which a page's first pictures
ship.
"""


SAID = (("steps", "T ="), ("restarts", "restarts"), ("starts", "starts"), ("targets", "targets"))
"""Fields of an attack that the line under a picture names, and how."""


def epsilon_text(epsilon: float, norm: str = "") -> str:
    """ε as it is written everywhere: a round number as it is, any other in thousandths; with the norm of
    pixels in 255ths too: "0.080 (20.3/255)".
    """
    near = round(epsilon, 2)
    text = f"{near:g}" if abs(near - epsilon) < 1e-6 else f"{epsilon:.{3 if epsilon >= 0.001 else 5}f}"
    return f"{text} ({epsilon * 255:.1f}/255)" if norm == "linf" else text


class Question(Part, Generic[A]):
    """The base of all questions. `A` is the class of its answer."""

    ask: str
    lane: ClassVar[str] = "play"
    """The lane of workers that answers it: "play", or "map" for UMAP, whose first use compiles."""
    kept: ClassVar[bool] = True
    """Whether its answer depends on the question alone, and so is kept."""
    version: ClassVar[int] = 1
    """Raised by hand when the meaning of the answer changes; part of every key."""
    builds_on: ClassVar[tuple[type["Question[Any]"], ...]] = ()
    """Questions whose answers this one is made of: their versions are part of its own."""

    @classmethod
    def answer_class(cls) -> type[A]:
        """The class of its answer."""
        (found,) = cls.__mro__[1].__pydantic_generic_metadata__["args"]  # type: ignore[attr-defined]
        return found  # type: ignore[no-any-return]

    added_later: ClassVar[tuple[str, ...]] = ()
    """Fields that are left out where they say nothing, so that questions from before them keep their keys."""

    @model_serializer(mode="wrap")
    def _said(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value or name not in self.added_later}

    def methods(self) -> Iterator[Method]:
        """The registered methods, beside those inside the runs it names, on which its answer depends."""
        yield from ()

    def further_methods(self) -> Iterator[Method]:
        """Those that were named after answers had shipped: they change its key only from their second version
        on.
        """
        yield from ()

    @classmethod
    def full_version(cls) -> int:
        """Its own version, raised with every version of what it is made of."""
        return cls.version + sum(each.full_version() - 1 for each in cls.builds_on)

    def key(self) -> str:
        """Sixteen hexadecimal digits that stand for the question and the versions of its methods."""
        own = {(*method, catalogue.version(*method)) for method in self.methods()}
        further = {(*method, catalogue.version(*method)) for method in self.further_methods()}
        versions = sorted(own | {method for method in further if method[-1] > 1})
        what = [self.full_version(), versions, self.model_dump(mode="json")]
        text = json.dumps(what, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class OverviewQuestion(Question[answers.OverviewAnswer]):
    """A model at rest."""

    ask: Literal["overview"] = "overview"
    model: str


class UmapQuestion(Question[answers.UmapAnswer]):
    """The UMAP of a model's clean embedding."""

    lane: ClassVar[str] = "map"
    ask: Literal["umap"] = "umap"
    model: str
    seed: int = 0


class ImagesQuestion(Question[answers.ImagesAnswer]):
    """Pictures of samples by id."""

    ask: Literal["images"] = "images"
    data: str
    fingerprint: str
    """Of the data set: another with the same name is refused."""
    ids: tuple[int, ...]

    @classmethod
    def of(cls, spec: Spec, ids: Sequence[int]) -> Self:
        """Samples of the data of a run."""
        return cls(data=spec.data, fingerprint=spec.fingerprint, ids=tuple(int(number) for number in ids))

    @classmethod
    def around(cls, spec: Spec, ids: Sequence[int], near: answers.Array | None) -> Self:
        """Samples, and those near them once attacked: (n, near) ids; of an attack, or of all levels of a
        ladder.
        """
        return cls.of(spec, np.union1d(ids, ids if near is None else near.ravel()).tolist())


class SampleQuestion(Question[answers.SampleAnswer]):
    """One clean sample in a model, with the gradient of an objective there."""

    ask: Literal["sample"] = "sample"
    model: str
    sample: int
    objective: ObjectiveChoice = ObjectiveChoice()

    def methods(self) -> Iterator[Method]:
        """The objective."""
        yield from _of_objective(self.objective)


class LadderQuestion(Question[answers.LadderAnswer]):
    """One sample under an attack at every level of an axis. `locked` views stay as they are, and so do the
    `fixed` places (a text of `engine.data.fixed`). With a picture of one's `own`, `sample` is OWN.
    """

    added_later: ClassVar[tuple[str, ...]] = ("own", "fixed")
    ask: Literal["ladder"] = "ladder"
    model: str
    sample: int
    own: OwnPicture | None = None
    attack: AttackChoice = AttackChoice()
    objective: ObjectiveChoice = ObjectiveChoice()
    norm: Norm = "linf"
    axis: Axis = Axis()
    locked: tuple[int, ...] = ()
    fixed: str = ""
    seed: int = 0

    def methods(self) -> Iterator[Method]:
        """The attack, the objective, and noise, its control."""
        yield from (("attack", self.attack.name), ("attack", "noise"))
        yield from _of_objective(self.objective)
        if self.axis.name == "lambda":
            yield ("objective", "reconstruction_change")


class EmbeddingLadderQuestion(Question[answers.EmbeddingLadderAnswer]):
    """One sample whose embedding is moved, along ν from 0 to `top`, the weight that takes the place of ε.

    With fitted runs, each is a level after 0; without, δ is found for this sample alone at every ν.
    """

    ask: Literal["embedding_ladder"] = "embedding_ladder"
    model: str
    sample: int
    attack: AttackChoice = AttackChoice(name="latent_attack")
    objective: ObjectiveChoice = ObjectiveChoice(name="flip_and_keep")
    top: float = Field(default=NU_TOP, ge=0)
    levels: int = Field(default=41, ge=1, le=1025)
    seed: int = 0

    @classmethod
    def usual(cls, model: str, sample: int, size: int, fitted: Sequence[str] = ()) -> Self:
        """As pages ask it of a sample of `size` numbers."""
        attack = AttackChoice(name="latent_attack", fitted=tuple(fitted))
        top = SMALL_NU_TOP if size < SMALL_SIZE else NU_TOP
        return cls(model=model, sample=sample, attack=attack, top=top)

    def methods(self) -> Iterator[Method]:
        """The attack and the objective."""
        yield ("attack", self.attack.name)
        yield from _of_objective(self.objective)


class PlaceOnUmapQuestion(Question[answers.PlaceOnUmapAnswer]):
    """The levels of a ladder on the UMAP of its model."""

    lane: ClassVar[str] = "map"
    builds_on: ClassVar[tuple[type[Question[Any]], ...]] = (UmapQuestion, LadderQuestion)
    ask: Literal["place_on_umap"] = "place_on_umap"
    ladder: LadderQuestion

    @property
    def umap(self) -> UmapQuestion:
        """The map on which they are placed."""
        return UmapQuestion(model=self.ladder.model)

    def methods(self) -> Iterator[Method]:
        """Those of the ladder."""
        yield from self.ladder.methods()


class ControlsQuestion(Question[answers.ControlsAnswer]):
    """One level of a ladder beside what must not be credited to the attack."""

    builds_on: ClassVar[tuple[type[Question[Any]], ...]] = (LadderQuestion,)
    ask: Literal["controls"] = "controls"
    ladder: LadderQuestion
    level: int = Field(ge=0)

    def methods(self) -> Iterator[Method]:
        """Those of the ladder, and one step of the gradient."""
        yield from (*self.ladder.methods(), ("attack", "fgsm"))

    def further_methods(self) -> Iterator[Method]:
        """The strongest attack."""
        yield ("attack", "strongest")


class OtherModelsQuestion(Question[answers.OtherModelsAnswer]):
    """One sample in several models: its group in each, and the smallest ε that reaches the objective."""

    builds_on: ClassVar[tuple[type[Question[Any]], ...]] = (LadderQuestion,)
    added_later: ClassVar[tuple[str, ...]] = ("own", "fixed")
    ask: Literal["other_models"] = "other_models"
    models: tuple[str, ...]
    sample: int
    own: OwnPicture | None = None
    attack: AttackChoice = AttackChoice()
    objective: ObjectiveChoice = ObjectiveChoice()
    norm: Norm = "linf"
    top: float = Field(default=TOP["linf"], ge=0)
    fixed: str = ""
    seed: int = 0

    def methods(self) -> Iterator[Method]:
        """The attack and the objective."""
        yield ("attack", self.attack.name)
        yield from _of_objective(self.objective)


class SeveralQuestion(Question[answers.SeveralAnswer]):
    """Several samples of a model under an attack at one ε: the first n of a part of the data, in the order
    that the seed gives, which is the same for every model of these data.
    """

    ask: Literal["several"] = "several"
    model: str
    attack: AttackChoice = AttackChoice()
    objective: ObjectiveChoice = ObjectiveChoice()
    norm: Norm = "linf"
    epsilon: float = Field(ge=0)
    n: int = Field(default=100, ge=1, le=1000)
    half: Literal["all", "first", "second", "train", "test"] = "test"
    seed: int = 0

    def methods(self) -> Iterator[Method]:
        """The attack, the objective, and noise, its control."""
        yield from (("attack", self.attack.name), ("attack", "noise"))
        yield from _of_objective(self.objective)


class AttackedSamplesQuestion(Question[answers.AttackedSamplesAnswer]):
    """Where the samples of a finished attack went."""

    ask: Literal["attacked_samples"] = "attacked_samples"
    run: str


class AttackedSampleQuestion(Question[answers.AttackedSampleAnswer]):
    """One sample under the attack of a finished run that moved the embedding."""

    ask: Literal["attacked_sample"] = "attacked_sample"
    run: str
    sample: int


class AttackedOnUmapQuestion(Question[answers.AttackedOnUmapAnswer]):
    """The samples of a finished attack on the UMAP of its model."""

    lane: ClassVar[str] = "map"
    builds_on: ClassVar[tuple[type[Question[Any]], ...]] = (UmapQuestion, AttackedSamplesQuestion)
    ask: Literal["attacked_on_umap"] = "attacked_on_umap"
    run: str


class ViewsQuestion(Question[answers.ViewsAnswer]):
    """The views of a multi-view model, one by one."""

    ask: Literal["views"] = "views"
    model: str


class SilhouetteQuestion(Question[answers.SilhouetteAnswer]):
    """Which number of clusters K suits an encoder: spherical k-means of all samples for each."""

    ask: Literal["silhouette"] = "silhouette"
    model: str
    clusters: tuple[int, ...] = (5, 10, 15, 20, 25, 30, 40, 50, 60, 80)
    seed: int = 0

    @classmethod
    def of(cls, run: Run) -> Self:
        """That of an encoder; of clusters of an encoder, that of the encoder alone, which all K share."""
        return cls(model=encoder_of(run))


class PrepareQuestion(Question[answers.PrepareAnswer]):
    """Whether a choice makes a run, and which."""

    kept: ClassVar[bool] = False  # it depends on what the store holds
    ask: Literal["prepare"] = "prepare"
    action: str
    name: str
    data: str | None = None
    seed: int = 0
    preset: str | None = None
    changes: dict[str, Any] = {}
    models: dict[str, str] = {}


def encoder_of(run: Run) -> str:
    """The key of the run whose embedding a run has: its own, or that of the encoder that it only clusters."""
    return run.spec.builds_on[BASE] if run.spec.name == CLUSTERS_OF else run.key


def _of_objective(objective: ObjectiveChoice) -> Iterator[Method]:
    for name in objectives_named(objective.name, objective.settings, objective.lam):
        yield ("objective", name)
