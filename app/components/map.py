"""The map: samples as points of a plane, lasso and box, clean to attacked. Places travel as 16 bits, a
selection comes back as bits.

A selection is text: "b:" and a bit a point, or "d:" and the distances between chosen points, seven bits a
byte; the browser sends the shorter. 70,000 points are 12 kB at most.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app import components, gallery
from app.address import ramp
from app.charts import palette
from app.words import N_, _

Array = NDArray[Any]

_mount = components.register("map", triggers=("point",))


@dataclass(frozen=True)
class Classes:
    """A colour for each group: `codes` (n,) index `names`; `attacked` (n,) are the codes once points have
    moved; `places` are the groups' places in the palette, their own numbers where none are given.
    """

    title: str
    codes: Array
    names: Sequence[str]
    attacked: Array | None = None
    places: Sequence[int] = ()


@dataclass(frozen=True)
class Values:
    """A colour along a ramp: `values` (n,), NaN where there is none, which is called `missing`."""

    title: str
    values: Array
    missing: str = N_("no value")


@dataclass(frozen=True)
class Marks:
    """Pictures at places of their own, such as centroids: `xy` (k, 2) on the map, `images` (k, c, h, w) uint8
    or None, `codes` (k,) the group whose colour frames each. Those of `solid` and `dashed` stand out, and a
    line joins them to the sample that is chosen.
    """

    xy: Array
    images: Array | None
    codes: Sequence[int]
    solid: Sequence[int] = ()
    dashed: Sequence[int] = ()


@dataclass(frozen=True)
class Picked:
    """What a hand chose: sample ids in rising order (None: nothing chosen), and the sample just clicked
    (None: none in this run).
    """

    ids: Array | None
    point: int | None


def point_map(
    payload: Mapping[str, Any],
    *,
    key: str,
    on_selection: Callable[[], None] | None = None,
    on_point: Callable[[], None] | None = None,
) -> Picked:
    """Draw the map of a payload. The selection is state and stays; a click is an event, seen in one script
    run only.
    """
    shown = {name: value for name, value in payload.items() if name != "_ids"}
    result = _mount(
        data=shown,
        key=key,
        on_selection_change=on_selection or _nothing,
        on_point_change=on_point or _nothing,
    )
    point = result.get("point")
    return Picked(selected_ids(payload, result.get("selection")), int(point) if point is not None else None)


def selected_ids(payload: Mapping[str, Any], selection: str | None) -> Array | None:
    """The sample ids that a selection's text stands for; None where nothing is chosen."""
    if not selection:
        return None
    positions = decode(selection, payload["n"])
    return positions if payload["_ids"] is None else np.asarray(payload["_ids"])[positions]


@dataclass(frozen=True, kw_only=True)
class MapDrawing:
    """What a map shows: `xy` (n, 2) float, where points move `xy_attacked` (n, 2), sample `ids` (n,), else
    0 … n − 1.
    """

    xy: Array
    colour: Classes | Values
    title: str
    caption: str
    """What the map is and by which protocol."""
    ids: Array | None = None
    xy_attacked: Array | None = None
    attacked_name: str = N_("attacked")
    clean_name: str = N_("clean")
    xy_error: float = 0.0
    """The length below which an arrow is grey."""
    uncertain: Array | None = None
    """(n,) points far from all neighbours, drawn as rings."""
    extra: Sequence[Classes] = ()
    """Further lines of the hover card."""
    sprite: Mapping[str, Any] | None = None
    """From `gallery.sprite_sheet`."""
    selected: Array | None = None
    """Sample ids chosen elsewhere on the page."""
    focus: int | None = None
    """The sample chosen elsewhere on the page."""
    arrows: Array | None = None
    """Positions of the points whose arrows are drawn."""
    marks: Marks | None = None


def map_payload(drawing: MapDrawing) -> dict[str, Any]:
    """What the browser needs to draw it."""
    ids, n, places = drawing.ids, len(drawing.xy), _places(drawing)
    position, uncertain, sprite = _positions(ids, n), drawing.uncertain, drawing.sprite
    chosen = None if drawing.selected is None else encode(np.sort(position(drawing.selected)), n)
    spots = position(np.array([] if drawing.focus is None else [drawing.focus], dtype=np.int64))
    return places | {
        "places": components.fingerprint(places),
        "colour": _colour(drawing.colour),
        "extra": [_class(other) for other in drawing.extra],
        "uncertain": None if uncertain is None else encode(np.flatnonzero(uncertain), n),
        "xy_error": float(drawing.xy_error),
        "sprite": None if sprite is None else _placed_sprite(sprite, ids, n),
        "marks": _marks(drawing),
        "selection": chosen,
        "focus": int(spots[0]) if len(spots) else None,
        "arrows": None if drawing.arrows is None else [int(i) for i in drawing.arrows],
        "title": drawing.title,
        "caption": drawing.caption,
        "clean_name": _(drawing.clean_name),
        "attacked_name": _(drawing.attacked_name),
        "summary": _summary(drawing.colour),
        "_ids": ids,
    }


def _box(drawing: MapDrawing) -> tuple[Array, Array]:
    """The lower corner of all that is drawn, and how far it reaches: (2,) each."""
    marks = [] if drawing.marks is None else [drawing.marks.xy]
    moved = [] if drawing.xy_attacked is None else [drawing.xy_attacked]
    every = np.concatenate([np.asarray(part, dtype=np.float64) for part in (drawing.xy, *moved, *marks)])
    low, high = every.min(axis=0), every.max(axis=0)
    return low, np.where(high > low, high - low, 1.0)


def _marks(drawing: MapDrawing) -> dict[str, Any] | None:
    marks = drawing.marks
    if marks is None:
        return None
    images = marks.images
    drawn = {
        "xy": _quantised(marks.xy, *_box(drawing)),
        "codes": [int(code) for code in marks.codes],
        "sprite": None if images is None else gallery.sprite_sheet(images, np.arange(len(images))),
    }
    strong = [[int(k), False] for k in marks.solid] + [[int(k), True] for k in marks.dashed]
    return drawn | {"key": components.fingerprint(drawn), "strong": strong}


def _places(drawing: MapDrawing) -> dict[str, Any]:
    """Where the points lie: what stays the same while they are recoloured."""
    xy, moved = drawing.xy, drawing.xy_attacked
    low, span = _box(drawing)
    return {
        "n": len(xy),
        "xy": _quantised(xy, low, span),
        "xy_attacked": None if moved is None else _quantised(moved, low, span),
        "ids": None if drawing.ids is None else components.packed(drawing.ids, "i4"),
        "extent": span.tolist(),
    }


def legend_table(colour: Classes, ids: Array | None = None, selected: Array | None = None) -> pd.DataFrame:
    """The map's legend as a table, for people who cannot use the picture: group, samples, selected."""
    codes = np.asarray(colour.codes)
    inside = np.isin(np.arange(len(codes)) if ids is None else ids, [] if selected is None else selected)
    rows = {colour.title: list(colour.names), _("samples"): np.bincount(codes, minlength=len(colour.names))}
    return pd.DataFrame(rows | {_("selected"): np.bincount(codes[inside], minlength=len(colour.names))})


def encode(positions: Array, n: int) -> str:
    """Positions (rising, below n) as a selection's text, the shorter of its two spellings."""
    bits = np.packbits(np.isin(np.arange(n), positions), bitorder="little")
    steps = _varints(np.diff(np.asarray(positions, dtype=np.int64), prepend=-1))
    kind, raw = ("d", steps) if len(steps) < len(bits) else ("b", bits.tobytes())
    return f"{kind}:{base64.b64encode(raw).decode('ascii')}"


def decode(selection: str, n: int) -> Array:
    """The positions (rising, below n) that a selection's text stands for."""
    kind, raw = selection[:1], np.frombuffer(base64.b64decode(selection[2:]), dtype=np.uint8)
    if kind == "b":
        return np.flatnonzero(np.unpackbits(raw, bitorder="little")[:n])
    ends = np.flatnonzero(raw < 128)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    place = np.arange(len(raw)) - np.repeat(starts, ends - starts + 1)
    steps = (
        np.add.reduceat((raw & 127).astype(np.int64) << (7 * place), starts)
        if len(ends)
        else np.empty(0, dtype=np.int64)
    )
    positions = np.cumsum(steps) - 1
    return positions[positions < n]


def _varints(steps: Array) -> bytes:
    out = bytearray()
    for step in steps.tolist():
        while step > 127:
            out.append((step & 127) | 128)
            step >>= 7
        out.append(step)
    return bytes(out)


def _quantised(xy: Array, low: Array, span: Array) -> str:
    return components.packed(np.rint((np.asarray(xy, dtype=np.float64) - low) / span * 65535), "u2")


def _positions(ids: Array | None, n: int) -> Callable[[Array], Array]:
    """From sample ids to positions; ids that are not on the map are left out."""

    def positions(wanted: Array) -> Array:
        if ids is None:
            kept = np.asarray(wanted, dtype=np.int64)
            return kept[(kept >= 0) & (kept < n)]
        return np.flatnonzero(np.isin(ids, wanted))

    return positions


def _class(classes: Classes) -> dict[str, Any]:
    return {
        "title": classes.title,
        "names": list(classes.names),
        "codes": components.packed(classes.codes, "u1"),
    }


def _colour(colour: Classes | Values) -> dict[str, Any]:
    if isinstance(colour, Classes):
        attacked = None if colour.attacked is None else components.packed(colour.attacked, "u1")
        return _class(colour) | {"kind": "class", "codes_attacked": attacked, "places": list(colour.places)}
    values = np.asarray(colour.values, dtype=np.float64)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    codes = np.where(
        np.isfinite(values), np.rint((np.nan_to_num(values) - low) / ((high - low) or 1.0) * 254), 255
    )
    return {
        "kind": "value",
        "title": colour.title,
        "codes": components.packed(codes, "u1"),
        "low": f"{low:.3g}",
        "high": f"{high:.3g}",
        "span": [low, high],
        "missing": _(colour.missing),
        "ramp": [list(stop) for stop in palette.RAMPS[ramp.chosen()]],
    }


def _placed_sprite(sprite: Mapping[str, Any], ids: Array | None, n: int) -> dict[str, Any]:
    """The sheet with, for each point, its tile (−1: none): tiles are found by sample id, never by order."""
    tile_of = {int(sample): tile for tile, sample in enumerate(sprite["ids"])}
    tiles = [tile_of.get(int(sample), -1) for sample in (range(n) if ids is None else ids)]
    return {name: sprite[name] for name in ("src", "tile", "columns", "size", "key")} | {
        "places": components.packed(np.array(tiles), "i4")
    }


def _summary(colour: Classes | Values) -> str:
    if isinstance(colour, Values):
        return _("Coloured by {title}.").format(title=colour.title)
    counts = np.bincount(np.asarray(colour.codes), minlength=len(colour.names))
    largest = int(counts.argmax())
    told = _("Coloured by {title}: {n} groups, the largest is {name} with {count:,}.")
    return told.format(
        title=colour.title, n=len(colour.names), name=colour.names[largest], count=counts[largest]
    )


def _nothing() -> None:
    """A state or an event needs a callback to exist; most pages read what is returned instead."""
