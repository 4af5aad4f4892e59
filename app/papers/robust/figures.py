"""Figures of an attack on embeddings: clusters of one sample, arrows on the map, which cluster goes where."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts import matrix_chart, plot
from app.papers.robust.attacked import Attacked
from app.runs import headline
from app.words import _

ARROWS, POINTS = 80, 1500
"""Arrows on the map, and clean samples behind them, at most."""


def clusters(attacked: Attacked, sample: int, key: str) -> None:
    """The assignment of one sample, clean and attacked, a pair of bars a cluster."""
    known, order = attacked.sample(sample), attacked.victim.order
    names = [attacked.names[number] for number in order]
    before, after = known.q_clean[order], known.q[order]
    figure = go.Figure()
    clean = {"color": plot.GREY, "pattern": {"shape": "/"}}
    for name, share, marker in (
        (_("clean"), before, clean),
        (_("attacked"), after, {"color": plot.BRIGHTER}),
    ):
        hover = f"%{{x}}: %{{y:.0%}}<extra>{name}</extra>"
        figure.add_bar(x=names, y=share, name=name, marker=marker, hovertemplate=hover)
    caption = _("Soft assignment of clean and attacked embedding.")
    plot.dress(figure, _("Sample {sample}: which cluster").format(sample=sample), caption, share=True)
    figure.update_layout(height=250, barmode="group", bargap=0.25)
    figure.update_xaxes(type="category")
    takeaway = _(
        "Sample {sample}: clean {before} with {share:.0%}, attacked {after} with {new_share:.0%}."
    ).format(
        sample=sample,
        before=names[int(before.argmax())],
        share=before.max(),
        after=names[int(after.argmax())],
        new_share=after.max(),
    )
    table = pd.DataFrame({"clean": before, "attacked": after}, index=names)
    plot.show(plot.Chart(figure, table, takeaway), f"{key}/clusters")


def arrows(attacked: Attacked, sample: int, key: str) -> None:
    """Where embeddings go on the plane of the clean ones: arrows from m to m + δ, those of flips in
    colour.
    """
    clean, there = attacked.answer.xy_clean, attacked.answer.xy
    if clean is None or there is None:
        return
    figure = go.Figure()
    _background(figure, attacked)
    some = np.linspace(0, len(clean) - 1, min(len(clean), ARROWS)).astype(int)
    flipped = attacked.flipped
    _arrows(figure, _("stays"), clean, there, some[~flipped[some]], plot.GREY)
    _arrows(figure, _("changes its cluster"), clean, there, some[flipped[some]], plot.BRIGHTER)
    _one(figure, attacked, sample)
    plot.dress(figure, _("Where embeddings go"), _("PCA of the clean embedding; arrows from m to m + δ."))
    figure.update_layout(height=340)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    columns = {"x": clean[:, 0], "y": clean[:, 1], "x attacked": there[:, 0], "y attacked": there[:, 1]}
    length = np.linalg.norm(there - clean, axis=1)
    takeaway = _("On the map samples go {length:.2f} far (median); {share:.0%} change their cluster.").format(
        length=np.median(length), share=flipped.mean()
    )
    table = pd.DataFrame({"id": attacked.table["id"]} | columns)
    plot.show(plot.Chart(figure, table, takeaway), f"{key}/arrows")


def _background(figure: go.Figure, attacked: Attacked) -> None:
    """The clean samples, in the colours of their clusters."""
    points, cluster = attacked.victim.overview.xy, attacked.victim.overview.group
    if points is None or cluster is None:
        return
    kept = np.linspace(0, len(points) - 1, min(len(points), POINTS)).astype(int)
    colours = [plot.category(attacked.victim.colours[cluster[number]]) for number in kept]
    figure.add_scatter(
        x=points[kept, 0],
        y=points[kept, 1],
        mode="markers",
        hoverinfo="skip",
        showlegend=False,
        marker={"size": 4, "opacity": 0.35, "color": colours},
    )


def _arrows(
    figure: go.Figure, name: str, clean: np.ndarray, there: np.ndarray, rows: np.ndarray, colour: str
) -> None:
    """An arrow a row, in one trace: a gap ends each."""
    gap = np.full(len(rows), np.nan)
    x, y = (np.stack([clean[rows, axis], there[rows, axis], gap], axis=1).ravel() for axis in (0, 1))
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        name=name,
        line={"color": colour, "width": 1.4},
        hoverinfo="skip",
        marker={
            "symbol": "arrow",
            "angleref": "previous",
            "size": [size for __ in rows for size in (0, 9, 0)],
            "color": colour,
        },
    )


def _one(figure: go.Figure, attacked: Attacked, sample: int) -> None:
    """The way of the chosen sample, in bold."""
    one = attacked.sample(sample)
    figure.add_scatter(
        x=[one.xy_clean[0], one.xy[0]],
        y=[one.xy_clean[1], one.xy[1]],
        mode="lines+markers",
        name=_("sample {sample}").format(sample=sample),
        line={"color": plot.DARKER, "width": 3},
        marker={"size": 11, "symbol": ["circle-open", "circle"], "color": plot.DARKER},
        hoverinfo="skip",
    )


def flow(attacked: Attacked, key: str) -> None:
    """Clean clusters against those of the attacked embeddings: which go where."""
    order, table = attacked.victim.order, attacked.table
    counts = np.zeros((len(order), len(order)), dtype=int)
    np.add.at(counts, (table["cluster_clean"].to_numpy(), table["cluster_attacked"].to_numpy()), 1)
    names = [attacked.names[number] for number in order]
    chart = matrix_chart.confusion(
        counts[np.ix_(order, order)],
        names,
        names,
        title=_("Which cluster goes where"),
        row_title=_("clean"),
        column_title=_("attacked"),
        places=([attacked.victim.colours[number] for number in order],) * 2,
        caption=_("{n} samples; the diagonal stays.").format(n=len(table)),
    )
    plot.show(chart, f"{key}/flow")
    parameters = {"model": attacked.victim.name, "run": attacked.run.name}
    headline.link("inspect", _("Inspect them one by one"), "search", parameters)
