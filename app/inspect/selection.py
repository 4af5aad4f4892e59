"""The one selection that all views of Inspect share.

A selection is a few terms, each from one view: `attacked:4:9` is a cell of a matrix (-1: a whole row or
column), `map:…` a lasso. A sample is selected where every term holds. It stands in the address, so a link
opens the same samples.
"""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from app.address import links
from app.components import map as plane
from app.inspect.finished_attack import FinishedAttack
from app.words import N_, _

MATRICES = {
    "clean": N_("Clean"),
    "attacked": N_("Attacked"),
    "difference": N_("Difference"),
    "flow": N_("Flow"),
}


@dataclass(frozen=True)
class Selection:
    """View -> what was chosen there. As text, terms are joined by commas, as they stand in the address."""

    of: dict[str, str]

    @classmethod
    def read(cls) -> "Selection":
        """The selection of the address."""
        pairs = [term.partition(":") for term in links.value("pick", "").split(",")]
        return cls({view: rest for view, __, rest in pairs if view in (*MATRICES, "map") and rest})

    def __str__(self) -> str:
        return ",".join(f"{view}:{rest}" for view, rest in self.of.items())

    def put(self) -> None:
        """Make it the page's selection."""
        links.put("pick", str(self))

    def without(self, view: str) -> "Selection":
        """The same without what was chosen in a view."""
        return Selection({name: rest for name, rest in self.of.items() if name != view})

    def with_(self, view: str, rest: str) -> "Selection":
        """The same with something else chosen in a view."""
        return Selection(self.of | {view: rest})

    def cell(self, view: str) -> tuple[int, int] | None:
        """Row and column chosen in a matrix, as label or cluster numbers, −1 for all."""
        try:
            row, column = (int(part) for part in self.of[view].split(":"))
        except (KeyError, ValueError):
            return None
        return row, column

    def mask(self, attacked: FinishedAttack) -> np.ndarray:
        """(n,) which rows of the table are selected; all where nothing is chosen."""
        inside = np.ones(attacked.n, dtype=bool)
        for view in self.of:
            inside &= self._mask_of(view, attacked)
        return inside

    def _mask_of(self, view: str, attacked: FinishedAttack) -> np.ndarray:
        n, cell = attacked.n, self.cell(view)
        if view == "map":
            try:
                return np.isin(np.arange(n), plane.decode(self.of["map"], n))
            except ValueError:
                return np.ones(n, dtype=bool)
        return np.ones(n, dtype=bool) if cell is None else cell_mask(attacked, view, *cell)

    def words(self, view: str, attacked: FinishedAttack) -> str:
        """What was chosen in a view, for its chip."""
        cell = self.cell(view)
        if view == "map" or cell is None:
            return _("a part of the map")
        row, column = cell
        group, columns = _(attacked.victim.grouping), attacked.victim.names
        clean, attacked_group = (
            said.format(group=group) for said in (_("clean {group}"), _("attacked {group}"))
        )
        rows, kind = (columns, clean) if view == "flow" else (attacked.classes, _("label"))
        across = {"clean": clean, "difference": _("joined or left")}.get(view, attacked_group)
        said = [f"{kind} {rows[row]}"] * (0 <= row < len(rows))
        said += [f"{across} {columns[column]}"] * (0 <= column < len(columns))
        return ", ".join(said) or _("nothing")


def cell_mask(attacked: FinishedAttack, view: str, row: int, column: int) -> np.ndarray:
    """(n,) the samples in a cell of a matrix; −1 stands for all rows or all columns. All for a model that
    sorts into nothing.
    """
    clean, after = attacked.before, attacked.after
    if clean is None or after is None:
        return np.ones(attacked.n, dtype=bool)
    rows = clean if view == "flow" else attacked.table["label"].to_numpy()
    down = np.ones(attacked.n, dtype=bool) if row < 0 else rows == row
    across = {
        "clean": clean == column,
        "attacked": after == column,
        "flow": after == column,
        "difference": (clean == column) != (after == column),
    }
    return down if column < 0 else down & across[view]


def chips(attacked: FinishedAttack, selection: Selection, mask: np.ndarray) -> None:
    """What is selected, in words and numbers; each part can be taken away, or all."""
    count, n = int(mask.sum()), len(mask)
    there = "" if attacked.reached is None else f" · {int(attacked.reached[mask].sum()):,} {attacked.does}"
    how = "" if attacked.answer.xy is None else " " + _("Draw round points of the map to choose some.")
    if attacked.before is not None:
        how = " " + _("Click a cell or a header, or draw round points.")
    with st.container(horizontal=True, vertical_alignment="center", key="inspect_chips"):
        st.markdown(
            _("**{n:,} / {total:,}** selected").format(n=count, total=n) + there
            if selection.of
            else _("**All {n:,}** samples{there}.").format(n=n, there=there) + how
        )
        for view in selection.of:
            st.button(
                selection.words(view, attacked),
                key=f"chip/{view}",
                icon=":material/close:",
                help=_("Take this part of the selection away"),
                on_click=choose,
                args=(selection.without(view),),
            )
        if selection.of:
            st.button(
                _("Clear"),
                key="inspect_clear",
                type="primary",
                shortcut="Escape",
                on_click=choose,
                args=(Selection({}),),
            )


def choose(selection: Selection, boxed: bool = False) -> None:
    """Make it the selection; the matrix is drawn anew, since a browser would take a second click on a cell
    for its end.
    """
    selection.put()
    for widget in ("inspect_drawn",) if boxed else ("inspect_drawn", "inspect_boxes"):
        st.session_state[widget] = st.session_state.get(widget, 0) + 1
