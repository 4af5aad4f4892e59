"""Figures of the studies of robust clustering: what a fresh attack of any ν does, and what PGD on the pixels
does, to each kind of network.
"""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.address import state
from app.charts import charts
from app.papers import studies
from app.papers.studies import Result

STATES = {"base": "base", "defended": "defended", "control, equal steps": "control: equal steps, no defence"}
MODULES = ("conv_ae", "conv_ae_mie", "conv_ae_graph")
HOLDS = 0.05
"""How far flips must fall below those of the control, and beyond the spread of both, for a defence to be said
to help.
"""


def module_of(name: str) -> str:
    """Which base network a figure is about."""
    models = state.catalogue()["model"]
    return str(
        st.segmented_control(
            "Network",
            MODULES,
            default=name if name in MODULES else MODULES[0],
            required=True,
            key="figure/module",
            format_func=lambda module: models[module]["title"],
            label_visibility="collapsed",
        )
    )


def against(
    found: Result,
    module: str,
    x: str,
    x_title: str,
    title: str,
    name: str,
    y_title: str,
    caption: str,
    drop: bool = False,
) -> charts.Chart | None:
    """A value against ν or ε, a line a state, with the spread over seeds as a band; `drop`: clean ACC minus
    attacked.
    """
    rows = [row for row in found.rows if row["measured"] and row["model"] == module]
    if not rows:
        return None
    levels = sorted({row["about"][x] for row in rows})
    frame = pd.DataFrame({x: levels})
    for kind in STATES:
        values = {row["about"][x]: _value(row, name, drop) for row in rows if row["about"]["state"] == kind}
        mean, spread = (
            np.array([values.get(level, (np.nan, np.nan))[place] for level in levels]) for place in (0, 1)
        )
        frame[kind], frame[f"{kind}_low"], frame[f"{kind}_high"] = mean, mean - spread, mean + spread
    chart = charts.curves(
        frame,
        x,
        STATES,
        title=title,
        x_title=x_title,
        y_title=y_title,
        caption=caption,
        share=not drop,
        log_x=x == "nu",
        bands={kind: (f"{kind}_low", f"{kind}_high") for kind in STATES},
        controls=["control, equal steps"],
    )
    chart.figure.update_xaxes(tickvals=levels, ticktext=[f"{level:g}" for level in levels])
    return chart


def _value(row: dict[str, Any], name: str, drop: bool) -> tuple[float, float]:
    if not drop:
        found = row["measured"].get(name) or row["controls"][name]
        return found["mean"], found["spread"] or 0.0
    seeds = np.array(row["controls"]["acc_clean"]["seeds"]) - np.array(row["measured"][name]["seeds"])
    return float(seeds.mean()), float(seeds.std(ddof=1)) if len(seeds) > 1 else 0.0


def helps(found: Result, module: str, x: str, symbol: str) -> str:
    """At which ν or ε the defence has fewer flips than as many steps without it, in a sentence."""
    rows = {
        (row["about"]["state"], row["about"][x]): row["measured"]["flip_rate"]
        for row in found.rows
        if row["measured"] and row["model"] == module
    }
    levels = sorted({level for _, level in rows})
    better: list[tuple[float, float, float]] = []
    worse: list[tuple[float, float, float]] = []
    for level in levels:
        mine, control = (rows[kind, level] for kind in ("defended", "control, equal steps"))
        apart, spread = (
            control["mean"] - mine["mean"],
            float(np.hypot(mine["spread"] or 0, control["spread"] or 0)),
        )
        if abs(apart) > max(HOLDS, spread):
            (better if apart > 0 else worse).append((level, mine["mean"], control["mean"]))
    said = [
        f"**{kind}** samples at "
        + ", ".join(f"{symbol} = {level:g} ({one:.0%}, control {other:.0%})" for level, one, other in cells)
        for kind, cells in (("fewer", better), ("more", worse))
        if cells
    ]
    there = (
        "loses " + " and ".join(said)
        if said
        else f"loses neither fewer nor more samples at any {symbol} shown"
    )
    return (
        f"Beside **as many steps without the defence**, the defended network {there}. A difference counts"
        f" from {HOLDS:.0%} on, and beyond the spread of both."
    )


def drop(found: Result, module: str) -> None:
    """Flips, drop of the ACC and size of δ against ν."""
    st.markdown(helps(found, module, "nu", "ν"))
    flips = against(
        found,
        module,
        "nu",
        "ν",
        "Flips under a fresh attack",
        "flip_rate",
        "share",
        "Every ν has an attack of its own, fitted to that very network.",
    )
    lost = against(
        found,
        module,
        "nu",
        "ν",
        "Drop of the ACC",
        "acc",
        "clean − attacked",
        "Clusters matched to classes anew.",
        drop=True,
    )
    size = against(
        found,
        module,
        "nu",
        "ν",
        "Size of the perturbation",
        "delta_ratio_mean",
        "‖δ‖/‖z‖",
        "Mean over samples; D in all its forms is in the tables.",
    )
    _beside(f"nu/{module}", flips, lost, size)
    st.caption(
        "The defended networks were trained against the attack at its default ν (0.01 on digits), whatever"
        " the ν they are attacked with here."
    )
    studies.about(found)


def pixels(found: Result, module: str) -> None:
    """Flips under PGD on the pixels."""
    st.markdown(helps(found, module, "epsilon", "ε"))
    flips = against(
        found,
        module,
        "epsilon",
        "ε",
        "Flips under PGD-20 on the pixels",
        "flip_rate",
        "share",
        "L∞, leave the cluster, 1,000 samples.",
    )
    acc = against(
        found,
        module,
        "epsilon",
        "ε",
        "ACC under PGD-20 on the pixels",
        "acc",
        "ACC",
        "Clusters matched to classes anew.",
    )
    _beside(f"pixels/{module}", flips, acc)
    studies.about(found)


def _beside(key: str, *found: charts.Chart | None) -> None:
    for number, (place, chart) in enumerate(zip(st.columns(len(found), gap="medium"), found, strict=True)):
        if chart is not None:
            with place:
                charts.show(chart, f"{key}/{number}")


ARMS = {
    "defended": "defended, as published",
    "control, equal steps": "control: equal steps, no defence",
    "consistency": "consistency of the outputs",
    "alternating": "alternating: the attack learns on",
}


def arms(size: str) -> None:
    """Every way to defend ConvAE beside one another: flips under the attack it has seen, and under a fresh
    one.
    """
    same, again = (studies.result(f"robust.{table}", size) for table in ("table2", "table3"))
    if same is None or again is None:
        return
    dimension = next(
        (row["about"]["dimension"] for row in again.rows if row["about"]["state"].startswith("alternating")),
        None,
    )
    lines = []
    for arm, title in ARMS.items():
        seen, fresh = (
            _row(found, dimension, f"{arm}, {what}")
            for found, what in ((same, "same attack"), (again, "re-attacked"))
        )
        if seen is not None and fresh is not None:
            lines.append(
                {
                    "network": title,
                    "ACC, clean": studies.with_spread(fresh["controls"]["acc_clean"]),
                    "flips, attack it has seen": studies.with_spread(seen["controls"]["flip_rate"]),
                    "flips, fresh attack": studies.with_spread(fresh["controls"]["flip_rate"]),
                    "ACC, fresh attack": studies.with_spread(fresh["measured"]["acc"]),
                }
            )
    if lines:
        st.markdown(
            f"**Other ways to defend.** ConvAE at d = {dimension} and the default ν. A defence that has seen"
            " one attack only has learnt that one."
        )
        st.dataframe(pd.DataFrame(lines), hide_index=True, key=f"arms/{size}")


def _row(found: Result, dimension: int | None, state_of: str) -> dict[str, Any] | None:
    wanted = ("conv_ae", dimension, state_of)
    return next(
        (
            row
            for row in found.rows
            if row["measured"] and (row["model"], row["about"]["dimension"], row["about"]["state"]) == wanted
        ),
        None,
    )
