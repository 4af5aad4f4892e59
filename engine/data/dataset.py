"""`Dataset`: views with what is known about them, and which rows are for training."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from engine.data.splits import halves
from engine.settings import Settings

if TYPE_CHECKING:  # data cards are read where torch is not wanted
    from engine.data.views import AtRest


@dataclass(frozen=True)
class Dataset:
    """A named data set.

    `labels` is (n,) int64 from 0, or None; `clusters` is the number of clusters asked for; `fingerprint` is
    the hash of the numbers themselves, so that a run is tied to them and not to a file name. `affine` is
    (low, span), each (d,) or scalar, where data were brought into [0, 1]: what came is low + span * view.
    `train` and `test` are row numbers (int64), None where the source defines no such parts. `origin` (n,)
    marks samples that were made of others: the row they were made of, -1 for the data's own; None: all are
    its own. `feature_names` (d,) are those of the numbers of a table, empty where they have none. `filled` is
    a sentence on how missing numbers of a person's own table were replaced, empty where none were missing.
    """

    name: str
    views: "AtRest"
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    clusters: int
    title: str
    source: str
    licence: str
    split: str = "all"
    note: str = ""
    fingerprint: str = field(default="")
    affine: tuple[np.ndarray, np.ndarray] | None = None
    train: np.ndarray | None = None
    test: np.ndarray | None = None
    origin: np.ndarray | None = None
    feature_names: tuple[str, ...] = ()
    filled: str = ""

    def __post_init__(self) -> None:
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", fingerprint(self.views))

    def __len__(self) -> int:
        return len(self.views)

    @property
    def own(self) -> int:
        """How many samples are the data's own; they come first."""
        return len(self) if self.origin is None else int((self.origin < 0).sum())

    @property
    def made_of(self) -> np.ndarray:
        """(n,) the row that each sample was made of; itself where it is the data's own."""
        own = np.arange(len(self))
        return own if self.origin is None else np.where(self.origin < 0, own, self.origin)

    @property
    def plain(self) -> "Dataset":
        """Its own samples alone."""
        if self.origin is None:
            return self
        labels = None if self.labels is None else self.labels[: self.own]
        own = self.views.subset(slice(self.own))
        return replace(self, views=own, labels=labels, origin=None, fingerprint="")

    def rows(self, part: str) -> np.ndarray:
        """The row numbers of a part (one of `splits.PARTS`): of its own samples, and for the parts that are
        trained on ("all", "first", "train") of those made of them.
        """
        rows = self._own_rows(part)
        if self.origin is None or part in ("second", "test"):
            return rows
        return np.concatenate([rows, np.flatnonzero(np.isin(self.origin, rows))])

    def _own_rows(self, part: str) -> np.ndarray:
        if part == "all":
            return np.arange(self.own)
        if part in ("train", "test") and self.train is not None and self.test is not None:
            return self.train if part == "train" else self.test
        first, second = halves(self.own)
        return first if part in ("first", "train") else second

    def rows_in_words(self, part: str) -> str:
        """Which rows a part is, as a card says it: "the second half, 899 of 1,797 samples"."""
        names = {"all": "all", "first": "the first half", "second": "the second half"}
        if part in ("train", "test") and self.train is not None:
            name = {"train": "the training rows", "test": "the test rows"}[part]
        else:
            name = names[{"train": "first", "test": "second"}.get(part, part)]
        count = len(self._own_rows(part))
        made = self.rows(part)[count:]
        said = f"all {count:,} samples" if part == "all" else f"{name}, {count:,} of {self.own:,} samples"
        if not len(made):
            return said
        copies = len(made) - self.moved(made)
        failed = f", {copies:,} of them copies of their samples, where the attack failed" if copies else ""
        return f"{said}, and {len(made):,} attacked ones{failed}"

    def used_in_words(self, part: str, most: int | None = None) -> str:
        """Which rows a run works on, of a part at most so many, and what was done to missing numbers."""
        rows = self.rows_in_words(part) + ("" if most is None else f", at most {most:,} of them")
        return f"{rows}. {self.filled}" if self.filled else rows

    def moved(self, rows: np.ndarray) -> int:
        """How many of these rows differ from those that they were made of: an attack that fails may answer
        with the sample itself.
        """
        flat = self.views.all().flat().numpy()
        return int((flat[rows] != flat[self.made_of[rows]]).any(axis=1).sum())


def fingerprint(views: "AtRest") -> str:
    """Sixteen hexadecimal digits of the SHA-256 of shapes, divisors and numbers."""
    digest = hashlib.sha256(repr((views.shapes, views.divisors)).encode())
    for tensor in views.tensors:
        digest.update(np.ascontiguousarray(tensor.cpu().numpy()).tobytes())
    return digest.hexdigest()[:16]


class DataSettings(Settings):
    """The base of registered data: a settings class whose `load` gives the Dataset, and which describes it
    without loading.

    `shape` is one sample's (C, H, W) or (d,), of each of `views` views; `counts` the samples of each class,
    `note` how what is loaded differs from the release, `download` the bytes to fetch where nothing is here
    (0: never fetched), `fingerprint` that of the copy on which Feint's own results were measured.
    """

    kind: ClassVar[str] = "data"
    licence: ClassVar[str] = ""
    shape: ClassVar[tuple[int, ...]] = ()
    views: ClassVar[int] = 1
    class_names: ClassVar[tuple[str, ...]] = ()
    counts: ClassVar[tuple[int, ...]] = ()
    note: ClassVar[str] = ""
    download: ClassVar[int] = 0
    fingerprint: ClassVar[str] = ""
    framing: ClassVar[str] = "whole"
    """How a person's own picture is brought to the form of these samples (`engine.data.drawn`)."""
    obtained: ClassVar[str] = ""
    """For data that are never fetched: how a person comes by them."""

    def load(self) -> Dataset:
        """The data set, fetched or built where it must be. Raises DataMissing or DataError."""
        raise NotImplementedError

    @classmethod
    def whereabouts(cls) -> str | None:
        """Where the data would be read from without a network: a path, or "built in"; None: to be fetched."""
        return "built in"

    @classmethod
    def describe_more(cls) -> dict[str, Any]:
        """What the data card adds to a catalogue entry: nothing that changes from machine to machine."""
        return {
            "licence": cls.licence,
            "samples": sum(cls.counts),
            "shape": list(cls.shape),
            "views": cls.views,
            "clusters": len(cls.class_names),
            "classes": list(cls.class_names),
            "counts": list(cls.counts),
            "note": cls.note,
            "download": cls.download,
            "fingerprint": cls.fingerprint,
            "obtained": cls.obtained,
            "framing": cls.framing,
        }
