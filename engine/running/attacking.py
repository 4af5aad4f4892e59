"""The action `attack`: one attack with one budget on chosen samples of one model, with every control beside
it.

Flips, success and every number are judged here, in float32, inside the ball checked here. What a sweep calls
a cell is exactly this with the cell's ε, λ and seed.
"""

from collections.abc import Generator, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from engine import registry
from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings
from engine.data.dataset import Dataset
from engine.data.splits import Part
from engine.errors import DataError, SettingsError
from engine.events import Event
from engine.objectives import combine
from engine.objectives.protocols import ObjectiveSettings
from engine.registry import register
from engine.running import embedding_attack, inception_features, masking, outcome
from engine.running.action import Action, Work
from engine.running.fitting import fit, keep_fitted
from engine.running.inception_features import WEIGHTS
from engine.running.judging import Judge
from engine.running.launching import launch, with_extracted, with_recognised
from engine.running.pictures import Sketch
from engine.running.threat import Threat
from engine.settings import Settings, knob
from engine.store.spec import Spec
from engine.store.wanted import EXTRACTOR, objectives_named

ALL = 1_000_000
"""How runs store that all samples are attacked: so their keys stay what they were before None said it."""
WHERE = {"pixels": "pixels", "embedding": "the embedding"}
HALF = (
    "Multi-view models are trained on the first half of their data, supervised ones on the training rows:"
    " those of the source, or the first half."
)


def objectives(name: str, settings: Mapping[str, Any], lam: float) -> list[type[Settings]]:
    """An objective with the parts of a sum, and its penalty where λ is not 0."""
    return [registry.find("objective", one) for one in objectives_named(name, settings, lam)]


@register
class Attack(Action):
    """One attack on a trained model. Raises SettingsError, BudgetError or UnknownName for a choice that
    cannot be made.
    """

    name: ClassVar[str] = "attack"
    title: ClassVar[str] = "Attack"
    source: ClassVar[str] = "Feint"
    lane: ClassVar[str] = "attack"
    about: ClassVar[str] = "attack"
    roles: ClassVar[tuple[str, ...]] = (EXTRACTOR,)

    attack: str = knob("pgd", "Attack", "Its registered name.")
    attack_settings: dict[str, Any] = knob({}, "Attack settings", "The attack's own fields.")
    objective: str = knob(
        "leave_cluster", "Objective", "What the attack makes large, by its registered name."
    )
    objective_settings: dict[str, Any] = knob({}, "Objective settings", "The objective's own fields.")
    lam: float = knob(
        0.0, "λ", "Weight of the penalty on the change of the reconstruction.", symbol="λ", ge=0
    )
    norm: Literal["linf", "l2"] = knob("linf", "Norm", "The norm of the budget.")
    epsilon: float = knob(
        0.1, "ε", "Radius of the ball, in the data's unit: images lie in [0, 1].", symbol="ε"
    )
    n: int | None = knob(
        1000, "Samples", "At most so many, drawn once for a seed; None: all.", ge=1, stored_none=ALL
    )
    half: Part = knob("all", "Samples of", HALF)
    cluster: int | None = knob(None, "Target cluster", "For objectives that go to a cluster.", ge=0)
    locked: tuple[int, ...] = knob(
        (),
        "Locked views",
        "Views that may not be touched, counted from 0. A fitted attack is fitted with the lock.",
    )
    fixed: str = knob(
        "",
        "Fixed places",
        "Pixels or features that may not be touched: the text that the page Attack writes for what is marked"
        " there, or a picture of the samples' size, whose bright pixels are meant.",
        added_later=True,
        advanced=True,
    )
    chunk: int = knob(500, "Chunk", "Samples attacked at a time.", ge=1, advanced=True)
    features: Literal["classifier", "inception"] = knob(
        "classifier",
        "Features",
        "In which FID and KID are measured: what the head of the attacked classifier reads; inception: those"
        " of Inception v3 as well, for a person who has its weights.",
        added_later=True,
        advanced=True,
    )
    inception: str = knob(
        "",
        "Weights of Inception",
        f"A safetensors file; unless given, {WEIGHTS} in the folder FEINT_DATA.",
        added_later=True,
        advanced=True,
    )
    doubts: bool = knob(
        True,
        "Doubts",
        "Whether a failed attack is a strong model or a hidden gradient is checked on the first 100 samples.",
        added_later=True,
        advanced=True,
    )

    @classmethod
    def choose(cls, name: str, preset: str | None, changes: Mapping[str, Any]) -> Self:
        """As every action's; raises SettingsError for ε = 0 where that asks nothing."""
        chosen = super().choose(name, preset, changes)
        if chosen.epsilon == 0 and chosen.chosen_attack.needs_room:
            raise SettingsError(
                f"{name} needs an ε above 0, for the clean sample itself is no answer; got 0."
            )
        return chosen

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.chosen_attack.space == "embedding":
            self._unbounded()
        if self.chosen_attack.space != self.chosen_objective.space:
            raise SettingsError(
                f"{self.attack} moves {WHERE[self.chosen_attack.space]}, and the objective {self.objective}"
                f" is about {WHERE[self.chosen_objective.space]}. Choose an attack and an objective of the"
                " same space."
            )
        Budget(self.norm, self.epsilon)
        self.chosen_attack.check(self.chosen_objective)
        if self.norm not in self.chosen_attack.norms:
            raise SettingsError(
                f"{self.attack} moves in {' or '.join(self.chosen_attack.norms)}; got norm {self.norm}."
                " Choose that, or another attack."
            )
        return self

    def _unbounded(self) -> None:
        """Raises SettingsError for a choice that means nothing where no pixel moves."""
        for name in ("epsilon", "norm", "lam", "locked", "fixed", "cluster", "features"):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise SettingsError(
                    f"{self.attack} moves the embedding and takes no {name}; got {getattr(self, name)!r}."
                    " Nothing but its weight bounds it: objective_settings.nu (--nu)."
                )

    @cached_property
    def chosen_attack(self) -> AttackSettings:
        """The attack with its settings."""
        return registry.find("attack", self.attack)(**self.attack_settings)

    @cached_property
    def chosen_objective(self) -> ObjectiveSettings:
        """The objective with its target and, where λ is not 0, its penalty."""
        targeted = registry.find("objective", self.objective).targeted
        if targeted and self.target is None:
            raise SettingsError(
                f"The objective {self.objective} needs a target; got no cluster. Say which, for example"
                " cluster = 0."
            )
        if self.cluster is not None and not targeted:
            raise SettingsError(
                f"attack.cluster is for objectives that go to a cluster; got {self.cluster} with"
                f" {self.objective}. Use go_to_cluster, or leave it out."
            )
        return combine(
            self.objective, self.lam, self.objective_settings | ({"cluster": self.target} if targeted else {})
        )

    @classmethod
    def depends_on(cls) -> tuple[type[Settings], ...]:
        """What is launched beside every attack: the controls, and the strongest attack."""
        return tuple(registry.find("attack", name) for name in ("noise", "fgsm", "strongest"))

    def parts(self) -> list[type[Settings]]:
        """The attack and the objective."""
        return [*super().parts(), *objectives(self.objective, self.objective_settings, self.lam)]

    @property
    def target(self) -> int | None:
        """The cluster to reach, where the objective names one."""
        return self.cluster if self.cluster is not None else self.objective_settings.get("cluster")

    def needs_of_model(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What the attack needs, then the objective."""
        yield self.chosen_attack.title, self.chosen_attack.needs
        yield from self.chosen_objective.every_need()

    def suits(self, data: Dataset) -> None:
        """Raises SettingsError for a lock on a view that is not there, BudgetError for an ε beyond the box,
        DataError where labels are missing.
        """
        self.threat.budget(data.views.shapes).check_size(data.views.size)
        if self.features == "inception":
            inception_features.suits(self.inception, data.views.shapes)
        if self.chosen_objective.asks_labels() and data.labels is None:
            raise DataError(
                f"{self.objective} needs the samples' labels, and {data.name} has none. Choose data that have"
                " labels."
            )

    def check(self, clusters: int) -> None:
        """Raises SettingsError where the target is none of the model's clusters."""
        if self.target is not None and self.target >= clusters:
            raise SettingsError(
                f"cluster must be between 0 and {clusters - 1}; got {self.target}. "
                f"The model has {clusters} clusters, counted from 0."
            )

    def like(self, spec: Spec, changes: Mapping[str, Any]) -> Self:
        """The same attack as a fitted one, `spec`, with `changes` to the action's own fields: what is fitted
        is not chosen again.
        """
        if spec.action != "attack" or spec.name != self.attack or not self.chosen_attack.fitted:
            raise SettingsError(
                f"fitted must be a run in which {self.attack} was fitted to a model; got a run of"
                f" {spec.action} {spec.name}."
            )
        again = [
            name
            for name in changes
            if name.split(".")[0] in ("attack_settings", "objective_settings", *self.chosen_attack.values())
        ]
        if again:
            raise SettingsError(
                f"With fitted, the attack is taken as it is; got {again[0]} too. Leave it out, or fit the"
                " attack anew without fitted."
            )
        return type(self)(
            **(
                spec.settings
                | {name: value for name, value in changes.items() if name in type(self).model_fields}
            )
        )

    def described(self, data: Dataset) -> dict[str, str]:
        """Which samples are attacked."""
        return {"rows_used": data.used_in_words(self.half, self.n)}

    @property
    def threat(self) -> Threat:
        """What is launched, and at which samples."""
        return Threat(
            attack=self.chosen_attack,
            objective=self.chosen_objective,
            norm=self.norm,
            epsilon=self.epsilon,
            locked=self.locked,
            fixed=self.fixed,
            n=self.n,
            half=self.half,
            chunk=self.chunk,
            inception=inception_features.weights(self.inception) if self.features == "inception" else None,
        )

    def work(self, work: Work) -> Generator[Event, None, dict[str, Any]]:
        """Attack, judge, write table "samples" and arrays "images"; returns the metrics."""
        judge, threat, seed = Judge(work.model(), work.data, work.how.device), self.threat, work.spec.seed
        fitted = None
        if threat.attack.fitted and "fitted" in work.spec.builds_on:
            fitted = work.fitted("fitted").to(work.how.device)
        elif threat.attack.fitted:
            fitted = yield from fit(threat, judge, seed, work.how, Sketch(work.folder))
        if fitted is not None:
            keep_fitted(work.folder, fitted)
        samples = with_recognised(judge, (yield from launch(threat, judge, seed, fitted, work.how)))
        work.write_table("samples", outcome.table(samples))
        work.write_arrays("images", outcome.arrays(samples))
        checks, doubts = (yield from masking.check(threat, judge, samples, seed)) if self.doubts else ({}, [])
        if threat.attack.space == "embedding":
            doubts = embedding_attack.doubts(judge, samples) + doubts
        if EXTRACTOR in work.spec.builds_on:
            samples = with_extracted(judge, work.model(EXTRACTOR), samples)
        told = {} if threat.inception is None else inception_features.told(threat.inception)
        return outcome.metrics(samples) | checks | told | {"doubts": doubts}
