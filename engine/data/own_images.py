"""Pictures that a person brings, as a .zip or a folder with one folder a class, brought to one size and one
colour. Nothing is trusted: sizes are checked before anything is decoded.
"""

import io
import os
import struct
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps

from engine.data.own_files import PARTS, Raw, refuse_large, unpacked
from engine.errors import DataError

MOST_PIXELS = 16_000_000
"""Pixels of one picture, before it is made smaller."""
LARGEST_PICTURE = 64 << 20
"""Bytes of the file of one picture."""
MOST_FILES = 200_000
"""Files in a folder, pictures or not."""
DEEPEST = 4
"""Folders in folders that are looked into."""
LONGEST_SIDE = 64
"""Pictures are made smaller where a side is longer."""
ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"}
ORIENTATION, LYING = 0x0112, (5, 6, 7, 8)
"""The EXIF tag that says how a camera was held, and those of its values that turn height into width."""


@dataclass(frozen=True)
class Pictures:
    """Pictures by name, "class/file.png", with the bytes of each, and how one is read."""

    sizes: Mapping[str, int]
    read: Callable[[str], bytes]


def zip_of_images(path: Path) -> Raw:
    """Pictures in folders, one a class; pictures in no folder have no labels. All are brought to one size,
    grey where all are grey. Folders train and test around those of the classes divide them.
    """
    refuse_large(path, unpacked(path))
    with zipfile.ZipFile(path) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
        return _raw(path, Pictures(sizes, archive.read))


def folder_of_images(path: Path) -> Raw:
    """The same of a folder on this machine. Links in it are not followed."""
    sizes = _files(path)
    refuse_large(path, sum(size for name, size in sizes.items() if _is_image(name)))
    return _raw(path, Pictures(sizes, lambda name: (path / name).read_bytes()))


def _files(path: Path) -> dict[str, int]:
    """Bytes of each file under a folder, by its name there; hidden ones, links and what lies deeper than
    `DEEPEST` are left out.
    """
    found: dict[str, int] = {}
    left = [(path, 0)]
    while left:
        inner, depth = left.pop()
        with suppress(OSError), os.scandir(inner) as entries:  # gone meanwhile, or another's
            for entry in entries:
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                if entry.is_dir() and depth < DEEPEST:
                    left.append((Path(entry.path), depth + 1))
                elif entry.is_file():
                    found[Path(entry.path).relative_to(path).as_posix()] = entry.stat().st_size
        if len(found) + len(left) > MOST_FILES:
            raise DataError(
                f"{path} holds more than {MOST_FILES:,} files; give the folder that holds those of the"
                " classes."
            )
    return found


def _raw(path: Path, pictures: Pictures) -> Raw:
    members = sorted(name for name in pictures.sizes if _is_image(name))
    if not members:
        raise DataError(f"{path.name} holds no images; {', '.join(sorted(ENDINGS))} are read.")
    forms = Counter(_form(pictures, name) for name in members)
    sizes = Counter({size: 0 for size, _ in forms})
    for (came, _), count in forms.items():
        sizes[came] += count
    size, mode = _size(sizes), "L" if all(grey for _, grey in forms) else "RGB"
    refuse_large(path, len(members) * size[0] * size[1] * len(mode))
    x = np.stack([_pixels(pictures, name, size, mode) for name in members])
    folders = [PurePosixPath(name).parent.name for name in members]
    return Raw(
        x,
        np.array(folders) if all(folders) else None,
        done=tuple(_done(sizes, size, {grey for _, grey in forms})),
        training=_training(members),
    )


def _done(sizes: "Counter[tuple[int, int]]", size: tuple[int, int], grey: set[bool]) -> Iterator[str]:
    """What was done to pictures of these sizes and colours, in words."""
    if set(sizes) != {size}:
        came = (
            f"they came in {len(sizes)} sizes, and one of another shape is stretched"
            if len(sizes) > 1
            else "they came as {}x{}".format(*next(iter(sizes)))
        )
        yield f"Images were brought to {size[0]}x{size[1]} pixels ({came})."
    if len(grey) > 1:
        yield "Some are grey and some in colour: all are kept in colour."


def _training(members: list[str]) -> np.ndarray | None:
    """Which pictures lie in a folder train around their class's; None unless all lie in that or in a test."""
    around = [{part.lower() for part in PurePosixPath(name).parts[:-2]} & PARTS for name in members]
    return (
        np.array([part == {"train"} for part in around]) if all(len(part) == 1 for part in around) else None
    )


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and "__MACOSX" not in path.parts


@contextmanager
def _opened(pictures: Pictures, name: str) -> Iterator[Image.Image]:
    """The picture, whose pixels are not decoded yet. Raises DataError for whatever is wrong with it, also
    later in the block.
    """
    if pictures.sizes[name] > LARGEST_PICTURE:
        raise DataError(
            f"{name} has {pictures.sizes[name] / 1e6:,.0f} MB; at most {LARGEST_PICTURE / 1e6:,.0f} MB are"
            " read for one picture. Make it smaller."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(pictures.read(name))) as picture:
                yield picture
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,  # NotImplementedError among them: packed in a way that Python cannot unpack
        MemoryError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise DataError(f"{name} cannot be read as an image ({error}); replace it or leave it out.") from None


def _form(pictures: Pictures, name: str) -> tuple[tuple[int, int], bool]:
    """Size, as the camera was held, and whether it is grey, from the head of the file."""
    with _opened(pictures, name) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise DataError(
                f"{name} is {picture.width}x{picture.height}; at most {MOST_PIXELS:,} pixels are read. Make"
                " it smaller."
            )
        lies = picture.getexif().get(ORIENTATION) in LYING
        grey = picture.mode in ("1", "L", "F") or picture.mode.startswith("I")
        return (picture.height, picture.width) if lies else picture.size, grey


def _size(sizes: "Counter[tuple[int, int]]") -> tuple[int, int]:
    """The size all pictures are brought to: the commonest, its longer side at most `LONGEST_SIDE`."""
    width, height = sizes.most_common(1)[0][0]
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _pixels(pictures: Pictures, name: str, size: tuple[int, int], mode: str) -> np.ndarray:
    """uint8 (H, W) or (H, W, 3)."""
    with _opened(pictures, name) as picture:
        ImageOps.exif_transpose(picture, in_place=True)
        if picture.mode.startswith(
            "I"
        ):  # 16 bits: Pillow's own conversion would cut at 255 instead of scaling
            picture = Image.fromarray(
                (np.asarray(picture).astype(np.float64) / 257).clip(0, 255).astype(np.uint8)
            )
        whole = picture.convert(mode)
        return np.asarray(whole if whole.size == size else whole.resize(size, Image.Resampling.LANCZOS))
