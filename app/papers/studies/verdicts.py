"""What a study says about a defence beside its control, in a sentence: a difference counts where it is large
enough, and beyond the spread of both.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from app.papers.studies import results
from app.papers.studies.results import Result
from app.words import _
from engine.events import Row

FEWER = 0.05
"""How far flips must differ from those of the control, beyond the spread of both, to count."""

Both = tuple[float, float]
"""A value with the defence, and without it."""


def beside_the_control(found: Result, network: str, axis: str) -> str:
    """At which ν or ε the defence of a network has fewer flips than its control, in a sentence."""
    said = found.declared
    rows = [row for row in found.measured if row.model == network]
    symbol, defence = _(said["axes"][axis]), said["defences"][0]
    better, worse = _apart(rows, axis, defence, said["baseline"])
    fewer, more = (_listed(symbol, cells) for cells in (better, worse))
    if fewer and more:
        told = _(
            "Beside **as many steps without the defence**, the defended network loses **fewer** samples at"
            " {fewer} and **more** samples at {more}."
        )
    elif fewer:
        told = _(
            "Beside **as many steps without the defence**, the defended network loses **fewer** samples at"
            " {fewer}."
        )
    elif more:
        told = _(
            "Beside **as many steps without the defence**, the defended network loses **more** samples at"
            " {more}."
        )
    else:
        told = _(
            "Beside **as many steps without the defence**, the defended network loses neither fewer nor more"
            " samples at any {symbol} shown."
        )
    counts = _("A difference counts from {points:.0f} points on, and beyond the spread of both.")
    return f"{told.format(fewer=fewer, more=more, symbol=symbol)} {counts.format(points=100 * FEWER)}"


def _listed(symbol: str, cells: Mapping[float, Both]) -> str:
    """Levels with the flips of both: "ν = 1 (10%, control 20%)"."""
    said = _("{symbol} = {level:g} ({mine:.0%}, control {other:.0%})")
    return ", ".join(
        said.format(symbol=symbol, level=level, mine=mine, other=other)
        for level, (mine, other) in cells.items()
    )


def _apart(
    rows: Iterable[Row], axis: str, defence: str, control: str
) -> tuple[dict[float, Both], dict[float, Both]]:
    """Level -> flips of defence and control: where the defence has fewer, and where it has more."""
    flips = {(row.arm, row.about[axis]): results.value(row, "flip_rate") for row in rows}
    better: dict[float, Both] = {}
    worse: dict[float, Both] = {}
    for level in sorted({level for __, level in flips}):
        mine, other = flips[defence, level], flips[control, level]
        gain = other[0] - mine[0]
        if abs(gain) > max(FEWER, float(np.hypot(mine[1], other[1]))):
            (better if gain > 0 else worse)[level] = (mine[0], other[0])
    return better, worse
