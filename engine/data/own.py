"""What a person brings: an `.npz`, a `.csv`, a `.zip` or a folder of pictures, examined and made ready.

`read` refuses with the first thing that is wrong; `report` beside it says all of it in plain words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.data import own_files, own_images, own_missing
from engine.data.finding import find, find_folder, is_file, is_folder, placed
from engine.data.own_files import Raw
from engine.data.scaling import filled, ranged
from engine.errors import DataError, DataMissing

READERS: dict[str, Callable[[Path], Raw]] = {
    ".npz": own_files.npz,
    ".zip": own_images.zip_of_images,
    ".csv": own_files.csv,
}
WANTED = 10
"""Clusters sought where nothing says how many: no labels, no class names, no number."""
SEARCHED = 256 << 20
"""Bytes up to which exact copies are looked for."""
MARKUP = re.compile(r"[\\`*\[\]<>$~|&\x00-\x1f\x7f]|:(?=//)|\b_|_\b|(?<!\w)_")
"""What is left out of the names of classes."""
LONGEST_NAME = 40
LARGEST = 1e30
"""Of values: beyond, differences are lost or overflow in 32 bits."""


@dataclass(frozen=True)
class Brought:
    """Data as they will be used, one view: images (n, H, W) or (n, H, W, C), or vectors (n, d) already in
    [0, 1].

    `facts` are sentences about them, `done` about what is done to them, `problems` the reasons why they
    cannot be used (empty where they can).
    """

    x: np.ndarray
    divisor: float
    y: np.ndarray | None
    class_names: tuple[str, ...]
    clusters: int
    affine: tuple[np.ndarray, np.ndarray] | None = None
    note: str = ""
    facts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    training: np.ndarray | None = None
    """(n,) whether a sample is for training; None where the file does not say."""
    feature_names: tuple[str, ...] = ()
    """(d,) those of vectors, where the file names them."""
    done: list[str] = field(default_factory=list)
    range: tuple[float, float] = (0.0, 1.0)
    """The least and the greatest value that came."""
    missing: int = 0
    """Numbers that were missing and are replaced."""
    filled: str = ""
    """How, in a sentence."""


def looks_like_file(name: str) -> bool:
    """Whether `name` is meant as a file or folder rather than as the name of a registered data set."""
    path = placed(name)
    return path.suffix.lower() in READERS or len(path.parts) > 1 or is_file(path)


def in_folders(name: str) -> Path | None:
    """What of one's own is called so in a folder of data: a file, without its ending, or a folder of
    pictures.
    """
    files = (find(f"{name}{ending}") for ending in READERS)
    return next((found for found in files if found is not None), find_folder(name))


def read(path: str, clusters: int | None = None) -> list[Brought]:
    """The data of a file or folder, one entry a view. Raises DataMissing where nothing is there, DataError
    with the first thing wrong.
    """
    return usable(placed(path).name, raws(path), clusters)


def usable(name: str, read: list[tuple[str, Raw]], clusters: int | None = None) -> list[Brought]:
    """What was read from the file `name`, made ready. Raises DataError with the first thing wrong."""
    found = [_examined(raw, clusters) for _, raw in read]
    for (key, raw), one in zip(read, found, strict=True):
        problems = list(one.problems)
        if not problems and len(read) > 1 and raw.x.ndim == 2:
            problems = [
                f"views must be images (n, H, W) or (n, H, W, 3); got the shape {raw.x.shape}. Bring single"
                " vectors as x."
            ]
        if problems:
            raise DataError(f"{name}, view {key}: {problems[0]}" if key else f"{name}: {problems[0]}")
    return found


def raws(path: str) -> list[tuple[str, Raw]]:
    """The arrays of a file or folder as they came: one without a name, or those of views x1, x2 … Raises
    DataMissing or DataError.
    """
    place = placed(path)
    if is_folder(place):
        return [("", own_images.folder_of_images(place))]
    if place.suffix.lower() not in READERS:
        raise DataError(
            f"{place.name} must be an .npz, a .zip of images, a folder of images or a .csv; got"
            f" {place.suffix or 'no ending'}."
        )
    if not is_file(place):
        raise DataMissing(f"There is no file {str(place)[:200]}; check the path.")
    return own_files.views(place) or [("", READERS[place.suffix.lower()](place))]


def _examined(raw: Raw, clusters: int | None) -> Brought:
    """Everything that can be found out about one view."""
    problems = _shape_problems(raw)
    if problems:
        return Brought(raw.x, 1, None, (), 0, problems=problems)
    return _judged(_scaled(raw), raw, clusters)


def _shape_problems(raw: Raw) -> list[str]:
    """What makes the numbers unusable whatever they are."""
    x = raw.x
    if x.dtype.kind not in "buif":
        return [f"the samples must be numbers; got {x.dtype}. Save x as numbers."]
    if x.ndim not in (2, 3, 4) or x.ndim == 4 and x.shape[-1] not in (1, 3):
        return [
            "x must be vectors (n, d), grey images (n, H, W) or colour images (n, H, W, 3); got the shape"
            f" {x.shape}."
        ]
    if x.shape[0] == 0 or x[0].size == 0:
        return [f"there are no samples: x has the shape {x.shape}."]
    return []


def _scaled(raw: Raw) -> Brought:
    """The numbers in [0, 1], or what stands in the way."""
    x = raw.x.astype(np.uint8) if raw.x.dtype.kind == "b" else raw.x
    training = raw.training if raw.training is not None and raw.training.any() else np.ones(len(x), bool)
    if x.ndim > 2:
        problems = _value_problems(x, (), training)
        return Brought(x, 1, None, (), 0, problems=problems) if problems else _scaled_images(x)
    names = raw.features if len(raw.features) == x.shape[1] else ()
    gaps = np.isnan(x) if x.dtype.kind == "f" else np.zeros(x.shape, bool)
    if not gaps.any():
        return _whole_table(x, names, training)
    problem = own_missing.problem(gaps, names, training)
    if problem:
        return Brought(x, 1, None, (), 0, problems=[problem])
    found = _whole_table(filled(x, training), names, training)
    done = own_missing.done(training)
    return replace(
        found,
        facts=[*found.facts, own_missing.fact(gaps, names)],
        done=[done, *found.done],
        note=f"{done} {found.note}".strip(),
        missing=int(gaps.sum()),
        filled=done,
    )


def _whole_table(x: np.ndarray, names: tuple[str, ...], training: np.ndarray) -> Brought:
    """Vectors of which no number is missing, in [0, 1], or what stands in the way."""
    problems = _value_problems(x, names, training)
    if problems:
        return Brought(x, 1, None, (), 0, problems=problems)
    return replace(_scaled_vectors(x, training), feature_names=names)


def _value_problems(x: np.ndarray, features: tuple[str, ...], training: np.ndarray) -> list[str]:
    found, seen = [], x[training]
    if x.dtype.kind == "f" and (bad := ~np.isfinite(x)).any():
        rows = int(bad.reshape(len(x), -1).any(axis=1).sum())
        where = _named(bad.any(axis=0), features) if x.ndim == 2 else "pixels"
        what = "infinite" if x.ndim == 2 else "missing or infinite (NaN)"
        found.append(
            f"{int(bad.sum())} values are {what}, in {rows} samples ({where}). "
            "Replace them or leave those samples out."
        )
    elif x.dtype.kind == "f" and max(-float(x.min()), float(x.max())) > LARGEST:
        found.append(
            f"values go from {x.min():g} to {x.max():g}; at most ±{LARGEST:g} can be computed with. Bring"
            " them to another unit."
        )
    elif x.min() == x.max():
        found.append(
            f"all values are {x.min():g}: there is nothing to tell samples apart. Check how the file was"
            " made."
        )
    elif x.ndim == 2 and (flat := seen.min(axis=0) == seen.max(axis=0)).any():
        where = "" if training.all() else " in the training rows"
        found.append(
            f"{int(flat.sum())} of {x.shape[1]} features are constant{where} ({_named(flat, features)})."
            " Leave them out."
        )
    elif len(x) > 1 and (x == x[:1]).all():
        found.append(f"all {len(x)} samples are the same. Check how the file was made.")
    return found


def _named(chosen: np.ndarray, features: tuple[str, ...]) -> str:
    """The first few chosen features by name, or by number from 0."""
    index = np.flatnonzero(chosen)
    names = [features[i] if features else f"number {i}" for i in index[:6]]
    return ", ".join(names) + (f" and {len(index) - 6} more" if len(index) > 6 else "")


def _scaled_vectors(x: np.ndarray, training: np.ndarray) -> Brought:
    """Vectors, each feature brought into [0, 1] by one stored affine map, x = low + span * view, of the
    training rows; what lies beyond in others is cut off.
    """
    wide = x.astype(np.float64)
    low, high = float(wide.min()), float(wide.max())
    facts = [f"{len(x):,} samples of {x.shape[1]:,} features, from {low:g} to {high:g}."]
    if low >= 0 and high <= 1:
        done = ["All values lie in [0, 1] already and stay as they are."]
        return Brought(x.astype(np.float32), 1, None, (), 0, facts=facts, done=done, range=(low, high))
    view, least, span = ranged(wide, training)
    where = "." if training.all() else " in the training rows."
    note = f"Each feature was brought into [0, 1] by its least and greatest value{where}"
    return Brought(view, 1, None, (), 0, (least, span), note, facts=facts, done=[note], range=(low, high))


def _scaled_images(x: np.ndarray) -> Brought:
    """Images as bytes, or as floats under one affine map for all pixels."""
    colour = "colour" if x.ndim == 4 and x.shape[-1] == 3 else "grey"
    low, high = float(x.min()), float(x.max())
    flat = x.reshape(len(x), -1)
    still = int((flat.min(axis=0) == flat.max(axis=0)).sum())
    facts = [f"{len(x):,} {colour} images of {x.shape[1]}x{x.shape[2]}, values from {low:g} to {high:g}."]
    facts += [f"{still:,} of {flat.shape[1]:,} pixel values are the same in every image."] if still else []
    view, divisor, affine, done = _white(x, low, high)
    note = "" if affine is None else done
    return Brought(view, divisor, None, (), 0, affine, note, facts=facts, done=[done], range=(low, high))


def _white(
    x: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, float, tuple[np.ndarray, np.ndarray] | None, str]:
    """Pixels at rest, what they are then divided by, the map where there was one, and that in words."""
    if x.dtype.kind in "ui" and low >= 0 and high <= 255:
        divisor = 255.0 if high > 16 else 16.0 if high > 1 else 1.0
        return x.astype(np.uint8), divisor, None, f"0 is taken as black, {divisor:g} as white."
    if low >= 0 and high <= 1:
        return x.astype(np.float32), 1, None, "All values lie in [0, 1] already and stay as they are."
    if low >= 0 and high <= 255:
        return (x / 255).astype(np.float32), 1, None, "0 is taken as black, 255 as white."
    view = ((x.astype(np.float64) - low) / (high - low)).astype(np.float32)
    map_ = (np.array(low), np.array(high - low))
    return view, 1, map_, f"Pixels were brought from [{low:g}, {high:g}] into [0, 1]."


def _judged(found: Brought, raw: Raw, clusters: int | None) -> Brought:
    """With labels, class names and the number of clusters, and what is wrong with them."""
    facts, done, problems = list(found.facts), [*raw.done, *found.done], list(found.problems)
    n = len(found.x)
    y, names = None, raw.class_names
    if raw.y is None:
        facts.append(
            "There are no labels: clusters can be found and attacked, but not scored against classes."
        )
    else:
        complaint, y, names = _labels(raw.y, raw.class_names, n)
        problems += complaint
    if y is not None:
        counts = np.bincount(y, minlength=len(names))
        sizes = [f"{name} {count:,}" for name, count in zip(names, counts, strict=True)]
        facts.append(f"{len(names)} classes: {', '.join(sizes[:20])}{' ...' if len(sizes) > 20 else ''}.")
    k = clusters if clusters is not None else raw.clusters or len(names) or WANTED
    if not 2 <= k <= n:
        problems.append(
            f"clusters must be from 2 to the number of samples, {n}; got {k}. Bring more samples or ask for"
            " fewer clusters."
        )
    done.append(f"{k} clusters will be sought.")
    training = raw.training if raw.training is not None and 0 < raw.training.sum() < n else None
    if training is not None:
        done.append(f"{training.sum():,} samples are for training, {n - training.sum():,} for testing.")
    else:
        done.append(
            "No sample is marked for testing: where a test part is asked for, a fixed half stands in."
        )
    facts += _remarks(found, n, problems)
    return replace(
        found,
        y=y,
        class_names=names if y is not None else (),
        clusters=k,
        training=training,
        facts=facts,
        problems=problems,
        done=done,
    )


def _labels(
    y: np.ndarray, names: tuple[str, ...], n: int
) -> tuple[list[str], np.ndarray | None, tuple[str, ...]]:
    """Complaints, the labels numbered from 0, and the name of each class."""
    complaint = _unreadable(y, n)
    if complaint:
        return [complaint], None, ()
    names = _readable(names)
    values, numbered = np.unique(y, return_inverse=True)
    numbers = names and y.dtype.kind in "iu" and y.min() >= 0 and y.max() < len(names)
    complaint = _unlikely(values, () if numbers else names, n)
    if complaint:
        return [complaint], None, ()
    if numbers:
        return [], y.astype(np.int64), names
    return [], numbered.astype(np.int64), names or _readable(tuple(_text(value) for value in values))


def _readable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of classes as they are shown: on one line, without what is markup, and no two alike."""
    found: list[str] = []
    for number, name in enumerate(names):
        plain = " ".join(MARKUP.sub(" ", name).split())[:LONGEST_NAME] or f"class {number}"
        found.append(plain if plain not in found else f"{plain} ({number})")
    return tuple(found)


def _unreadable(y: np.ndarray, n: int) -> str:
    """Why these are no labels of n samples; "" where they are."""
    if y.ndim != 1 or len(y) != n:
        expected = f"labels must be one for each of the {n} samples; got the shape {y.shape}."
        return f"{expected} Save y with its samples."
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        return f"{int((~np.isfinite(y)).sum())} labels are missing. Fill them, or leave y out."
    if y.dtype.kind not in "biufUS":
        return f"labels must be numbers or text; got {y.dtype}."
    return ""


def _unlikely(values: np.ndarray, names: tuple[str, ...], n: int) -> str:
    """Why these different labels of n samples are no classes, or not the named ones; "" where they are."""
    if len(values) < 2:
        return (
            f"all labels are {_text(values[0])!r}: with one class nothing can be scored. "
            "Bring two or more classes, or leave the labels out."
        )
    if len(values) > max(n // 2, 2):
        return (
            f"there are {len(values)} different labels for {n} samples, which looks like a measurement and"
            " not like classes. Leave the labels out, or give classes."
        )
    if names and len(names) != len(values):
        return (
            f"class_names has {len(names)} names, but the labels hold {len(values)} classes. Give one name"
            " for each."
        )
    return ""


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    number = isinstance(value, int | float | np.number)
    return str(int(value)) if number and float(value).is_integer() else str(value)


def _remarks(found: Brought, n: int, problems: list[str]) -> list[str]:
    """What a person would like to know though it stands in nobody's way."""
    if problems:
        return []
    said = []
    rows = np.ascontiguousarray(found.x.reshape(n, -1))
    small = rows.nbytes <= SEARCHED
    again = n - len(np.unique(rows.view([("", np.void, rows.itemsize * rows.shape[1])]))) if small else 0
    if again:
        said.append(f"{again:,} samples are exact copies of others.")
    if n < 100:
        said.append(f"{n} samples are few: numbers measured on them will have wide intervals.")
    return said
