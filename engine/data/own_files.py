"""The files of arrays and tables that a person brings, read with nothing trusted: sizes are checked before
reading. Pictures are in `own_images`.
"""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.data.npz import arrays
from engine.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 2 << 30
"""Bytes that a file may hold once unpacked."""
PARTS = {"train", "test"}
"""Names of the two parts of a file that says what is for training."""


@dataclass(frozen=True)
class Raw:
    """Arrays as they came: x, labels or None, the names of classes and features, a number of clusters or 0,
    what reading did to them, and which samples are for training.
    """

    x: np.ndarray
    y: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    clusters: int = 0
    done: tuple[str, ...] = ()
    training: np.ndarray | None = None
    """(n,) whether a sample is for training; None where the file does not say."""


def unpacked(path: Path) -> int:
    """Bytes that an archive says it holds. Raises DataError where it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path.name} is damaged or no {path.suffix} file ({error}); save it again."
        ) from None


def refuse_large(path: Path, size: int) -> None:
    """Raises DataError where that is more than is read."""
    if size > LARGEST:
        raise DataError(
            f"{path.name} holds {size / 1e9:.1f} GB unpacked, and at most {LARGEST / 1e9:.1f} GB are read. "
            "Bring fewer or smaller samples."
        )


def npz(path: Path) -> Raw:
    """`x` or `x_train` (and `x_test`), the same for `y`; also `class_names`, `feature_names`, `clusters`, and
    beside `x` `training`, true for each sample to train on.
    """
    refuse_large(path, unpacked(path))
    found = arrays(path)
    x, done = _joined(path, found, "x")
    if x is None:
        raise DataError(
            f"{path.name} must hold an array x, or x_train and x_test; it has {', '.join(found) or 'none'}."
        )
    x, how = _last_channel(x)
    y, _ = _joined(path, found, "y")
    return Raw(
        x,
        y,
        _words(found.get("class_names")),
        _words(found.get("feature_names")),
        _number(found.get("clusters")),
        done + how,
        _training_part(found),
    )


def _training_part(found: dict[str, np.ndarray]) -> np.ndarray | None:
    """The first len(x_train) samples, where there is an x_test beside it; those that `training` says."""
    said = found.get("training")
    if said is not None and "x" in found and said.dtype.kind == "b" and said.shape == found["x"].shape[:1]:
        return said
    if "x" in found or not {"x_train", "x_test"} <= found.keys():
        return None
    return np.arange(len(found["x_train"]) + len(found["x_test"])) < len(found["x_train"])


def views(path: Path) -> list[tuple[str, Raw]]:
    """The views of an .npz that holds `x1`, `x2` … instead of `x`, each with y and the names that come with
    it; empty for any other file.
    """
    if path.suffix.lower() != ".npz":
        return []
    refuse_large(path, unpacked(path))
    found = arrays(path)
    keys = [f"x{number}" for number in range(1, len(found) + 1) if f"x{number}" in found]
    if "x" in found or not any(re.fullmatch(r"x\d+", key) for key in found):
        return []
    gaps = [key for key in found if re.fullmatch(r"x\d+", key) and key not in keys]
    if gaps or keys != [f"x{number}" for number in range(1, len(keys) + 1)]:
        raise DataError(
            f"{path.name}: views are called x1, x2 and so on without a gap; it has"
            f" {', '.join(sorted([*keys, *gaps]))}. Rename them."
        )
    if len(keys) == 1:
        raise DataError(
            f"{path.name} has one view, {keys[0]}; several views are called x1, x2 and so on, a single one is"
            " called x."
        )
    lengths = {key: len(found[key]) if found[key].ndim else 0 for key in keys}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        raise DataError(
            f"{path.name}: every view must hold the same samples in the same order; {said}. Leave out what"
            " lacks a view."
        )
    labels, names, clusters = found.get("y"), _words(found.get("class_names")), _number(found.get("clusters"))
    return [(key, Raw(_last_channel(found[key])[0], labels, names, clusters=clusters)) for key in keys]


def _joined(path: Path, found: dict[str, np.ndarray], key: str) -> tuple[np.ndarray | None, tuple[str, ...]]:
    if key in found:
        return found[key], ()
    parts = [found[name] for name in (f"{key}_train", f"{key}_test") if name in found]
    if not parts:
        return None, ()
    if len({part.shape[1:] for part in parts}) > 1:
        shapes = " and ".join(str(part.shape[1:]) for part in parts)
        raise DataError(
            f"{path.name}: {key}_train and {key}_test must have samples of one shape; got {shapes}."
        )
    said = (
        (f"The training part ({len(parts[0]):,}) and the test part ({len(parts[1]):,}) were joined.",)
        if len(parts) > 1
        else ()
    )
    return np.concatenate(parts), said


def _last_channel(x: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    if x.ndim == 4 and x.shape[-1] not in (1, 3) and x.shape[1] in (1, 3):
        return x.transpose(0, 2, 3, 1), ("Images came as (channels, height, width).",)
    return x, ()


def _number(value: np.ndarray | None) -> int:
    return int(value.item()) if value is not None and value.size == 1 and value.dtype.kind in "iu" else 0


def _words(names: np.ndarray | None) -> tuple[str, ...]:
    return () if names is None or names.ndim != 1 else tuple(str(name) for name in names)


def csv(path: Path) -> Raw:
    """One row a sample, numbers only, with optional columns `label` and `split` (train or test). A first row
    of numbers is a sample, not a heading.
    """
    import pandas as pd  # a third of a second of import, for tables alone

    refuse_large(path, path.stat().st_size)
    try:
        table = pd.read_csv(path, encoding="utf-8-sig")
        headed = not all(_is_number(name) for name in table.columns)
        table = table if headed else pd.read_csv(path, header=None)
    except (ValueError, OSError) as error:  # pandas' own errors are ValueErrors
        raise DataError(
            f"{path.name} cannot be read as a table ({str(error).splitlines()[0]}). Save it as UTF-8 with"
            " commas."
        ) from None
    if table.empty:
        raise DataError(f"{path.name} holds no samples: it has a heading and no rows under it.")
    label = next((column for column in table.columns if str(column).strip().lower() == "label"), None)
    y = None if label is None else _csv_labels(path, table[label])
    split = next((column for column in table.columns if _is_split(column, table[column])), None)
    training = None if split is None else _csv_training(path, table[split])
    numbers = table.drop(columns=[column for column in (label, split) if column is not None])
    text = [str(column) for column in numbers.columns if not _holds_numbers(numbers[column])]
    if text:
        raise DataError(
            f"{path.name}: every column but label must be numbers; these hold text: {', '.join(text[:6])}. "
            "Name the classes' column label, that of the parts split, and leave other text out."
        )
    said = () if headed else ("The first row holds numbers, so it is a sample and not a heading.",)
    return Raw(
        numbers.to_numpy(dtype=np.float64),
        y,
        features=tuple(map(str, numbers.columns)) if headed else (),
        done=said,
        training=training,
    )


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _holds_numbers(column: "pd.Series[object]") -> bool:
    return column.dtype.kind in "biufc"


def _csv_labels(path: Path, column: "pd.Series[object]") -> np.ndarray:
    if column.isna().any():
        raise DataError(
            f"{path.name}: {int(column.isna().sum())} of {len(column)} labels are empty. Fill them, or leave"
            " the column out."
        )
    return column.to_numpy() if _holds_numbers(column) else np.array([str(value) for value in column])


def _is_split(name: object, column: "pd.Series[object]") -> bool:
    return str(name).strip().lower() == "split" and not _holds_numbers(column)


def _csv_training(path: Path, column: "pd.Series[object]") -> np.ndarray:
    words = [str(value).strip().lower() for value in column]
    wrong = next((word for word in words if word not in PARTS), None)
    if wrong is not None:
        raise DataError(f"{path.name}: the column split must say train or test; got {wrong!r}. Correct it.")
    return np.array([word == "train" for word in words])
