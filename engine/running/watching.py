"""What is added to a training while it goes on: scores, pictures, checkpoints.

Training itself sees no labels unless it is supervised; what needs them is measured here.
"""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.data.dataset import Dataset
from engine.data.views import AtRest
from engine.errors import Diverged
from engine.events import Evaluate, Event, Picture
from engine.metrics.gradient_angles import probe_angles
from engine.metrics.protocols import CleanSamples, measure
from engine.metrics.protocols import watched as watched_numbers
from engine.models.outputs import Outputs, joined, outputs
from engine.models.protocols import ModelSettings, Selects
from engine.models.state import State
from engine.running import pictures
from engine.running.action import Work
from engine.running.attacking import Attack
from engine.running.judging import Judge
from engine.running.launching import ended, launch
from engine.store import checkpoint

CHECKPOINT_EVERY = 10.0
"""Seconds between checkpoints; a stop or a pause makes one at once."""
PICTURE_EVERY, PICTURE_SHARE = 3.0, 1 / 50
"""Seconds between pictures, at least; and at least this share of the time that the training has taken."""
SHOWN = 10
"""Samples in the picture of reconstructions."""
WATCHED_SEED = 0
"""Of the samples and starts of the attack that is watched while a model trains."""
MAPPED = 2000
"""Points, at most, on the small map drawn while training."""


class Watch:
    """Beside one training: scores and pictures where it evaluates, and checkpoints."""

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
        self.attack, self.rows = watched_attack(settings), settings.rows
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
            said = answers(self.state.model, self.at_rest)
            _check_finite(said, event.step)
            yield event.model_copy(update={"metrics": event.metrics | self._numbers(said)})
            yield from self._pictures(event.step, said, last=event.step == event.total)
        else:
            yield event
        if time.monotonic() - self.saved > CHECKPOINT_EVERY:
            self.save()

    def save(self) -> None:
        """Write a checkpoint."""
        checkpoint.save(self.work.folder, self.state, self.header, self.seconds, self.angles)
        self.saved = time.monotonic()

    def finished(self) -> dict[str, Any]:
        """Final metrics; weights for inference and a table of the samples are left in the folder."""
        said = answers(self.state.model, self.at_rest)
        metrics = self._numbers(said)
        checkpoint.save_model(self.work.folder, self.state.model, self.header)
        self.work.write_table("samples", table(said, self.data))
        return metrics | {"seconds": round(self.seconds, 3)}

    def _numbers(self, said: Outputs) -> dict[str, Any]:
        """What is measured of the model, of its training, and under the attack that it is watched under."""
        self.angles = self._angles(said) or self.angles
        features = features_of(self.state.model)
        found = scores(said, self.data, self.header.clusters, self.rows, features) | self.angles
        if self.attack is None:
            return found
        fitted = dict(self.state.extra.items()).get("attack")
        device = self.work.how.device
        return found | under_attack(self.attack, self.state.model, self.data, device, fitted)

    def _angles(self, said: Outputs) -> dict[str, float | None]:
        rows = None if said.cluster is None else self.state.probe_rows(len(self.trained_on))
        if rows is None:
            return {}
        if self.trained_on is not self.data:
            said = answers(self.state.model, self.at_rest_trained)
        assert said.cluster is not None, "the same model clusters any samples"
        labels, cluster = self.trained_on.labels, said.cluster.numpy()
        return probe_angles(self.state, self.at_rest_trained, labels, cluster, rows)

    def _pictures(self, step: int, said: Outputs, last: bool) -> Iterator[Picture]:
        since = time.monotonic() - self.drawn
        if not last and since < max(PICTURE_EVERY, self.seconds * PICTURE_SHARE):
            return
        if said.reconstruction is not None:
            index = torch.from_numpy(pictures.one_of_each(self.data.labels, said.n, SHOWN))
            clean, shown = said.x[index].numpy(), said.reconstruction[index].numpy()
            yield from self.sketch.reconstructions(step, clean, shown, self.at_rest.shapes)
        if said.z is not None:
            group = None if said.group is None else said.group.numpy()
            yield self.sketch.map(step, said.z.numpy(), group, MAPPED)
        self.drawn = time.monotonic()


def answers(model: nn.Module, data: AtRest) -> Outputs:
    """What the model says of every clean sample, in eval mode, float32, on the CPU."""
    training = model.training
    model.eval()
    said = joined([outputs(model, x).to("cpu") for x in data.chunks()])
    model.train(training)
    return said


def scores(
    said: Outputs, data: Dataset, clusters: int, rows: str, features: np.ndarray | None = None
) -> dict[str, Any]:
    """Every metric that fits a model trained on the part `rows`, and cluster sizes where it clusters."""
    labels = None if data.labels is None else torch.from_numpy(data.labels)
    clean = CleanSamples(said.with_labels(labels), data.rows(rows), unseen(data, rows), features)
    found = measure("model", clean).values
    if features is not None:
        found["features"] = sorted(features.tolist())
    if said.cluster is None:
        return found
    return found | {"sizes": np.bincount(said.cluster.numpy(), minlength=clusters).tolist()}


def features_of(model: nn.Module) -> np.ndarray | None:
    """(k,) the features that a model picked; None where it looks at all."""
    return model.features().cpu().numpy() if isinstance(model, Selects) else None


def unseen(data: Dataset, rows: str) -> np.ndarray:
    """The rows that a model trained on the part `rows` did not learn from."""
    return np.setdiff1d(np.arange(len(data)), data.rows(rows))


def watched_attack(settings: ModelSettings) -> Attack | None:
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
    samples = ended(launch(choice.threat, judge, WATCHED_SEED, fitted))
    model.train(training)
    return watched_numbers(samples)


def table(said: Outputs, data: Dataset) -> dict[str, Any]:
    """One row a sample: its cluster or class, the probability of that, and the reconstruction error."""
    columns: dict[str, Any] = {"sample": np.arange(len(data))}
    if data.labels is not None:
        columns["label"] = data.labels
    if said.cluster is not None:
        columns["cluster"] = said.cluster.numpy()
    if said.predicted is not None:
        columns["predicted"] = said.predicted.numpy()
    if said.groups is not None:
        columns["confidence"] = said.groups.amax(dim=1).exp().numpy()
    if said.error is not None:
        columns["error"] = said.error.numpy()
    return columns


def _check_finite(said: Outputs, step: int) -> None:
    """Raises Diverged where the model no longer gives numbers."""
    for name, value in (("z", said.z), ("confidence", said.groups), ("error", said.error)):
        if value is not None and not bool(torch.isfinite(value).all()):
            raise Diverged(
                f"Training diverged: at step {step} the model's {name} is no longer a number for some"
                " samples. Lower the learning rate, or the weight of a loss, and train anew."
            )
