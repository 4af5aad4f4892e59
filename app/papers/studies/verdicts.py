"""What a study says about a defence, in a sentence: a difference counts where it is large enough, and beyond
the spread of both.
"""

from collections.abc import Iterable

import numpy as np

from app.papers.studies import curves, results
from app.papers.studies.results import Result
from engine.events import Row

HOLDS = 0.1
"""How much attacked ACC a defence must add, beyond the spread of both, to be said to hold."""
FEWER = 0.05
"""How far flips must differ from those of the control, beyond the spread of both, to count."""

Both = tuple[float, float]
"""A value with the defence, and without it."""


def where_it_holds(found: Result) -> list[str]:
    """Up to which ε each defence holds against each attack, in words: it adds more ACC than 0.1 and than the
    spread of both.
    """
    return [_held(found, defence) for defence in found.declared["defences"]]


def _held(found: Result, defence: str) -> str:
    treatments = found.declared["treatments"]
    held = {name: _gains(found, defence, name) for name in treatments if name != "clean"}
    strong = {name: gains for name, gains in held.items() if not treatments[name]["weak"]}
    parts = [f"against {treatments[name]['called']} {_at(gains)}" for name, gains in strong.items()]
    for name in held.keys() - strong.keys():
        only = [epsilon for epsilon in held[name] if not any(epsilon in gains for gains in strong.values())]
        if only:
            listed = " and ".join(f"{epsilon:g}" for epsilon in only)
            parts.append(f"only against {treatments[name]['called']} at ε = {listed}")
    return (
        f"**{curves.title(found, defence)}** adds more than {HOLDS:g} to the ACC of the model without"
        " defence, and more than the spread of both: " + "; ".join(parts) + "."
    )


def _gains(found: Result, defence: str, treatment: str) -> dict[float, Both]:
    """ε -> the ACC with and without the defence, where it holds."""
    rows = [row for row in found.measured if row.treatment == treatment and not row.arm]
    gains = {}
    for epsilon in sorted({row.about["epsilon"] for row in rows}):
        at = {row.model: results.value(row, "acc") for row in rows if row.about["epsilon"] == epsilon}
        mine, base = at.get(defence), at.get(found.declared["baseline"])
        if mine and base and mine[0] - base[0] > max(HOLDS, float(np.hypot(mine[1], base[1]))):
            gains[epsilon] = (mine[0], base[0])
    return gains


def _at(gains: dict[float, Both]) -> str:
    if not gains:
        return "at no ε shown"
    return " and ".join(
        f"at ε = {epsilon:g} ({mine:.2f}, without {base:.2f})" for epsilon, (mine, base) in gains.items()
    )


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
        f" {'loses ' + ' and '.join(parts) if parts else nothing}. A difference counts from {FEWER:.0%} on,"
        " and beyond the spread of both."
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
