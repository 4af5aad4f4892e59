"""The pad: a picture is drawn on it, or places of a picture are marked on it."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import components, gallery
from app.components import fingerprint
from app.words import _

SIDE = 280
"""Pixels of the paper's side."""
PEN, THICKEST = 24, 48
"""Width of the line at first, and at most: 24 of 280 is a stroke of MNIST once it is scaled."""
BRUSH, WIDEST = 3, 9
"""The same of the brush that marks, in places."""

_mount = components.register("pad", ("drawn", "marked"))


def draw(picture: NDArray[Any] | None, stamp: str, *, key: str, on_drawn: Callable[[], None]) -> None:
    """Paper to draw on, bright on black, with a `picture` on it at first; `reported` gives what is drawn in
    the callback. `stamp` is that of the drawing which the picture came from, "" of any other.
    """
    shown = "" if picture is None else gallery.data_uri(gallery.to_png(picture))
    data = {"across": SIDE, "down": SIDE, "picture": shown, "marks": None, "stamp": stamp}
    data["id"] = fingerprint({"picture": shown})
    words = {
        "label": _("Paper to draw on"),
        "hint": _("Draw with mouse, pen or finger; with keys: arrows, Space."),
        "width_name": _("Line"),
    }
    _mount(
        data=data | words | {"usual": PEN, "most": THICKEST},
        key=key,
        on_drawn_change=on_drawn,
        on_marked_change=_nothing,
    )


def mark(
    picture: NDArray[Any], marked: NDArray[np.bool_], stamp: str, *, key: str, on_marked: Callable[[], None]
) -> None:
    """A picture on which places (H·W,) are marked; `reported` gives them in the callback."""
    height, width = gallery.pixels(picture).shape[:2]
    bits = base64.b64encode(np.packbits(marked).tobytes()).decode()
    data = {
        "across": width,
        "down": height,
        "picture": gallery.data_uri(gallery.to_png(picture)),
        "marks": bits,
        "stamp": stamp,
        "id": fingerprint({"marks": bits}),
        "label": _("The sample; what is marked may not change"),
        "hint": _("Mark what may not change; with keys: arrows, Space."),
        "width_name": _("Brush"),
        "usual": BRUSH,
        "most": WIDEST,
    }
    _mount(data=data, key=key, on_drawn_change=_nothing, on_marked_change=on_marked)


def reported(key: str, name: str) -> tuple[bytes, str] | None:
    """For callbacks: what the pad of this key has just told by "drawn" (a PNG; empty where nothing is drawn)
    or "marked" (packed bits), and its stamp; None where that is nothing of ours.
    """
    told = st.session_state[key].get(name)
    if not isinstance(told, Mapping):
        return None
    try:
        content = base64.b64decode(str(told.get({"drawn": "png", "marked": "bits"}[name], "")), validate=True)
    except (binascii.Error, ValueError):
        return None
    return content, str(told.get("stamp", ""))[:16]


def _nothing() -> None:
    """A trigger needs a callback to exist."""
