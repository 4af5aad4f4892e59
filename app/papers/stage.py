"""What one act of robust clustering shows: its scores, pictures, clusters of a sample, arrows on the map,
flows; and all numbers of all acts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.address import connection, links, notices
from app.charts import matrix_chart, palette, plot
from app.components.picker import picker
from app.forms.choose_model import Victim, victim_of
from engine.asking.answers import Answer
from engine.errors import FeintError
from engine.store.run import Run

NAMES = {
    "base": "1 · The attack",
    "same": "2 · Defended, the same attack",
    "again": "3 · Defended, attacked anew",
}
LEADS = {
    "base": "A small network reads a shift of the embedding off each sample.",
    "same": "The network was trained on so that this shift no longer matters.",
    "again": "The attacker learns once more, against the defended network.",
}
KNOWN = ("xy_clean", "xy", "q_clean", "q", "recon_clean", "recon")
SHOWN, ARROWS = 8, 80
"""Samples drawn side by side, and arrows on the map."""


@dataclass(frozen=True)
class Act:
    """What an act shows: the run of its attack, the clean samples of its model, where they went, one row a
    sample.
    """

    run: Run
    victim: Victim
    gone: Answer
    table: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Names of the model's clusters."""
        return self.victim.names

    def of(self, sample: int) -> dict[str, np.ndarray]:
        """What is known of one sample: `xy_clean`, `xy`, `q_clean`, `q`, `recon_clean`, `recon`; asked for
        where the run did not choose it.
        """
        rows = np.flatnonzero(self.table["id"].to_numpy() == sample)
        if len(rows):
            return {name: self.gone.arrays[name][rows[0]] for name in KNOWN}
        found = connection.ask(
            {"ask": "moved_sample", "run": self.run.key, "sample": sample}, "Moving this sample…"
        ).arrays
        return {name: found[name][0] for name in KNOWN}


def read(run: Run) -> Act | None:
    """An act from its run; None, with the sentence on the page, where it cannot be read."""
    try:
        model = connection.store().find(run.spec.builds_on["model"])
        return Act(
            run,
            victim_of(model),
            connection.ask({"ask": "moved", "run": run.key}, "Following the samples…"),
            run.table(),
        )
    except FeintError as error:
        notices.refused(error)
        return None


def samples(act: Act, chosen: int) -> list[int]:
    """The samples that all acts show: the chosen one, then some that the first act flips, then others."""
    ids, flipped = act.table["id"].to_numpy(), act.table["flipped"].to_numpy()
    order = [chosen, *ids[flipped][: SHOWN - 2], *ids[~flipped]]
    return list(dict.fromkeys(int(number) for number in order))[:SHOWN]


def scores(act: Act) -> None:
    """How many flip, beside a random direction of the same length, and what it does to the ACC."""
    found = act.run.result()
    left, right = st.columns(2)
    left.metric("Flips", f"{found['flip_rate']:.1%}", help="Share of samples whose cluster changes.")
    if found.get("acc_clean") is not None:
        right.metric(
            "ACC",
            f"{found['acc_attacked']:.3f}",
            f"{found['acc_attacked'] - found['acc_clean']:+.3f}",
            help="Clusters matched to classes anew. Below: the change by the attack.",
        )
    st.caption(f"A random direction as long flips **{found['noise_flip_rate']:.1%}**. n = {found['n']}.")
    for doubt in found.get("doubts", []):
        st.warning(doubt)


NUMBERS = (
    "flip_rate",
    "noise_flip_rate",
    "other_delta_flip_rate",
    "acc_clean",
    "acc_attacked",
    "acc_attacked_fixed_match",
    "nmi_clean",
    "nmi_attacked",
    "delta_ratio_mean",
    "d_abs",
    "d_rel",
    "d_tab",
    "active_coordinates",
    "agreement_clean_mean",
    "agreement_mean",
    "reconstruction_change_mean",
    "reconstruction_clean_mean",
    "nu",
    "n",
)
"""Rows of the table of all numbers."""


def numbers(every: Mapping[str, Act]) -> None:
    """All numbers of the acts beside one another; what they mean comes with them."""
    known = connection.catalogue()["metric"]
    rows = []
    for name in NUMBERS:
        values = {NAMES[act]: one.run.result().get(name) for act, one in every.items()}
        form = "g" if name in ("n", "nu", "active_coordinates") else ".4f"
        said = {title: "–" if value is None else f"{value:{form}}" for title, value in values.items()}
        rows.append({"": known[name]["title"], **said, "what it is": known[name]["summary"]})
    st.markdown("**All numbers**")
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="acts/numbers")
    st.caption(
        "D before and after the defence are not to be compared where the embedding's own scale has changed;"
        " coordinates that are switched off dominate the relative D."
    )


def pictures(act: Act, ids: Sequence[int], chosen: int, key: str) -> None:
    """What is decoded from clean and from moved embeddings of the same samples, with their clusters; a click
    chooses one.
    """
    shape = act.victim.shape
    if len(shape) != 3:
        return
    known = [act.of(number) for number in ids]
    for name, assigned, title in (
        ("recon_clean", "q_clean", "Decoded, clean"),
        ("recon", "q", "Decoded, moved"),
    ):
        marked = [name == "recon" and one["q"].argmax() != one["q_clean"].argmax() for one in known]
        st.caption(title + (": a corner marks another cluster" if name == "recon" else ""))
        clicked = picker(
            np.stack([one[name] for one in known]),
            shape,
            ids,
            [act.names[int(one[assigned].argmax())] for one in known],
            f"{key}/{name}",
            chosen=chosen,
            marked=marked,
            label=title,
            size=44,
        )
        if clicked is not None and clicked != chosen:
            links.put("sample", clicked)
            st.rerun()


def clusters(act: Act, sample: int, key: str) -> None:
    """The assignment of one sample, clean and moved, a pair of bars a cluster."""
    known, order = act.of(sample), act.victim.order
    names = [act.names[number] for number in order]
    before, after = known["q_clean"][order], known["q"][order]
    figure = go.Figure()
    figure.add_bar(
        x=names,
        y=before,
        name="clean",
        marker={"color": plot.GREY, "pattern": {"shape": "/"}},
        hovertemplate="%{x}: %{y:.0%}<extra>clean</extra>",
    )
    figure.add_bar(
        x=names,
        y=after,
        name="moved",
        marker={"color": plot.BRIGHTER},
        hovertemplate="%{x}: %{y:.0%}<extra>moved</extra>",
    )
    plot.dress(
        figure,
        f"Sample {sample}: which cluster",
        "Soft assignment of clean and moved embedding.",
        "",
        "",
        True,
    )
    figure.update_layout(height=250, barmode="group", bargap=0.25)
    figure.update_xaxes(type="category")
    winners = names[int(before.argmax())], names[int(after.argmax())]
    table = pd.DataFrame({"clean": before, "moved": after}, index=names)
    plot.show(
        plot.Chart(
            figure,
            table,
            f"Sample {sample}: clean {winners[0]} with {before.max():.0%}, moved {winners[1]} with"
            f" {after.max():.0%}.",
        ),
        f"{key}/clusters",
        table=False,
    )


def arrows(act: Act, sample: int, key: str) -> None:
    """Where embeddings go on the plane of the clean ones: arrows from m to m + δ, those of flips in
    colour.
    """
    background, clean, moved = (
        act.victim.overview.arrays["xy"],
        act.gone.arrays["xy_clean"],
        act.gone.arrays["xy"],
    )
    flipped = act.table["flipped"].to_numpy()
    kept = np.linspace(0, len(background) - 1, min(len(background), 1500)).astype(int)
    figure = go.Figure()
    figure.add_scatter(
        x=background[kept, 0],
        y=background[kept, 1],
        mode="markers",
        hoverinfo="skip",
        showlegend=False,
        marker={
            "size": 4,
            "opacity": 0.35,
            "color": [
                palette.LIGHT[int(act.victim.overview.arrays["cluster"][number]) % len(palette.LIGHT)]
                for number in kept
            ],
        },
    )
    some = np.linspace(0, len(clean) - 1, min(len(clean), ARROWS)).astype(int)
    for name, mask, colour in (
        ("stays", ~flipped, plot.GREY),
        ("changes its cluster", flipped, plot.BRIGHTER),
    ):
        rows = some[mask[some]]
        x, y = (
            np.stack([clean[rows, axis], moved[rows, axis], np.full(len(rows), np.nan)], axis=1).ravel()
            for axis in (0, 1)
        )
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
                "size": [value for _ in rows for value in (0, 9, 0)],
                "color": colour,
            },
        )
    one = act.of(sample)
    figure.add_scatter(
        x=[one["xy_clean"][0], one["xy"][0]],
        y=[one["xy_clean"][1], one["xy"][1]],
        mode="lines+markers",
        name=f"sample {sample}",
        line={"color": plot.DARKER, "width": 3},
        marker={"size": 11, "symbol": ["circle-open", "circle"], "color": plot.DARKER},
        hoverinfo="skip",
    )
    plot.dress(
        figure, "Where embeddings go", "PCA of the clean embedding; arrows from m to m + δ.", "", "", False
    )
    figure.update_layout(height=340, legend={"y": -0.02})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    way = pd.DataFrame(
        {
            "id": act.table["id"],
            "x": clean[:, 0],
            "y": clean[:, 1],
            "x moved": moved[:, 0],
            "y moved": moved[:, 1],
        }
    )
    length = np.linalg.norm(moved - clean, axis=1)
    plot.show(
        plot.Chart(
            figure,
            way,
            f"On the map samples move by {np.median(length):.2f} (median); {flipped.mean():.0%} change their"
            " cluster.",
        ),
        f"{key}/arrows",
        table=False,
    )


def flow(act: Act, key: str) -> None:
    """Clean clusters against those of the moved embeddings: which go where."""
    order = act.victim.order
    counts = np.zeros((len(order), len(order)), dtype=int)
    np.add.at(counts, (act.table["cluster_clean"].to_numpy(), act.table["cluster_attacked"].to_numpy()), 1)
    counts, names = counts[np.ix_(order, order)], [act.names[number] for number in order]
    plot.show(
        matrix_chart.confusion(
            counts,
            names,
            names,
            title="Which cluster goes where",
            row_title="clean",
            column_title="moved",
            caption=f"{len(act.table)} samples; the diagonal stays.",
        ),
        f"{key}/flow",
        table=False,
    )
    st.page_link(
        links.ROOT / "pages" / "inspect.py",
        label="Inspect them one by one",
        icon=":material/search:",
        query_params={"v": links.ADDRESS_VERSION, "model": act.victim.name, "run": act.run.name},
    )
