"""The formats in which releases come, read into the arrays of an `.npz`: x_train, y_train, x_test, y_test or
x, y.
"""

import bz2
import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

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
