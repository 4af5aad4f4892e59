"""Pictures: one image as PNG, a perturbation on its zero-centred scale, grids with captions, sheets of
thumbnails.

An image is float in [0, 1] with shape [h, w], [1, h, w] or [3, h, w] (uint8 is taken as it is); a
perturbation is signed.
"""

import base64
import hashlib
import io
import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from app.charts import palette
from app.words import _

Array = NDArray[Any]

LARGEST_SIDE = 4096
"""Pixels of a sheet's side: larger ones are refused by some phones."""

_STYLE = """<style>
.feint-grid { display: grid; gap: 0.75rem 0.6rem;
  grid-template-columns: repeat(auto-fill, minmax(var(--cell), 1fr));
  max-width: calc(var(--columns) * var(--widest)); }
.feint-grid figure { margin: 0; min-width: 0; }
.feint-grid img { display: block; width: 100%; image-rendering: pixelated; border-radius: 0.3rem;
  box-shadow: 0 0 0 1px rgb(128 128 128 / 0.35); }
.feint-grid figcaption { font-size: 0.78rem; line-height: 1.3; margin-top: 0.25rem; overflow-wrap: anywhere;
  opacity: 0.85; }
</style>"""


def pixels(image: Array) -> Array:
    """The image as uint8, [h, w] or [h, w, 3]."""
    array = np.asarray(image)
    if array.dtype != np.uint8:
        array = np.rint(np.clip(np.nan_to_num(array.astype(np.float64)), 0, 1) * 255).astype(np.uint8)
    if array.ndim == 3 and array.shape[0] == 1:
        return array[0]
    return np.moveaxis(array, 0, 2) if array.ndim == 3 and array.shape[0] == 3 else array


def to_png(image: Array, scale: int = 1, pixelated: bool = True) -> bytes:
    """The image as PNG, `scale` times larger; pixelated, or smoothed where that is asked for."""
    return _png(Image.fromarray(pixels(image)), scale, pixelated)


def signed_png(delta: Array, gain: float, scale: int = 1) -> bytes:
    """A perturbation as PNG: blue where darker, vermillion where brighter, transparent where nothing changed;
    full colour at |δ| = 1 / gain.

    Colour images (three channels) are drawn as grey plus δ · gain / 2 in each channel. Say the gain beside
    the picture: `gain_text`.
    """
    strength = np.clip(np.asarray(delta, dtype=np.float64) * gain, -1, 1)
    if strength.ndim == 3 and strength.shape[0] == 3:
        return to_png(0.5 + strength / 2, scale)
    strength = strength[0] if strength.ndim == 3 else strength
    ends = np.where(strength[..., None] < 0, np.array(palette.NEGATIVE), np.array(palette.POSITIVE))
    coloured = np.concatenate([ends, 255 * np.abs(strength)[..., None]], axis=-1)
    return _png(Image.fromarray(np.rint(coloured).astype(np.uint8)), scale, pixelated=True)


def gain_text(gain: float) -> str:
    """The gain as it stands in captions: "×12"."""
    return f"×{gain:.2g}" if gain < 10 else f"×{gain:.0f}"


def grid(images: Sequence[Array | bytes], captions: Sequence[str], columns: int = 6, size: int = 96) -> None:
    """Draw images (arrays, or PNG as from `signed_png`) with captions: at most `columns` side by side, each
    about `size` pixels wide.
    """
    st.html(grid_html(images, captions, columns, size))


def grid_html(
    images: Sequence[Array | bytes], captions: Sequence[str], columns: int = 6, size: int = 96
) -> str:
    """The same as HTML: every picture carries its caption as its text for people who do not see it."""
    if len(images) != len(captions):
        raise ValueError(f"grid needs one caption an image; got {len(captions)} for {len(images)}")
    cells = [
        f'<figure><img alt="{escape(caption)}"'
        f' src="{data_uri(image if isinstance(image, bytes) else to_png(image))}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for image, caption in zip(images, captions, strict=True)
    ]
    sizes = f"--cell:{min(size, 140)}px;--columns:{columns};--widest:{size + 40}px"
    return f'{_STYLE}<div class="feint-grid" style="{sizes}">{"".join(cells)}</div>'


def before_and_after(
    clean: Array,
    attacked: Array,
    gain: float,
    names: tuple[str, str],
    recon: tuple[Array, Array] | None = None,
) -> None:
    """One row: clean, perturbation with its gain, adversarial, and the two reconstructions where there are.

    `names` are what the model takes the clean and the attacked image for.
    """
    delta = np.asarray(attacked, dtype=np.float64) - np.asarray(clean, dtype=np.float64)
    pictures: list[Array | bytes] = [clean, signed_png(delta, gain), attacked]
    captions = [
        _("clean: {name}").format(name=names[0]),
        _("perturbation {gain}").format(gain=gain_text(gain)),
        _("adversarial: {name}").format(name=names[1]),
    ]
    if recon is not None:
        pictures += list(recon)
        captions += [_("reconstruction, clean"), _("reconstruction, adversarial")]
    grid(pictures, captions, columns=len(pictures), size=140)


def sprite_sheet(images: Array, ids: Sequence[int] | Array) -> dict[str, Any]:
    """Many small images (n, [c,] h, w) as one PNG; `ids` (n,) says whose each tile is, so that no thumbnail
    can belong to another sample.

    Raises ValueError where they do not fit into 4,096 x 4,096 pixels: give fewer.
    """
    tiles = [pixels(image) for image in images]
    if len(tiles) != len(ids):
        raise ValueError(f"sprite_sheet needs one id an image; got {len(ids)} for {len(tiles)}")
    height, width = tiles[0].shape[:2] if tiles else (1, 1)
    columns = max(1, min(math.ceil(math.sqrt(len(tiles))), LARGEST_SIDE // width))
    rows = math.ceil(len(tiles) / columns) or 1
    if rows * height > LARGEST_SIDE:
        most = columns * (LARGEST_SIDE // height)
        raise ValueError(
            f"sprite_sheet holds {most:,} images of {width} x {height}; got {len(tiles):,}: give fewer"
        )
    sheet = np.zeros((rows * height, columns * width, *(tiles[0].shape[2:] if tiles else ())), dtype=np.uint8)
    for place, tile in enumerate(tiles):
        top, left = divmod(place, columns)
        sheet[top * height : (top + 1) * height, left * width : (left + 1) * width] = tile
    png = _png(Image.fromarray(sheet), 1, pixelated=True)
    return {
        "src": data_uri(png),
        "tile": [width, height],
        "columns": columns,
        "size": [columns * width, rows * height],
        "ids": [int(sample) for sample in ids],
        "key": hashlib.sha256(png).hexdigest()[:12],
    }


def data_uri(png: bytes) -> str:
    """PNG bytes as an address that holds them."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def _png(image: Image.Image, scale: int, pixelated: bool) -> bytes:
    if scale != 1:
        way = Image.Resampling.NEAREST if pixelated else Image.Resampling.BICUBIC
        image = image.resize((image.width * scale, image.height * scale), way)
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=False, compress_level=6)
    return out.getvalue()
