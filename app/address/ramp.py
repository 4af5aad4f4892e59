"""The colour ramp of maps and matrices, chosen once for all pages."""

import streamlit as st

from app.address import links
from app.charts import palette
from app.words import _

USUAL = next(iter(palette.RAMPS))


def chosen() -> str:
    """The name of the ramp that was chosen or that the address says, else the usual one."""
    state = st.session_state
    name = str(state.get("p_ramp", state.get("address", {}).get("ramp", USUAL)))
    return name if name in palette.RAMPS else USUAL


def choose() -> None:
    """The choice."""
    key = links.key("ramp", USUAL, lambda name: name in palette.RAMPS)
    st.selectbox(_("Colours of maps and matrices"), list(palette.RAMPS), key=key, format_func=_)
