"""A sweep followed while it fills: status, curves, clicks, downloads."""

from collections.abc import Mapping, Sequence
from functools import partial
from threading import Thread

import numpy as np
import pandas as pd
import streamlit as st

from app.address import connection, links
from app.charts import plot
from app.curves.axes import AXES, SweepAxis
from app.curves.choose import seconds_a_cell
from app.curves.figures import cells, figures, standalone, takeaway
from app.runs import headline, naming, progress, reading, reproduce
from app.runs.record import Record, duration
from app.words import _
from engine.events import Evaluate
from engine.store.run import Run
from engine.store.store import LIVE

TICK = 1.0
"""Seconds between looks at a live sweep."""
BESIDE = 2
"""Figures side by side."""


def follow(run: Run, axis: SweepAxis, at: float) -> None:
    """Status, buttons and curves of a sweep, kept up to date while it lives."""
    warm_up()
    lives = run.status() in LIVE
    st.fragment(_follow, run_every=TICK if lives else None)(run.key, lives, axis, at)


@st.cache_resource(show_spinner=False)
def warm_up() -> Thread:
    """Open the lane that makes the images behind points, so that the first click need not wait for it."""
    thread = Thread(target=connection.engine().warm, args=("attack",), daemon=True)
    thread.start()
    return thread


def _follow(name: str, lived: bool, axis: SweepAxis, at: float) -> None:
    run = connection.store().find(name)
    record = reading.read(run)
    if record is None:
        return
    status = run.status()
    with st.container(horizontal=True, vertical_alignment="center"):
        headline.headline(run)
    _progress(run, record, status)
    reading.drawn_once_more(lived, status in LIVE)
    table = cells(record, axis, at)
    if not table.empty:
        _draw(run, table, axis, at, status not in LIVE)
    elif status in LIVE:
        st.skeleton(height=380)
    if st.session_state.pop("sweeps/opened", False):
        st.rerun()


def _draw(run: Run, table: pd.DataFrame, axis: SweepAxis, at: float, ended: bool) -> None:
    """The sentence and the curves; where the sweep has ended, tables and downloads too."""
    st.markdown(takeaway(table, run, axis))
    drawn, values = figures(table, run, axis, at), _values(table, run, axis)
    kinds = list(drawn)
    for start in range(0, len(kinds), BESIDE):
        row = kinds[start : start + BESIDE]
        for column, kind in zip(st.columns(len(row), gap="medium"), row, strict=True):
            with column:
                key = f"sweep-{run.key[:8]}-{axis.name}-{kind}"
                plot.show(drawn[kind], key, on_select=partial(_clicked, key, values), table=ended)
    if ended:
        _downloads(run, table, drawn)


def _values(table: pd.DataFrame, run: Run, axis: SweepAxis) -> list[float]:
    """The sweep's own value for each that was measured, in rising order."""
    values = np.array(axis.values(run.spec))
    return [float(values[np.abs(values - value).argmin()]) for value in sorted(table[axis.column].unique())]


def _clicked(key: str, values: Sequence[float]) -> None:
    """A point was clicked: it is opened below, by the whole page and not by the fragment alone."""
    points = plot.clicked(st.session_state[key])
    if points:
        links.put("at", f"{values[int(points[0][0])]:.6g}")
        st.session_state["sweeps/opened"] = True


def _progress(run: Run, record: Record, status: str) -> None:
    """How many cells are done, how long the others take, or why it ended."""
    seconds = seconds_a_cell(record)
    done = sum(isinstance(event, Evaluate) for event in record.events)
    total = len(run.spec.settings["attack_seeds"])
    for axis in AXES.values():
        total *= len(axis.values(run.spec))
    if status == "running" and record.pace().total:
        said = _("{done} of {total} cells · {time} left") if seconds else _("{done} of {total} cells")
        left = duration((seconds or 0.0) * (total - done))
        st.progress(min(1.0, done / total), said.format(done=done, total=total, time=left))
    elif status in LIVE:
        progress.progress(run, record)
    else:
        progress.ending(run, where=_(" after {done} of {total} cells").format(done=done, total=total))


def _downloads(run: Run, table: pd.DataFrame, drawn: Mapping[str, plot.Chart]) -> None:
    stem = f"feint-sweep-{run.key[:8]}"
    with st.container(horizontal=True):
        st.download_button(
            _("Every cell (CSV)"),
            table.drop(columns="step").to_csv(index=False),
            f"{stem}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/table:",
        )
        st.download_button(
            _("Figures (HTML)"),
            partial(standalone, naming.title(run.spec), list(drawn.values())),
            f"{stem}.html",
            "text/html",
            on_click="ignore",
            icon=":material/show_chart:",
            help=_("One file that works without a server; its camera saves a PNG."),
        )
        st.download_button(
            _("Card (JSON)"),
            reproduce.card(run),
            f"{stem}.json",
            "application/json",
            on_click="ignore",
            icon=":material/badge:",
        )
