"""The browser components: ladder, map, wipe, pad, slots. Each is a .py with its .js and .css.

A component's .js holds one class, `new Class(root, report)` with `update(data)` and `destroy()`; it knows
nothing of Streamlit. Here it gets the little that ties it to Streamlit; `standalone` ties the same class to a
file that plays with no server. Arrays travel as base64 inside JSON: raw bytes inside a dict never reach the
browser (Streamlit 1.67).
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import DTypeLike, NDArray
from streamlit.components.v2.types import ComponentRenderer

from app.charts import palette

FOLDER = Path(__file__).parent
CLASSES = {
    "ladder": "Ladder",
    "map": "PointMap",
    "wipe": "Wipe",
    "pad": "Pad",
    "figure": "Figure",
    "report": "Report",
    "slots": "Slots",
}
PARTS = {
    "ladder": ("traces.js", "features.js", "near.js"),
    "figure": ("figure_svg.js",),
    "report": ("figure_svg.js",),
    "slots": ("traces.js", "features.js", "near.js", "ladder.js"),
}
"""Further files with classes that a component is made of."""
STYLES = {"slots": ("ladder.css",)}
"""Further styles of those."""

_IN_STREAMLIT = """
const mounted = new WeakMap();
export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".feint");
  const report = (name, value) => (TRIGGERS.includes(name) ? setTriggerValue : setStateValue)(name, value);
  let component = mounted.get(root);
  if (component) component.report = report;
  else mounted.set(root, (component = new CLASS(root, report)));
  // Streamlit may run an older call's clean-up after a newer call: only the newest ends the component
  const call = (component.call = {});
  component.update(data);
  return () => {
    if (component.call !== call) return;
    component.destroy();
    mounted.delete(root);
  };
}
"""


def script(name: str) -> str:
    """The JavaScript of a component: what all share, its palette, and its class."""
    colours = json.dumps(
        {
            "light": palette.LIGHT,
            "dark": palette.DARK,
            "negative": palette.NEGATIVE,
            "positive": palette.POSITIVE,
        }
    )
    shared = (FOLDER / "common.js").read_text(encoding="utf-8")
    files = (*PARTS.get(name, ()), f"{name}.js")
    own = "\n".join((FOLDER / file).read_text(encoding="utf-8") for file in files)
    return f"const PALETTE = {colours};\n{shared}\n{own}"


def style(name: str) -> str:
    """The CSS of a component: what all share, then its own."""
    return "\n".join(
        (FOLDER / file).read_text(encoding="utf-8")
        for file in ("common.css", *STYLES.get(name, ()), f"{name}.css")
    )


def register(name: str, triggers: tuple[str, ...] = ()) -> ComponentRenderer:
    """The Streamlit component `name`; of what it reports, `triggers` are events, everything else is state."""
    tie = _IN_STREAMLIT.replace("CLASS", CLASSES[name]).replace("TRIGGERS", json.dumps(triggers))
    return st.components.v2.component(
        f"feint_{name}", html='<div class="feint"></div>', css=style(name), js=script(name) + tie
    )


def packed(array: NDArray[Any], dtype: DTypeLike) -> str:
    """The array as base64 of its little-endian bytes, in C order."""
    return base64.b64encode(
        np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<")).tobytes()
    ).decode("ascii")


def fingerprint(payload: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits that stand for a payload, so that a browser knows whether it has new
    content.
    """
    return hashlib.sha256(json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[
        :12
    ]
