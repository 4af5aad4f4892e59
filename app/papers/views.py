"""What the Multi-view page shows of a sample's views beside its ladder, and what becomes of every other
sample.
"""

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.address import connection, links, notices
from app.charts import matrix_chart, palette, plot
from app.forms.choose_model import Victim
from app.papers.multiview import FITTED_AT, PRESET, Threat
from app.runs import wanted
from engine.asking.answers import Answer
from engine.errors import FeintError
from engine.metrics import robustness
from engine.store.run import Run
from engine.store.wanted import Wanted

ALONE = 0.5
"""Where the head agrees with the fusion on fewer of the clean samples than this, its answer for one view
means nothing.
"""
HALF = 300
TINY = 1e-30
"""Stands for a share of 0 where its logarithm is taken."""


def sizes(known: Answer, answer: Answer, level: int) -> None:
    """ε at a level, in the unit of each view's own contrast."""
    linf, contrast = answer.arrays["view_linf"][level], known.json["contrast"]
    said = " · ".join(
        f"view {view + 1}: {size:.3f} = **{size / width:.0%}** of its contrast"
        for view, (size, width) in enumerate(zip(linf, contrast, strict=True))
    )
    st.caption(
        f"Largest change in {said}. Contrast: the middle 90 % of an image's values, the median over images."
    )


def about_data(victim: Victim) -> None:
    """Where the views come from, and what their pairing tells; nothing for a file of one's own."""
    card = connection.catalogue()["data"].get(victim.run.spec.data)
    if card is not None:
        st.caption(f"{card['title']}: {card['note']}")


def mitigation(answer: Answer, level: int) -> None:
    """L_AM of this sample: what the Attack Mitigator of a defence keeps small."""
    p, q = (
        np.log(np.maximum(part[None], TINY)) for part in (answer.arrays["q_clean"], answer.arrays["q"][level])
    )
    st.metric(
        "L_AM of this sample",
        f"{robustness.divergence(p, q)[0]:.2f}",
        help=(
            "KL of the clean assignment from the attacked one, in nats, 1e-4 added to every probability: 0"
            " where the attack changes nothing."
        ),
    )


def agree(known: Answer, answer: Answer, level: int) -> None:
    """How far the views agree with one another before and after, beside the views of different samples."""
    before, after = float(answer.arrays["agreement_clean"]), float(answer.arrays["agreement"][level])
    st.metric(
        "Agreement of the views",
        f"{after:.2f}",
        f"{after - before:+.2f} by the attack",
        help="Mean cosine between the embeddings of a sample's views: 1 where they say the same.",
    )
    st.caption(
        f"Clean it is {before:.2f}; over all samples {known.json['agreement']:.2f}, and between views of"
        f" different samples {known.json['agreement_strangers']:.2f}. Weights of the fusion: "
        + ", ".join(f"{weight:.2f}" for weight in known.json["weights"])
        + "."
    )


def alone(victim: Victim, known: Answer, answer: Answer, level: int) -> None:
    """The fusion's clusters, and those of the head applied to one view, where that means anything."""
    names, rows = victim.names, {"clean": answer.arrays["q_clean"], "now": answer.arrays["q"][level]}
    for view, share in enumerate(known.json["alone"]):
        if share >= ALONE:
            rows[f"view {view + 1}"] = answer.arrays["view_q"][level][view]
    order = victim.order
    names, matrix = [names[number] for number in order], np.stack(list(rows.values()))[:, order]
    plot.show(
        matrix_chart.confusion(
            matrix,
            list(rows),
            names,
            title="Which cluster, and who says so",
            row_title="by",
            column_title="cluster",
            caption=(
                "Clean and now: the fusion. View 1, view 2 …: the head applied to one view, for which it was"
                " not trained."
            ),
            texts=[[f"{share:.0%}" if share >= 0.005 else "" for share in row] for row in matrix],
        ),
        "alone",
    )
    for view, share in enumerate(known.json["alone"]):
        if share < ALONE:
            st.caption(
                f"View {view + 1} alone is left out: applied to it, the head agrees with the fusion on"
                f" {share:.0%} of the clean samples only."
            )


def maps(victim: Victim, known: Answer, answer: Answer, level: int) -> None:
    """The map of each view with the way that the sample goes on it."""
    columns = st.columns(len(known.arrays["xy"]), gap="medium")
    for view, (column, xy) in enumerate(zip(columns, known.arrays["xy"], strict=True)):
        with column:
            path = answer.arrays["view_xy"][: level + 1, view]
            plot.show(
                _map(victim, f"View {view + 1}", xy, answer.arrays["view_xy_clean"][view], path),
                f"map{view}",
                table=False,
            )


def _map(victim: Victim, title: str, xy: np.ndarray, clean: np.ndarray, path: np.ndarray) -> plot.Chart:
    kept = np.linspace(0, len(xy) - 1, min(len(xy), 2000)).astype(int)
    cluster, figure = victim.overview.arrays["cluster"][kept], go.Figure()
    for number, name in enumerate(victim.names):
        members = kept[cluster == number]
        figure.add_scatter(
            x=xy[members, 0],
            y=xy[members, 1],
            mode="markers",
            name=name,
            hovertemplate=f"{name}<extra></extra>",
            marker={"size": 4, "opacity": 0.5, "color": palette.LIGHT[number % len(palette.LIGHT)]},
        )
    way = np.concatenate([clean[None], path])
    figure.add_scatter(
        x=way[:, 0], y=way[:, 1], mode="lines", line={"color": plot.GREY, "width": 2.5}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=[way[0, 0], way[-1, 0]],
        y=[way[0, 1], way[-1, 1]],
        mode="markers",
        hovertext=["clean", "now"],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={
            "size": 13,
            "symbol": ["circle-open", "circle"],
            "color": plot.BRIGHTER,
            "line": {"width": 2.5, "color": plot.GREY},
        },
    )
    plot.dress(figure, title, "PCA of the view's embedding. Ring: clean; dot: now.", "", "", False)
    figure.update_layout(showlegend=False, height=330)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    moved = float(np.linalg.norm(way[-1] - way[0]))
    return plot.Chart(
        figure, pd.DataFrame(way, columns=["x", "y"]), f"{title}: the sample moves by {moved:.2f} on the map."
    )


def matrices(victim: Victim, threat: Threat, epsilon: float) -> None:
    """Classes against clusters before and after, over the half of the data that was not trained on."""
    fitted = threat.fitted if threat.fitted is not None and not threat.understates else None
    if fitted is not None and (fitted.folder / "samples.parquet").exists():
        run: Run | None = fitted
    else:
        size = epsilon if fitted is None else FITTED_AT
        run = wanted.wanted_or_button(
            _many(victim, threat, size, fitted is not None),
            f"Attack {HALF} samples at ε = {size:.3g}",
            icon=":material/groups:",
            primary=False,
            help="PGD takes seconds; its result is kept as a run.",
        )
    if run is None:
        return
    try:
        _matrices(victim, run)
    except FeintError as error:
        notices.refused(error)


def _many(victim: Victim, threat: Threat, epsilon: float, fitted: bool) -> Wanted:
    """The attack on many samples of the other half at this ε: by the fitted generator, or by PGD."""
    changes: dict[str, Any] = {
        "objective": "mv_disrupt",
        "epsilon": epsilon,
        "half": "second",
        "n": HALF,
        "locked": list(threat.locked),
    }
    if not fitted:
        changes |= {"steps": threat.steps or 20}
    name, preset = ("mv_gan", PRESET[threat.attacker]) if fitted else ("pgd", None)
    models = {"model": victim.run.key}
    return Wanted("attack", name, victim.run.spec.data, threat.seed, preset, changes, models)


def _matrices(victim: Victim, run: Run) -> None:
    table, result, order, epsilon = (
        run.table(),
        run.result(),
        victim.order,
        float(run.spec.settings["epsilon"]),
    )
    names = victim.names
    if (table["label"] < 0).all():
        st.caption("These data have no labels: the matrix shows clean clusters against attacked ones.")
    classes = victim.overview.json["class_names"] if (table["label"] >= 0).all() else names
    rows = table["label"] if (table["label"] >= 0).all() else table["cluster_clean"]
    columns: tuple[tuple[Literal["cluster_clean", "cluster_attacked"], str], ...] = (
        ("cluster_clean", "clean"),
        ("cluster_attacked", "attacked"),
    )
    for place, (name, title) in zip(st.columns(2, gap="medium"), columns, strict=True):
        counts = np.zeros((len(classes), len(names)), dtype=int)
        np.add.at(counts, (rows.to_numpy(), table[name].to_numpy()), 1)
        counts = counts[:, order]
        acc = result.get("acc_clean" if title == "clean" else "acc_attacked")
        with place:
            said = (
                title.capitalize()
                + (f" at ε = {epsilon:g}" if title == "attacked" else "")
                + (f": ACC {acc:.3f}" if acc is not None else "")
            )
            plot.show(
                matrix_chart.confusion(
                    counts,
                    classes,
                    [names[number] for number in order],
                    title=said,
                    row_title="class",
                    column_title="cluster",
                    caption=f"n = {len(table)} of the half that was not trained on.",
                ),
                f"matrix-{name}",
            )
    st.page_link(
        links.ROOT / "pages" / "inspect.py",
        label="Inspect these samples one by one",
        icon=":material/search:",
        query_params={"v": links.ADDRESS_VERSION, "model": victim.name, "run": run.name},
    )
