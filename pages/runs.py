"""Runs: what is here, what is it doing? One's own and the zoo: open, resume, pause, stop, delete."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.address import layout, links
from app.runs import cards, this_machine
from app.runs.rows import as_csv, listed

TITLE, ICON, PLACE = "Runs", "list", 80
UNDER = "Yours"

PAGE = 10


TITLES = {
    "mine": "my own",
    "zoo": "from the zoo",
    "train": "trainings",
    "attack": "attacks",
    "sweep": "sweeps",
    "study": "studies",
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
        label, options, key=key, selection_mode="multi", format_func=lambda option: TITLES.get(option, option)
    )
    st.session_state[f"{key}/written"] = ",".join(chosen)
    links.put(name, ",".join(chosen))
    return chosen


layout.page_head(
    "Which runs are here, and what are they doing?",
    "Everything that takes time is a run: a folder with its settings, curves and result. Nothing is lost with"
    " the browser.",
)
left, right = st.columns([3, 9], gap="large")
rows = listed()

with left:
    sought = st.text_input(
        "Search",
        placeholder="adec, digits, a key…",
        key=links.key("find", ""),
        icon=":material/search:",
        live=True,
    )
    places = several(st.segmented_control, "Where from", "place", ["mine", "zoo"], "mine,zoo")
    kinds = several(st.pills, "What", "what", sorted({row.what for row in rows}))
    states = several(st.pills, "Status", "status", sorted({row.status for row in rows}))
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
    st.caption(f"{len(found)} of {len(rows)} runs" + (f" · {busy} at work or waiting" if busy else ""))
    if not rows:
        st.info(
            "No run is here yet. Train a model or launch an attack, and it appears here.",
            icon=":material/list:",
        )
    elif not found:
        st.info("No run fits. Clear the search and the filters.", icon=":material/filter_alt_off:")
    count = max(1, -(-len(found) // PAGE))
    page = st.pagination(count, key=f"runs_page/{count}") if count > 1 else 1
    cards.show([row.name for row in found[(page - 1) * PAGE : page * PAGE]])
    if found:
        st.download_button(
            "This list as CSV",
            as_csv(found),
            "feint-runs.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )

layout.page_foot({"Command line": "python3 -m engine runs"})
