"""`Dataset`: views with what is known about them. Labels are for metrics and probes; no training code takes them."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.data.views import AtRest
from engine.settings import Settings


@dataclass(frozen=True)
class Dataset:
    """A named data set.

    `labels` is (n,) int64 from 0, or None; `clusters` is the number of clusters asked for; `fingerprint` is the hash of
    the numbers themselves, so that a run is tied to them and not to a file name.
    """
    name: str
    views: AtRest
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    clusters: int
    title: str
    source: str
    licence: str
    split: str = "all"
    note: str = ""
    fingerprint: str = field(default="")

    def __post_init__(self) -> None:
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", fingerprint(self.views))

    def __len__(self) -> int:
        return len(self.views)


def fingerprint(views: AtRest) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of shapes, divisors and numbers."""
    digest = hashlib.sha256(repr((views.shapes, views.divisors)).encode())
    for tensor in views.tensors:
        digest.update(np.ascontiguousarray(tensor.cpu().numpy()).tobytes())
    return digest.hexdigest()[:16]


class DataSettings(Settings):
    """The base of registered data: a settings class whose `load` gives the Dataset."""

    kind: ClassVar[str] = "data"
    licence: ClassVar[str] = ""

    def load(self) -> Dataset:
        """The data set, fetched or built where it must be. Raises DataMissing or DataError."""
        raise NotImplementedError

    @classmethod
    def describe_more(cls) -> dict[str, Any]:
        """What the data card adds to a catalogue entry."""
        return {"licence": cls.licence}
