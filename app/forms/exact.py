"""A field for an exact number beside a slider, which holds the value."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.address import links
from app.words import _

WIDTH = 96
"""Pixels of the field."""


def field(label: str, key: str, step: float, wrong: Callable[[Any], str | None]) -> None:
    """Draw the field of the slider with this key; `wrong` gives the sentence against a number, or None."""
    exact = f"{key}/exact"
    st.session_state[exact] = st.session_state[key]
    st.number_input(
        _("{label}, exactly").format(label=label),
        step=step,
        format="%d" if isinstance(step, int) else "%g",
        key=exact,
        on_change=_take,
        args=(key, wrong),
        label_visibility="collapsed",
        width=WIDTH,
    )


def _take(key: str, wrong: Callable[[Any], str | None]) -> None:
    """Take the number that was written; one that is refused is told, and changes nothing."""
    if links.left(f"{key}/exact"):
        return
    wanted = st.session_state[f"{key}/exact"]
    sentence = _("Write a number.") if wanted is None else wrong(wanted)
    if sentence is None:
        st.session_state[key] = wanted
    else:
        st.toast(sentence)
