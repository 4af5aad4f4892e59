"""What metrics look at, and the one loop that measures them all.

A metric of an attack looks at `AttackedSamples`, one of a model at `CleanSamples`, one of a training at
`engine.metrics.gradient_angles.Gradients`. Each says by `present` what is there to be measured.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from torch import Tensor

from engine import registry
from engine.errors import FeintError, MetricError
from engine.metrics.intervals import rate
from engine.models.outputs import Outputs
from engine.nets.mine import Compression
from engine.objectives.protocols import ObjectiveSettings, OverWeight


class Seen(Protocol):
    """What metrics may be measured of."""

    @property
    def n(self) -> int:
        """How many samples."""
        ...

    @property
    def present(self) -> frozenset[str]:
        """What is there for metrics that need it: "labels", abilities, and facts of an attack."""
        ...


@dataclass(frozen=True)
class AttackedSamples:
    """The samples of one attack, judged, on the CPU: what the model says of them clean and attacked, under
    noise of the same size (`noisy`; None where none was drawn) and under the perturbation of another sample
    (`other`; None where there is no other).

    Rows follow `index`. Where an attack moves the embedding, `clean.z` and `attacked.z` are the embeddings
    before and after, and the samples `x` stay as they are.
    """

    objective: ObjectiveSettings
    index: Tensor  # (n,) rows of the data
    clean: Outputs
    attacked: Outputs
    noisy: Outputs | None = None
    other: Outputs | None = None
    value: Tensor | None = None  # (n,) the objective at the attack's answer
    recognised: tuple[np.ndarray, np.ndarray] | None = None
    """(n,) the classes for which neighbours in pixel space take the clean and the attacked samples."""
    space: str = "pixels"
    """What the attack moved: "pixels" or "embedding"."""
    reference: Tensor | None = None
    """(N, m) embeddings of the samples that the model was trained on, for distances of sets."""
    inception: tuple[Tensor, Tensor, Tensor] | None = None
    """Features of Inception, of the attacked samples, of the same before, and of the samples trained on."""
    extractor: tuple[Tensor, Tensor, Tensor] | None = None
    """The same three, of another classifier."""
    compression: Compression | None = None
    """How the likeness of clean and attacked samples is scored; None: it is not."""

    @property
    def n(self) -> int:
        """How many samples."""
        return len(self.index)

    @cached_property
    def present(self) -> frozenset[str]:
        """Abilities, "groups", "labels"; "goal" where the objective can be reached, "weight" where it has
        one; "pixels" or "embedding"; "noise", "value", "recognised" and "likeness" where they are known.
        """
        facts = {
            "goal": self.reached is not None,
            "weight": isinstance(self.objective, OverWeight),
            "noise": self.noisy is not None,
            "value": self.value is not None,
            "recognised": self.recognised is not None,
            "likeness": self.compression is not None,
            "reference": self.reference is not None,
            "inception": self.inception is not None,
            "extractor": self.extractor is not None,
            self.space: True,
        }
        return self.clean.present | {name for name, there in facts.items() if there}

    @property
    def labels(self) -> np.ndarray:
        """(n,) the labels, for metrics that say that they need them."""
        assert self.clean.labels is not None, "the loop asks only metrics whose needs are present"
        return self.clean.labels.numpy()

    def clusters(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) the cluster of each sample, clean and attacked, for metrics that need clusters."""
        assert self.clean.cluster is not None and self.attacked.cluster is not None
        return self.clean.cluster.numpy(), self.attacked.cluster.numpy()

    @cached_property
    def reached(self) -> Tensor | None:
        """(n,) whether each sample is where the objective wants it; None where it has no such notion."""
        return self.objective.reached(self.clean, self.attacked)

    def success(self, after: Outputs | None) -> np.ndarray:
        """(m,) bool: whether `after` is where the objective wants it, for the samples that count."""
        counted = self.objective.counted(self.clean)
        if after is None or counted is None:
            return np.zeros(0, bool)
        there = self.objective.reached(self.clean, after)
        assert there is not None, "an objective with a notion of success has it for all samples"
        return there[counted].numpy()

    def delta(self) -> np.ndarray:
        """What the attack added, float64: (n, d) to pixels, or (n, m) to the embedding."""
        if self.space == "pixels":
            return (self.attacked.x - self.clean.x).numpy().astype(np.float64)
        before, after = self.embeddings()
        return (after - before).astype(np.float64)

    def embeddings(self) -> tuple[np.ndarray, np.ndarray]:
        """(n, m) embeddings, clean and attacked, for metrics that need them."""
        assert self.clean.z is not None and self.attacked.z is not None
        return self.clean.z.numpy(), self.attacked.z.numpy()


@dataclass(frozen=True)
class CleanSamples:
    """All samples of the data as a trained model sees them, with those that it may have learned from."""

    said: Outputs
    train: np.ndarray  # rows
    test: np.ndarray  # rows; empty where it may have learned from all
    features: np.ndarray | None = None  # (k,), those that the model picked

    @property
    def n(self) -> int:
        """How many samples."""
        return self.said.n

    @property
    def present(self) -> frozenset[str]:
        """Abilities, "groups" and "labels"; "unseen" where it did not learn from all rows, "selects" where it
        picked features.
        """
        facts = {"unseen": len(self.test) > 0, "selects": self.features is not None}
        return self.said.present | {name for name, there in facts.items() if there}

    @property
    def labels(self) -> np.ndarray:
        """(n,) the labels, for metrics that say that they need them."""
        assert self.said.labels is not None
        return self.said.labels.numpy()

    def clusters(self) -> np.ndarray:
        """(n,) the clusters, for metrics that say that they need them."""
        assert self.said.cluster is not None
        return self.said.cluster.numpy()


class Measured(NamedTuple):
    """What a loop over metrics found: numbers by name, and a column (n,) for each that is one per sample."""

    values: dict[str, Any]
    columns: dict[str, np.ndarray]


def measure(of: str, seen: Seen) -> Measured:
    """Every metric of that kind whose needs are present, as values of a result and columns of its table."""
    values: dict[str, Any] = {}
    columns: dict[str, np.ndarray] = {}
    for metric in fitting(of, seen.present):
        found = _found(metric, seen)
        if not isinstance(found, np.ndarray):
            values[metric.name] = found
            continue
        values |= rate(metric.name, found) if found.dtype == bool else {metric.name: mean(found)}
        if len(found) == seen.n and metric.column != "":
            columns[metric.column or metric.name] = found
    return Measured(values, columns)


def _found(metric: registry.Metric, seen: Seen) -> Any:
    """What a metric gives: plain JSON, or an array (n,). Raises MetricError for anything else."""
    assert metric.measure is not None, "those that something else measures do not fit"
    try:
        found = metric.measure(seen)
        found = found.numpy() if isinstance(found, Tensor) else found
        if isinstance(found, np.ndarray) and found.ndim != 1:
            raise ValueError(f"an array of shape {found.shape}")
        if not isinstance(found, np.ndarray):
            json.dumps(found, allow_nan=False)
    except FeintError:
        raise
    except Exception as error:  # whatever is wrong in it, the sentence says whose fault it is
        raise MetricError(
            f"The metric {metric.name} must give a finite number, plain JSON, or one value a sample (n,); got"
            f" {type(error).__name__}: {' '.join(str(error).split())[:160]}. Mend its measure."
        ) from error
    return found


def watched(samples: AttackedSamples) -> dict[str, Any]:
    """The numbers that stand beside the curves of a training or a fitting."""
    values, declared = measure("attack", samples).values, registry.metrics()
    return {name: value for name, value in values.items() if name in declared and declared[name].watched}


def fitting(of: str, present: frozenset[str]) -> Iterator[registry.Metric]:
    """The metrics of that kind which can be measured where this is present."""
    for metric in registry.metrics().values():
        needs = {*metric.needs, *(("labels",) if metric.labels else ())}
        if metric.of == of and metric.measure is not None and needs <= present:
            yield metric


def mean(values: np.ndarray) -> float | None:
    """The mean of values (n,); None without any."""
    return float(values.mean()) if len(values) else None
