"""Matrices of labels and clusters, whose cells and headers select."""

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.address import state
from app.charts import charts
from app.inspect.finished_attack import FinishedAttack
from app.inspect.selection import MATRICES, Terms, choose

TITLES = {
    "clean": "Before the attack",
    "attacked": "Under attack",
    "difference": "What the attack changed",
    "flow": "From where to where",
}


def show(attacked: FinishedAttack, terms: Terms) -> None:
    """One of the matrices; cells and headers select. It counts the samples that all *other* views have
    selected.
    """
    options = list(MATRICES) if attacked.labelled else ["flow"]
    key = state.key("view", "attacked" if attacked.labelled else "flow", lambda name: name in options)
    view = str(
        st.segmented_control(
            "Matrix",
            options,
            key=key,
            format_func=MATRICES.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
    )
    mask = terms.without(view).mask(attacked)
    rows, row_names = _rows(attacked, view)
    columns = attacked.order
    counts = _counts(attacked.table[mask], view, rows, columns)
    cell = terms.cell(view)
    chosen = None if cell is None else (_at(rows, cell[0]), _at(columns, cell[1]))
    titles = ("clean" if view == "flow" else "label", "attacked" if view == "flow" else "cluster")
    draw = charts.difference if view == "difference" else charts.confusion
    chart = draw(
        counts,
        row_names,
        [attacked.victim.names[column] for column in columns],
        title=TITLES[view],
        row_title=titles[0],
        column_title=titles[1],
        caption=f"{int(mask.sum()):,} of {len(mask):,} samples · {attacked.protocol()}",
        chosen=chosen,
    )
    name = f"matrix/{view}/{st.session_state.get('inspect_drawn', 0)}"
    charts.show(chart, name, on_select=lambda: _clicked(name, view, rows, columns))
    _boxes(attacked, view, rows, row_names, cell)
    _mapping(attacked)


def _rows(attacked: FinishedAttack, view: str) -> tuple[list[int], list[str]]:
    if view == "flow":
        return attacked.order, [attacked.victim.names[cluster] for cluster in attacked.order]
    return list(range(len(attacked.classes))), attacked.classes


def _counts(table: pd.DataFrame, view: str, rows: list[int], columns: list[int]) -> np.ndarray:
    down = table["cluster_clean" if view == "flow" else "label"].to_numpy()

    def table_of(name: str) -> np.ndarray:
        counted = np.zeros((max(rows) + 1, max(columns) + 1))
        np.add.at(counted, (down, table[name].to_numpy()), 1)
        return counted[np.ix_(rows, columns)]

    if view == "difference":
        return table_of("cluster_attacked") - table_of("cluster_clean")
    return table_of("cluster_clean" if view == "clean" else "cluster_attacked")


def _clicked(name: str, view: str, rows: list[int], columns: list[int]) -> None:
    """Take the cell that was clicked; a click on the chosen one lets it go."""
    points = charts.clicked(st.session_state[name])
    terms = Terms.read()
    if points:
        row, column = (int(part) for part in points[-1])
        cell = f"{rows[row] if row >= 0 else -1}:{columns[column] if column >= 0 else -1}"
        choose(terms.without(view) if terms.of.get(view) == cell else terms.with_(view, cell))


def _at(numbers: list[int], number: int) -> int:
    """Where a label or cluster is drawn; −1 (all) stays."""
    return numbers.index(number) if number in numbers else -1


def _boxes(
    attacked: FinishedAttack, view: str, rows: list[int], row_names: list[str], cell: tuple[int, int] | None
) -> None:
    """The same choice with the keyboard: a row and a column. Choices made elsewhere make the boxes anew, so
    no older value comes back.
    """
    turn = f"{view}/{st.session_state.get('inspect_boxes', 0)}"
    named_rows = {-1: "all"} | dict(zip(rows, row_names, strict=True))
    named_columns = {-1: "all"} | {
        cluster: f"{attacked.victim.names[cluster]} (cluster {cluster})" for cluster in attacked.order
    }
    chosen = cell or (-1, -1)
    titles = (
        "Clean cluster" if view == "flow" else "Label",
        "Joined or left" if view == "difference" else "Cluster",
    )
    with st.container(horizontal=True):
        for part, (title, options) in enumerate(zip(titles, (named_rows, named_columns), strict=True)):
            st.selectbox(
                title,
                list(options),
                index=list(options).index(chosen[part]) if chosen[part] in options else 0,
                key=f"box{part}/{turn}",
                on_change=_boxed,
                args=(view, turn),
                format_func=options.__getitem__,
            )


def _boxed(view: str, turn: str) -> None:
    row, column = (st.session_state[f"box{part}/{turn}"] for part in (0, 1))
    terms = Terms.read().without(view)
    choose(terms if row < 0 and column < 0 else terms.with_(view, f"{row}:{column}"), boxed=True)


def _mapping(attacked: FinishedAttack) -> None:
    """Which cluster is called what, with its medoid: in words and pictures."""
    said, arrays = attacked.victim.overview.json, attacked.victim.overview.arrays
    with st.expander("Which cluster is which?", icon=":material/label:"):
        st.caption(
            "A cluster is called after the class that the Hungarian matching of the clean samples gives it;"
            " below, its medoid: the sample nearest to its middle."
            if attacked.labelled
            else (
                "The data have no labels: a cluster is called after its medoid, the sample nearest to its"
                " middle."
            )
        )
        if len(attacked.victim.shape) == 3:
            captions = [
                f"cluster {cluster} = {attacked.victim.names[cluster]}, {said['sizes'][cluster]:,} samples"
                for cluster in attacked.order
            ]
            gallery.grid(
                [
                    arrays["medoid_images"][cluster].reshape(attacked.victim.shape)
                    for cluster in attacked.order
                ],
                captions,
                columns=10,
                size=64,
            )
        else:
            st.markdown(
                " · ".join(
                    f"cluster {cluster} = {attacked.victim.names[cluster]}" for cluster in attacked.order
                )
            )
