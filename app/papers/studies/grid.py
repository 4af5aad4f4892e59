"""ACC over λ and γ, and the runs of a cell that was clicked."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app.address import connection, links
from app.charts import matrix_chart, plot
from app.papers.studies import results
from app.papers.studies.results import Result
from app.runs import headline, wanted
from app.words import N_, _
from engine.events import Row
from engine.store.wanted import Wanted

SCORES = {N_("attacked"): "acc_attacked_fixed_match", N_("clean"): "acc_clean"}
"""What is shown -> the value of a row: clusters stay matched to classes as on the clean samples."""
Cell = tuple[int, int]
"""Row (λ) and column (γ) of the grid."""


def grid(found: Result, key: str) -> Row | None:
    """ACC over λ and γ; the study's row of the cell that was clicked."""
    kind = str(
        st.segmented_control(
            _("Shown"),
            list(SCORES),
            format_func=_,
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
    """The rows of the strongest attack."""
    return [row for row in found.measured if row.treatment == results.STRONGEST]


def _in_address(row: Row) -> str:
    """λ and γ of a row, as the address has them."""
    return f"{row.about['lam']:g},{row.about['gamma']:g}"


def _of_address(cells: Mapping[Cell, Row]) -> Cell | None:
    """The cell of the address; None where it names none."""
    named = {_in_address(row): cell for cell, row in cells.items()}
    wanted = links.key("at", "", lambda text: not text or text in named, _("λ and γ of a cell"))
    return named.get(st.session_state[wanted])


def _chart(
    found: Result, cells: dict[Cell, Row], axes: tuple[list[float], ...], kind: str, chosen: Cell | None
) -> plot.Chart:
    matrix = np.full((len(axes[0]), len(axes[1])), np.nan)  # (λ, γ)
    for cell, row in cells.items():
        matrix[cell] = results.value(row, SCORES[kind])[0]
    first = next(iter(cells.values()))
    model = _(connection.catalogue()["model"][first.model]["title"])
    attack = _(found.declared["treatments"][first.treatment]["title"])
    clean, attacked = _("ACC of {model}, clean"), _("ACC of {model}, {attack} at ε = {epsilon:g}")
    title = attacked if kind == "attacked" else clean
    return matrix_chart.confusion(
        matrix,
        *([f"{level:g}" for level in axis] for axis in axes),
        title=title.format(model=model, attack=attack, epsilon=first.about["epsilon"]),
        row_title="λ",
        column_title="γ",
        texts=[[f"{share:.2f}" for share in line] for line in matrix],
        chosen=chosen,
        caption=_(
            "Mean over seeds, {n:,} samples each, clusters matched as on the clean"
            " samples. Click a cell for its seeds."
        ).format(n=results.samples(first)),
    )


def runs_of(row: Row, found: Result) -> None:
    """The seeds of a cell with their numbers, and the run of each: opened where it is here, else made here,
    which gives the very same run.
    """
    lam, gamma = row.about["lam"], row.about["gamma"]
    attacked, clean = (results.in_words(row.controls[name]) for name in SCORES.values())
    said = _("**λ = {lam:g}, γ = {gamma:g}**: ACC {attacked} under attack, {clean} clean.")
    st.markdown(said.format(lam=lam, gamma=gamma, attacked=attacked, clean=clean))
    data = found.declared["data"][found.size]
    for seed in range(len(row.runs["model"])):
        numbers = [f"{_(name)} {row.controls[score]['seeds'][seed]:.3f}" for name, score in SCORES.items()]
        st.caption(_("Seed {seed}: {numbers}.").format(seed=seed, numbers=", ".join(numbers)))
        changes = {name: row.about[name] for name in ("lam", "gamma")}
        wish = Wanted("train", row.model, data, seed, found.size, changes)
        run = wanted.wanted_or_button(wish, _("Train seed {seed} here").format(seed=seed), primary=False)
        if run is not None:
            with st.container(horizontal=True):
                headline.link(
                    "train",
                    _("Open seed {seed}").format(seed=seed),
                    "open_in_full",
                    {"data": data, "run": run.name},
                )
                headline.link("multiview", _("Attack it"), "stacks", {"model": run.name})
