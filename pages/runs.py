"""Runs: what is here, what is it doing? One's own and the zoo: open, resume, pause, stop, delete."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app import take_away
from app.address import layout, links
from app.runs import cards, naming, this_machine
from app.runs.rows import as_table, listed
from app.words import N_, _

TITLE, ICON, PLACE = "Runs", "list", 80
UNDER = "Yours"

PAGE = 10


TITLES = naming.STATUSES | {
    "mine": N_("my own"),
    "train": N_("trainings"),
    "attack": N_("attacks"),
    "sweep": N_("sweeps"),
    "study": N_("studies"),
    "pairs": N_("pairs"),
    "unreadable": N_("unreadable"),
}
"""What a filter calls a place, a kind or a status that has a plainer name."""


def several(
    draw: Callable[..., Any], label: str, name: str, options: Sequence[str], default: str = ""
) -> list[str]:
    """Any number of options, which the address holds as words with commas between them."""
    text, key = links.value(name, default), f"runs_{name}"
    asked = text.split(",") if st.session_state.get(f"{key}/written") != text else st.session_state[key]
    st.session_state[key] = [option for option in asked if option in options]
    chosen: list[str] = draw(
        label,
        options,
        key=key,
        selection_mode="multi",
        format_func=lambda option: _(TITLES.get(option, option)),
    )
    st.session_state[f"{key}/written"] = ",".join(chosen)
    links.put(name, ",".join(chosen))
    return chosen


layout.page_head(
    _("Which runs are here, and what are they doing?"),
    _(
        "Everything that takes time is a run: a folder with its settings, curves and result. Nothing is lost"
        " with the browser."
    ),
)
left, right = st.columns([3, 9], gap="large")
rows = listed()

with left:
    sought = st.text_input(
        _("Search"),
        placeholder=_("adec, digits, a key…"),
        key=links.key("find", ""),
        icon=":material/search:",
        live=True,
    )
    places = several(st.segmented_control, _("Where from"), "place", ["mine", "zoo"], "mine,zoo")
    kinds = several(st.pills, _("What"), "what", sorted({row.what for row in rows}))
    states = several(st.pills, _("Status"), "status", sorted({row.status for row in rows}))
    this_machine.show()

found = [
    row
    for row in rows
    if sought.lower() in row.words
    and (not places or row.place in places)
    and (not kinds or row.what in kinds)
    and (not states or row.status in states)
]

with right:
    busy = sum(row.lives for row in rows)
    counted = _("{n} of {all} runs") if not busy else _("{n} of {all} runs · {busy} at work or waiting")
    st.caption(counted.format(n=len(found), all=len(rows), busy=busy))
    if not rows:
        st.info(
            _("No run is here yet. Train a model or launch an attack, and it appears here."),
            icon=":material/list:",
        )
    elif not found:
        st.info(_("No run fits. Clear the search and the filters."), icon=":material/filter_alt_off:")
    count = max(1, -(-len(found) // PAGE))
    page = st.pagination(count, key=f"runs_page/{count}") if count > 1 else 1
    cards.show([row.name for row in found[(page - 1) * PAGE : page * PAGE]])
    if found:
        take_away.below(as_table(found), "feint-runs", "runs_list")

layout.page_foot({"Command line": "python3 -m engine runs"})
