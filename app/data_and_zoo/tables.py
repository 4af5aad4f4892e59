"""Data sets and trained models as tables that can be searched and sorted, one row of which is looked at."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app import take_away
from app.address import links
from app.data_and_zoo import rows
from app.words import N_, _

LISTED = N_("your own first")
"""The order in which rows come."""
HEIGHT = 10
"""Rows that are seen at once."""


def choose(
    kind: str, found: Sequence[rows.Row], first: str, formats: dict[str, Any], counted: str
) -> str | None:
    """The name of one of these rows, chosen from the table or from a list; None where none fits. `counted`
    says how many of all fit.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = st.text_input(
            _("Search"),
            key=links.key("find", ""),
            icon=":material/search:",
            live=True,
            placeholder=_("any word"),
        )
        columns = [LISTED, *(found[0].shown if found else ())]
        by = st.selectbox(
            _("Sort by"),
            columns,
            key=links.key("order_by", columns[0], lambda name: name in columns),
            format_func=lambda name: _column(str(name)),
        )
    fitting = [row for row in found if all(word in row.words for word in sought.lower().split())]
    st.caption(counted.format(n=len(fitting), all=len(found)))
    if not fitting:
        st.info(_("None fits. Clear the search."), icon=":material/filter_alt_off:")
        return None
    if by != LISTED:
        fitting.sort(key=lambda row: _order(row.shown[by]))
    names = [row.name for row in fitting]
    table = f"table/{kind}/{sought}/{by}"

    def clicked() -> None:
        picked = st.session_state[table]["selection"]["rows"]
        if picked:
            links.put("which", names[picked[0]])

    frame = pd.DataFrame([row.shown for row in fitting]).rename(columns=_column)
    st.dataframe(
        frame,
        key=table,
        hide_index=True,
        height=36 * (min(len(fitting), HEIGHT) + 1),
        column_config={_column(name): how for name, how in formats.items()},
        placeholder="–",
        on_select=clicked,
        selection_mode="single-row",
    )
    take_away.below(frame, f"feint-{kind}", table)
    titles = {row.name: row.title for row in fitting}
    usual = first if first in titles else names[0]
    if st.session_state["address"].get("which") not in (None, *titles):
        links.forget("which")
    return str(
        st.selectbox(
            _("Card of"),
            names,
            key=links.key("which", usual, lambda name: name in titles),
            format_func=titles.__getitem__,
            help=_("Or press on a row of the table."),
        )
    )


def _column(name: str) -> str:
    return _(rows.COLUMNS.get(name, name))


def _order(value: Any) -> tuple[bool, bool, Any]:
    """Numbers from the greatest, words from A, what is missing last."""
    missing = value is None or value == ""
    number = isinstance(value, int | float)
    return missing, not number, 0 if missing else -value if number else str(value).lower()
