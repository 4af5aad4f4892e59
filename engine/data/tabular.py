"""`Tabular`: registered data whose samples are rows of a table, each number a feature with a name and a
range.
"""

import zipfile
from pathlib import Path
from typing import ClassVar

from engine.data.dataset import Dataset
from engine.data.finding import find, read, source_parts
from engine.data.npz import arrays
from engine.data.published import Published
from engine.data.scaling import filled, ranged
from engine.data.splits import Rows

NAMES = "feature_names"


class Tabular(Published):
    """Rows of features, float: missing numbers are the medians of the training rows, and each feature is
    brought into [0, 1] by its least and greatest value there. What lies outside in the test rows is cut off.
    """

    feature_names: ClassVar[tuple[str, ...]] = ()
    """Those of the features; empty where the file has them, or nobody."""

    def load(self) -> Dataset:
        """The data set; `engine.data.load` fetches it first. Raises DataMissing or DataError."""
        from engine.data.tensors import vectors  # torch, which cards do without

        path = find(self.file)
        if path is None:
            raise self.missing("nothing was tried")
        x, y = read(path, self.parts)
        train, test = self.divided(len(x))
        x, low, span = ranged(filled(x, train), train)
        names = self.feature_names or self._names(path)
        return self.made(vectors(x), y, train, test, affine=(low, span), feature_names=names)

    def divided(self, n: int) -> tuple[Rows, Rows]:
        """Training and test rows of n samples."""
        train, test = source_parts(self.parts)
        assert train is not None and test is not None, "a table without these parts says how it is divided"
        return train, test

    def _names(self, path: Path) -> tuple[str, ...]:
        with zipfile.ZipFile(path) as archive:
            held = f"{NAMES}.npy" in archive.namelist()
        return tuple(map(str, arrays(path, [NAMES])[NAMES])) if held else ()
