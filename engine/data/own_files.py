"""The three kinds of files that a person brings, read into arrays with nothing trusted: sizes are checked
before reading.
"""

import io
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from engine.data.npz import arrays
from engine.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 2 << 30
"""Bytes that a file may hold once unpacked."""
MOST_PIXELS = 16_000_000
"""Pixels of one image, before it is made smaller."""
LONGEST_SIDE = 64
"""Images are made smaller where a side is longer."""
PARTS = {"train", "test"}
"""Names of the two parts of a file that says what is for training."""
ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Raw:
    """Arrays as they came: x, labels or None, the names of classes and features, a number of clusters or 0,
    what was done, and which samples are for training.
    """

    x: np.ndarray
    y: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    clusters: int = 0
    facts: tuple[str, ...] = ()
    training: np.ndarray | None = None
    """(n,) whether a sample is for training; None where the file does not say."""


def _unpacked(path: Path) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path.name} is damaged or no {path.suffix} file ({error}); save it again."
        ) from None


def _refuse_large(path: Path, size: int) -> None:
    if size > LARGEST:
        raise DataError(
            f"{path.name} holds {size / 1e9:.1f} GB unpacked, and at most {LARGEST / 1e9:.1f} GB are read. "
            "Bring fewer or smaller samples."
        )


def npz(path: Path) -> Raw:
    """`x` or `x_train` (and `x_test`), the same for `y`; also `class_names`, `feature_names`, `clusters`."""
    _refuse_large(path, _unpacked(path))
    found = arrays(path)
    x, facts = _joined(path, found, "x")
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
        facts + how,
        _training_part(found),
    )


def _training_part(found: dict[str, np.ndarray]) -> np.ndarray | None:
    """The first len(x_train) samples, where there is an x_test beside it."""
    if "x" in found or not {"x_train", "x_test"} <= found.keys():
        return None
    return np.arange(len(found["x_train"]) + len(found["x_test"])) < len(found["x_train"])


def views(path: Path) -> list[tuple[str, Raw]]:
    """The views of an .npz that holds `x1`, `x2` … instead of `x`, each with y and the names that come with
    it; empty for any other file.
    """
    if path.suffix.lower() != ".npz":
        return []
    _refuse_large(path, _unpacked(path))
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

    _refuse_large(path, path.stat().st_size)
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
        facts=said,
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


def zip_of_images(path: Path) -> Raw:
    """Images in folders, one a class; images in no folder have no labels. All are brought to one size, grey
    where all are grey. Folders train and test around those of the classes divide them.
    """
    _refuse_large(path, _unpacked(path))
    with zipfile.ZipFile(path) as archive:
        members = sorted(name for name in archive.namelist() if _is_image(name))
        if not members:
            raise DataError(f"{path.name} holds no images; {', '.join(sorted(ENDINGS))} are read.")
        forms = Counter(_form(archive, name) for name in members)
        sizes = Counter({size: count for (size, _), count in forms.items()})
        size, mode = _size(sizes), "L" if all(grey for _, grey in forms) else "RGB"
        _refuse_large(path, len(members) * size[0] * size[1] * len(mode))
        x = np.stack([_pixels(archive, name, size, mode) for name in members])
    folders = [PurePosixPath(name).parent.name for name in members]
    said = (
        ()
        if set(sizes) == {size}
        else (f"Images were brought to {size[0]}x{size[1]} pixels (they came in {len(sizes)} sizes).",)
    )
    return Raw(x, np.array(folders) if all(folders) else None, facts=said, training=_zip_training(members))


def _zip_training(members: list[str]) -> np.ndarray | None:
    """Which images lie in a folder train around their class's; None unless all lie in that or in a test."""
    around = [{part.lower() for part in PurePosixPath(name).parts[:-2]} & PARTS for name in members]
    return (
        np.array([part == {"train"} for part in around]) if all(len(part) == 1 for part in around) else None
    )


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and "__MACOSX" not in path.parts


@contextmanager
def _opened(archive: zipfile.ZipFile, name: str) -> Iterator[Image.Image]:
    """The image, whose pixels are not decoded yet. Raises DataError for whatever is wrong with it, also later
    in the block.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(archive.read(name))) as picture:
                yield picture
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,  # NotImplementedError among them: packed in a way that Python cannot unpack
        MemoryError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise DataError(f"{name} cannot be read as an image ({error}); replace it or leave it out.") from None


def _form(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, int], bool]:
    """Size and whether it is grey, from the head of the file."""
    with _opened(archive, name) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise DataError(
                f"{name} is {picture.width}x{picture.height}; at most {MOST_PIXELS:,} pixels are read. Make"
                " it smaller."
            )
        return picture.size, picture.mode in ("1", "L", "F") or picture.mode.startswith("I")


def _size(sizes: "Counter[tuple[int, int]]") -> tuple[int, int]:
    """The size all images are brought to: the commonest, its longer side at most `LONGEST_SIDE`."""
    width, height = sizes.most_common(1)[0][0]
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _pixels(archive: zipfile.ZipFile, name: str, size: tuple[int, int], mode: str) -> np.ndarray:
    """uint8 (H, W) or (H, W, 3)."""
    with _opened(archive, name) as picture:
        if picture.mode.startswith(
            "I"
        ):  # 16 bits: Pillow's own conversion would cut at 255 instead of scaling
            picture = Image.fromarray(
                (np.asarray(picture).astype(np.float64) / 257).clip(0, 255).astype(np.uint8)
            )
        whole = picture.convert(mode)
        return np.asarray(whole if whole.size == size else whole.resize(size, Image.Resampling.LANCZOS))
