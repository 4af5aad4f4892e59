"""The machine that computes: what it is, and what waits on it."""

import os
from typing import Any

import streamlit as st

from app.address import connection, notices
from app.words import _, n_
from engine.errors import FeintError


def words() -> list[str]:
    """What computes here, as the newest run recorded it; cores where there is none."""
    cards = (run.card() for run in connection.store().all() if run.status() != "broken")
    how: dict[str, Any] = next((card["how"] for card in cards if "how" in card), {})
    said = [str(how[name]) for name in ("device", "precision") if name in how]
    n = int(how.get("threads", os.cpu_count() or 1))
    threads = n_("{n} thread", "{n} threads", n).format(n=n)
    return [*said, threads] + ([f"PyTorch {how['torch']}"] if "torch" in how else [])


def show() -> None:
    """What computes here, and what waits."""
    with st.container(border=True):
        st.markdown(_("**This machine**"))
        st.caption(" · ".join(words()))
        try:
            waiting = connection.engine().queue()
        except FeintError as error:
            notices.refused(error)
            return
        at_work = sum(item["state"] == "running" for item in waiting)
        counted = _("{n} at work, {waiting} waiting.")
        st.caption(counted.format(n=at_work, waiting=len(waiting) - at_work))
