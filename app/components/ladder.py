"""The ladder: one sample dragged along ε, along the attack's path, along λ or along ν, redrawn in the browser
while the hand moves.

answer.json    axis ("epsilon", "path", "lambda", "nu"), levels (L), shape [c, h, w] (of a vector [d]), norm,
cluster_names (K),
               cluster_own, flip (index or None), target (cluster or None), epsilon_star (float or None),
                   label_name, title, protocol, map_name
answer.arrays  clean (d,) in [0, 1] or uint8, delta (L, d), q (L, K), linf (L,), l2 (L,), flipped (L,) bool:
whether the goal
               (out of the own cluster, or in the target) is reached; where there are: recon (L, d) with
               recon_clean (d,), xy (L, 2) with xy_error (), map_xy (n, 2) with map_cluster (n,), noise_q (L,
                   K), medoids (K, d)
               uint8, q_clean (K,) and xy_clean (2,) (without them the first level stands for the clean
                   sample)
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import components
from engine.asking.answers import Answer
from engine.asking.legacy import plain

Array = NDArray[Any]

PLAIN = (
    "axis",
    "norm",
    "cluster_names",
    "cluster_own",
    "target",
    "flip",
    "epsilon_star",
    "label_name",
    "title",
    "protocol",
    "map_name",
    "ratio",
)
"""What goes to the browser as it stands in the answer."""
BACKGROUND_POINTS = 4000
"""Map points behind the trail: more are not seen at its size, and each costs four bytes."""

_mount = components.register("ladder")


def ladder(
    said: dict[str, Any],
    arrays: dict[str, Array],
    *,
    key: str,
    level: int | None = None,
    autoplay: bool = False,
    on_level: Callable[[], None] | None = None,
) -> int | None:
    """Draw the ladder of an answer; the level that was last released (an index), or None before any.

    `level` is shown first (the flip where it is None or negative); `autoplay` plays to and fro until a hand
    takes over, never where the person asked for reduced motion.
    """
    payload = ladder_payload(plain(said, arrays))
    last = len(payload["levels"]) - 1
    if level is not None and level >= 0:
        payload["start"] = min(level, last)
    result = _mount(data=payload | {"autoplay": autoplay}, key=key, on_level_change=on_level or _nothing)
    released = result.get("level")
    return released if isinstance(released, int) and 0 <= released <= last else None


def ladder_payload(answer: Answer) -> dict[str, Any]:
    """What the browser needs of an answer, as JSON: images in 8 bits, δ in 8 bits with one scale a level.

    δ is wrong by at most 1/254 of its largest pixel at that level: less than a screen shows.
    """
    said, arrays, gaps = _rows(answer)
    delta = np.asarray(arrays["delta"], dtype=np.float32)
    scale = np.maximum(np.abs(delta).max(axis=1), 1e-12) / 127
    payload = {name: said.get(name) for name in PLAIN}
    payload |= {
        "gaps": gaps,
        "shape": [1] * (3 - len(said["shape"])) + list(said["shape"]),
        "levels": [float(level) for level in said["levels"]],
        "flipped": [bool(reached) for reached in arrays["flipped"]],
        "start": start_level(said, np.asarray(arrays["flipped"])),
        "clean": components.packed(_bytes(arrays["clean"]), "u1"),
        "delta": components.packed(np.rint(delta / scale[:, None]), "i1"),
        "delta_scale": [float(step) for step in scale],
        "gain": gain(delta, said["flip"] if said["axis"] == "epsilon" else None),
        "q": components.packed(arrays["q"], "f4"),
        "q_clean": [float(share) for share in np.asarray(arrays.get("q_clean", arrays["q"][0])).ravel()],
        "linf": [float(size) for size in arrays["linf"]],
        "l2": [float(size) for size in arrays["l2"]],
    }
    payload |= _reconstructions(arrays) | _place(arrays) | _controls(arrays)
    return payload | {"id": components.fingerprint(payload)}


def _rows(answer: Answer) -> tuple[dict[str, Any], dict[str, Array], list[int]]:
    """The answer with several views below one another instead of side by side, and the empty rows between
    them.
    """
    said, arrays, views = answer.json, answer.arrays, answer.json.get("views", 1)
    if views == 1 or len(said["shape"]) != 3 or said["shape"][2] % views:
        return said, arrays, []
    channels, height, width = said["shape"][0], said["shape"][1], said["shape"][2] // views
    gap = max(1, height // 14)

    def below(flat: Array) -> Array:
        cut = flat.reshape(-1, channels, height, views, width).transpose(0, 1, 3, 2, 4)
        spaced = np.zeros((len(cut), channels, views, height + gap, width), dtype=flat.dtype)
        spaced[:, :, :, :height] = cut
        tall = spaced.reshape(len(cut), channels, -1, width)[:, :, : views * (height + gap) - gap]
        return np.ascontiguousarray(tall).reshape(*flat.shape[:-1], -1)

    moved = {
        name: below(np.asarray(arrays[name]))
        for name in ("clean", "delta", "recon", "recon_clean", "medoids")
        if name in arrays
    }
    gaps = [
        row for view in range(1, views) for row in range(view * (height + gap) - gap, view * (height + gap))
    ]
    return dict(said) | {"shape": [channels, views * (height + gap) - gap, width]}, dict(arrays) | moved, gaps


def gain(delta: Array, flip: int | None) -> float:
    """How many times stronger δ (L, d) is drawn: full colour at twice the size it has at the flip, else at
    its largest; a round number.
    """
    largest = np.abs(delta).max(axis=1)
    reach = float(largest.max())
    if flip is not None and largest[flip] > 0:
        reach = min(reach, 2 * float(largest[flip]))
    if reach == 0:
        return 1.0
    exact = 1 / reach
    steps = 10.0 ** np.floor(np.log10(exact)) * np.array([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8])
    return float(np.round(steps[steps <= exact * 1.0001].max(), 6))


def start_level(said: dict[str, Any], reached: Array) -> int:
    """The level shown first: the first flip; over λ the last one (a larger weight gives the attack up); the
    end where nothing flips.
    """
    if said["axis"] != "lambda":
        return len(reached) - 1 if said["flip"] is None else int(said["flip"])
    flipped = np.flatnonzero(reached)
    return int(flipped[-1]) if len(flipped) else 0


def _bytes(image: Array) -> Array:
    """Grey levels 0 to 255 of an image in [0, 1]; those of uint8 as they are."""
    if np.asarray(image).dtype == np.uint8:
        return image
    return np.rint(np.clip(np.asarray(image, dtype=np.float64), 0, 1) * 255)


def _reconstructions(arrays: dict[str, Array]) -> dict[str, Any]:
    if "recon" not in arrays:
        return {}
    return {
        "recon": components.packed(_bytes(arrays["recon"]), "u1"),
        "recon_clean": components.packed(_bytes(arrays["recon_clean"]), "u1"),
    }


def _place(arrays: dict[str, Array]) -> dict[str, Any]:
    """The trail on the map, and the map's points quantised to 16 bits inside the box that holds both."""
    if "xy" not in arrays:
        return {}
    xy = np.asarray(arrays["xy"], dtype=np.float32)
    clean = np.asarray(arrays.get("xy_clean", xy[0]), dtype=np.float32).ravel()
    background = np.asarray(arrays.get("map_xy", np.empty((0, 2))), dtype=np.float64)
    everything = np.concatenate([xy, clean[None], background])
    low, high = everything.min(axis=0), everything.max(axis=0)
    high = np.where(high > low, high, low + 1)
    place = {
        "xy": components.packed(xy, "f4"),
        "xy_clean": clean.tolist(),
        "xy_error": float(np.asarray(arrays.get("xy_error", 0.0)).ravel()[0]),
        "map_box": [*low.tolist(), *high.tolist()],
    }
    if len(background):
        kept = np.linspace(0, len(background) - 1, min(len(background), BACKGROUND_POINTS)).astype(int)
        place["map_xy"] = components.packed(np.rint((background[kept] - low) / (high - low) * 65535), "u2")
        place["map_cluster"] = components.packed(np.asarray(arrays["map_cluster"])[kept], "u1")
    return place


def _controls(arrays: dict[str, Array]) -> dict[str, Any]:
    found = {"noise_q": components.packed(arrays["noise_q"], "f4")} if "noise_q" in arrays else {}
    if "medoids" in arrays:
        found["medoids"] = components.packed(arrays["medoids"], "u1")
    return found


def _nothing() -> None:
    """A state needs a callback to exist; most pages read the returned level instead."""
