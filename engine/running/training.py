"""The action "train": a registered model on a data set, with scores, pictures and checkpoints on the way.

Training itself sees no labels; what needs them (ACC, NMI, ARI, Δ_FR, Δ_FD) is added here, where its paper
evaluates.
"""

import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from engine import registry
from engine.data.dataset import Dataset
from engine.data.views import AtRest
from engine.errors import DataError, SettingsError
from engine.events import Evaluate, Event, Picture
from engine.metrics import clustering
from engine.metrics.gradient_angles import probe_angles
from engine.metrics.protocols import watched as watched_numbers
from engine.models.protocols import Classifies, Clusters, Encodes, ModelSettings, Reconstructs
from engine.models.state import State
from engine.registry import register
from engine.running import pictures
from engine.running.action import Action, Work
from engine.running.attacking import Attack
from engine.running.ingredients import ROLE as INGREDIENT
from engine.running.judging import Judge
from engine.running.launching import launch
from engine.settings import Settings, knob
from engine.store import checkpoint

CHECKPOINT_EVERY = 10.0
"""Seconds between checkpoints; a stop or a pause makes one at once."""
PICTURE_EVERY = 3.0
"""Seconds between pictures, at least; a long run draws fifty times less often than it is old."""
SHOWN = 10
"""Samples in the picture of reconstructions."""
WATCHED_SEED = 0
"""Of the samples and starts of the attack that is watched while a model trains."""
MAPPED = 2000
"""Points, at most, on the small map drawn while training."""


@register
class Train(Action):
    """Train a registered model."""

    name: ClassVar[str] = "train"
    title: ClassVar[str] = "Train"
    source: ClassVar[str] = "Feint"
    lane: ClassVar[str] = "train"
    about: ClassVar[str] = "model"

    model: str = knob(..., "Model", "The registered name of the method.")
    model_settings: dict[str, Any] = knob(..., "Settings", "All settings of the method.")
    clusters: int | None = knob(
        None,
        "Clusters",
        "How many to look for; as many as the data have classes unless set.",
        symbol="K",
        ge=2,
    )

    def chosen(self) -> ModelSettings:
        """The method's settings."""
        return _owner(self.model)(**self.model_settings)

    def bases(self) -> dict[str, Action]:
        """The runs that the method begins from, with as many clusters."""
        chosen = self.chosen()
        clusters = chosen.clusters_of_base(self.clusters)
        found: dict[str, Action] = {
            role: Train(model=base.name, model_settings=base.values(), clusters=clusters)
            for role, base in chosen.bases().items()
        }
        fields = chosen.fitted_attack()
        return found | ({"attack": Attack(**fields)} if fields else {})

    def stands_on(self, role: str) -> Mapping[str, str]:
        """The attack is fitted to the base; a base sees the same data, with what is appended to them."""
        return {"model": "base"} if role == "attack" else {INGREDIENT: INGREDIENT}

    @classmethod
    def takes(cls, role: str) -> None:
        """Attacked images may be appended to the data, and a run may be given as base."""

    def described(self, data: Dataset) -> dict[str, str]:
        """Which samples it is trained on, and under which attack it is watched."""
        chosen = self.chosen()
        said = {"rows_used": data.rows_in_words(chosen.rows), "watched": chosen.watched_in_words()}
        return {name: words for name, words in said.items() if words}

    def parts(self) -> list[type[Settings]]:
        """The method, and what is trained and fitted for it."""
        chosen = self.chosen()
        found: list[type[Settings]] = [type(chosen)]
        if fields := chosen.fitted_attack():
            found += [
                type(chosen.bases()["base"]),
                registry.find("attack", fields["attack"]),
                registry.find("objective", fields["objective"]),
            ]
        return found

    def suits(self, data: Dataset) -> None:
        """Raises DataError where labels are missing, or the network cannot be built for samples of their
        shape.
        """
        if self.chosen().supervised:
            self._labels(data)
        self.chosen().network(data.views.shapes, self.clusters or data.clusters)

    def _labels(self, data: Dataset) -> np.ndarray:
        """What a supervised method learns from. Raises DataError where there is nothing."""
        if data.labels is None:
            raise DataError(
                f"{self.model} learns from labels, and {data.name} has none. Choose data with labels, or a"
                " model that needs none."
            )
        if (asked := self.clusters or data.clusters) != len(data.class_names):
            raise DataError(
                f"{self.model} learns as many classes as the data have, {len(data.class_names)}; got"
                f" clusters = {asked}. Leave clusters out."
            )
        return data.labels

    def work(self, work: Work) -> Generator[Event, None, dict[str, Any]]:
        """Train from the checkpoint, or from the bases, to the end; returns the final metrics."""
        settings, data = self.chosen(), work.data
        at_rest, clusters = data.views.to(work.how.device), self.clusters or data.clusters
        state = settings.skeleton(at_rest, clusters, work.rng, work.how)
        resumed = checkpoint.there(work.folder)
        if resumed:
            checkpoint.load(work.folder, state, settings.version)
        else:
            fitted = {"attack": work.fitted("attack")} if settings.fitted_attack() else {}
            settings.adopt(state, {role: work.model(role) for role in settings.bases()} | fitted)
        watch = _Watch(
            settings,
            state,
            data,
            at_rest,
            work,
            checkpoint.Header(settings.version, at_rest.shapes, clusters),
        )
        steps = self._steps(settings, state, at_rest, data)
        try:
            for event in steps:
                yield from watch.seen(event)
        except GeneratorExit:
            steps.close()  # type: ignore[attr-defined]
            watch.save()
            raise
        return watch.finished()

    def _steps(
        self, settings: ModelSettings, state: State, at_rest: AtRest, data: Dataset
    ) -> Iterator[Event]:
        """The training itself. Labels go to supervised methods alone, those of the training rows alone."""
        rows = torch.from_numpy(data.rows(settings.rows))
        if settings.supervised:
            labels = torch.from_numpy(self._labels(data))[rows].to(state.how.device)
            return settings.train_on_labels(state, at_rest.subset(rows), labels)
        state.rows = rows
        return settings.train(state, at_rest)


class _Watch:
    """What is added to a training while it goes on: scores, pictures, checkpoints."""

    def __init__(
        self,
        settings: ModelSettings,
        state: State,
        data: Dataset,
        at_rest: AtRest,
        work: Work,
        header: checkpoint.Header,
    ) -> None:
        self.state, self.work, self.header = state, work, header
        self.trained_on, self.at_rest_trained = data, at_rest
        self.data = data.plain  # what is judged: nothing that was appended
        self.at_rest = at_rest if self.data is data else self.data.views.to(work.how.device)
        self.sketch = pictures.Sketch(work.folder)
        about = checkpoint.about(work.folder)
        self.attack = watched(settings)
        self.before, self.angles = float(about.get("seconds", 0)), dict(about.get("angles", {}))
        self.began = self.saved = time.monotonic()
        self.drawn = -PICTURE_EVERY

    @property
    def seconds(self) -> float:
        """Time spent, earlier stretches included."""
        return self.before + time.monotonic() - self.began

    def seen(self, event: Event) -> Iterator[Event]:
        """The event, with what belongs to it added, and pictures and a checkpoint where they are due."""
        if isinstance(event, Evaluate):
            found = judged(self.state.model, self.at_rest)
            _check_finite(found, event.step)
            yield event.model_copy(update={"metrics": event.metrics | self._scores(found)})
            yield from self._pictures(event.step, found, last=event.step == event.total)
        else:
            yield event
        if time.monotonic() - self.saved > CHECKPOINT_EVERY:
            self.save()

    def save(self) -> None:
        """A checkpoint now."""
        checkpoint.save(self.work.folder, self.state, self.header, self.seconds, self.angles)
        self.saved = time.monotonic()

    def finished(self) -> dict[str, Any]:
        """Final metrics; weights for inference and a table of the samples are left in the folder."""
        found = judged(self.state.model, self.at_rest)
        metrics = self._scores(found)
        checkpoint.save_model(self.work.folder, self.state.model, self.header)
        self.work.write_table("samples", _table(found, self.data))
        return metrics | {"seconds": round(self.seconds, 3)}

    def _scores(self, found: Mapping[str, np.ndarray]) -> dict[str, Any]:
        self.angles = self._angles(found) or self.angles
        fitted = dict(self.state.extra.items()).get("attack")
        attacked = (
            under_attack(self.attack, self.state.model, self.data, self.work.how.device, fitted)
            if self.attack
            else {}
        )
        return (
            self._right(found)
            | scores(found, self.data.labels, self.header.clusters)
            | self.angles
            | attacked
        )

    def _right(self, found: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Accuracy of a classifier on the rows that it may learn from and on the others."""
        labels = self.data.labels
        if labels is None or "predicted" not in found:
            return {}
        right = found["predicted"] == labels
        parts = {part: self.data.rows(part) for part in ("train", "test")}
        return {f"accuracy_{part}": float(right[rows].mean()) for part, rows in parts.items()}

    def _angles(self, found: Mapping[str, np.ndarray]) -> dict[str, float | None]:
        rows = self.state.probe_rows(len(self.trained_on)) if "cluster" in found else None
        if rows is None:
            return {}
        cluster = found["cluster"]
        if self.trained_on is not self.data:
            cluster = judged(self.state.model, self.at_rest_trained)["cluster"]
        return probe_angles(self.state, self.at_rest_trained, self.trained_on.labels, cluster, rows)

    def _pictures(self, step: int, found: Mapping[str, np.ndarray], last: bool) -> Iterator[Picture]:
        if not last and time.monotonic() - self.drawn < max(PICTURE_EVERY, self.seconds / 50):
            return
        if "reconstruction" in found:
            index = torch.linspace(0, len(self.data) - 1, SHOWN).long()
            clean = self.at_rest.rows(index).flat().cpu().numpy()
            yield from self.sketch.reconstructions(
                step, clean, found["reconstruction"][index.numpy()], self.at_rest.shapes
            )
        if "z" in found:
            yield self.sketch.map(step, found["z"], found.get("cluster", found.get("predicted")), MAPPED)
        self.drawn = time.monotonic()


@torch.no_grad()
def judged(model: nn.Module, data: AtRest) -> dict[str, np.ndarray]:
    """What the model says of every clean sample, in float32: z, cluster, confidence, reconstruction and its
    error, as it is able.
    """
    was, parts = model.training, []
    model.eval()
    for x in data.chunks():
        part: dict[str, Tensor] = {}
        if isinstance(model, Encodes):
            part["z"] = model.encode(x)
        if isinstance(model, Clusters):
            confidence, part["cluster"] = model.log_assign(x).max(1)
            part["confidence"] = confidence.exp()
        if isinstance(model, Classifies):
            certainty, part["predicted"] = model.logits(x).softmax(1).max(1)
            part.setdefault("confidence", certainty)
        if isinstance(model, Reconstructs):
            part["reconstruction"] = model.reconstruct(x)
            part["error"] = (part["reconstruction"] - x.flat()).square().mean(1)
        parts.append(part)
    model.train(was)
    return {name: torch.cat([part[name] for part in parts]).cpu().numpy() for name in parts[0]}


def scores(found: Mapping[str, np.ndarray], labels: np.ndarray | None, clusters: int) -> dict[str, Any]:
    """ACC, NMI and ARI where labels exist, cluster sizes, mean reconstruction error."""
    scored: dict[str, Any] = {}
    if "cluster" in found:
        if labels is not None:
            scored |= {
                "acc": clustering.accuracy(labels, found["cluster"]),
                "nmi": clustering.nmi(labels, found["cluster"]),
                "ari": clustering.ari(labels, found["cluster"]),
            }
        scored["sizes"] = np.bincount(found["cluster"], minlength=clusters).tolist()
    if "error" in found:
        scored["reconstruction_mse"] = float(found["error"].mean(dtype=np.float64))
    return scored


def watched(settings: ModelSettings) -> Attack | None:
    """The attack that a method wants to be watched under while it trains."""
    fields = settings.watched_attack()
    return Attack(**fields) if fields else None


def under_attack(
    choice: Attack, model: nn.Module, data: Dataset, device: str, fitted: nn.Module | None = None
) -> dict[str, Any]:
    """The watched numbers of a model as it is now under an attack, always on the same samples; an attack that
    was fitted before, as it is.
    """
    training = model.training
    judge = Judge(model.eval(), data, device)
    steps = launch(choice.threat, judge, WATCHED_SEED, fitted)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            model.train(training)
            return watched_numbers(end.value)


def _check_finite(found: Mapping[str, np.ndarray], step: int) -> None:
    for name in ("z", "confidence", "error"):
        if name in found and not np.isfinite(found[name]).all():
            raise SettingsError(
                f"Training diverged: at step {step} the model's {name} is no longer a number for some"
                " samples. Lower the learning rate, or the weight of a loss, and train anew."
            )


def _table(found: Mapping[str, np.ndarray], data: Dataset) -> dict[str, Any]:
    table: dict[str, Any] = {"sample": np.arange(len(data))}
    if data.labels is not None:
        table["label"] = data.labels
    return table | {
        name: found[name] for name in ("cluster", "predicted", "confidence", "error") if name in found
    }


def _owner(name: str) -> type[ModelSettings]:
    owner = registry.find("model", name)
    if not issubclass(owner, ModelSettings):
        raise SettingsError(
            f"The model {name!r} cannot be trained: {owner.__qualname__} must be a ModelSettings. Correct the"
            " extension that registers it."
        )
    return owner


def version(name: str) -> int:
    """The version of the method called `name`."""
    return _owner(name).version


def network(model: str, settings: Mapping[str, Any], header: checkpoint.Header) -> nn.Module:
    """The untrained network that weights with this header fit into."""
    return _owner(model)(**settings).network(header.shapes, header.clusters)
