"""ACC over λ and γ, and the runs of a cell that was clicked."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app.address import connection, links
from app.charts import matrix_chart, plot
from app.papers.studies import results
from app.papers.studies.results import Result
from app.runs import headline, wanted
from engine.events import Row
from engine.store.wanted import Wanted

SCORES = {"attacked": "acc_attacked_fixed_match", "clean": "acc_clean"}
"""What is shown -> the value of a row: clusters stay matched to classes as on the clean samples."""
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
    rows = judged(found)
    lams, gammas = (sorted({row.about[name] for row in rows}) for name in ("lam", "gamma"))
    cells = {(lams.index(row.about["lam"]), gammas.index(row.about["gamma"])): row for row in rows}
    chosen = _of_address(cells)
    chart = _chart(found, cells, (lams, gammas), kind, chosen)
    picked = plot.show(chart, f"{key}/{kind}", on_select="rerun")
    cell = next(((int(row), int(column)) for row, column in picked if min(row, column) >= 0), None)
    if cell is not None and cell != chosen:
        links.put("at", _in_address(cells[cell]))
        st.rerun()
    return cells.get(chosen) if chosen is not None else None


def judged(found: Result) -> list[Row]:
    """The rows of the strongest attack, or of the first that was run, where that was not."""
    treatment = results.STRONGEST if results.has(found, results.STRONGEST) else found.measured[0].treatment
    return [row for row in found.measured if row.treatment == treatment]


def _in_address(row: Row) -> str:
    """λ and γ of a row, as the address has them."""
    return f"{row.about['lam']:g},{row.about['gamma']:g}"


def _of_address(cells: Mapping[Cell, Row]) -> Cell | None:
    """The cell of the address; None where it names none."""
    named = {_in_address(row): cell for cell, row in cells.items()}
    wanted = links.key("at", "", lambda text: not text or text in named, "λ and γ of a cell")
    return named.get(st.session_state[wanted])


def _chart(
    found: Result, cells: dict[Cell, Row], axes: tuple[list[float], ...], kind: str, chosen: Cell | None
) -> plot.Chart:
    matrix = np.full((len(axes[0]), len(axes[1])), np.nan)  # (λ, γ)
    for cell, row in cells.items():
        matrix[cell] = results.value(row, SCORES[kind])[0]
    first = next(iter(cells.values()))
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
        caption=f"Mean over seeds, {results.samples(first):,} samples each, clusters matched as on the clean"
        " samples. Click a cell for its seeds.",
    )


def runs_of(row: Row, found: Result) -> None:
    """The seeds of a cell with their numbers, and the run of each: opened where it is here, else made here,
    which gives the very same run.
    """
    lam, gamma = row.about["lam"], row.about["gamma"]
    attacked, clean = (results.in_words(row.controls[name]) for name in SCORES.values())
    st.markdown(f"**λ = {lam:g}, γ = {gamma:g}**: ACC {attacked} under attack, {clean} clean.")
    data = found.declared["data"][found.size]
    for seed in range(len(row.runs["model"])):
        numbers = [f"{name} {row.controls[score]['seeds'][seed]:.3f}" for name, score in SCORES.items()]
        st.caption(f"Seed {seed}: {', '.join(numbers)}.")
        changes = {name: row.about[name] for name in ("lam", "gamma")}
        wish = Wanted("train", row.model, data, seed, found.size, changes)
        run = wanted.wanted_or_button(wish, f"Train seed {seed} here", primary=False)
        if run is not None:
            with st.container(horizontal=True):
                headline.link("train", f"Open seed {seed}", "open_in_full", {"data": data, "run": run.name})
                headline.link("multiview", "Attack it", "stacks", {"model": run.name})
