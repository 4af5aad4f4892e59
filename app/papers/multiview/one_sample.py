"""What a sample's views say, one by one and fused, at a level of its ladder."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.address import connection
from app.charts import matrix_chart, plot
from app.forms.choose_model import Victim
from app.words import _
from engine.asking.answers import LadderAnswer, ViewsAnswer
from engine.asking.questions import ViewsQuestion
from engine.metrics import robustness

ALONE = 0.5
"""Where the head agrees with the fusion on fewer of the clean samples than this, its answer for one view
means nothing.
"""
POINTS = 2000
"""Clean samples on a map, at most."""
TINY = 1e-30
"""Stands for a share of 0 where its logarithm is taken."""


def views_of(victim: Victim) -> ViewsAnswer:
    """What is known of the views of a model, whichever sample is looked at."""
    return connection.ask(ViewsQuestion(model=victim.run.key), _("Looking at the views…"))


def sizes(views: ViewsAnswer, answer: LadderAnswer, level: int) -> None:
    """ε at a level, in the unit of each view's own contrast."""
    if answer.view_linf is None:
        return
    parts = [
        _("view {view}: {size:.3f} = **{share:.0%}** of its contrast").format(
            view=view + 1, size=size, share=size / width
        )
        for view, (size, width) in enumerate(zip(answer.view_linf[level], views.contrast, strict=True))
    ]
    st.caption(
        _(
            "Largest change in {views}. Contrast: the middle 90 % of an image's values, the median over"
            " images."
        ).format(views=" · ".join(parts))
    )


def about_data(victim: Victim) -> None:
    """Where the views come from, and what their pairing tells; nothing for a file of one's own."""
    card = connection.catalogue()["data"].get(victim.run.spec.data)
    if card is not None:
        st.caption(f"{_(card['title'])}: {_(card['note'])}")


def kl_of_assignments(answer: LadderAnswer, level: int) -> None:
    """L_AM of this sample: what the Attack Mitigator of a defence keeps small."""
    if answer.q is None or answer.q_clean is None:
        return
    p, q = (np.log(np.maximum(part[None], TINY)) for part in (answer.q_clean, answer.q[level]))  # (1, k) each
    st.metric(
        _("Change of the assignment"),
        f"{robustness.divergence(p, q)[0]:.2f}",
        help=_(
            "L_AM: KL of the clean assignment from the attacked one, in nats, 1e-4 added to every"
            " probability: 0 where the attack changes nothing."
        ),
    )


def agreement(views: ViewsAnswer, answer: LadderAnswer, level: int) -> None:
    """How far the views agree with one another before and after, beside the views of different samples."""
    if answer.agreement is None or answer.agreement_clean is None:
        return
    before, after = float(answer.agreement_clean), float(answer.agreement[level])
    st.metric(
        _("Agreement of the views"),
        f"{after:.2f}",
        _("{change:+.2f} by the attack").format(change=after - before),
        help=_("Mean cosine between the embeddings of a sample's views: 1 where they say the same."),
    )
    weights = ", ".join(f"{weight:.2f}" for weight in views.weights)
    st.caption(
        _(
            "Clean it is {before:.2f}; over all samples {all:.2f}, and between views of different samples"
            " {strangers:.2f}. Weights of the fusion: {weights}."
        ).format(before=before, all=views.agreement, strangers=views.agreement_of_strangers, weights=weights)
    )


def each_alone(victim: Victim, views: ViewsAnswer, answer: LadderAnswer, level: int) -> None:
    """The fusion's clusters, and those of the head applied to one view, where that means anything."""
    if answer.q is None or answer.q_clean is None or answer.view_q is None:
        return
    rows = {_("clean"): answer.q_clean, _("now"): answer.q[level]}
    heard = [view for view, share in enumerate(views.alone) if share >= ALONE]
    rows |= {_("view {view}").format(view=view + 1): answer.view_q[level][view] for view in heard}
    order = victim.order
    shares = np.stack(list(rows.values()))[:, order]  # (rows, k)
    chart = matrix_chart.confusion(
        shares,
        list(rows),
        [victim.names[number] for number in order],
        title=_("Which cluster, and who says so"),
        row_title=_("by"),
        column_title=_("cluster"),
        caption=_(
            "Clean and now: the fusion. View 1, view 2 …: the head applied to one view, for which it was not"
            " trained."
        ),
        texts=[[f"{share:.0%}" if share >= 0.005 else "" for share in row] for row in shares],
    )
    plot.show(chart, "alone")
    for view, share in enumerate(views.alone):
        if view not in heard:
            st.caption(
                _(
                    "View {view} alone is left out: applied to it, the head agrees with the fusion on"
                    " {share:.0%} of the clean samples only."
                ).format(view=view + 1, share=share)
            )


def maps(victim: Victim, views: ViewsAnswer, answer: LadderAnswer, level: int) -> None:
    """The map of each view with the way that the sample goes on it."""
    if answer.view_xy is None or answer.view_xy_clean is None:
        return
    colour = _colour_of(victim, answer, level)
    for view, column in enumerate(st.columns(len(views.xy), gap="medium")):
        way = np.concatenate([answer.view_xy_clean[view][None], answer.view_xy[: level + 1, view]])
        with column:
            plot.show(
                _map(victim, _("View {view}").format(view=view + 1), views.xy[view], way, colour),
                f"map{view}",
            )


def _colour_of(victim: Victim, answer: LadderAnswer, level: int) -> str:
    """The colour of what the fusion sorts the sample into at a level."""
    return plot.BRIGHTER if answer.q is None else plot.category(victim.colours[int(answer.q[level].argmax())])


def _map(victim: Victim, title: str, xy: np.ndarray, way: np.ndarray, colour: str) -> plot.Chart:
    """Clean samples (n, 2) in the colours of their clusters, and the way (levels, 2) of one, which has
    this colour now.
    """
    figure = go.Figure()
    _points(figure, victim, xy)
    figure.add_scatter(
        x=way[:, 0], y=way[:, 1], mode="lines", line={"color": plot.GREY, "width": 2.5}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=[way[0, 0], way[-1, 0]],
        y=[way[0, 1], way[-1, 1]],
        mode="markers",
        hovertext=[_("clean"), _("now")],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={
            "size": 13,
            "symbol": ["circle-open", "circle"],
            "color": [plot.ink(), colour],
            "line": {"width": 2.5, "color": plot.ink()},
        },
    )
    plot.dress(figure, title, _("PCA of the view's embedding. Ring: clean; dot: now."))
    figure.update_layout(showlegend=False, height=330)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    length = float(np.linalg.norm(way[-1] - way[0]))
    takeaway = _("{title}: the sample goes {length:.2f} far on the map.").format(title=title, length=length)
    return plot.Chart(figure, pd.DataFrame(way, columns=["x", "y"]), takeaway)


def _points(figure: go.Figure, victim: Victim, xy: np.ndarray) -> None:
    kept = np.linspace(0, len(xy) - 1, min(len(xy), POINTS)).astype(int)
    groups = victim.overview.group
    if groups is None:
        return
    for number, name in enumerate(victim.names):
        members = kept[groups[kept] == number]
        figure.add_scatter(
            x=xy[members, 0],
            y=xy[members, 1],
            mode="markers",
            name=name,
            hovertemplate=f"{name}<extra></extra>",
            marker={"size": 4, "opacity": 0.5, "color": plot.category(victim.colours[number])},
        )
