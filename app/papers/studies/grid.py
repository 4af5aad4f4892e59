"""ACC over λ and γ, and the runs of a cell that was clicked."""

import numpy as np
import streamlit as st

from app.address import connection, links
from app.charts import matrix_chart, plot
from app.papers.studies import results
from app.papers.studies.results import Result
from app.runs import reading, wanted
from engine.events import Row
from engine.store.wanted import Wanted

Cell = tuple[int, int]
"""Row (λ) and column (γ) of the grid."""


def grid(found: Result, key: str) -> Row | None:
    """ACC over λ and γ; the study's row of the cell that was clicked."""
    kind = str(
        st.segmented_control(
            "Shown",
            ["attacked", "clean"],
            default="attacked",
            required=True,
            key=f"{key}/kind",
            label_visibility="collapsed",
        )
    )
    lams, gammas = (sorted({row.about[name] for row in found.rows}) for name in ("lam", "gamma"))
    cells = {(lams.index(row.about["lam"]), gammas.index(row.about["gamma"])): row for row in found.rows}
    chosen: Cell | None = st.session_state.get(f"{key}/cell")
    chart = _chart(found, cells, (lams, gammas), kind, chosen)
    picked = plot.show(chart, f"{key}/{kind}", on_select="rerun")
    cell = next(((int(row), int(column)) for row, column in picked if min(row, column) >= 0), None)
    if cell is not None and cell != chosen:
        st.session_state[f"{key}/cell"] = cell
        st.rerun()
    return cells.get(chosen) if chosen is not None else None


def _chart(
    found: Result, cells: dict[Cell, Row], axes: tuple[list[float], ...], kind: str, chosen: Cell | None
) -> plot.Chart:
    matrix = np.full((len(axes[0]), len(axes[1])), np.nan)  # (λ, γ)
    for cell, row in cells.items():
        matrix[cell] = results.value(row, "acc" if kind == "attacked" else "acc_clean")[0]
    first = found.rows[0]
    model = connection.catalogue()["model"][first.model]["title"]
    attack = f"{found.declared['treatments'][first.treatment]['title']} at ε = {first.about['epsilon']:g}"
    return matrix_chart.confusion(
        matrix,
        *([f"{level:g}" for level in axis] for axis in axes),
        title=f"ACC of {model}, {attack if kind == 'attacked' else 'clean'}",
        row_title="λ",
        column_title="γ",
        texts=[[f"{share:.2f}" for share in line] for line in matrix],
        chosen=chosen,
        caption="Mean over seeds. Click a cell to open the runs behind it.",
    )


def runs_of(row: Row, found: Result) -> None:
    """The runs of a cell, seed by seed: opened where they are here, else trained anew, which gives the same
    run.
    """
    lam, gamma = row.about["lam"], row.about["gamma"]
    st.markdown(
        f"**λ = {lam:g}, γ = {gamma:g}**: ACC {results.in_words((row.measured or {})['acc'])} under attack,"
        f" {results.in_words(row.controls['acc_clean'])} clean."
    )
    data = found.declared["data"][found.size]
    with st.container(horizontal=True):
        for seed, key in enumerate(row.runs["model"]):
            if reading.readable(key):
                _open(key, data, seed)
            elif st.button(
                f"Train seed {seed} here",
                icon=":material/play_arrow:",
                key=f"cell/{key}",
                help=f"Its run is {key}; trained anew it is the same run.",
            ):
                _train(row, found.size, data, seed)


def _open(key: str, data: str, seed: int) -> None:
    st.page_link(
        links.ROOT / "pages" / "train.py",
        label=f"Open seed {seed}",
        icon=":material/open_in_full:",
        query_params={"v": links.ADDRESS_VERSION, "data": data, "run": key},
    )


def _train(row: Row, size: str, data: str, seed: int) -> None:
    changes = {name: row.about[name] for name in ("lam", "gamma")}
    run = wanted.begin(Wanted("train", row.model, data, seed, size, changes))
    if run is not None:
        links.go("train", {"data": data, "run": run.name})
