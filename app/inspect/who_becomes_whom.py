"""Who can become whom: every cluster sent to every other."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.address import connection, links
from app.charts import matrix_chart, plot
from app.components.ladder import gain
from app.components.picker import picker
from app.forms import possible
from app.forms.threat import NORMS, Threat
from app.inspect.finished_attack import FinishedAttack
from app.runs import wanted as runs
from app.words import _
from engine.asking.questions import TOP, ImagesQuestion, epsilon_text
from engine.store.run import Run
from engine.store.wanted import Wanted

PAIRS = 100
"""Samples sent to every other cluster."""
PICTURES = 24
PATIENCE = 10.0
"""Seconds that a page waits before it shows progress instead."""


@dataclass(frozen=True)
class Sent:
    """The targeted attacks: their matrices, a table with a row for each pair, the images (m, d) uint8."""

    result: dict[str, Any]
    table: pd.DataFrame
    images: np.ndarray


def show(attacked: FinishedAttack, threat: Threat) -> None:
    """How often each cluster becomes each other, and the median ε* it takes; a cell opens its pictures.

    Nothing for a model that does not cluster.
    """
    if "clusters" not in attacked.victim.abilities:
        return
    st.subheader(_("Who can become whom?"), anchor=False)
    top = TOP[threat.norm]
    st.markdown(
        _(
            "Up to {n} samples, as many of each cluster, are sent to every other cluster by a ladder up to"
            " {norm} ε = {epsilon}."
        ).format(n=PAIRS, norm=NORMS[threat.norm], epsilon=epsilon_text(top))
    )
    if links.value("who", "") and "inspect_pairs" not in st.session_state:
        st.session_state["inspect_pairs"] = True  # a link says which cell is open
    with st.expander(
        _("Targeted attacks between all clusters"),
        icon=":material/swap_horiz:",
        key="inspect_pairs",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        words = _("Send every cluster to every other")
        asked = _wanted(attacked, threat)
        run = _of_link(attacked, threat)
        if run is None and runs.found(asked) is None:
            st.caption(_("It takes some seconds, up to a minute on large samples, and is kept."))
        run = (
            runs.wanted_or_button(asked, words, wait=PATIENCE, icon=":material/swap_horiz:")
            if run is None
            else runs.finished(run, words, wait=PATIENCE)
        )
        if run is not None:
            _matrices(attacked, threat, run)


def _wanted(attacked: FinishedAttack, threat: Threat) -> Wanted:
    """The run that sends every cluster to every other, by this attack."""
    model = attacked.victim.run
    changes = dict(threat.settings) | {"norm": threat.norm, "epsilon": TOP[threat.norm], "n": PAIRS}
    return Wanted(
        "pairs", threat.attack, model.spec.data, threat.seed, changes=changes, models={"model": model.key}
    )


def _of_link(attacked: FinishedAttack, threat: Threat) -> Run | None:
    """The run that a link brought here, while model, attack, norm and seed are still its own."""
    key = st.session_state.get("inspect_who")
    if not key:
        return None
    run = connection.store().find(key)
    said = run.spec.settings
    its = (run.spec.builds_on["model"], said["attack"], said["norm"], run.spec.seed)
    return run if its == (attacked.victim.run.key, threat.attack, threat.norm, threat.seed) else None


@st.cache_resource(max_entries=4, show_spinner=False)
def _sent(key: str) -> Sent:
    """What a finished run left; a key stands for its content, so it is read once."""
    run = connection.store().find(key)
    images = np.rint(run.arrays("images")["adversarial"] * 255).astype(np.uint8)
    return Sent(run.result(), run.table(), images)


def _matrices(attacked: FinishedAttack, threat: Threat, run: Run) -> None:
    """Success and median ε* from each cluster to each, side by side, and the pictures of the chosen cell."""
    sent, order = _sent(run.key), attacked.victim.order
    cell = _chosen(len(order))[0]
    protocol = _(
        "{model} · {attack}, targeted · {norm} ε ≤ {epsilon} · {n:,} pairs of sample and target · seed {seed}"
    ).format(
        model=connection.model_title(attacked.victim.name, attacked.victim.run),
        attack=_(possible.title("attack", threat.attack)),
        norm=NORMS[threat.norm],
        epsilon=epsilon_text(sent.result["epsilon_max"]),
        n=sent.result["n"],
        seed=threat.seed,
    )
    success, median = (_ordered(sent.result[name], order) for name in ("success", "median_epsilon"))
    beyond = f"> {epsilon_text(sent.result['epsilon_max'])}"
    left, right = st.columns(2, gap="medium")
    with left:
        texts = [["" if value != value else f"{value:.0%}" for value in line] for line in success]
        _matrix(
            attacked, f"who/{run.key}/success", success, texts, _("Share that gets there"), protocol, cell
        )
    with right:
        texts = [
            ["" if row == column else _star(value, beyond) for column, value in enumerate(line)]
            for row, line in enumerate(median)
        ]
        note = _("{beyond}: half of them or more never get there.").format(beyond=beyond) + f" {protocol}"
        title = _("Median ε* (an upper bound)")
        _matrix(attacked, f"who/{run.key}/median", median, texts, title, note, cell)
    if cell is None:
        st.caption(_("Click a cell: the samples that did it come below, the easiest first."))
    else:
        _pictures(attacked, sent, cell)


def _matrix(
    attacked: FinishedAttack,
    key: str,
    values: np.ndarray,
    texts: list[list[str]],
    title: str,
    caption: str,
    cell: tuple[int, int] | None,
) -> None:
    """A matrix of clusters whose cells can be clicked."""
    order = attacked.victim.order
    names = [attacked.victim.names[cluster] for cluster in order]
    chart = matrix_chart.confusion(
        values,
        names,
        names,
        title=title,
        row_title=_("from cluster"),
        column_title=_("to cluster"),
        texts=texts,
        chosen=None if cell is None else (order.index(cell[0]), order.index(cell[1])),
        caption=caption,
    )
    plot.show(chart, key, on_select=lambda: _opened(key, order))


def _star(value: float, beyond: str) -> str:
    return beyond if value != value else plot.bound(value)


def _ordered(values: list[list[float | None]], order: list[int]) -> np.ndarray:
    """A matrix of clusters in the order in which they are shown, NaN where there is no number."""
    filled = [[np.nan if value is None else value for value in line] for line in values]
    return np.array(filled, dtype=float)[np.ix_(order, order)]


def _opened(name: str, order: list[int]) -> None:
    """A cell was clicked: its clusters go into the address, for the pictures below."""
    points = [point for point in plot.clicked(st.session_state[name]) if min(point) >= 0]
    links.put("who", f"{order[int(points[-1][0])]}:{order[int(points[-1][1])]}" if points else "")


def _chosen(clusters: int) -> tuple[tuple[int, int] | None, int | None]:
    """The cell that is open, as its clusters, and the sample of it that was clicked, as the address says:
    "3:8", or "3:8:41".
    """
    parts = [int(part) if part.isdecimal() else -1 for part in links.value("who", "").split(":")]
    if len(parts) not in (2, 3) or not all(0 <= part < clusters for part in parts[:2]):
        return None, None
    return (parts[0], parts[1]), parts[2] if len(parts) > 2 else None


def _pictures(attacked: FinishedAttack, sent: Sent, cell: tuple[int, int]) -> None:
    """The pictures behind a cell, by ε*."""
    (source, target), table, names = cell, sent.table, attacked.victim.names
    there = (table["cluster_clean"] == source) & (table["cluster_target"] == target) & table["reached"]
    inside = np.flatnonzero(there)
    st.markdown(_sentence(sent.result, names, cell, len(inside)))
    if not len(inside):
        return
    stars = table["epsilon_star"].to_numpy()
    inside = inside[np.argsort(stars[inside])][:PICTURES]
    ids = table["id"].to_numpy()[inside].tolist()
    chosen = _chosen(len(names))[1]
    clicked = picker(
        sent.images[inside],
        attacked.victim.shape,
        ids,
        [f"ε* ≤ {plot.bound(star)}" for star in stars[inside]],
        "inspect_who",
        label=_("Samples that get there"),
        size=64,
        chosen=chosen,
    )
    if clicked is not None:
        chosen = clicked
        links.put("who", f"{source}:{target}:{clicked}")
    shown = ids[0] if chosen is None or chosen not in ids else chosen
    if len(attacked.victim.shape) == 3:
        every = ImagesQuestion.around(attacked.victim.run.spec, table["id"].tolist(), None)
        before = connection.ask(every).images[every.ids.index(shown)]
        pair = (names[source], names[target])
        _one(attacked, shown, before, sent.images[inside[ids.index(shown)]], pair)


def _sentence(result: dict[str, Any], names: list[str], cell: tuple[int, int], count: int) -> str:
    """How many get from a cluster to another, with the interval, and the median ε* it takes."""
    source, target = cell
    tried = result["pairs_n"][source][target]
    text = result["median_epsilon_text"][source][target] or _("unknown")
    low, high = result["success_low"][source][target] or 0, result["success_high"][source][target] or 1
    said = _(
        "**{source} → {target}**: {n} of {total} get there (95 % interval {low:.0%} – {high:.0%}); median"
        " ε\\* {star}."
    )
    return said.format(
        source=names[source],
        target=names[target],
        n=count,
        total=tried,
        low=low,
        high=high,
        star=text if ">" in text else f"≤ {text}",
    )


def _one(
    attacked: FinishedAttack, sample: int, clean: np.ndarray, after: np.ndarray, names: tuple[str, str]
) -> None:
    """One of them (d,) before and after, with what was added."""
    shape = attacked.victim.shape
    before, moved = clean / 255, after / 255
    gallery.before_and_after(
        before.reshape(shape),
        moved.reshape(shape),
        gain((moved - before).reshape(1, -1), None),
        (_("{name}, sample {sample}").format(name=names[0], sample=sample), names[1]),
    )
