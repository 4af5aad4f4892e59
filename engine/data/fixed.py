"""Which places of a sample an attack may not change, as a short text: numpy in, numpy out.

A place is a pixel of the picture, all its channels together, or a number of a row of a table. The text is the
bits of all places, row by row, compressed, in letters that an address and a shell take as they are.
"""

import base64
import binascii
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import SettingsError

Bits = NDArray[np.bool_]


def places(shape: Sequence[int]) -> int:
    """How many places a sample of this shape has: (C, H, W) has H · W, (d,) has d."""
    return int(np.prod(shape[-2:] if len(shape) == 3 else shape))


def text_of(fixed: NDArray[Any]) -> str:
    """The text of the places that are fixed, any shape, True where one is; "" where none is."""
    if not np.any(fixed):
        return ""
    packed = zlib.compress(np.packbits(np.asarray(fixed, dtype=bool).ravel()).tobytes(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def fixed_of(text: str, shape: Sequence[int]) -> Bits:
    """The places (H·W,) or (d,) of a sample of this shape that a text fixes. Raises SettingsError for one
    that was made for another shape, or is none.
    """
    count = places(shape)
    size = -(-count // 8)
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(packed, size + 1)
    except (binascii.Error, ValueError, zlib.error):
        raw = b""
    bits = np.unpackbits(np.frombuffer(raw, dtype=np.uint8)).astype(bool)
    if len(raw) != size or bits[count:].any():
        raise SettingsError(
            f"fixed must be the text of {count} places that may not change; got {text[:20]!r}, which is none."
            " Mark them on the page Attack, which writes it."
        )
    return bits[:count]


def over_channels(fixed: Bits, shape: Sequence[int]) -> Bits:
    """The same for every number of a flat row (d,): a pixel is fixed in all its channels."""
    return np.tile(fixed, shape[0]) if len(shape) == 3 else fixed
