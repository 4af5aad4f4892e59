"""What is swept, and which sweep is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from app.address import state
from app.attack.levels import LAMBDAS
from app.forms.choose_model import Victim
from app.forms.threat import NORMS, SPAN, Threat
from app.runs import launching, live
from app.runs.record import Record, duration
from engine.errors import FeintError
from engine.events import Evaluate, Started
from engine.store.run import Run
from engine.store.spec import Spec

AXES = {"epsilon": "along ε", "lambda": "along λ"}


SYMBOLS = {"epsilon": "ε", "lambda": "λ"}


COLUMNS = {"epsilon": "epsilon", "lambda": "lam"}


VALUES = {"epsilon": "epsilons", "lambda": "lams"}


OTHER = {"epsilon": "lambda", "lambda": "epsilon"}


SAID_AGAIN = 0.002
"""Seconds: cells told faster than this were kept from before and not measured."""


@dataclass(frozen=True)
class Grid:
    """What is measured: the values along the axis, the attack seeds, and at most how many samples in each
    cell.
    """

    axis: str
    values: tuple[float, ...]
    seeds: tuple[int, ...]
    n: int

    @property
    def cells(self) -> int:
        """How many attacks that makes."""
        return len(self.values) * len(self.seeds)


def open_link() -> None:
    """A link that names a sweep but no axis opens on that sweep's own."""
    name = st.query_params.get("run", "")
    if (
        name
        and "tab" not in st.query_params
        and live.readable(name)
        and (run := state.store().find(name)).spec.action == "sweep"
    ):
        state.put("tab", along(run.spec)[0])


def choose_grid(axis: str, threat: Threat, victim: Victim) -> Grid:
    """Range, number of points, attack seeds and samples."""
    top, symbol = LAMBDAS if axis == "lambda" else SPAN[threat.norm], SYMBOLS[axis]
    first = (0.0, top if axis == "lambda" else 0.3 * top)
    low, high = st.slider(
        f"Range of {symbol}",
        0.0,
        top,
        first,
        step=top / 200,
        key=f"grid/{axis}/{top:g}",
        persist_state="session",
    )
    points = int(
        st.slider(
            "Points",
            2,
            21,
            7,
            key="grid/points",
            persist_state="session",
            help=f"Values of {symbol}, evenly spaced.",
        )
    )
    seeds = int(
        st.number_input(
            "Attack seeds",
            1,
            10,
            3,
            key="grid/seeds",
            persist_state="session",
            help="Each draws its own samples and random starts; the intervals are over them.",
        )
    )
    most = victim.overview.json["n"]
    n = int(
        st.number_input(
            "Samples in each cell",
            1,
            most,
            key=state.key("n", min(500, most), lambda number: 1 <= number <= most),
        )
    )
    values = sorted({round(float(value), 6) for value in np.linspace(low, high, points)})
    return Grid(axis, tuple(values), tuple(range(threat.seed, threat.seed + seeds)), n)


def wanted(threat: Threat, grid: Grid) -> dict[str, Any]:
    """The fields of the sweep where they must be said; the attack's own among them."""
    lists = (
        {"epsilons": list(grid.values), "lams": [threat.lam]}
        if grid.axis == "epsilon"
        else {"epsilons": [threat.epsilon], "lams": list(grid.values)}
    )
    other_half = {"half": "second"} if threat.unseen else {}
    return (
        threat.settings
        | threat.objective_settings
        | other_half
        | {
            "objective": threat.objective,
            "norm": threat.norm,
            **lists,
            "attack_seeds": list(grid.seeds),
            "n": grid.n,
        }
    )


def start(victim: Victim, threat: Threat, grid: Grid) -> str | None:
    """Create the sweep and put it into the queue; its key, or None where it was refused and the sentence is
    on the page.
    """
    return launching.begin(
        question("sweep", threat.attack, victim.run.spec.data, victim.run.key, wanted(threat, grid))
    )


def expected(victim: Victim, threat: Threat, grid: Grid) -> str:
    """How long it will take, by the newest sweeps of this machine: of this model where there are any."""
    said = f"{grid.cells} cells of at most {grid.n} samples"
    measured = [
        (run.spec.builds_on.get("model") == victim.run.key, rate)
        for run in _sweeps()[:8]
        if (rate := _rate(run)) is not None
    ]
    same = [rate for alike, rate in measured if alike]
    if not measured:
        return f"{said}. How long they take on this machine is not known before the first sweep."
    rate = float(np.median(same or [rate for _, rate in measured]))
    settings = state.catalogue()["attack"][threat.attack]["defaults"] | threat.settings
    seconds = rate * grid.cells * grid.n * _iterates(settings)
    return (
        f"{said}: about {duration(seconds)} here, as earlier sweeps of"
        f" {'this model' if same else 'other models'} went, and a few seconds to start."
    )


def question(
    action: str, name: str, data: str, model: str, changes: Mapping[str, Any], seed: int = 0
) -> dict[str, Any]:
    """The question that prepares an attack run, or a sweep, of a model."""
    return {
        "ask": "prepare",
        "action": action,
        "name": name,
        "data": data,
        "seed": seed,
        "changes": dict(changes),
        "models": {"model": model},
    }


def _rate(run: Run) -> float | None:
    """Seconds a sample and iterate in a sweep's cells; None where none was measured."""
    told = live.read(run)
    gap = None if told is None else seconds_a_cell(told)
    return (
        None
        if gap is None
        else gap / (run.spec.settings["n"] * _iterates(run.spec.settings["attack_settings"]))
    )


def seconds_a_cell(told: Record) -> float | None:
    """Seconds that a cell takes: the median of those measured."""
    times = [
        event.at for event in told.events if isinstance(event, Started | Evaluate) and event.at is not None
    ]
    gaps = [gap for gap in np.diff(times) if gap > SAID_AGAIN]
    return float(np.median(gaps)) if gaps else None


def _iterates(settings: Mapping[str, Any]) -> int:
    return int(settings.get("steps", 1) * settings.get("restarts", 1)) + 1


def along(spec: Spec) -> list[str]:
    """The axes along which a sweep has several values; ε where it has one value only."""
    return [axis for axis, name in VALUES.items() if len(spec.settings[name]) > 1] or ["epsilon"]


def choose(axis: str, victim: Victim) -> Run | None:
    """The sweep of the address, else the newest of this model on this axis; any other can be reopened from
    the list.
    """
    found = {run.key: run for run in _sweeps() if axis in along(run.spec)}
    asked = state.value("run", "")
    if asked not in found and asked == st.query_params.get("run", "") and asked and not live.readable(asked):
        live.find(asked)
    here = [key for key, run in found.items() if run.spec.builds_on.get("model") == victim.run.key]
    current = asked if asked in found else next(iter(here), "")
    state.put("run", current)
    if not found:
        return None
    key = st.selectbox(
        "Sweep",
        [""] * (not current) + list(found),
        key=state.key("run", current),
        label_visibility="collapsed",
        on_change=_close,
        format_func=lambda key: _listed(found[key]) if key else "Reopen a sweep…",
    )
    return found.get(key)


def _close() -> None:
    state.put("step", -1)


def _sweeps() -> list[Run]:
    return [run for run in state.store().all() if run.status() != "broken" and run.spec.action == "sweep"]


def _listed(run: Run) -> str:
    settings = run.spec.settings
    ranges = [
        f"{SYMBOLS[axis]} {settings[name][0]:g}–{settings[name][-1]:g}"
        for axis, name in VALUES.items()
        if len(settings[name]) > 1
    ]
    return " · ".join(
        [
            *model_of(run)[:2],
            entry_of(run.spec)["title"],
            NORMS[settings["norm"]],
            *ranges,
            f"n ≤ {settings['n']}",
            f"{len(settings['attack_seeds'])} seeds",
            run.key[:6],
        ]
    )


def model_of(run: Run) -> tuple[str, str, str]:
    """Title, data and name of the model that a sweep attacks; its name is its zoo name where it has one."""
    key = run.spec.builds_on.get("model", "")
    try:
        model = state.store().find(key)
    except FeintError:
        return f"a deleted model ({key[:6]})", run.spec.data, key
    return launching.title(model.spec), model.spec.data, model.name


def entry_of(spec: Spec) -> dict[str, Any]:
    return dict(state.catalogue()["attack"].get(spec.name, {"title": spec.name, "defaults": {}}))


def other_value(run: Run, axis: str) -> float:
    """Where the sweep has several values on the other axis too, the one that is looked at."""
    values = run.spec.settings[VALUES[OTHER[axis]]]
    if len(values) == 1:
        return float(values[0])
    return float(
        st.segmented_control(
            f"At {SYMBOLS[OTHER[axis]]}",
            values,
            default=values[0],
            required=True,
            format_func="{:g}".format,
            key=f"other/{run.key}",
        )
    )
