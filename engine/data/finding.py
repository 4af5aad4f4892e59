"""Where a data file lies on this machine, and whether it is the file its name promises."""

import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.data.splits import Rows
from engine.errors import DataError
from engine.home import home

BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
"""A folder of data beside the checkout, found by itself."""


@dataclass(frozen=True)
class Part:
    """One part of a release as it must be: `x_<name>` (n, *shape), its mean, and the samples of each class.

    A release without parts has one whose name is empty: arrays `x` and `y`.
    """

    name: str
    shape: tuple[int, ...]
    counts: tuple[int, ...]
    mean: float

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
    return next((folder / file for folder in folders() if (folder / file).is_file()), None)


def arrays(path: Path, keys: list[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` (only `keys`, where given). Raises DataError where it is none, lacks one, or
    holds objects.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(
                    f"{path} must be an .npz archive; got a single array. Save it with numpy.savez(path,"
                    " x=..., y=...)."
                )
            missing = [key for key in keys or () if key not in archive.files]
            if missing:
                has = ", ".join(archive.files) or "no arrays"
                raise DataError(f"{path} lacks {', '.join(missing)}; it has {has}. Replace it or delete it.")
            return {key: archive[key] for key in keys or archive.files}
    except FileNotFoundError:
        raise DataError(f"There is no file {path}.") from None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged or no .npz archive ({error}); replace it or delete it.") from None
    except ValueError as error:
        if "allow_pickle" in str(error) or "Object arrays" in str(error):
            raise DataError(
                f"{path} holds Python objects, which are never read; save plain numbers, and text as numpy's"
                " str."
            ) from None
        raise DataError(f"{path} is damaged ({error}); replace it or delete it.") from None


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
    mean = float(x.mean(dtype=np.float64))
    if not abs(mean - part.mean) <= 1e-3 * abs(part.mean):
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
