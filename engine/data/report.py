"""What a person brings, in plain words before anything is used: what it is, what will be done to it, and a
few samples as a model will see them.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from engine.data import loading, own
from engine.data.dataset import Dataset
from engine.data.finding import placed
from engine.data.own import Brought
from engine.data.own_files import Raw

SHOWN = 12
"""Samples that are shown."""
DIGITS = 3
"""Of their numbers: a grey level of 255 is told from the next."""


@dataclass(frozen=True)
class Report:
    """What is known of data that can be used. `shapes` has one sample's (C, H, W) or (d,) for each view,
    `seen` the samples with the numbers `rows`, each a list of its views as nested lists in [0, 1].
    """

    file: str
    samples: int
    shapes: list[list[int]]
    range: list[float]
    classes: dict[str, int]
    clusters: int
    missing: int
    facts: list[str]
    done: list[str]
    licence: str
    fingerprint: str
    rows: list[int]
    labels: list[str]
    seen: list[list[Any]]

    def values(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    def sentences(self) -> list[str]:
        """All of it but the samples, a sentence each."""
        return [
            *self.facts,
            *([] if self.missing else ["No value is missing."]),
            *self.done,
            f"Licence: {self.licence.lower()}; whoever passes results on has to know it.",
            f"Fingerprint {self.fingerprint}: the same numbers and labels have it on every machine.",
        ]

    def seen_in_words(self) -> str:
        """Which samples are shown, by row, with the class of each where there are classes."""
        named = [f"{row} ({name})" for row, name in zip(self.rows, self.labels, strict=False)]
        return f"Samples by row: {', '.join(named or map(str, self.rows))}; --json has their numbers."


@dataclass(frozen=True)
class Examined:
    """What a person brings: as it was read, as data, and the report on it."""

    raws: list[tuple[str, Raw]]
    data: Dataset
    report: Report


def examine(path: str, clusters: int | None = None) -> Examined:
    """Read, judge and report on a file or folder. Raises DataMissing or DataError with one sentence."""
    place, raws = placed(path), own.raws(path)
    found = own.usable(place.name, raws, clusters)
    data = loading.made(found, str(place.resolve()), place.stem, f"{place.name}, brought by a person")
    return Examined(raws, data, _report(place.name, found, data))


def _report(file: str, found: list[Brought], data: Dataset) -> Report:
    first, rows = found[0], _spread(data)
    facts, done = list(first.facts), list(first.done)
    if len(found) > 1:
        shapes = ", ".join("x".join(map(str, shape)) for shape in data.views.shapes)
        facts.insert(0, f"{len(found)} views of the same {len(data):,} samples: {shapes}. Of the first view:")
    names, labels = data.class_names, data.labels
    counts = [] if labels is None else np.bincount(labels, minlength=len(names)).tolist()
    picked = data.views.subset(torch.from_numpy(rows)).all()
    return Report(
        file=file,
        samples=len(data),
        shapes=[list(shape) for shape in data.views.shapes],
        range=[min(one.range[0] for one in found), max(one.range[1] for one in found)],
        classes=dict(zip(names, counts, strict=True)),
        clusters=data.clusters,
        missing=sum(one.missing for one in found),
        facts=facts,
        done=done,
        licence=data.licence,
        fingerprint=data.fingerprint,
        rows=rows.tolist(),
        labels=[] if labels is None else [names[label] for label in labels[rows]],
        seen=[[_plain(view[place].numpy()) for view in picked] for place in range(len(rows))],
    )


def _plain(sample: np.ndarray) -> Any:
    """(H, W), (H, W, 3) or (d,) as nested lists."""
    drawn = sample[0] if sample.ndim == 3 and len(sample) == 1 else sample
    drawn = drawn.transpose(1, 2, 0) if drawn.ndim == 3 else drawn
    return np.round(drawn.astype(float), DIGITS).tolist()


def _spread(data: Dataset) -> np.ndarray:
    """The numbers of a few samples: of every class in turn, else evenly over all."""
    if data.labels is None:
        return np.unique(np.linspace(0, len(data) - 1, min(SHOWN, len(data))).astype(np.int64))
    place = np.zeros(len(data), np.int64)  # of each sample among those of its class
    for label in np.unique(data.labels):
        place[data.labels == label] = np.arange((data.labels == label).sum())
    return np.sort(np.lexsort((data.labels, place))[:SHOWN])
