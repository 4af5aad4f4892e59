"""The first numbers of an attack."""

import streamlit as st

from app import measured
from app.inspect.finished_attack import FinishedAttack
from app.words import _


def show(attacked: FinishedAttack) -> None:
    """The measured numbers with intervals, their protocol, and the doubts that the engine has."""
    result = attacked.result
    with st.container(horizontal=True, gap="small"):
        for name, entry in measured.headlines(result).items():
            low, high = result.get(f"{name}_low"), result.get(f"{name}_high")
            interval = "" if low is None else " " + _("Below: 95 % Wilson interval.")
            st.metric(
                _(entry["title"]),
                measured.written(entry, result[name]),
                None if low is None else f"{low:.2f} – {high:.2f}",
                delta_color="off",
                delta_arrow="off",
                width="content",
                help=f"{_(entry['summary'])} {attacked.protocol()}.{interval}",
            )
    st.caption(attacked.protocol())
    for sentence in result.get("doubts", ()):
        st.warning(sentence)
