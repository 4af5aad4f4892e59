"""Matrices of labels and groups, whose cells and headers select."""

import numpy as np
import streamlit as st

from app import gallery
from app.address import links
from app.charts import matrix_chart, plot
from app.inspect.finished_attack import GROUPS, FinishedAttack
from app.inspect.selection import MATRICES, Selection, choose
from app.words import N_, _

TITLES = {
    "clean": N_("Before the attack"),
    "attacked": N_("Under attack"),
    "difference": N_("What the attack changed"),
    "flow": N_("From where to where"),
}


def show(attacked: FinishedAttack, selection: Selection) -> None:
    """One of the matrices; cells and headers select. It counts the samples that all *other* views have
    selected. Only for models that sort samples into groups.
    """
    view = _choose_view(attacked)
    mask = selection.without(view).mask(attacked)
    rows, row_names = _rows(attacked, view)
    columns, group = attacked.victim.order, attacked.victim.grouping
    cell = selection.cell(view)
    counted = _("{n:,} of {total:,} samples").format(n=int(mask.sum()), total=len(mask))
    draw = matrix_chart.difference if view == "difference" else matrix_chart.confusion
    chart = draw(
        _counts(attacked, mask, view, rows, columns),
        row_names,
        [attacked.victim.names[column] for column in columns],
        title=_(TITLES[view]),
        row_title=_("clean") if view == "flow" else _("label"),
        column_title=_("attacked") if view == "flow" else _(group),
        caption=f"{counted} · {attacked.protocol()}",
        chosen=None if cell is None else (_at(rows, cell[0]), _at(columns, cell[1])),
        places=(_places(attacked, view, rows), [attacked.victim.colours[column] for column in columns]),
    )
    name = f"matrix/{view}/{st.session_state.get('inspect_drawn', 0)}"
    plot.show(chart, name, on_select=lambda: _clicked(name, view, rows, columns))
    _boxes(attacked, view, rows, row_names, cell)
    _which_is_which(attacked)


def _choose_view(attacked: FinishedAttack) -> str:
    options = list(MATRICES) if attacked.labelled else ["flow"]
    key = links.key("view", "attacked" if attacked.labelled else "flow", lambda name: name in options)
    return str(
        st.segmented_control(
            _("Matrix"),
            options,
            key=key,
            format_func=lambda name: _(MATRICES[name]),
            required=True,
            label_visibility="collapsed",
        )
    )


def _rows(attacked: FinishedAttack, view: str) -> tuple[list[int], list[str]]:
    """What the rows of a matrix are, and their names: groups in the flow, else labels."""
    if view == "flow":
        order = attacked.victim.order
        return order, [attacked.victim.names[group] for group in order]
    return list(range(len(attacked.classes))), attacked.classes


def _places(attacked: FinishedAttack, view: str, rows: list[int]) -> list[int]:
    """Their places in the palette: a label is a class, a group has the colour of its class."""
    return [attacked.victim.colours[group] for group in rows] if view == "flow" else rows


def _counts(
    attacked: FinishedAttack, mask: np.ndarray, view: str, rows: list[int], columns: list[int]
) -> np.ndarray:
    """(rows, columns): how many samples under `mask` are in each cell; in the difference, how many more."""
    assert attacked.before is not None and attacked.after is not None, "asked only where there are groups"
    down = (attacked.before if view == "flow" else attacked.table["label"].to_numpy())[mask]

    def counted(groups: np.ndarray) -> np.ndarray:
        cells = np.zeros((max(rows) + 1, max(columns) + 1))
        np.add.at(cells, (down, groups[mask]), 1)
        return cells[np.ix_(rows, columns)]

    if view == "difference":
        return counted(attacked.after) - counted(attacked.before)
    return counted(attacked.before if view == "clean" else attacked.after)


def _clicked(name: str, view: str, rows: list[int], columns: list[int]) -> None:
    """Take the cell that was clicked; a click on the chosen one lets it go."""
    points = plot.clicked(st.session_state[name])
    selection = Selection.read()
    if points:
        row, column = (int(part) for part in points[-1])
        cell = f"{rows[row] if row >= 0 else -1}:{columns[column] if column >= 0 else -1}"
        choose(selection.without(view) if selection.of.get(view) == cell else selection.with_(view, cell))


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
    named_rows = {-1: _("all")} | dict(zip(rows, row_names, strict=True))
    group = attacked.victim.grouping
    named_columns = {-1: _("all")} | {
        number: f"{attacked.victim.names[number]} ({_(group)} {number})" for number in attacked.victim.order
    }
    chosen = cell or (-1, -1)
    titles = (
        _("Clean {group}").format(group=_(group)) if view == "flow" else _("Label"),
        _("Joined or left") if view == "difference" else _(GROUPS[group]),
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
    boxes = [f"box{part}/{turn}" for part in (0, 1)]
    if links.left(*boxes):
        return
    row, column = (st.session_state[box] for box in boxes)
    selection = Selection.read().without(view)
    choose(selection if row < 0 and column < 0 else selection.with_(view, f"{row}:{column}"), boxed=True)


def _which_is_which(attacked: FinishedAttack) -> None:
    """Which group is called what, with its medoid: in words and pictures."""
    overview, group = attacked.victim.overview, attacked.victim.grouping
    if group == "class":
        return  # classes are called what they are
    order, names = attacked.victim.order, attacked.victim.names
    with st.expander(_("Which cluster is which?"), icon=":material/label:"):
        st.caption(
            _(
                "A cluster is called after the class that the Hungarian matching of the clean samples gives"
                " it;"
                " below, its medoid: the sample nearest to its middle."
            )
            if attacked.labelled
            else _(
                "The data have no labels: a cluster is called after its medoid, the sample nearest to its"
                " middle."
            )
        )
        medoids = overview.medoid_images
        if len(attacked.victim.shape) == 3 and medoids is not None:
            gallery.grid(
                [medoids[cluster].reshape(attacked.victim.shape) for cluster in order],
                [
                    _("cluster {number} = {name}, {n:,} samples").format(
                        number=cluster, name=names[cluster], n=overview.sizes[cluster]
                    )
                    for cluster in order
                ],
                columns=10,
                size=64,
            )
        else:
            said = _("cluster {number} = {name}")
            st.markdown(" · ".join(said.format(number=cluster, name=names[cluster]) for cluster in order))
