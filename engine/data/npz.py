"""Arrays from an `.npz` that anybody may have written: what a header promises is checked first."""

import math
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from engine.errors import DataError

HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
"""Version of numpy's format -> what reads its header; version 3 is for records with names, which are no
samples.
"""


def arrays(path: Path, keys: list[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` (only `keys`, where given). Raises DataError where it is none, lacks one, or
    holds objects.
    """
    if not path.exists():
        raise DataError(f"There is no file {path}.")
    try:
        if not zipfile.is_zipfile(path):
            raise DataError(_no_archive(path))
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            missing = [key for key in keys or () if key not in archive.files]
            if missing:
                has = ", ".join(archive.files) or "no arrays"
                raise DataError(f"{path} lacks {', '.join(missing)}; it has {has}. Replace it or delete it.")
            wanted = keys or archive.files
            for key in wanted:
                _check_header(path, archive.zip, key)
            return {key: archive[key] for key in wanted}
    except DataError:
        raise
    except Exception as error:  # whatever the bytes of a file break
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise DataError(f"{path} is damaged or no .npz archive ({said}); replace it or delete it.") from None


def _no_archive(path: Path) -> str:
    with path.open("rb") as stream:
        single = stream.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX
    if single:
        return (
            f"{path} must be an .npz archive; got a single array. Save it with numpy.savez(path, x=...,"
            " y=...)."
        )
    return f"{path} is damaged or no .npz archive; replace it or delete it."


def _check_header(path: Path, archive: zipfile.ZipFile, key: str) -> None:
    """Raises DataError where a member is no plain array, or does not hold as many numbers as it says."""
    name = f"{key}.npy" if f"{key}.npy" in archive.namelist() else key
    with archive.open(name) as member:
        if member.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
            raise DataError(f"{path}: {name} is no array of numpy's. Leave it out, or save it again.")
        version = (member.read(1)[0], member.read(1)[0])
        if version not in HEADERS:
            raise DataError(f"{path}: {key} is no plain array (format {version}). Save it as numbers.")
        shape, _, dtype = HEADERS[version](member)
        held = archive.getinfo(name).file_size - member.tell()
    if dtype.hasobject:
        raise DataError(
            f"{path} holds Python objects, which are never read; save plain numbers, and text as numpy's str."
        )
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != held:
        raise DataError(
            f"{path}: {key} says that it has the shape {shape} of {dtype}, but it holds {held:,} bytes."
            " Save it again."
        )
