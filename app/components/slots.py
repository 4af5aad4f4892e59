"""Several ladders over ε of one sample under one handle."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app import components
from app.components import skip
from app.components.ladder import Drawing, ladder_payload

_mount = components.register("slots")


@dataclass(frozen=True)
class Slot:
    """One ladder among several: its letter, what it is of, its ε* in words, and what is drawn. All have the
    same levels.
    """

    letter: str
    name: str
    star: str
    drawing: Drawing


def slots(ladders: Sequence[Slot], *, key: str, level: int, on_level: Callable[[], None]) -> None:
    """Draw the ladders, all at one level; `on_level` runs when the handle is let go elsewhere."""
    skip.to_ladder()
    drawn = [ladder_payload(one.drawing) for one in ladders]
    gain = min(payload["gain"] for payload in drawn)  # side by side, one colour is one change
    every = [
        {"letter": one.letter, "name": one.name, "star": one.star, "ladder": payload | {"gain": gain}}
        for one, payload in zip(ladders, drawn, strict=True)
    ]
    answer = ladders[0].drawing.answer
    payload = {"slots": every, "levels": list(answer.levels), "norm": answer.norm}
    payload["id"] = components.fingerprint(payload)
    _mount(data=payload | {"start": level}, key=key, on_level_change=on_level)
