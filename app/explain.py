"""What am I seeing: equation, one sentence and source of each method on a page."""

import streamlit as st

from app.address import state
from app.forms.choose_model import Victim
from app.forms.threat import Threat


def explain(*entries: tuple[str, str]) -> None:
    """What am I seeing: equation, one sentence and source of each (kind, name)."""
    with st.expander("What am I seeing?", icon=":material/help:"):
        for kind, name in entries:
            entry = state.catalogue()[kind][name]
            st.markdown(f"**{entry['title']}** · {entry['summary']}")
            if entry["equation"]:
                st.latex(entry["equation"])
            st.caption(f"Source: {entry['source']}")
        st.markdown(
            "A ladder runs every level at once from the same random direction; along ε an attack that"
            " searches answers at each level with the best of all levels up to it. ε* is the smallest ε"
            " found, an upper bound: a better attack may need less. Flips are judged in full precision."
        )


def python_lines(victim: Victim, threat: Threat) -> str:
    """The same attack in Python."""
    return (
        "from engine.running.runner import prepare, run\n"
        f'spec = prepare("attack", "{threat.attack}", models={{"model": "{victim.name}"}},'
        f" seed={threat.seed}, changes={threat.changes()!r})\n"
        "for event in run(spec):\n    print(event)"
    )
