"""A value of a study against ε or ν: a line a model or an arm, with the spread over seeds as a band."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from app.address import connection
from app.charts import line_chart, plot
from app.papers.studies import results
from app.papers.studies.results import Result
from app.words import _
from engine.events import Row

Value = Callable[[Row], tuple[float, float]]
"""Mean and spread of what is drawn."""
Points = dict[str, dict[float, tuple[float, float]]]
"""Line -> level -> mean and spread."""


def line_of(found: Result, row: Row) -> str:
    """Which line of a figure a row belongs to: its model, or its arm."""
    return row.model if found.declared["lines"] == "model" else row.arm


def lines(found: Result, rows: Sequence[Row]) -> dict[str, str]:
    """Line -> its title: the one without defence first, then the defences, then the others."""
    said = found.declared
    first = [said["baseline"], *said["defences"]] if said["lines"] == "model" else []
    there = list(dict.fromkeys(line_of(found, row) for row in rows))
    ordered = [line for line in first if line in there] + [line for line in there if line not in first]
    return {line: title(found, line) for line in ordered}


def title(found: Result, line: str) -> str:
    """What a line is called."""
    said = found.declared
    if said["lines"] == "arm":
        return _(str(said["arms"][line]))
    name = _(str(connection.catalogue()["model"].get(line, {}).get("title", line)))
    return _("{model}, no defence").format(model=name) if line == said["baseline"] else name


def curve(
    found: Result,
    rows: Sequence[Row],
    axis: str,
    value: Value,
    *,
    title: str,
    y_title: str,
    caption: str,
    start: Mapping[str, tuple[float, float]] | None = None,
    share: bool = True,
) -> plot.Chart | None:
    """The `value` of rows against the `axis` of their `about`; None without rows.

    `start` holds the value of each line at 0, where that is known. The line without a defence is drawn as a
    control where the lines are arms.
    """
    if not rows:
        return None
    shown, said = lines(found, rows), found.declared
    points: Points = {line: {} for line in shown}
    for row in rows:
        points[line_of(found, row)][row.about[axis]] = value(row)
    for line, at_zero in (start or {}).items():
        if line in points:
            points[line][0.0] = at_zero
    levels = sorted({row.about[axis] for row in rows} | ({0.0} if start else set()))
    chart = line_chart.curves(
        _table(points, axis, levels),
        axis,
        shown,
        title=title,
        x_title=_(said["axes"][axis]),
        y_title=y_title,
        caption=caption,
        share=share,
        log_x=axis == "nu",
        bands={line: (f"{line}_low", f"{line}_high") for line in shown},
        controls=[said["baseline"]] if said["lines"] == "arm" else [],
    )
    chart.figure.update_xaxes(tickvals=levels, ticktext=[f"{level:g}" for level in levels])
    return chart


def _table(points: Points, axis: str, levels: Sequence[float]) -> pd.DataFrame:
    """One row a level: mean of each line, and the ends of its band."""
    frame = pd.DataFrame({axis: levels})
    for line, known in points.items():
        mean, spread = np.array([known.get(level, (np.nan, np.nan)) for level in levels]).T  # (levels,) each
        frame[line], frame[f"{line}_low"], frame[f"{line}_high"] = mean, mean - spread, mean + spread
    return frame


def against_epsilon(found: Result, treatment: str, clean: Result | None) -> plot.Chart | None:
    """Attacked ACC of every model under one attack against ε, with the matching of the clean samples; clean
    ACC at ε = 0 where `clean` is there. A model that was attacked in another arm alone is drawn in that one,
    which the caption says.
    """
    said = found.declared["treatments"][treatment]
    met = [row for row in found.measured if row.treatment == treatment]
    default = {row.model for row in met if not row.arm}
    rows = [row for row in met if not row.arm or row.model not in default]
    drawn = {row.model: row.arm for row in rows}
    start = {
        row.model: results.value(row, "acc")
        for row in (clean.measured if clean else [])
        if row.treatment == "clean" and drawn.get(row.model) == row.arm
    }
    apart = sorted(
        {f"{title(found, row.model)} {_(found.declared['arms'][row.arm])}" for row in rows if row.arm}
    )
    head = _("ACC under the {attack}") if said["title"][0].islower() else _("ACC under {attack}")
    return curve(
        found,
        rows,
        "epsilon",
        lambda row: results.value(row, "acc_attacked_fixed_match"),
        title=head.format(attack=_(said["title"])),
        y_title=_("ACC, clean matching"),
        caption=" ".join([_(said["note"]), *(f"{words}." for words in apart), _counted(rows)]),
        start=start,
    )


def _counted(rows: Sequence[Row]) -> str:
    """On how many samples rows were measured; nothing without rows."""
    counts = sorted({results.samples(row) for row in rows})
    listed = _(" or ").join(f"{n:,}" for n in counts)
    return _("{counts} samples a seed.").format(counts=listed) if counts else ""


def attacks(found: Result) -> list[str]:
    """The treatments of a study's measured rows that are attacks, as the study orders them."""
    there = {row.treatment for row in found.measured}
    return [name for name in found.declared["treatments"] if name in there and name != "clean"]


def network_of(found: Result, first: str) -> str:
    """Which base network a figure is about: chosen among those that were measured."""
    models = connection.catalogue()["model"]
    there = list(dict.fromkeys(row.model for row in found.measured))
    return str(
        st.segmented_control(
            _("Network"),
            there,
            default=first if first in there else there[0],
            required=True,
            key="figure/module",
            format_func=lambda name: _(models[name]["title"]),
            label_visibility="collapsed",
        )
    )
