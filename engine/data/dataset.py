"""`Dataset`: views with what is known about them. Labels are for metrics and probes; no training code takes
them.
"""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from engine.settings import Settings

if TYPE_CHECKING:  # data cards are read where torch is not wanted
    from engine.data.views import AtRest


@dataclass(frozen=True)
class Dataset:
    """A named data set.

    `labels` is (n,) int64 from 0, or None; `clusters` is the number of clusters asked for; `fingerprint` is
    the hash of the numbers themselves, so that a run is tied to them and not to a file name. `affine` is
    (low, span), each (d,) or scalar, where data were brought into [0, 1]: what came is low + span * view.
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

    def __post_init__(self) -> None:
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", fingerprint(self.views))

    def __len__(self) -> int:
        return len(self.views)


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
    obtained: ClassVar[str] = ""
    """For data that are never fetched: how a person comes by them."""

    def load(self) -> Dataset:
        """The data set, fetched or built where it must be. Raises DataMissing or DataError."""
        raise NotImplementedError

    @classmethod
    def whereabouts(cls) -> str | None:
        """Where the data would be read from without a network: a path, or "built in"; None where they must be
        fetched.
        """
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
        }
