"""Where a data file lies on this machine, and whether it is the file its name promises."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.data.npz import arrays
from engine.data.splits import Rows
from engine.errors import DataError
from engine.home import home

BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
"""A folder of data beside the checkout, found by itself."""


@dataclass(frozen=True)
class Part:
    """One part of a release as it must be: `x_<name>` (n, *shape), its mean (None: not known; of the numbers
    that are there, where some may be missing), and the samples of each class.

    A release without parts has one whose name is empty: arrays `x` and `y`.
    """

    name: str
    shape: tuple[int, ...]
    counts: tuple[int, ...]
    mean: float | None
    gaps: bool = False
    """Whether numbers may be missing (NaN)."""

    @property
    def keys(self) -> tuple[str, str]:
        """Names of the two arrays in the file."""
        return (f"x_{self.name}", f"y_{self.name}") if self.name else ("x", "y")


def kept() -> Path:
    """The folder of fetched data, under `FEINT_HOME`."""
    return home() / "data"


def folders() -> list[Path]:
    """Where files are looked for: `FEINT_DATA` (else the folder beside the checkout), then fetched data."""
    given = os.environ.get("FEINT_DATA")
    return [Path(given).expanduser() if given else BESIDE, kept()]


def find(file: str) -> Path | None:
    """The first of `folders()` that holds `file`."""
    return next((folder / file for folder in folders() if is_file(folder / file)), None)


def find_folder(name: str) -> Path | None:
    """The first of `folders()` in which a folder is called so; None for what is no plain name."""
    plain = name not in ("", ".", "..") and Path(name).name == name
    return next((folder / name for folder in folders() if plain and is_folder(folder / name)), None)


def placed(name: str) -> Path:
    """The path that a person means; "~" is a home where there is one."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def is_file(path: Path) -> bool:
    """Whether a file is there; False for what can be no path, such as a name of 300 letters."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder is there; False for what can be no path, and for all of the machine."""
    try:
        return bool(path.name) and path.is_dir()
    except OSError:
        return False


def check(x: np.ndarray, y: np.ndarray, part: Part, where: Path | str) -> None:
    """Raises DataError unless shapes, class counts and mean are those of the release."""
    n = sum(part.counts)
    key, label_key = part.keys
    cure = "Replace the file or delete it."
    if x.shape != (n, *part.shape):
        raise DataError(f"{where}: {key} must have the shape {(n, *part.shape)}; got {x.shape}. {cure}")
    if y.shape != (n,) or y.dtype.kind not in "iu":
        raise DataError(
            f"{where}: {label_key} must be {n} whole numbers; got {y.dtype} of shape {y.shape}. {cure}"
        )
    counts = tuple(np.bincount(y, minlength=len(part.counts)).tolist()) if y.min() >= 0 else (0,)
    if counts != part.counts:
        raise DataError(
            f"{where}: the classes of {label_key} must hold {part.counts} samples; got {counts}. {cure}"
        )
    mean = float((np.nanmean if part.gaps else np.mean)(x, dtype=np.float64))
    if part.mean is not None and not abs(mean - part.mean) <= 1e-3 * abs(part.mean):
        raise DataError(
            f"{where}: the mean of {key} must be {part.mean:.5g}; got {mean:.5g}: other numbers, or another"
            f" scale. {cure}"
        )


def source_parts(parts: tuple[Part, ...]) -> tuple[Rows, Rows] | tuple[None, None]:
    """Training and test rows of parts that were joined in this order; None where they are not these two."""
    if [part.name for part in parts] != ["train", "test"]:
        return None, None
    training, testing = (sum(part.counts) for part in parts)
    return np.arange(training), np.arange(training, training + testing)


def read(path: Path, parts: tuple[Part, ...]) -> tuple[np.ndarray, np.ndarray]:
    """x (n, *shape) and y (n,) int64 of the parts joined, each checked. Raises DataError."""
    found = arrays(path, [key for part in parts for key in part.keys])
    for part in parts:
        check(found[part.keys[0]], found[part.keys[1]], part, path)
    x = [found[part.keys[0]] for part in parts]
    y = [found[part.keys[1]] for part in parts]
    return (x[0] if len(parts) == 1 else np.concatenate(x)), np.concatenate(y).astype(np.int64)
