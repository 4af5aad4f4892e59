"""A sweep's numbers as curves: means with intervals, protocol, and one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from app.address import state
from app.charts import charts
from app.curves.choose import COLUMNS, OTHER, SYMBOLS, entry_of, model_of
from app.forms.threat import NORMS
from app.runs.record import Record
from engine.metrics.intervals import mean_interval, wilson
from engine.store.run import Run

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


HEIGHT = 480
"""Pixels of a figure: its protocol above and its key below take half of them on a phone."""


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
    entry, objectives = entry_of(run.spec), state.catalogue()["objective"]
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
