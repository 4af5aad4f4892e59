"""What am I seeing: the methods behind a page, with their equations and sources."""

import streamlit as st

from app.address import connection


def explain(*entries: tuple[str, str]) -> None:
    """What am I seeing: equation, one sentence and source of each (kind, name)."""
    with st.expander("What am I seeing?", icon=":material/help:"):
        for kind, name in entries:
            entry = connection.catalogue()[kind][name]
            st.markdown(f"**{entry['title']}** · {entry['summary']}")
            if entry["equation"]:
                st.latex(entry["equation"])
            st.caption(f"Source: {entry['source']}")
        st.markdown(
            "A ladder runs every level at once from the same random direction; along ε an attack that"
            " searches answers at each level with the best of all levels up to it. ε* is the smallest ε"
            " found that succeeds, an upper bound: a better attack may need less. Success is judged in full"
            " precision, by what the objective calls it."
        )
