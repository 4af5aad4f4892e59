"""Scores of a study beside one another: bars row by row, or lines against the number of clusters or λ."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app.address import connection
from app.charts import bar_chart, line_chart, plot
from app.measured import between_0_and_1
from app.papers.studies import results
from app.papers.studies.results import Result
from app.words import _
from engine.events import Row


def bars(found: Result) -> None:
    """A chart a score, a bar a row, with a deviation over seeds."""
    names = _scores(found)
    for column, name in zip(st.columns(len(names), gap="medium"), names, strict=True):
        rows = [row for row in found.measured if name in (row.measured or {})]
        values = [results.value(row, name) for row in rows]
        controls = [_called(row, found) for row in rows if row.arm in ("original", "equal_steps")]
        metric = connection.catalogue()["metric"].get(name, {"unit": "share"})
        chart = bar_chart.bars(
            [_called(row, found) for row in rows],
            [mean for mean, __ in values],
            title=_title(name, found),
            y_title=_(metric["unit"]),
            caption=_("Whiskers: a deviation over seeds. Grey: no second stage.")
            if controls
            else _("Whiskers: a deviation over seeds."),
            low=[mean - spread for mean, spread in values],
            high=[mean + spread for mean, spread in values],
            controls=controls,
            share=between_0_and_1(metric),
        )
        with column:
            plot.show(chart, f"scores/{found.study}/{found.size}/{name}")


def against_clusters(found: Result) -> None:
    """Every score against K."""
    _against(found, "clusters", _("Against the number of clusters"))


def against_lambda(found: Result, at: float | None = None) -> None:
    """Every score against λ; `at`: where a line stands."""
    _against(found, "lam", _("Against λ, the weight of attacked pictures"), at)


def _against(found: Result, axis: str, title: str, at: float | None = None) -> None:
    """Every score, with a deviation over seeds as a band."""
    names, symbol = _scores(found), str(found.declared["axes"][axis])
    chart = line_chart.curves(
        _bands(found.measured, axis, names),
        axis,
        {name: _title(name, found) for name in names},
        title=title,
        x_title=symbol,
        y_title=_("share"),
        caption=f"{_(found.declared['measured_on'][found.size])}. {_('Bands: a deviation over seeds.')}",
        bands={name: (f"{name}_low", f"{name}_high") for name in names},
        share=True,
    )
    if at is not None:
        plot.stand(chart.figure, at, f"{symbol} = {at:g}")
    plot.show(chart, f"{axis}/{found.study}/{found.size}")


def _bands(rows: Sequence[Row], axis: str, names: Sequence[str]) -> pd.DataFrame:
    """One line a value of the axis: each score with the ends of its band."""
    lines = []
    for row in sorted(rows, key=lambda row: row.about[axis]):
        line = {axis: row.about[axis]}
        for name in names:
            mean, spread = results.value(row, name)
            line |= {name: mean, f"{name}_low": mean - spread, f"{name}_high": mean + spread}
        lines.append(line)
    return pd.DataFrame(lines)


def _scores(found: Result) -> list[str]:
    return list(dict.fromkeys(name for row in found.measured for name in row.measured or {}))


def _title(name: str, found: Result) -> str:
    metric = connection.catalogue()["metric"].get(name, {})
    return _(str(found.declared["columns"].get(name) or metric.get("title", name)))


def _called(row: Row, found: Result) -> str:
    """What sets a row apart, in a few words."""
    said, models = found.declared, connection.catalogue()["model"]
    about = [
        f"{_(said['axes'].get(name, name))} = {value:g}" if isinstance(value, int | float) else _word(value)
        for name, value in row.about.items()
        if name not in ("data", "published_for")
    ]
    several = len({one.model for one in found.measured}) > 1
    model = _(str(models.get(row.model, {}).get("title", row.model))) if several else ""
    treatment = _(said["treatments"][row.treatment]["title"]) if len(_treatments(found)) > 1 else ""
    arm = _(said["arms"].get(row.arm, row.arm))
    return ", ".join(part for part in (model, arm, treatment, *about) if part)


def _word(value: object) -> str:
    return _(str(connection.catalogue()["model"].get(str(value), {}).get("title", value)))


def _treatments(found: Result) -> set[str]:
    return {row.treatment for row in found.measured}
