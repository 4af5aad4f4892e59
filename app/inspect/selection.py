"""The one selection that all views of Inspect share.

A selection is a few terms, each from one view: `attacked:4:9` is a cell of a matrix (-1: a whole row or
column), `map:…` a lasso. A sample is selected where every term holds. It stands in the address, so a link
opens the same samples.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from app.address import state
from app.components import map as plane
from app.inspect.finished_attack import FinishedAttack

MATRICES = {"clean": "Clean", "attacked": "Attacked", "difference": "Difference", "flow": "Flow"}


@dataclass(frozen=True)
class Terms:
    """View -> what was chosen there. As text, terms are joined by commas, as they stand in the address."""

    of: dict[str, str]

    @classmethod
    def read(cls) -> "Terms":
        """The selection of the address."""
        pairs = [term.partition(":") for term in state.value("pick", "").split(",")]
        return cls({view: rest for view, _, rest in pairs if view in (*MATRICES, "map") and rest})

    def __str__(self) -> str:
        return ",".join(f"{view}:{rest}" for view, rest in self.of.items())

    def put(self) -> None:
        """Make it the page's selection."""
        state.put("pick", str(self))

    def without(self, view: str) -> "Terms":
        """The same without what was chosen in a view."""
        return Terms({name: rest for name, rest in self.of.items() if name != view})

    def with_(self, view: str, rest: str) -> "Terms":
        """The same with something else chosen in a view."""
        return Terms(self.of | {view: rest})

    def cell(self, view: str) -> tuple[int, int] | None:
        """Row and column chosen in a matrix, as label or cluster numbers, −1 for all."""
        try:
            row, column = (int(part) for part in self.of[view].split(":"))
        except (KeyError, ValueError):
            return None
        return row, column

    def mask(self, attacked: FinishedAttack) -> np.ndarray:
        """(n,) which rows of the table are selected; all where nothing is chosen."""
        inside = np.ones(len(attacked.table), dtype=bool)
        for view in self.of:
            inside &= self._mask_of(view, attacked)
        return inside

    def _mask_of(self, view: str, attacked: FinishedAttack) -> np.ndarray:
        n, cell = len(attacked.table), self.cell(view)
        if view == "map":
            try:
                return np.isin(np.arange(n), plane.decode(self.of["map"], n))
            except ValueError:
                return np.ones(n, dtype=bool)
        return np.ones(n, dtype=bool) if cell is None else cell_mask(attacked.table, view, *cell)

    def words(self, view: str, attacked: FinishedAttack) -> str:
        """What was chosen in a view, for its chip."""
        cell = self.cell(view)
        if view == "map" or cell is None:
            return "a part of the map"
        row, column = cell
        rows = attacked.victim.names if view == "flow" else attacked.classes
        named = [f"label {rows[row]}" if view != "flow" else f"clean cluster {rows[row]}"] * (
            0 <= row < len(rows)
        )
        verb = {
            "clean": "clean cluster",
            "attacked": "attacked cluster",
            "difference": "joined or left",
            "flow": "attacked cluster",
        }[view]
        named += [f"{verb} {attacked.victim.names[column]}"] * (0 <= column < len(attacked.victim.names))
        return ", ".join(named) or "nothing"


def cell_mask(table: pd.DataFrame, view: str, row: int, column: int) -> np.ndarray:
    """(n,) the samples in a cell of a matrix; −1 stands for all rows or all columns."""
    clean, after = table["cluster_clean"].to_numpy(), table["cluster_attacked"].to_numpy()
    down = (
        np.ones(len(table), dtype=bool)
        if row < 0
        else (clean if view == "flow" else table["label"].to_numpy()) == row
    )
    across = {
        "clean": clean == column,
        "attacked": after == column,
        "flow": after == column,
        "difference": (clean == column) != (after == column),
    }
    return down if column < 0 else down & across[view]


def chips(attacked: FinishedAttack, terms: Terms, mask: np.ndarray) -> None:
    """What is selected, in words and numbers; each part can be taken away, or all."""
    count, n = int(mask.sum()), len(mask)
    moved = int(attacked.table["flipped"].to_numpy()[mask].sum())
    with st.container(horizontal=True, vertical_alignment="center", key="inspect_chips"):
        st.markdown(
            f"**{count:,} / {n:,}** selected · {moved:,} of them moved"
            if terms.of
            else f"**All {n:,}** samples · {moved:,} moved. Click a cell or a header, or draw round points."
        )
        for view in terms.of:
            st.button(
                terms.words(view, attacked),
                key=f"chip/{view}",
                icon=":material/close:",
                help="Take this part of the selection away",
                on_click=choose,
                args=(terms.without(view),),
            )
        if terms.of:
            st.button(
                "Clear",
                key="inspect_clear",
                type="primary",
                shortcut="Escape",
                on_click=choose,
                args=(Terms({}),),
            )


def choose(terms: Terms, boxed: bool = False) -> None:
    """Make it the selection; the matrix is drawn anew, since a browser would take a second click on a cell
    for its end.
    """
    terms.put()
    for widget in ("inspect_drawn",) if boxed else ("inspect_drawn", "inspect_boxes"):
        st.session_state[widget] = st.session_state.get(widget, 0) + 1
