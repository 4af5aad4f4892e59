"""Several models on one axis: sweeps that differ in nothing but the model they attack."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from app import measured
from app.address import connection, links
from app.charts import line_chart, plot
from app.curves import figures
from app.curves.axes import SweepAxis
from app.runs import naming, reading
from app.words import _
from engine.store.run import Run
from engine.store.store import DONE

DRAWN = ("flip_rate", "reconstruction_change_mean")
"""What is drawn of them, side by side: who changes its cluster, and how far the reconstruction goes along."""
Frames = Mapping[str, pd.DataFrame]
"""Key of a sweep -> a row a value of the axis, as `figures.summary` gives it."""


def show(run: Run, axis: SweepAxis, at: float) -> None:
    """The curves of all models that were swept as this one was; nothing where it is the only one."""
    runs = {other.key: other for other in alike(run)}
    frames = {key: frame for key, other in runs.items() if (frame := _frame(other, axis, at)) is not None}
    if len(frames) < 2:
        return
    st.subheader(_("{n} models, the same attack").format(n=len(frames)), anchor=False)
    names = {
        key: naming.title(connection.store().find(runs[key].spec.builds_on["model"]).spec) for key in frames
    }
    attacked = figures.protocol(run, axis, at).partition(" · ")[2]
    caption = f"{attacked} · {_(figures.STUDENT)}"
    title = figures.title_of(axis, run.spec.data)
    columns = st.columns(len(DRAWN), gap="medium")
    for column, metric in zip(columns, DRAWN, strict=True):
        inside = {key: frame for key, frame in frames.items() if metric in frame}
        if inside:
            with column:
                chart = _chart(metric, inside, names, axis, caption, title)
                key = f"beside-{run.key[:8]}-{axis.name}-{metric}"
                plot.show(chart, key, on_select=partial(_clicked, key))
    st.caption(_("Click a point: the sweep of its model opens below, with its controls."))


def alike(run: Run) -> list[Run]:
    """The finished sweeps, this one among them, that attack in the same way on the same data: one a model,
    one's own before those of the zoo.
    """
    spec = run.spec
    done = connection.store().query(action="sweep", name=spec.name, data=spec.data, status=DONE)
    found: dict[str, Run] = {}
    for other in sorted(done, key=lambda one: (one.key != run.key, bool(one.zoo))):
        if other.spec.settings == spec.settings:
            found.setdefault(other.spec.builds_on["model"], other)
    return sorted(found.values(), key=lambda one: one.name)


def _frame(run: Run, axis: SweepAxis, at: float) -> pd.DataFrame | None:
    record = reading.read(run)
    table = None if record is None else figures.cells(record, axis, at)
    return None if table is None or table.empty else figures.summary(table, axis.column)


def _chart(
    metric: str, frames: Frames, names: Mapping[str, str], axis: SweepAxis, caption: str, x_title: str
) -> plot.Chart:
    """One metric of several models over the values of an axis."""
    said = measured.of_attacks()[metric]
    every = pd.DataFrame({axis.column: next(iter(frames.values()))[axis.column]})
    for key, frame in frames.items():
        ends = {metric: key, f"{metric}_lower": f"{key}_lower", f"{metric}_upper": f"{key}_upper"}
        every = every.merge(frame[[axis.column, *ends]].rename(columns=ends), on=axis.column, how="outer")
    bands = {key: (f"{key}_lower", f"{key}_upper") for key in frames if every[f"{key}_lower"].notna().all()}
    chart = line_chart.curves(
        every,
        axis.column,
        {key: names[key] for key in frames},
        title=_(said["title"]),
        x_title=x_title,
        y_title=_(said["unit"]),
        bands=bands,
        share=measured.between_0_and_1(said),
        caption=caption,
    )
    chart.figure.update_layout(height=figures.HEIGHT)
    ends = {f"{key}_lower": _("{name}, lower end").format(name=names[key]) for key in frames} | {
        f"{key}_upper": _("{name}, upper end").format(name=names[key]) for key in frames
    }
    return replace(chart, table=chart.table.rename(columns=ends))


def _clicked(key: str) -> None:
    """A point was clicked: the sweep of its model is the one that is followed."""
    points = plot.clicked(st.session_state[key])
    if points:
        links.put("run", str(points[0][1]))
        links.put("step", -1)
