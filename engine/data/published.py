"""`Published`: registered data that are a file, found on this machine or fetched from their source."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from engine.data.dataset import Dataset, DataSettings, fingerprint
from engine.data.download import Remote
from engine.data.finding import Part, find, kept, read, source_parts
from engine.data.splits import Rows
from engine.errors import DataError, DataMissing

if TYPE_CHECKING:  # data cards are read where torch is not wanted
    from engine.data.views import AtRest

Arrays = dict[str, np.ndarray]
OTHER_COPY = "This copy differs in some numbers from the one on which Feint's own results were measured."


@dataclass(frozen=True)
class Release:
    """The files of a release, the addresses that serve them (tried in order), and how they become arrays."""

    mirrors: tuple[str, ...]
    files: tuple[Remote, ...]
    convert: Callable[[Path], Arrays]

    @property
    def size(self) -> int:
        """Bytes of all files together, as far as they are known."""
        return sum(remote.size for remote in self.files)


def closed(folder: Path) -> Arrays:
    """Of a release whose files nothing here can open. Raises DataError."""
    raise DataError("its release is packed as nothing here can unpack it")


@dataclass(frozen=True)
class OpenML:
    """The same numbers on openml.org, through scikit-learn: the second way, without a checksum of its own."""

    number: int
    convert: Callable[[np.ndarray, np.ndarray], Arrays]


class Published(DataSettings):
    """Data that are one `.npz` file, `file`, with these `parts`.

    The file is looked for in `engine.data.finding.folders()`; where it is not, `engine.data.fetch` makes it
    from `release`, else from `openml`. `levels` is the number of steps from 0 to 1: 255 for bytes.
    """

    file: ClassVar[str]
    parts: ClassVar[tuple[Part, ...]]
    all_parts: ClassVar[tuple[Part, ...]] = ()
    """What the file holds where that is more than `parts`."""
    release: ClassVar[Release]
    openml: ClassVar[OpenML | None] = None
    split: ClassVar[str] = "all"
    levels: ClassVar[float] = 255.0

    @classmethod
    def whereabouts(cls) -> str | None:
        """The path of the file on this machine, or None."""
        path = find(cls.file)
        return None if path is None else str(path)

    @classmethod
    def folder(cls) -> Path:
        """Where the files of the release are put, by a download or by hand."""
        return kept() / Path(cls.file).stem

    @classmethod
    def missing(cls, why: str) -> DataMissing:
        """The error that says what was tried and which file to put where."""
        names = (
            " and ".join(remote.name for remote in cls.release.files)
            if len(cls.release.files) < 3
            else ", ".join(remote.name for remote in cls.release.files)
        )
        by_hand = f", or {names} in {cls.folder()}" if names else ""
        return DataMissing(
            f"{cls.title} is not on this machine and could not be fetched ({why}). "
            f"Place {cls.file} in {kept()}{by_hand}, and try again."
        )

    @classmethod
    def rest(cls, x: np.ndarray) -> tuple[np.ndarray, float]:
        """x as it rests, and the number it is then divided by to lie in [0, 1]."""
        return x, cls.levels

    def load(self) -> Dataset:
        """The data set; `engine.data.load` fetches it first. Raises DataMissing or DataError."""
        from engine.data.tensors import images  # torch, which cards do without

        path = find(self.file)
        if path is None:
            raise self.missing("nothing was tried")
        x, y = read(path, self.parts)
        x, divisor = self.rest(x)
        return self.made(images(x, divisor), y, *source_parts(self.parts))

    def made(
        self, views: "AtRest", y: np.ndarray, train: Rows | None, test: Rows | None, **more: Any
    ) -> Dataset:
        """The data set of these views with all that the class says of it; `more` are further fields."""
        numbers = fingerprint(views)
        note = (
            self.note if numbers == self.fingerprint or not self.fingerprint else f"{self.note} {OTHER_COPY}"
        )
        return Dataset(
            name=self.name,
            views=views,
            labels=y,
            class_names=self.class_names,
            clusters=len(self.class_names),
            title=self.title,
            source=self.source,
            licence=self.licence,
            split=self.split,
            note=note,
            fingerprint=numbers,
            train=train,
            test=test,
            **more,
        )
