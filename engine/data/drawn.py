"""A person's own picture, drawn or brought, as a model of certain data sees it. Numpy and Pillow alone.

Ink on paper is brought into the form in which its data were made. `framing` says how, for each data set:

| framing | what is done |
|---|---|
| mass | cropped to what is drawn, scaled into the inner 20/28, the centre of its mass put into the middle |
| box | cropped to what is drawn, scaled until it fills the picture, put into the middle |
| whole | cut to the shape of the samples from the middle, and scaled |

Source of "mass": LeCun, Bottou, Bengio and Haffner, Proc. IEEE 86(11), 1998, section III. Scaling averages
over areas, as the 4x4 blocks of the digits do.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from engine.errors import DataError

Pixels = NDArray[Any]
"""(H, W) or (H, W, 3) uint8."""

SIDE = 512
"""Pixels of a picture's longer side that are kept."""
MOST = 40_000_000
"""Pixels of a picture beyond which it is not opened."""
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
INNER = 20 / 28
"""The share of an image's side that MNIST's digits fill."""
FULL = 255
FAINTEST = 24
"""Grey levels by which ink differs from uneven paper, at least: less is a shadow."""


@dataclass(frozen=True)
class Seen:
    """What a model sees of a picture, and what was done to it, a sentence a step."""

    image: Pixels
    steps: tuple[str, ...]


def opened(content: bytes) -> Pixels:
    """The pixels of a picture's file, upright, on white where it is transparent, at most SIDE long; nothing
    else of the file. Raises DataError for what is no picture, or a huge one.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MOST:
                raise DataError(
                    f"The picture has {image.width:,} x {image.height:,} pixels, and at most {MOST:,} are"
                    " opened. Make it smaller."
                )
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise DataError(
            f"This is no picture that can be read: {', '.join(FORMATS)} can. Save it as PNG and bring that."
        ) from None
    upright.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    flat = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright).convert("RGB")
    pixels = np.asarray(flat)
    return pixels[..., 0] if (pixels == pixels[..., :1]).all() else pixels


def takes(shape: Sequence[int], views: int = 1) -> bool:
    """Whether a person's own picture can stand for a sample of this shape: one grey or colour image."""
    return len(shape) == 3 and shape[0] in (1, 3) and views == 1


def as_seen(picture: Pixels, shape: Sequence[int], framing: str = "whole") -> Seen:
    """A picture as a model of samples of this shape (C, H, W) sees it. Raises DataError for one on which
    nothing is drawn.
    """
    channels, height, width = shape
    if channels == 3:
        return _cut(picture if picture.ndim == 3 else np.stack([picture] * 3, axis=2), height, width, ())
    steps = ("Its colours are made grey.",) * (picture.ndim == 3)
    grey = np.asarray(Image.fromarray(picture).convert("L"))
    if framing == "whole":
        return _cut(grey, height, width, steps)
    ink, words = _ink(grey)
    box = _box(ink)
    steps += (*words, f"Cropped to what is drawn: {box.shape[1]} x {box.shape[0]} pixels.")
    share = INNER if framing == "mass" else 1.0
    room = round(height * share), round(width * share)
    scale = min(room[0] / box.shape[0], room[1] / box.shape[1])
    small = _scaled(box, *(max(1, round(side * scale)) for side in box.shape))
    if framing == "box":
        said = f"Scaled by area until it fills {width} x {height}, in the middle."
        return Seen(_placed(small, height, width, None), (*steps, said))
    said = (
        f"Scaled by area into {room[1]} x {room[0]}, the centre of its mass in the middle of {width} x"
        f" {height}."
    )
    return Seen(_placed(small, height, width, _centre(small)), (*steps, said))


def _cut(picture: Pixels, height: int, width: int, steps: tuple[str, ...]) -> Seen:
    """The largest middle part of the shape that is wanted, scaled."""
    image = Image.fromarray(picture)
    fitted = ImageOps.fit(image, (width, height), method=Image.Resampling.BOX)
    cropped = ("Cut to its middle.",) * (image.width * height != image.height * width)
    return Seen(np.asarray(fitted), (*steps, *cropped, f"Scaled by area to {width} x {height}."))


def _ink(grey: Pixels) -> tuple[Pixels, tuple[str, ...]]:
    """Bright ink on black paper, full where it is strongest, float in [0, 1]: the paper is what the picture's
    edge looks like. Even paper takes nothing away; from uneven paper, as in a photograph, ink is told by
    Otsu's threshold. Raises DataError where there is none.
    """
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]).astype(float)
    paper, level = float(np.median(edge)), grey.astype(float)
    inverted = paper > FULL / 2
    above = paper - level if inverted else level - paper
    above = np.maximum(above, 0)
    words = ("Inverted, since its background is bright.",) * inverted
    if np.median(np.abs(edge - paper)) > 0:
        threshold, contrast = _otsu(above)
        above[above <= (threshold if contrast > FAINTEST else FULL)] = 0
        words += ("Its paper, which is uneven, is told from the ink by Otsu's threshold, and made black.",)
    if above.max() <= 0:
        raise DataError("Nothing is drawn on it: draw something, or bring a picture with ink on paper.")
    return above / above.max(), words


def _otsu(level: Pixels) -> tuple[float, float]:
    """The grey level that splits levels into two classes of the least variance inside each, and how far apart
    the means of those lie. Source: Otsu, IEEE Trans. Systems, Man, and Cybernetics 9(1), 1979.
    """
    counts = np.bincount(np.rint(level).astype(int).ravel(), minlength=FULL + 1).astype(float)
    below, total = counts.cumsum()[:-1], counts.sum()
    sums = (counts * np.arange(FULL + 1)).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = (sums[-1] - sums[:-1]) / (total - below) - sums[:-1] / below
    between = np.nan_to_num(below * (total - below) * apart**2, posinf=0.0)
    best = int(between.argmax())
    return float(best), float(np.nan_to_num(apart[best]))


def _box(ink: Pixels) -> Pixels:
    """What lies within the outermost ink."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _scaled(ink: Pixels, height: int, width: int) -> Pixels:
    """Averages over areas (height, width)."""
    image = Image.fromarray((ink * FULL).astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))


def _centre(ink: Pixels) -> tuple[float, float]:
    """The centre of mass (row, column), in pixels from the corner."""
    places = [np.arange(side) + 0.5 for side in ink.shape]
    return tuple(float(ink.sum(axis=1 - axis) @ places[axis] / ink.sum()) for axis in (0, 1))  # type: ignore[return-value]


def _placed(small: Pixels, height: int, width: int, centre: tuple[float, float] | None) -> Pixels:
    """A small picture on black (height, width), its `centre`, or its middle, as near to the middle as there
    is room.
    """
    canvas = np.zeros((height, width), dtype=np.uint8)
    at = centre or (small.shape[0] / 2, small.shape[1] / 2)
    free = height - small.shape[0], width - small.shape[1]
    wanted = (round(side / 2 - middle) for side, middle in zip((height, width), at, strict=True))
    top, left = (int(np.clip(place, 0, room)) for place, room in zip(wanted, free, strict=True))
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = np.rint(np.clip(small, 0, FULL))
    return canvas
