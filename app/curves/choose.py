"""What is swept: range, points, seeds, samples; and how long that will take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from app.address import links
from app.curves import which
from app.curves.axes import SweepAxis
from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.threat import Threat
from app.runs import reading
from app.runs.record import Record, duration
from app.words import _
from engine.events import Evaluate, Started
from engine.store.run import Run
from engine.store.wanted import Wanted

KEPT = 0.002
"""Seconds: cells that come faster than this were kept from before and not measured."""

EVERY_TARGET = 9
"""Other clusters, where all are tried and nobody has counted them."""


@dataclass(frozen=True)
class Grid:
    """What is measured: the values along the axis, the attack seeds, and at most how many samples in each
    cell.
    """

    axis: SweepAxis
    values: tuple[float, ...]
    seeds: tuple[int, ...]
    n: int

    @property
    def cells(self) -> int:
        """How many attacks that makes."""
        return len(self.values) * len(self.seeds)


def choose_grid(axis: SweepAxis, threat: Threat, victim: Victim) -> Grid:
    """Range, number of points, attack seeds and samples."""
    top = axis.top(threat.norm)
    usual = top if axis.name == "lambda" else 0.3 * top
    low, high = _choose_range(axis, top, usual)
    points = st.slider(
        _("Points"),
        2,
        21,
        key=links.key("points", 7, lambda count: 2 <= count <= 21),
        help=_("Values of {symbol}, evenly spaced.").format(symbol=axis.symbol),
    )
    seeds = st.number_input(
        _("Attack seeds"),
        1,
        10,
        key=links.key("seeds", 3, lambda count: 1 <= count <= 10),
        help=_("Each draws its own samples and random starts; the intervals are over them."),
    )
    most = victim.overview.n
    key = links.key("n", min(500, most), lambda number: 1 <= number <= most)
    n = st.number_input(_("Samples in each cell"), 1, most, key=key)
    values = sorted({round(float(value), 6) for value in np.linspace(low, high, int(points))})
    return Grid(axis, tuple(values), tuple(range(threat.seed, threat.seed + int(seeds))), int(n))


def _choose_range(axis: SweepAxis, top: float, usual: float) -> tuple[float, float]:
    """From where to where the values go, as the address has it: `0:0.3`."""
    key, text = f"grid/{axis.name}/{top:g}", links.value("range", "")
    if st.session_state.get("grid/written") != text and (said := _range(text, top)):
        st.session_state[key] = said
    st.session_state.setdefault(key, (0.0, usual))
    st.slider(
        _("Range of {symbol}").format(symbol=axis.symbol),
        0.0,
        top,
        step=top / 200,
        key=key,
        persist_state="session",
    )
    low, high = st.session_state[key]
    st.session_state["grid/written"] = f"{low:.6g}:{high:.6g}"
    links.put("range", f"{low:.6g}:{high:.6g}")
    return low, high


def _range(text: str, top: float) -> tuple[float, float] | None:
    """The range that a text says; None where it says none from 0 to `top`."""
    try:
        low, high = map(float, text.split(":"))
    except ValueError:
        return None
    return (low, high) if 0 <= low <= high <= top else None


def wanted(victim: Victim, threat: Threat, grid: Grid) -> Wanted:
    """The sweep of these choices. Of models that fuse views the half is attacked that they were not trained
    on.
    """
    other = grid.axis.other
    fixed = threat.epsilon if other.name == "epsilon" else threat.lam
    changes: dict[str, Any] = {
        name: value for name, value in threat.changes().items() if name not in ("epsilon", "lam")
    }
    changes |= {grid.axis.field: list(grid.values), other.field: [fixed]}
    changes |= {"attack_seeds": list(grid.seeds), "n": grid.n}
    if "fuses" in victim.abilities:
        changes["half"] = "second"
    run = victim.run
    return Wanted("sweep", threat.attack, run.spec.data, changes=changes, models={"model": run.key})


def expected(victim: Victim, threat: Threat, grid: Grid) -> str:
    """How long it will take, by the newest sweeps of this machine: of this model where there are any."""
    measured = [
        (run.spec.name == threat.attack, run.spec.builds_on.get("model") == victim.run.key, rate)
        for run in [run for run in which.sweeps() if not run.zoo][:8]
        if (rate := _rate(run)) is not None
    ]
    if not measured:
        return _(
            "{cells} cells of at most {n} samples. How long they take on this machine is not known before the"
            " first sweep."
        ).format(cells=grid.cells, n=grid.n)
    measured = [each for each in measured if each[0]] or measured  # of this attack, where there are any
    same = [rate for *__, alike, rate in measured if alike]
    rate = float(np.median(same or [rate for *__, rate in measured]))
    settings = possible.entry("attack", threat.attack)["defaults"] | threat.settings
    seconds = rate * grid.cells * grid.n * _iterates(settings)
    time = _("at most about {time}") if settings.get("targets", 0) != 0 else _("about {time}")
    said = (
        _(
            "{cells} cells of at most {n} samples: {time} here, as earlier sweeps of this model went, and a"
            " few seconds to start."
        )
        if same
        else _(
            "{cells} cells of at most {n} samples: {time} here, as earlier sweeps of other models went, and a"
            " few seconds to start."
        )
    )
    return said.format(cells=grid.cells, n=grid.n, time=time.format(time=duration(seconds)))


def seconds_a_cell(record: Record) -> float | None:
    """How long a cell takes: the median of those measured; None before any was."""
    times = [
        event.at for event in record.events if isinstance(event, Started | Evaluate) and event.at is not None
    ]
    gaps = [gap for gap in np.diff(times) if gap > KEPT]
    return float(np.median(gaps)) if gaps else None


def _rate(run: Run) -> float | None:
    """Seconds a sample and iterate in a sweep's cells; None where none was measured."""
    record = reading.read(run)
    seconds = None if record is None else seconds_a_cell(record)
    samples = run.spec.settings["n"]
    if seconds is None or not samples:
        return None
    return seconds / (samples * _iterates(run.spec.settings["attack_settings"]))


def _iterates(settings: Mapping[str, Any]) -> int:
    """Gradients of a sample; of an attack that tries several targets, so many where none succeeds."""
    starts = settings.get("restarts", 1) * settings.get("starts", 1)
    targets = settings.get("targets", 0)
    aims = 1 + (EVERY_TARGET if targets is None else targets)
    return int(settings.get("steps", 1) * starts * aims) + 1
