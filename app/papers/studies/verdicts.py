"""What a study says about a defence beside its control, in a sentence: a difference counts where it is large
enough, and beyond the spread of both.
"""

from collections.abc import Iterable

import numpy as np

from app.papers.studies import results
from app.papers.studies.results import Result
from engine.events import Row

FEWER = 0.05
"""How far flips must differ from those of the control, beyond the spread of both, to count."""

Both = tuple[float, float]
"""A value with the defence, and without it."""


def beside_the_control(found: Result, network: str, axis: str) -> str:
    """At which ν or ε the defence of a network has fewer flips than its control, in a sentence."""
    said = found.declared
    rows = [row for row in found.measured if row.model == network]
    symbol, (defence, *_) = said["axes"][axis], said["defences"]
    better, worse = _apart(rows, axis, defence, said["baseline"])
    parts = [
        f"**{kind}** samples at "
        + ", ".join(
            f"{symbol} = {level:g} ({mine:.0%}, control {other:.0%})"
            for level, (mine, other) in cells.items()
        )
        for kind, cells in (("fewer", better), ("more", worse))
        if cells
    ]
    nothing = f"loses neither fewer nor more samples at any {symbol} shown"
    return (
        "Beside **as many steps without the defence**, the defended network"
        f" {'loses ' + ' and '.join(parts) if parts else nothing}. A difference counts from {100 * FEWER:.0f}"
        " points on, and beyond the spread of both."
    )


def _apart(
    rows: Iterable[Row], axis: str, defence: str, control: str
) -> tuple[dict[float, Both], dict[float, Both]]:
    """Level -> flips of defence and control: where the defence has fewer, and where it has more."""
    flips = {(row.arm, row.about[axis]): results.value(row, "flip_rate") for row in rows}
    better: dict[float, Both] = {}
    worse: dict[float, Both] = {}
    for level in sorted({level for _, level in flips}):
        mine, other = flips[defence, level], flips[control, level]
        gain = other[0] - mine[0]
        if abs(gain) > max(FEWER, float(np.hypot(mine[1], other[1]))):
            (better if gain > 0 else worse)[level] = (mine[0], other[0])
    return better, worse
