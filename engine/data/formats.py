"""The formats in which releases come, read into the arrays of an `.npz`: x_train, y_train, x_test, y_test or
x, y.
"""

import bz2
import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from engine.data.npz import arrays
from engine.errors import DataError

Arrays = dict[str, np.ndarray]


def idx(path: Path) -> np.ndarray:
    """The uint8 array of a gzipped idx file: two zero bytes, type 8, the number of axes, their lengths
    big-endian, the bytes.
    """
    content = gzip.decompress(path.read_bytes())
    zero, kind, axes = struct.unpack(">HBB", content[:4])
    shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
    numbers = np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes)
    if (zero, kind) != (0, 8) or numbers.size != int(np.prod(shape)):
        raise DataError(
            f"{path.name} is no idx file of bytes: it says type {kind} and shape {shape}, and holds"
            f" {numbers.size} bytes."
        )
    return numbers.reshape(shape)


def idx_release(folder: Path) -> Arrays:
    """The four idx files of MNIST and of the sets made in its likeness."""
    found = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        found[f"x_{part}"] = idx(folder / f"{prefix}-images-idx3-ubyte.gz")
        found[f"y_{part}"] = idx(folder / f"{prefix}-labels-idx1-ubyte.gz").astype(np.int64)
    return found


def usps_part(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """x (n, 16, 16) float32 in [0, 1] and y (n,) of one LIBSVM file: values in [-1, 1], classes from 1."""
    rows = [
        line.split()
        for line in bz2.decompress(path.read_bytes()).decode("ascii").splitlines()
        if line.strip()
    ]
    x = np.zeros((len(rows), 256))  # an index that a row leaves out is 0 by LIBSVM's rule
    for row, fields in enumerate(rows):
        for entry in fields[1:]:
            index, value = entry.split(":")
            x[row, int(index) - 1] = float(value)
    y = np.array([int(float(fields[0])) - 1 for fields in rows], dtype=np.int64)
    return ((x + 1) / 2).astype(np.float32).reshape(-1, 16, 16), y


def usps_release(folder: Path) -> Arrays:
    """The two LIBSVM files of USPS."""
    x_train, y_train = usps_part(folder / "usps.bz2")
    x_test, y_test = usps_part(folder / "usps.t.bz2")
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def coil20_release(folder: Path) -> Arrays:
    """The 1,440 processed images of COIL-20, 128x128, as rounded means of 4x4 blocks: 32x32. Label c is
    object c + 1.
    """
    images = []
    with zipfile.ZipFile(folder / "coil-20-proc.zip") as archive:
        members = {Path(name).name: name for name in archive.namelist()}
        for number in range(1, 21):
            for view in range(72):
                images.append(_coil_image(archive.read(members[f"obj{number}__{view}.png"])))
    return {"x": np.stack(images), "y": np.repeat(np.arange(20, dtype=np.int64), 72)}


def _coil_image(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        if image.size != (128, 128):
            raise DataError(f"An image of COIL-20 must be 128x128; got {image.size[0]}x{image.size[1]}.")
        pixels = np.asarray(image.convert("L"), dtype=np.uint16)
    return np.round(pixels.reshape(32, 4, 32, 4).sum(axis=(1, 3)) / 16).astype(np.uint8)


def mice_release(folder: Path, classes: tuple[str, ...]) -> Arrays:
    """The table of Mice Protein: MouseID, 77 proteins, Genotype, Treatment, Behavior, class."""
    import pandas as pd  # a third of a second of import, for tables alone

    table = pd.read_csv(folder / "Data_Cortex_Nuclear.csv")
    proteins = [column for column in table.columns if column.endswith("_N")]
    return named_classes(table[proteins].to_numpy(np.float32), table["class"].to_numpy(), classes)


def named_classes(x: np.ndarray, y: np.ndarray, classes: tuple[str, ...]) -> Arrays:
    """x as it is, and y numbered as `classes` has the names."""
    numbers = {name: number for number, name in enumerate(classes)}
    return {"x": x.astype(np.float32), "y": np.array([numbers[str(name)] for name in y], dtype=np.int64)}


def isolet_openml(x: np.ndarray, y: np.ndarray) -> Arrays:
    """OpenML's 7,797 rows, the training speakers first; classes from 1."""
    numbers = np.array([int(float(name)) - 1 for name in y], dtype=np.int64)
    x = x.astype(np.float32)
    return {
        "x_train": x[:6238],
        "y_train": numbers[:6238],
        "x_test": x[6238:],
        "y_test": numbers[6238:],
    }


def har_release(folder: Path) -> Arrays:
    """The archive of HAR, which holds another: two tables of numbers in columns, classes from 1."""
    with zipfile.ZipFile(folder / "human+activity+recognition+using+smartphones.zip") as outer:
        inner = outer.read(next(name for name in outer.namelist() if name.endswith("UCI HAR Dataset.zip")))
    found: Arrays = {}
    with zipfile.ZipFile(io.BytesIO(inner)) as archive:
        members = {Path(name).name: name for name in archive.namelist() if "__MACOSX" not in name}

        def table(file: str) -> np.ndarray:
            return np.loadtxt(io.BytesIO(archive.read(members[file])))

        for part in ("train", "test"):
            found[f"x_{part}"] = table(f"X_{part}.txt").astype(np.float32)
            found[f"y_{part}"] = table(f"y_{part}.txt").astype(np.int64) - 1
        lines = archive.read(members["features.txt"]).decode("ascii").split("\n")
    names = [line.split()[1] for line in lines if line.strip()]
    twice = {name for name in names if names.count(name) > 1}
    found["feature_names"] = np.array(
        [f"{name} {number}" if name in twice else name for number, name in enumerate(names, start=1)]
    )
    return found


def svhn_release(folder: Path) -> Arrays:
    """The two files of SVHN: X (32, 32, 3, n), and y with 10 for the digit 0."""
    from scipy.io import loadmat  # which nothing else here needs

    found: Arrays = {}
    for part in ("train", "test"):
        held = loadmat(folder / f"{part}_32x32.mat")
        found[f"x_{part}"] = np.ascontiguousarray(held["X"].transpose(3, 0, 1, 2))
        found[f"y_{part}"] = held["y"].ravel().astype(np.int64) % 10
    return found


def _cifar(folder: Path, archive: str, inner: str, parts: Mapping[str, Sequence[str]], labels: int) -> Arrays:
    """An archive of records: `labels` bytes, the last of them the class, then 3 x 32 x 32 of a picture."""
    found: Arrays = {}
    with tarfile.open(folder / archive) as opened:
        for part, names in parts.items():
            blocks = [_member(opened, f"{inner}/{name}.bin") for name in names]
            records = np.concatenate(blocks).reshape(-1, labels + 3 * 32 * 32)
            pictures = records[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            found[f"x_{part}"] = np.ascontiguousarray(pictures)
            found[f"y_{part}"] = records[:, labels - 1].astype(np.int64)
    return found


def _member(archive: tarfile.TarFile, name: str) -> np.ndarray:
    """The bytes of a file of an archive. Raises KeyError where it has none of that name."""
    held = archive.extractfile(name)
    assert held is not None, "members with that name are files"
    return np.frombuffer(held.read(), np.uint8)


def cifar_release(folder: Path) -> Arrays:
    """The binary version of CIFAR-10."""
    parts = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}
    return _cifar(folder, "cifar-10-binary.tar.gz", "cifar-10-batches-bin", parts, labels=1)


def cifar100_release(folder: Path) -> Arrays:
    """The binary version of CIFAR-100: of its two labels the fine one."""
    parts = {"train": ["train"], "test": ["test"]}
    return _cifar(folder, "cifar-100-binary.tar.gz", "cifar-100-binary", parts, labels=2)


def stl10_release(folder: Path) -> Arrays:
    """The labelled parts of STL-10: pictures column by column, classes from 1."""
    found: Arrays = {}
    with tarfile.open(folder / "stl10_binary.tar.gz") as archive:
        for part in ("train", "test"):
            pictures = _member(archive, f"stl10_binary/{part}_X.bin").reshape(-1, 3, 96, 96)
            found[f"x_{part}"] = np.ascontiguousarray(pictures.transpose(0, 3, 2, 1))
            found[f"y_{part}"] = _member(archive, f"stl10_binary/{part}_y.bin").astype(np.int64) - 1
    return found


def jpeg_parts(path: Path) -> Arrays:
    """An .npz of JPEG files end to end, `jpeg_train` and `jpeg_test`, file i being the bytes offsets[i] to
    offsets[i + 1]: decoded, x (n, H, W, 3) uint8. Raises DataError.
    """
    keys = [f"{key}_{part}" for part in ("train", "test") for key in ("jpeg", "offsets", "y")]
    held, found = arrays(path, keys), {}
    for part in ("train", "test"):
        content, ends = held[f"jpeg_{part}"].tobytes(), held[f"offsets_{part}"]
        try:
            pictures = [
                np.asarray(Image.open(io.BytesIO(content[start:end])).convert("RGB"))
                for start, end in pairwise(ends.tolist())
            ]
            found[f"x_{part}"] = np.stack(pictures)
        except (OSError, ValueError, TypeError) as error:
            raise DataError(f"{path}: a picture cannot be decoded ({error}). Replace the file.") from None
        found[f"y_{part}"] = held[f"y_{part}"].astype(np.int64)
    return found
