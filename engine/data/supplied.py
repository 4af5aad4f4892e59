"""`Supplied`: registered vectors that are never fetched: one `.npz` that a person puts into FEINT_DATA."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from engine.data.dataset import Dataset, DataSettings, fingerprint
from engine.data.finding import Part, find, folders, read, source_parts
from engine.data.npz import arrays
from engine.data.published import OTHER_COPY
from engine.errors import DataError, DataMissing


class Supplied(DataSettings):
    """Vectors (n, d) in `file`: arrays x and y, or x_train … y_test, as `parts` say; of unknown counts where
    `parts` is empty.

    Numbers outside [0, 1] are brought there, feature by feature, by one stored affine map.
    """

    file: ClassVar[str]
    parts: ClassVar[tuple[Part, ...]] = ()

    @classmethod
    def whereabouts(cls) -> str | None:
        """The path of the file on this machine, or None."""
        path = find(cls.file)
        return None if path is None else str(path)

    def load(self) -> Dataset:
        """The data set. Raises DataMissing without the file, DataError where it is another."""
        from engine.data.tensors import vectors  # torch, which cards do without

        path = find(self.file)
        if path is None:
            raise DataMissing(
                f"{self.title} is not on this machine and is never fetched."
                f" {self.obtained.replace('FEINT_DATA', str(folders()[0]))}"
            )
        x, y = read(path, self.parts) if self.parts else self._read(path)
        x = x.astype(np.float32)
        affine, note = None, self.note
        if x.min() < 0 or x.max() > 1:
            low, high = x.min(axis=0), x.max(axis=0)
            span = np.where(high > low, high - low, 1).astype(np.float32)
            x, affine = np.clip((x - low) / span, 0, 1).astype(np.float32), (low, span)
            note += " Each feature was brought into [0, 1] by its least and greatest value."
        views = vectors(x)
        train, test = source_parts(self.parts)
        numbers = fingerprint(views)
        if self.fingerprint and numbers != self.fingerprint:
            note += f" {OTHER_COPY}"
        return Dataset(
            name=self.name,
            views=views,
            labels=y,
            class_names=self.class_names,
            clusters=len(self.class_names),
            title=self.title,
            source=self.source,
            licence=self.licence,
            note=note,
            fingerprint=numbers,
            affine=affine,
            train=train,
            test=test,
        )

    def _read(self, path: Path) -> tuple[np.ndarray, np.ndarray]:
        """x (n, d) and y (n,), checked against the shape and the number of classes alone."""
        found = arrays(path, ["x", "y"])
        x, y = found["x"], found["y"]
        if x.ndim != 2 or x.shape[1:] != self.shape or x.dtype.kind not in "fiu" or not np.isfinite(x).all():
            raise DataError(
                f"{path}: x must be finite numbers of the shape (n, {self.shape[0]}); got {x.dtype} of shape"
                f" {x.shape}. Replace the file."
            )
        if (
            y.shape != x.shape[:1]
            or y.dtype.kind not in "iu"
            or y.min() < 0
            or y.max() >= len(self.class_names)
        ):
            raise DataError(
                f"{path}: y must be {len(x)} whole numbers from 0 to {len(self.class_names) - 1}; got"
                f" {y.dtype} of shape {y.shape}. Replace the file."
            )
        return x, y.astype(np.int64)
