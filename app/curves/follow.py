"""A sweep followed while it fills: status, curves, clicks, downloads."""

from collections.abc import Mapping, Sequence
from functools import partial
from threading import Thread

import numpy as np
import pandas as pd
import streamlit as st

from app.address import state
from app.charts import charts
from app.curves.choose import COLUMNS, VALUES, seconds_a_cell
from app.curves.figures import cells, figures, standalone, summary, takeaway
from app.runs import launching, live
from app.runs.launching import LIVE
from app.runs.record import Record, duration
from engine.events import Evaluate
from engine.store.run import Run

TICK = 1.0
"""Seconds between looks at a live sweep."""


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
    pace, gap = told.pace(), seconds_a_cell(told)
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
