"""The three kinds of files that a person brings, read into arrays with nothing trusted: sizes are checked before reading."""

import io
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from engine.data.finding import arrays
from engine.errors import DataError

LARGEST = 2 << 30
"""Bytes that a file may hold once unpacked."""
MOST_PIXELS = 16_000_000
"""Pixels of one image, before it is made smaller."""
LONGEST_SIDE = 64
"""Images are made smaller where a side is longer."""
ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Raw:
    """Arrays as they came: x, labels or None, the names of classes and features, a number of clusters or 0; and what was done."""
    x: np.ndarray
    y: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    clusters: int = 0
    facts: tuple[str, ...] = ()


def _unpacked(path: Path) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name} is damaged or no {path.suffix} file ({error}); save it again.") from None


def _refuse_large(path: Path, size: int) -> None:
    if size > LARGEST:
        raise DataError(f"{path.name} holds {size / 1e9:.1f} GB, and at most {LARGEST / 1e9:.1f} GB can be read. Bring fewer or smaller samples.")


def npz(path: Path) -> Raw:
    """`x` or `x_train` (with `x_test`, joined); the same for `y`; optionally `class_names`, `feature_names`, `clusters`."""
    _refuse_large(path, _unpacked(path))
    found = arrays(path)
    x, facts = _joined(path, found, "x")
    if x is None:
        raise DataError(f"{path.name} must hold an array x, or x_train and x_test; it has {', '.join(found) or 'none'}.")
    x, how = _last_channel(x)
    y, _ = _joined(path, found, "y")
    clusters = int(found["clusters"]) if "clusters" in found and found["clusters"].size == 1 and found["clusters"].dtype.kind in "iu" else 0
    return Raw(x, y, _words(found.get("class_names")), _words(found.get("feature_names")), clusters, facts + how)


def _joined(path: Path, found: dict[str, np.ndarray], key: str) -> tuple[np.ndarray | None, tuple[str, ...]]:
    if key in found:
        return found[key], ()
    parts = [found[name] for name in (f"{key}_train", f"{key}_test") if name in found]
    if not parts:
        return None, ()
    if len({part.shape[1:] for part in parts}) > 1:
        raise DataError(f"{path.name}: {key}_train and {key}_test must have samples of one shape; got {parts[0].shape[1:]} and {parts[1].shape[1:]}.")
    said = (f"The training part ({len(parts[0]):,}) and the test part ({len(parts[1]):,}) were joined.",) if len(parts) > 1 else ()
    return np.concatenate(parts), said


def _last_channel(x: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    if x.ndim == 4 and x.shape[-1] not in (1, 3) and x.shape[1] in (1, 3):
        return x.transpose(0, 2, 3, 1), ("Images came as (channels, height, width).",)
    return x, ()


def _words(names: np.ndarray | None) -> tuple[str, ...]:
    return () if names is None or names.ndim != 1 else tuple(str(name) for name in names)


def csv(path: Path) -> Raw:
    """One row a sample, numbers only, with an optional column `label`. A first row of numbers is a sample, not a heading."""
    _refuse_large(path, path.stat().st_size)
    try:
        table = pd.read_csv(path, encoding="utf-8-sig")
        headed = not all(_is_number(name) for name in table.columns)
        table = table if headed else pd.read_csv(path, header=None)
    except (ValueError, OSError) as error:  # pandas' own errors are ValueErrors
        raise DataError(f"{path.name} cannot be read as a table ({str(error).splitlines()[0]}). Save it as UTF-8 with commas.") from None
    label = next((column for column in table.columns if str(column).strip().lower() == "label"), None)
    y = None if label is None else _csv_labels(path, table[label])
    numbers = table if label is None else table.drop(columns=label)
    text = [str(column) for column in numbers.columns if not pd.api.types.is_numeric_dtype(numbers[column])]
    if text:
        raise DataError(f"{path.name}: every column but label must be numbers; {', '.join(text[:6])} {'is' if len(text) == 1 else 'are'} text. "
                        "Name the classes' column label and leave other text out.")
    said = () if headed else ("The first row holds numbers, so it is a sample and not a heading.",)
    return Raw(numbers.to_numpy(dtype=np.float64), y, features=tuple(map(str, numbers.columns)) if headed else (), facts=said)


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _csv_labels(path: Path, column: "pd.Series[object]") -> np.ndarray:
    if column.isna().any():
        raise DataError(f"{path.name}: {int(column.isna().sum())} of {len(column)} labels are empty. Fill them, or leave the column out.")
    return column.to_numpy() if pd.api.types.is_numeric_dtype(column) else np.array([str(value) for value in column])


def zip_of_images(path: Path) -> Raw:
    """Images in folders, one a class; images in no folder have no labels. All are brought to one size, grey where all are grey."""
    _refuse_large(path, _unpacked(path))
    with zipfile.ZipFile(path) as archive:
        members = sorted(name for name in archive.namelist() if _is_image(name))
        if not members:
            raise DataError(f"{path.name} holds no images; {', '.join(sorted(ENDINGS))} are read.")
        pictures = [_picture(archive, name) for name in members]
    sizes = Counter(picture.size for picture in pictures)
    size = _size(sizes)
    grey = all(picture.mode == "L" for picture in pictures)
    x = np.stack([np.asarray(_fitted(picture, size, grey)) for picture in pictures])
    folders = [PurePosixPath(name).parent.name for name in members]
    said = () if set(sizes) == {size} else (f"Images were brought to {size[0]}x{size[1]} pixels (they came in {len(sizes)} sizes).",)
    return Raw(x, np.array(folders) if all(folders) else None, facts=said)


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and "__MACOSX" not in path.parts


def _picture(archive: zipfile.ZipFile, name: str) -> Image.Image:
    try:
        with Image.open(io.BytesIO(archive.read(name))) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise DataError(f"{name} is {picture.width}x{picture.height}; at most {MOST_PIXELS:,} pixels are read. Make it smaller.")
            whole = picture.convert("L" if picture.mode in ("1", "L", "I;16") else "RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, zipfile.BadZipFile, Image.DecompressionBombError) as error:
        raise DataError(f"{name} cannot be read as an image ({error}); replace it or leave it out.") from None
    if max(whole.size) > 4 * LONGEST_SIDE:  # thousands of photographs would fill the memory before their common size is known
        whole.thumbnail((4 * LONGEST_SIDE, 4 * LONGEST_SIDE))
    return whole


def _size(sizes: Counter[tuple[int, int]]) -> tuple[int, int]:
    """The size all images are brought to: their own where it is one and small, else the commonest, shrunk to the longest side."""
    width, height = sizes.most_common(1)[0][0]
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _fitted(picture: Image.Image, size: tuple[int, int], grey: bool) -> Image.Image:
    picture = picture if grey else picture.convert("RGB")
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)
