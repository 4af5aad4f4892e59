"""Pictures that a person drew or brought, each a PNG under the hash of its pixels in FEINT_HOME/pictures: so
a link to one means the same picture for as long as it is kept. Torch-free.
"""

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from engine.data.drawn import Pixels
from engine.home import home, make_home

KEY = re.compile(r"[0-9a-f]{12}")
LIMIT = 64 << 20
"""Bytes that they may take together; beyond it those go that were not used for the longest time."""


def key_of(picture: Pixels) -> str:
    """Twelve hexadecimal digits of the SHA-256 of shape and pixels."""
    return hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()[:12]


def file_of(key: str) -> Path:
    """Where the picture of a key is, or would be."""
    return home() / "pictures" / f"{key}.png"


def keep(picture: Pixels, limit: int = LIMIT) -> str:
    """Keep pixels, (H, W) or (H, W, 3) uint8; their key."""
    key = key_of(picture)
    if find(key) is None:
        file = file_of(key)
        make_home()
        file.parent.mkdir(exist_ok=True)
        partial = file.with_name(f".{key}.{os.getpid()}.png")
        try:
            Image.fromarray(picture).save(partial)
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
        _prune(file, limit)
    return key


def find(key: str) -> Pixels | None:
    """The pixels of a key; None where they are not here, or are others by now."""
    if not KEY.fullmatch(key):
        return None
    file = file_of(key)
    with suppress(OSError, ValueError, SyntaxError), Image.open(file, formats=("PNG",)) as image:
        pixels = np.array(image)
        if key_of(pixels) == key:
            os.utime(file)  # it was of use: others are pruned first
            return pixels
    return None


def _prune(newest: Path, limit: int) -> None:
    """Delete what was not used for the longest time until the rest, `newest` among it, fits into `limit`."""
    every = [(file.stat(), file) for file in newest.parent.glob("[!.]*.png") if file != newest]
    total = newest.stat().st_size + sum(stat.st_size for stat, _ in every)
    for stat, file in sorted(every, key=lambda pair: pair[0].st_mtime):
        if total <= limit:
            return
        file.unlink(missing_ok=True)
        total -= stat.st_size
