"""What am I seeing: the methods behind a page, with their equations and sources."""

import streamlit as st

from app.address import connection
from app.words import _


def explain(*entries: tuple[str, str]) -> None:
    """What am I seeing: equation, one sentence and source of each (kind, name)."""
    with st.expander(_("What am I seeing?"), icon=":material/help:"):
        for kind, name in entries:
            entry = connection.catalogue()[kind][name]
            st.markdown(f"**{_(entry['title'])}** · {_(entry['summary'])}")
            if entry["equation"]:
                st.latex(entry["equation"])
            st.caption(_("Source: {source}").format(source=entry["source"]))
        st.markdown(
            _(
                "A ladder runs every level at once from the same random direction; along ε an attack that"
                " searches answers at each level with the best of all levels up to it. ε* is the smallest ε"
                " found that succeeds, an upper bound: a better attack may need less. Success is judged in"
                " full precision, by what the objective calls it."
            )
        )
