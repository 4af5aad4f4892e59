"""A grid of thumbnails one of which can be chosen, by click or arrow keys."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from app.words import _

_HERE = Path(__file__).parent
_picker = st.components.v2.component(
    "feint_picker",
    html="<div class='picker'></div>",
    css=(_HERE / "picker.css").read_text(encoding="utf-8"),
    js=(_HERE / "picker.js").read_text(encoding="utf-8"),
)


def picker(
    images: np.ndarray,
    shape: Sequence[int],
    ids: Sequence[int],
    captions: Sequence[str],
    key: str,
    *,
    chosen: int | None = None,
    marked: Sequence[bool] = (),
    label: str = "",
    size: int = 56,
) -> int | None:
    """The id a person clicked since the last run, or None.

    `images` (m, d) uint8 in the order of `ids`; `shape` (c, h, w) of one; `captions` a short line below each;
    `marked` draws a corner on some (broken samples); `chosen` is outlined; `size` is the thumbnail's edge in
    pixels.
    """
    cells = [
        _cell(int(number), caption, bool(marked[place]) if len(marked) else False)
        for place, (number, caption) in enumerate(zip(ids, captions, strict=True))
    ]
    data = {
        "sprite": _sprite(images, shape),
        "cells": cells,
        "chosen": chosen,
        "label": label or _("Samples"),
        "size": size,
        "aspect": shape[-2] / shape[-1] if len(shape) == 3 else 1,
    }
    result = _picker(data=data, key=key, on_picked_change=lambda: None)
    return None if result.picked is None else int(result.picked)


def _cell(number: int, caption: str, marked: bool) -> dict[str, Any]:
    """What the browser needs of one sample, and how it is read out."""
    said = _("sample {id}, {caption}, moved") if marked else _("sample {id}, {caption}")
    said = said.format(id=number, caption=caption)
    return {"id": number, "caption": caption, "marked": marked, "said": said}


def _sprite(images: np.ndarray, shape: Sequence[int]) -> str:
    """All thumbnails below one another as a PNG data address; vectors are drawn as a strip."""
    stack: np.ndarray
    if len(shape) == 3 and shape[0] == 3:
        stack = images.reshape(-1, *shape).transpose(0, 2, 3, 1).reshape(-1, shape[2], 3)
    else:
        stack = images.reshape(len(images) * (shape[-2] if len(shape) == 3 else 1), -1)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(stack)).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
