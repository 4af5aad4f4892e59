"""Runs: what is here, what is it doing? One's own and the zoo: open, resume, pause, stop, delete."""

import streamlit as st

from app import launching, live, state

PAGE = 10

state.page_head("Which runs are here, and what are they doing?",
                "Everything that takes time is a run: a folder that keeps its settings, its curves and its result. Nothing is lost when the browser closes.")
left, right = st.columns([3, 9], gap="large")
rows = launching.listed()

with left:
    sought = st.text_input("Search", placeholder="adec, digits, a key…", key="runs_sought", icon=":material/search:", live=True, persist_state="session")
    where = st.segmented_control("Where from", ["mine", "zoo"], key="runs_where", selection_mode="multi", default=["mine", "zoo"], persist_state="session")
    kinds = sorted({row["what"] for row in rows})
    what = st.pills("What", kinds, key="runs_what", selection_mode="multi", persist_state="session") if len(kinds) > 1 else []
    states = sorted({row["status"] for row in rows})
    wanted = st.pills("Status", states, key="runs_status", selection_mode="multi", persist_state="session") if len(states) > 1 else []
    live.system_card()

found = [row for row in rows if sought.lower() in row["words"] and row["from"] in where and (not what or row["what"] in what) and (not wanted or row["status"] in wanted)]

with right:
    pages = max(1, -(-len(found) // PAGE))
    st.caption(f"{len(found)} of {len(rows)} runs" + (f" · {sum(row['lives'] for row in rows)} at work" if any(row["lives"] for row in rows) else ""))
    page = st.pagination(pages, key="runs_page") if pages > 1 else 1
    if not rows:
        st.info("No run is here yet. Train a model, or launch an attack, and it appears here.", icon=":material/list:")
    elif not found:
        st.info("No run fits. Clear the search and the filters on the left.", icon=":material/filter_alt_off:")
    live.cards([row["name"] for row in found[(page - 1) * PAGE : page * PAGE]])
    if found:
        st.download_button("This list as CSV", launching.as_csv(found), "feint-runs.csv", "text/csv", icon=":material/download:")

state.page_foot({"Command line": "python3 -m engine runs"})
