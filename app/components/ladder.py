"""The ladder: one sample dragged along ε, along the attack's path, along λ or along ν, redrawn in the browser
while the hand moves.

What it shows follows what the answer holds (`engine.asking.answers.LadderAnswer`): groups as bars, the place
in the embedding as a trail, reconstructions as a pair. Behind the handle stands the confidence in the
own group, or, for a model that sorts samples into nothing, the value of the objective.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import components
from app.components import skip
from app.features import Features
from app.words import N_, _, each
from engine.asking.answers import LadderAnswer

Array = NDArray[Any]

PLAIN = (
    "axis",
    "norm",
    "own_group",
    "target",
    "first_reached",
    "epsilon_star",
    "label_name",
    "title",
)
"""What goes to the browser as it stands in the answer."""
TRACED = (
    N_("criterion, met below 0"),
    N_("price of failing it"),
    N_("similarity, a score"),
    N_("what MINE estimates of random projections: closed form, nats"),
)
"""What the attacks call what they trace."""
BACKGROUND_POINTS = 4000
"""Map points behind the trail: more are not seen at its size, and each costs four bytes."""

_mount = components.register("ladder")


@dataclass(frozen=True)
class Place:
    """The map behind a ladder: `points` (n, 2) of the clean samples with their `group` (n,), and the ladder's
    own `trail` (L, 2) from the `clean` sample (2,). Moves shorter than `error` say nothing.
    """

    name: str
    points: Array
    trail: Array
    clean: Array
    error: float = 0.0
    group: Array | None = None
    marks: Sequence[tuple[int, Array]] = ()
    """Group and place (2,) of centroids to be drawn: the sample's own, then the one it may be driven to."""


@dataclass(frozen=True)
class Near:
    """Who is near: pictures (m, d) uint8, and the places among them of those near the clean sample (near,)
    and near the one at each level (L, near).
    """

    images: Array
    clean: Array
    levels: Array


@dataclass(frozen=True)
class Drawing:
    """What a ladder draws: an answer, the map behind its trail, and words.

    `grouping` is what the model sorts samples into, "cluster" or "class" ("" for nothing); `effect` says what
    a value of the objective means ("moves the embedding by …"); `colours` are the groups' places in the
    palette, their own numbers where none are given; `features` are those of a row of a table, whose
    perturbation is drawn as signed bars; `near` are those near it in the embedding, drawn while the hand
    moves; `fixed` places (H·W,) are striped in the perturbation, for they may not change.
    """

    answer: LadderAnswer
    place: Place | None = None
    grouping: str = "cluster"
    effect: str = ""
    colours: Sequence[int] = ()
    features: Features | None = None
    near: Near | None = None
    fixed: Array | None = None


def ladder(
    drawing: Drawing,
    *,
    key: str,
    level: int | None = None,
    autoplay: bool = False,
    on_level: Callable[[], None] | None = None,
) -> int | None:
    """Draw a ladder; the level that was last released (an index), or None before any.

    `level` is shown first (the first that reached the objective where it is None or negative); `autoplay`
    plays to and fro until a hand takes over, never where the person asked for reduced motion.
    """
    skip.to_ladder()
    payload = ladder_payload(drawing)
    last = len(payload["levels"]) - 1
    if level is not None and level >= 0:
        payload["start"] = min(level, last)
    result = _mount(data=payload | {"autoplay": autoplay}, key=key, on_level_change=on_level or _nothing)
    released = result.get("level")
    return released if isinstance(released, int) and 0 <= released <= last else None


def ladder_payload(drawing: Drawing) -> dict[str, Any]:
    """What the browser needs of a drawing, as JSON: images in 8 bits, δ in 8 bits with one scale a level.

    δ is wrong by at most 1/254 of its largest pixel at that level: less than a screen shows.
    """
    answer = drawing.answer
    payload: dict[str, Any] = {name: getattr(answer, name) for name in PLAIN}
    payload |= {
        "protocol": each(answer.protocol),
        "grouping": drawing.grouping,
        "effect": drawing.effect,
        "colours": list(drawing.colours),
        "start": answer.start,
        "levels": list(answer.levels),
        "reached": None if answer.reached is None else answer.reached.tolist(),
        "linf": answer.linf.tolist(),
        "l2": answer.l2.tolist(),
        "value": answer.value.tolist(),
        "noise_value": None if answer.noise_value is None else answer.noise_value.tolist(),
        "traces": _traces(answer),
        "features": _features(drawing),
        "near": _near(drawing.near),
        "ratio": getattr(answer, "ratio", np.zeros(0)).tolist() or None,
    }
    payload |= _pictures(answer) | _groups(answer) | _place(drawing.place) | _fixed(drawing)
    return payload | {"id": components.fingerprint(payload)}


def _fixed(drawing: Drawing) -> dict[str, Any]:
    """A byte for each pixel of the picture: 1 where it may not change; nothing where all may."""
    answer, fixed = drawing.answer, drawing.fixed
    if fixed is None or len(answer.shape) != 3:
        return {}
    below = _layout(answer)[1]
    flat = np.tile(np.asarray(fixed, dtype=np.uint8), answer.shape[0])
    laid = below(flat)
    return {"fixed": components.packed(laid[: len(laid) // answer.shape[0]], "u1")}


def _near(near: Near | None) -> dict[str, Any] | None:
    """Pictures of who is near, each once, and who it is at every level."""
    if near is None:
        return None
    return {
        "images": components.packed(near.images, "u1"),
        "clean": near.clean.tolist(),
        "levels": near.levels.tolist(),
    }


def _features(drawing: Drawing) -> dict[str, Any] | None:
    """Names, ranges and clean values of a row of a table."""
    features = drawing.features
    if features is None:
        return None
    clean = np.asarray(drawing.answer.clean, dtype=np.float64).round(6)
    values = {"clean": clean.tolist(), "low": features.low.tolist(), "span": features.span.tolist()}
    return {"names": list(features.names)} | values


def _traces(answer: LadderAnswer) -> list[dict[str, Any]]:
    """What the attack traces, and the length of δ beside it: symbol, what it is, values (null: none)."""
    traces = getattr(answer, "traces", None)
    if traces is None:
        return []
    rows = [
        {"symbol": symbol, "title": _(title), "values": [None if np.isnan(x) else float(x) for x in values]}
        for (symbol, title), values in zip(answer.traced, traces, strict=True)
    ]
    return [
        *rows,
        {"symbol": "‖δ‖", "title": _("length of the perturbation, L2"), "values": answer.l2.tolist()},
    ]


def gain(delta: Array, first: int | None) -> float:
    """How many times stronger δ (L, d) is drawn: full colour at twice the size it has at level `first`, else
    at its largest; a round number.
    """
    largest = np.abs(delta).max(axis=1)
    reach = float(largest.max())
    if first is not None and largest[first] > 0:
        reach = min(reach, 2 * float(largest[first]))
    if reach == 0:
        return 1.0
    exact = 1 / reach
    rounds = 10.0 ** np.floor(np.log10(exact)) * np.array([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8])
    return float(np.round(rounds[rounds <= exact * 1.0001].max(), 6))


def _pictures(answer: LadderAnswer) -> dict[str, Any]:
    """Clean sample, perturbations and reconstructions, with the empty rows between views."""
    shape, below, gaps = _layout(answer)
    delta = below(np.asarray(answer.delta, dtype=np.float32))
    scale = np.maximum(np.abs(delta).max(axis=1), 1e-12) / 127
    drawn = {
        "shape": shape,
        "gaps": gaps,
        "clean": components.packed(_bytes(below(answer.clean)), "u1"),
        "delta": components.packed(np.rint(delta / scale[:, None]), "i1"),
        "delta_scale": scale.tolist(),
        "gain": gain(delta, answer.first_reached if answer.axis == "epsilon" else None),
    }
    for name in ("recon", "recon_clean", "medoids"):
        images = getattr(answer, name)
        if images is not None:
            drawn[name] = components.packed(below(_bytes(images)), "u1")
    return drawn


def _layout(answer: LadderAnswer) -> tuple[list[int], Callable[[Array], Array], list[int]]:
    """The shape of the picture, what lays flat samples out in it, and its empty rows: several views stand
    below one another instead of side by side.
    """
    shape, views = [1] * (3 - len(answer.shape)) + list(answer.shape), answer.views
    if views == 1 or len(answer.shape) != 3 or shape[2] % views:
        return shape, np.asarray, []
    channels, height, width = shape[0], shape[1], shape[2] // views
    gap = max(1, height // 14)
    tall = views * (height + gap) - gap

    def below(flat: Array) -> Array:
        cut = flat.reshape(-1, channels, height, views, width).transpose(0, 1, 3, 2, 4)
        spaced = np.zeros((len(cut), channels, views, height + gap, width), dtype=flat.dtype)
        spaced[:, :, :, :height] = cut
        rows = spaced.reshape(len(cut), channels, -1, width)[:, :, :tall]
        return np.ascontiguousarray(rows).reshape(*flat.shape[:-1], -1)

    starts = [view * (height + gap) - gap for view in range(1, views)]
    return [channels, tall, width], below, [row for start in starts for row in range(start, start + gap)]


def _bytes(image: Array) -> Array:
    """Grey levels 0 to 255 of an image in [0, 1]; those of uint8 as they are."""
    if np.asarray(image).dtype == np.uint8:
        return image
    return np.rint(np.clip(np.asarray(image, dtype=np.float64), 0, 1) * 255)


def _groups(answer: LadderAnswer) -> dict[str, Any]:
    """Probabilities of the groups, clean, at each level and under noise; nothing where there are none."""
    if answer.q is None or answer.q_clean is None:
        return {"group_names": []}
    found = {
        "group_names": list(answer.group_names),
        "q": components.packed(answer.q, "f4"),
        "q_clean": answer.q_clean.tolist(),
    }
    if answer.noise_q is not None:
        found["noise_q"] = components.packed(answer.noise_q, "f4")
    return found


def _place(place: Place | None) -> dict[str, Any]:
    """The trail on the map, and the map's points quantised to 16 bits inside the box that holds both."""
    if place is None:
        return {}
    trail, clean = np.asarray(place.trail, dtype=np.float32), np.asarray(place.clean, dtype=np.float32)
    points = np.asarray(place.points, dtype=np.float64)
    marks = [np.asarray(xy, dtype=np.float64)[None] for group, xy in place.marks]
    everything = np.concatenate([trail, clean[None], points, *marks])
    low, high = everything.min(axis=0), everything.max(axis=0)
    high = np.where(high > low, high, low + 1)
    drawn = {
        "map_name": place.name,
        "xy": components.packed(trail, "f4"),
        "xy_clean": clean.tolist(),
        "xy_error": float(place.error),
        "map_box": [*low.tolist(), *high.tolist()],
        "map_marks": [[int(group), *map(float, xy)] for group, xy in place.marks],
    }
    if len(points):
        kept = np.linspace(0, len(points) - 1, min(len(points), BACKGROUND_POINTS)).astype(int)
        group = np.zeros(len(points)) if place.group is None else np.asarray(place.group)
        drawn["map_xy"] = components.packed(np.rint((points[kept] - low) / (high - low) * 65535), "u2")
        drawn["map_group"] = components.packed(group[kept], "u1")
    return drawn


def _nothing() -> None:
    """A state needs a callback to exist; most pages read the returned level instead."""
