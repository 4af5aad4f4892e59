"""Who can become whom: every cluster sent to every other."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.address import state
from app.charts import charts
from app.components.ladder import gain
from app.components.picker import picker
from app.forms.threat import NORMS, Threat
from app.inspect.choose_attack import again, finish, prepared
from app.inspect.finished_attack import FinishedAttack
from engine.asking import legacy as answers
from engine.store.run import Run

PAIRS = 100
"""Samples sent to every other cluster."""


PICTURES = 24


def show(attacked: FinishedAttack, threat: Threat) -> None:
    """Every cluster sent to every other: how often it succeeds, and the median ε* it takes; a cell opens its
    pictures.
    """
    st.subheader("Who can become whom?", anchor=False)
    top = answers.TOP[threat.norm]
    st.markdown(
        f"Up to {PAIRS} samples, as many of each cluster, are sent to every other cluster by a ladder up to"
        f" {NORMS[threat.norm]} ε = {top:g}."
    )
    with st.expander(
        "Targeted attacks between all clusters",
        icon=":material/swap_horiz:",
        key="inspect_pairs",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        run = _pairs_of_link(attacked, threat) or state.store().find(
            prepared("pairs", attacked.victim, threat, {"epsilon": top, "n": PAIRS})
        )
        if run.status() not in ("finished", "running", "queued") and not _begun(run):
            return
        if not finish(run):
            _waiting(run)
            return
        _who(attacked, threat, run)


def _pairs_of_link(attacked: FinishedAttack, threat: Threat) -> Run | None:
    """The run that a link brought here, while model, attack, norm and seed are still its own."""
    key = st.session_state.get("inspect_who")
    run = state.store().find(key) if key else None
    now = (attacked.victim.run.key, threat.attack, threat.norm, threat.seed)
    if (
        run is None
        or (
            run.spec.builds_on["model"],
            run.spec.settings["attack"],
            run.spec.settings["norm"],
            run.spec.seed,
        )
        != now
    ):
        return None
    return run


def _begun(run: Run) -> bool:
    """The button that begins it, and why it failed before; True once it was pressed."""
    if reason := run.reason():
        st.error(reason)
    if not st.button(
        "Send every cluster to every other", type="primary", icon=":material/swap_horiz:", key="inspect_send"
    ):
        st.caption("It takes some seconds, up to a minute on large images, and is kept.")
        return False
    again(run)
    if finish(run):
        st.rerun()  # without the button
    return True


def _waiting(run: Run) -> None:
    st.info(
        run.reason() or "It is at work. This part fills when it is done.", icon=":material/hourglass_top:"
    )
    st.button("Look again", key="inspect_again", icon=":material/refresh:")


@st.cache_resource(max_entries=4, show_spinner=False)
def _sent(key: str) -> tuple[dict[str, Any], pd.DataFrame, np.ndarray]:
    run = state.store().find(key)
    stored = run.arrays("images")
    return run.result(), run.table(), np.rint(stored["adversarial"] * 255).astype(np.uint8)


def _who(attacked: FinishedAttack, threat: Threat, run: Run) -> None:
    result, table, images = _sent(run.key)
    order = attacked.order
    names = [attacked.victim.names[cluster] for cluster in order]
    protocol = (
        f"{state.catalogue()['attack'][threat.attack]['title']}, targeted · {NORMS[threat.norm]} ε ≤"
        f" {result['epsilon_max']:g} · {result['n']:,} pairs of sample and target · seed {threat.seed} ·"
        f" model {attacked.victim.run.key} · run {run.key}"
    )
    cell = st.session_state.get("inspect_cell")
    at = None if cell is None else (order.index(cell[0]), order.index(cell[1]))
    left, right = st.columns(2, gap="medium")
    drawn = f"who/{run.key}"
    with left:
        success = _matrix(result["success"], order)
        texts = [["" if value != value else f"{value:.0%}" for value in line] for line in success]
        chart = charts.confusion(
            success,
            names,
            names,
            title="Share that gets there",
            row_title="from",
            column_title="to",
            texts=texts,
            chosen=at,
            caption=protocol,
        )
        charts.show(chart, f"{drawn}/success", on_select=lambda: _opened(f"{drawn}/success", order))
    with right:
        median = _matrix(result["median_epsilon"], order)
        beyond = f"> {result['epsilon_max']:g}"
        texts = [
            [
                "" if row == column else beyond if value != value else charts.bound(value)
                for column, value in enumerate(line)
            ]
            for row, line in enumerate(median)
        ]
        chart = charts.confusion(
            median,
            names,
            names,
            title="Median ε* (an upper bound)",
            row_title="from",
            column_title="to",
            texts=texts,
            chosen=at,
            caption=f"{beyond}: half of them or more never get there. {protocol}",
        )
        charts.show(chart, f"{drawn}/median", on_select=lambda: _opened(f"{drawn}/median", order))
    if cell is None:
        st.caption("Click a cell: the pictures that did it come below, the easiest first.")
    else:
        _those(attacked, result, table, images, cell)


def _matrix(values: list[list[float | None]], order: list[int]) -> np.ndarray:
    return np.array([[np.nan if value is None else value for value in line] for line in values], dtype=float)[
        np.ix_(order, order)
    ]


def _opened(name: str, order: list[int]) -> None:
    points = [point for point in charts.clicked(st.session_state[name]) if min(point) >= 0]
    st.session_state["inspect_cell"] = (
        (order[int(points[-1][0])], order[int(points[-1][1])]) if points else None
    )


def _those(
    attacked: FinishedAttack,
    result: dict[str, Any],
    table: pd.DataFrame,
    images: np.ndarray,
    cell: tuple[int, int],
) -> None:
    """The pictures behind a cell, by ε*."""
    source, target = cell
    names = attacked.victim.names
    inside = np.flatnonzero(
        (table["cluster_clean"] == source) & (table["cluster_target"] == target) & table["reached"]
    )
    tried = result["pairs_n"][source][target]
    text = result["median_epsilon_text"][source][target] or "unknown"
    low, high = result["success_low"][source][target] or 0, result["success_high"][source][target] or 1
    median = f"median ε\\* {text if '>' in text else f'≤ {text}'}"
    st.markdown(
        f"**{names[source]} → {names[target]}**: {len(inside)} of {tried} get there (95 % interval {low:.0%}"
        f" – {high:.0%}); {median}."
    )
    if not len(inside):
        return
    inside = inside[np.argsort(table["epsilon_star"].to_numpy()[inside])][:PICTURES]
    ids = table["id"].to_numpy()[inside]
    captions = [f"ε* ≤ {charts.bound(star)}" for star in table["epsilon_star"].to_numpy()[inside]]
    clicked = picker(
        images[inside],
        attacked.victim.shape,
        ids.tolist(),
        captions,
        "inspect_who",
        label="Samples that get there",
        size=64,
        chosen=st.session_state.get("inspect_sent"),
    )
    if clicked is not None:
        st.session_state["inspect_sent"] = clicked
    shown = int(st.session_state.get("inspect_sent", ids[0]))
    if shown in ids and len(attacked.victim.shape) == 3:
        clean = (
            state.ask({"ask": "images", "data": attacked.victim.run.spec.data, "ids": [int(shown)]}).arrays[
                "images"
            ][0]
            / 255
        )
        after = images[inside[ids.tolist().index(shown)]] / 255
        shape = attacked.victim.shape
        gallery.before_and_after(
            clean.reshape(shape),
            after.reshape(shape),
            gain((after - clean).reshape(1, -1), None),
            (f"{names[source]}, sample {shown}", names[target]),
        )
