"""Sweeps: an attack measured along ε or λ. Choosing and starting one, and following it while it fills.

What is shown is read from the runs' folders alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.address import state
from app.attack import evidence
from app.charts import charts
from app.forms.choices import NORMS, SPAN, Threat, Victim
from app.runs import launching, live
from app.runs.launching import LIVE
from app.runs.record import Record, duration
from engine.errors import FeintError
from engine.events import Evaluate, Started
from engine.metrics.intervals import mean_interval, wilson
from engine.store.run import Run
from engine.store.spec import Spec

AXES = {"epsilon": "along ε", "lambda": "along λ"}
SYMBOLS = {"epsilon": "ε", "lambda": "λ"}
COLUMNS = {"epsilon": "epsilon", "lambda": "lam"}
VALUES = {"epsilon": "epsilons", "lambda": "lams"}
OTHER = {"epsilon": "lambda", "lambda": "epsilon"}
AGREEMENT = {
    "acc_attacked": "ACC, matched anew",
    "acc_attacked_fixed_match": "ACC, clean matching",
    "nmi_attacked": "NMI",
    "acc_clean": "ACC, clean",
    "knn_acc_attacked": "legibility, 5-NN on pixels",
}
FLIPS = {
    "flip_rate": "this attack",
    "noise_flip_rate": "noise of the same size",
    "other_delta_flip_rate": "another sample's δ",
}
CONTROLS = ("acc_clean", "knn_acc_attacked", "noise_flip_rate", "other_delta_flip_rate")
TICK = 1.0
"""Seconds between looks at a live sweep."""
HEIGHT = 480
"""Pixels of a figure: its protocol above and its key below take half of them on a phone."""
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
    top, symbol = evidence.LAMBDAS if axis == "lambda" else SPAN[threat.norm], SYMBOLS[axis]
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
    gap = None if told is None else _gap(told)
    return (
        None
        if gap is None
        else gap / (run.spec.settings["n"] * _iterates(run.spec.settings["attack_settings"]))
    )


def _gap(told: Record) -> float | None:
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
            _attack(run.spec)["title"],
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


def _attack(spec: Spec) -> dict[str, Any]:
    return dict(state.catalogue()["attack"].get(spec.name, {"title": spec.name, "defaults": {}}))


def cells(told: Record, axis: str, at: float) -> pd.DataFrame:
    """One row a finished cell, those where the other axis is `at`: epsilon, lam, seed and every measured
    number.
    """
    table = told.evaluations()
    return table if table.empty else table[np.isclose(table[COLUMNS[OTHER[axis]]], at)].reset_index(drop=True)


def summary(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """One row a value of `column`: each measure's mean over the seeds with NAME_lower and NAME_upper, seeds,
    and n together.

    Ends are a 95 % Student interval over two seeds or more, else Wilson's in the one cell; NaN where there is
    neither.
    """
    rows = []
    for value, group in table.groupby(column):
        row: dict[str, float] = {column: float(str(value)), "seeds": len(group), "n": group["n"].sum()}
        for name in (*AGREEMENT, *FLIPS):
            row[name], row[f"{name}_lower"], row[f"{name}_upper"] = _interval(group, name)
        rows.append(row)
    return pd.DataFrame(rows)


def _interval(group: pd.DataFrame, name: str) -> tuple[float, float, float]:
    values = group[name].dropna().to_numpy() if name in group else np.zeros(0)
    if len(values) > 1:
        mean, low, high = mean_interval(values)
        return mean, max(0.0, low), min(1.0, high)
    if len(values) == 0 or name.startswith("nmi"):
        return float(values[0]) if len(values) else np.nan, np.nan, np.nan
    share, n = float(values[0]), int(group["n"].iloc[0])
    return share, *wilson(round(share * n), n)


def protocol(run: Run, axis: str, at: float) -> str:
    """The line of a figure that says how its numbers were made."""
    settings, (title, data, _) = run.spec.settings, model_of(run)
    entry, objectives = _attack(run.spec), state.catalogue()["objective"]
    inner = entry["defaults"] | settings["attack_settings"]
    goal = objectives.get(settings["objective"], {}).get("title", settings["objective"])
    target = (
        settings["cluster"]
        if settings["cluster"] is not None
        else settings["objective_settings"].get("cluster")
    )
    parts = [
        f"{title} on {data}",
        entry["title"],
        *([f"T = {inner['steps']}"] if "steps" in inner else []),
        *([f"{inner['restarts']} starts"] if inner.get("restarts", 1) > 1 else []),
        f"{NORMS[settings['norm']]}, pixels in [0, 1]",
        goal + (f" (cluster {target})" if target is not None else ""),
        f"{SYMBOLS[OTHER[axis]]} = {at:g}",
        f"n ≤ {settings['n']} a cell",
        f"seeds {', '.join(map(str, settings['attack_seeds']))}",
    ]
    return " · ".join(parts)


def figures(frame: pd.DataFrame, run: Run, axis: str, at: float) -> dict[str, charts.Chart]:
    """Agreement with the labels, and flips with their controls, each with its interval."""
    bands = (
        "bands: 95 %, Student over seeds" if frame["seeds"].max() > 1 else "bands: 95 %, Wilson in the cell"
    )
    common: dict[str, Any] = {
        "x_title": f"{SYMBOLS[axis]}{' (pixels in [0, 1])' if axis == 'epsilon' else ''}",
        "share": True,
        "caption": f"{protocol(run, axis, at)} · {bands}",
        "controls": CONTROLS,
    }
    drawn = {
        "flips": (FLIPS, "Flips", "share that leaves its cluster"),
        "agreement": (AGREEMENT, "What is left of the clusters", "agreement with labels"),
    }
    return {
        name: _chart(frame, axis, ys, title, y_title, common)
        for name, (ys, title, y_title) in drawn.items()
        if frame[list(ys)].notna().any(axis=None)
    }


def _chart(
    frame: pd.DataFrame, axis: str, ys: Mapping[str, str], title: str, y_title: str, common: Mapping[str, Any]
) -> charts.Chart:
    known = {name: words for name, words in ys.items() if frame[name].notna().any()}
    bands = {
        name: (f"{name}_lower", f"{name}_upper")
        for name in known
        if name not in CONTROLS and frame[f"{name}_lower"].notna().all()
    }
    chart = charts.curves(frame, COLUMNS[axis], known, title=title, y_title=y_title, bands=bands, **common)
    chart.figure.update_layout(height=HEIGHT)
    kept = [
        COLUMNS[axis],
        "seeds",
        "n",
        *(column for name in known for column in (name, f"{name}_lower", f"{name}_upper")),
    ]
    return replace(chart, table=frame[kept].set_index(COLUMNS[axis]))


def takeaway(frame: pd.DataFrame, axis: str) -> str:
    """The sweep in one sentence, at its last measured value, with control and interval."""
    last, symbol = frame.iloc[-1], SYMBOLS[axis]
    ends = (
        f" (95 %: {last['flip_rate_lower']:.0%} to {last['flip_rate_upper']:.0%})"
        if pd.notna(last["flip_rate_lower"])
        else ""
    )
    said = (
        f"At **{symbol} = {last[COLUMNS[axis]]:g}** the attack moves **{last['flip_rate']:.0%}** of the"
        f" samples to another cluster{ends}, noise of the same size {last['noise_flip_rate']:.0%} (n ="
        f" {last['n']:,.0f}, {last['seeds']:.0f} seed{'s' if last['seeds'] > 1 else ''})."
    )
    if pd.notna(last["acc_attacked"]):
        said += (
            f" ACC is {last['acc_attacked']:.3f}, with the clean matching"
            f" {last['acc_attacked_fixed_match']:.3f}; clean it was {last['acc_clean']:.3f}."
        )
    return said


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


def follow(run: Run, axis: str, at: float) -> None:
    """Status, buttons and curves of a sweep, kept up to date while it lives."""
    warm_up()
    lives = run.status() in LIVE
    st.fragment(_follow, run_every=TICK if lives else None)(run.key, lives, axis, at)


@st.cache_resource(show_spinner=False)
def warm_up() -> Thread:
    """Open the lane that makes the images behind points, so that the first click need not wait for it."""
    thread = Thread(target=state.engine().warm, args=("attack",), daemon=True)
    thread.start()
    return thread


def _follow(name: str, lived: bool, axis: str, at: float) -> None:
    run = state.store().find(name)
    told = live.read(run)
    if told is None:
        return
    status = run.status()
    with st.container(horizontal=True, vertical_alignment="center"):
        live.headline(run)
    _progress(run, told, status)
    live.drawn_once_more(lived, status in LIVE)
    table = cells(told, axis, at)
    if table.empty:
        if status in LIVE:
            st.skeleton(height=380)
        return
    frame = summary(table, COLUMNS[axis])
    st.markdown(takeaway(frame, axis))
    drawn = figures(frame, run, axis, at)
    for column, (kind, chart) in zip(st.columns(len(drawn), gap="medium"), drawn.items(), strict=True):
        with column:
            key = f"sweep-{run.key[:8]}-{axis}-{kind}"
            charts.show(
                chart,
                key,
                on_select=partial(_clicked, key, _places(frame, run, axis)),
                table=status not in LIVE,
            )
    if status not in LIVE:
        _downloads(run, table, drawn)
    if st.session_state.pop("sweeps/opened", False):
        st.rerun()


def _places(frame: pd.DataFrame, run: Run, axis: str) -> list[int]:
    """The place among the sweep's values of each row of the frame."""
    values = np.array(run.spec.settings[VALUES[axis]])
    return [int(np.abs(values - value).argmin()) for value in frame[COLUMNS[axis]]]


def _clicked(key: str, places: Sequence[int]) -> None:
    """A point was clicked: it is opened below, by the whole page and not by the fragment alone."""
    points = charts.clicked(st.session_state[key])
    if points:
        state.put("step", places[int(points[0][0])])
        st.session_state["sweeps/opened"] = True


def _progress(run: Run, told: Record, status: str) -> None:
    pace, gap = told.pace(), _gap(told)
    done = sum(isinstance(event, Evaluate) for event in told.events)
    total = np.prod(
        [len(run.spec.settings[name]) for name in ("epsilons", "lams", "attack_seeds")], dtype=int
    )
    if status == "running" and pace.total:
        left = f" · {duration(gap * (total - done))} left" if gap else ""
        st.progress(min(1.0, done / total), f"{done} of {total} cells{left}")
    elif status in LIVE:
        live.progress(run, told)
    elif status == "failed":
        st.error(f"{run.reason()} Resume goes on with the cells that are missing.")
    elif status in ("paused", "stopped"):
        st.info(
            f"{status.capitalize()} after {done} of {total} cells. They are kept; Resume measures the others."
        )


def _downloads(run: Run, table: pd.DataFrame, drawn: Mapping[str, charts.Chart]) -> None:
    stem = f"feint-sweep-{run.key[:8]}"
    with st.container(horizontal=True):
        st.download_button(
            "Every cell (CSV)",
            table.drop(columns="step").to_csv(index=False),
            f"{stem}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/table:",
        )
        st.download_button(
            "Figures (HTML)",
            partial(standalone, launching.title(run.spec), list(drawn.values())),
            f"{stem}.html",
            "text/html",
            on_click="ignore",
            icon=":material/show_chart:",
            help="One file that works without a server; its camera saves a PNG.",
        )
        st.download_button(
            "Card (JSON)",
            launching.card(run),
            f"{stem}.json",
            "application/json",
            on_click="ignore",
            icon=":material/badge:",
        )


def standalone(title: str, drawn: Sequence[charts.Chart]) -> str:
    """The figures as one HTML file that holds Plotly too."""
    parts = [
        f"<p>{escape(chart.takeaway)}</p>"
        + chart.figure.to_html(full_html=False, include_plotlyjs=place == 0)
        for place, chart in enumerate(drawn)
    ]
    return (
        f'<!doctype html><meta charset="utf-8"><title>{escape(title)}</title><body style="font-family:'
        f' sans-serif">{"".join(parts)}'
    )


def command(name: str, model: str, changes: Mapping[str, Any]) -> dict[str, str]:
    """A sweep on the command line and in Python."""
    flags = {"epsilons": "epsilon", "lams": "lam", "attack_seeds": "attack-seed"}
    typed = [f"--{flags.get(field, field)} {_typed(value)}" for field, value in changes.items()]
    python = (
        f'from engine.running.runner import prepare, run\nspec = prepare("sweep", {name!r}, models={{"model":'
        f" {model!r}}}, changes={dict(changes)!r})\nfor event in run(spec):\n    print(event)"
    )
    return {
        "Command line": f"python3 -m engine sweep {name} --model {model} " + " ".join(typed),
        "Python": python,
    }


def command_of(run: Run) -> dict[str, str]:
    """The same of a sweep that is here."""
    settings, defaults = run.spec.settings, _attack(run.spec)["defaults"]
    own = {name: value for name, value in settings["attack_settings"].items() if defaults.get(name) != value}
    fields = ["objective", "norm", "epsilons", "lams", "attack_seeds", "n"]
    fields += [name for name in ("cluster", "objective_settings") if settings[name] not in (None, {})]
    return command(run.spec.name, model_of(run)[2], own | {name: settings[name] for name in fields})


def _typed(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(f"{item:g}" for item in value)
    return f"'{json.dumps(value)}'" if isinstance(value, dict) else str(value)
