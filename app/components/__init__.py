"""The browser components: ladder, map, wipe, pad, slots. Each is a .py with its .js and .css.

A component's .js holds one class, `new Class(root, report)` with `update(data)` and `destroy()`; it knows
nothing of Streamlit, and marks its texts as Python does (`_("Play")`). Here it gets the little that ties it
to Streamlit; `standalone` ties the same class to a file that plays with no server. Arrays travel as base64
inside JSON: raw bytes inside a dict never reach the browser (Streamlit 1.67).
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import DTypeLike, NDArray

from app.charts import palette
from app.words import ENGLISH, language, said

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
LADDER = ("traces.js", "features.js", "near.js", "figure_svg.js", "sheet.js", "ladder_files.js")
PARTS = {
    "ladder": LADDER,
    "figure": ("figure_svg.js",),
    "map": ("figure_svg.js", "sheet.js", "map_files.js"),
    "report": ("figure_svg.js",),
    "slots": (*LADDER, "ladder.js", "slots_files.js"),
}
"""Further files with classes that a component is made of."""
MARKED = re.compile(r'\b(?:_|N_|n_)\(("(?:[^"\\]|\\.)*")(?:, ("(?:[^"\\]|\\.)*"))?')
"""A text marked in JavaScript; of things counted, one and many."""
STYLES = {"slots": ("ladder.css", "figure.css"), "ladder": ("figure.css",), "map": ("figure.css",)}
"""Further styles of those."""

_IN_STREAMLIT = """
const mounted = new WeakMap();
export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".feint");
  const report = (name, value) => (TRIGGERS.includes(name) ? setTriggerValue : setStateValue)(name, value);
  let component = mounted.get(root);
  if (component && component.language !== data.language) {  // its words are laid where it is made
    component.destroy();
    component = null;
  }
  SAID = data.words;
  if (component) component.report = report;
  else mounted.set(root, (component = new CLASS(root, report)));
  component.language = data.language;
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


def script(name: str, language: str = ENGLISH) -> str:
    """The JavaScript of a component: what all share, its palette, its words in a language, and its class."""
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
    told = json.dumps(words(name, language), ensure_ascii=False)
    return f"const PALETTE = {colours};\nlet SAID = {told};\n{shared}\n{own}"


@cache
def words(name: str, language: str) -> dict[str, str | list[str]]:
    """What a component says in a language, by the English that stands in its code (of things counted, by what
    is said of one); nothing in English.
    """
    spoken, found = said(language), {}
    for file in ("common.js", *PARTS.get(name, ()), f"{name}.js") if language != ENGLISH else ():
        for one, *many in marked((FOLDER / file).read_text(encoding="utf-8")):
            found[one] = [spoken.ngettext(one, many[0], n) for n in (1, 2)] if many else spoken.gettext(one)
    return found


def marked(code: str) -> Iterator[tuple[str, ...]]:
    """The texts that JavaScript marks as Python does, by `_`, `N_` and `n_`."""
    for one, many in MARKED.findall(code):
        yield tuple(json.loads(text) for text in (one, many) if text)


def style(name: str) -> str:
    """The CSS of a component: what all share, then its own."""
    return "\n".join(
        (FOLDER / file).read_text(encoding="utf-8")
        for file in ("common.css", *STYLES.get(name, ()), f"{name}.css")
    )


def register(name: str, triggers: tuple[str, ...] = ()) -> Callable[..., Any]:
    """The Streamlit component `name`, in the language of whoever looks; of what it reports, `triggers` are
    events, everything else is state.
    """
    tie = _IN_STREAMLIT.replace("CLASS", CLASSES[name]).replace("TRIGGERS", json.dumps(triggers))
    mount = st.components.v2.component(
        f"feint_{name}", html='<div class="feint"></div>', css=style(name), js=script(name) + tie
    )

    def draw(*, data: Mapping[str, Any], **options: Any) -> Any:
        spoken = language()
        return mount(data={**data, "language": spoken, "words": words(name, spoken)}, **options)

    return draw


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
