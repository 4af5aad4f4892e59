"""Sentences under a page's title: what a link said wrongly, what an engine refused."""

import re

import streamlit as st

from engine.errors import FeintError

MARKUP = re.compile(r"[\\`*\[\]<$~|&]|\b_|_\b|(?<!\w)_")
ADDRESS = re.compile(r"(?=://|@)|(?<=www)(?=\.)", re.IGNORECASE)


def notice(sentence: str) -> None:
    """Keep a sentence to be shown under the page's title."""
    kept = st.session_state.setdefault("notices", [])
    if sentence not in kept:
        kept.append(sentence)


def show_notices() -> None:
    """Show what was kept, once, under the page's title."""
    for sentence in st.session_state.pop("notices", []):
        st.session_state["notice_slot"].warning(plain(sentence))
        st.session_state.setdefault("notices_told", []).append(sentence)


def draw_again() -> None:
    """Run the page once more, with the sentences that it has just told."""
    st.session_state["notices"] = st.session_state.get("notices_told", [])
    st.rerun()


def refused(error: FeintError) -> None:
    """An engine's sentence on the page, instead of a traceback."""
    st.error(plain(str(error)))


def plain(sentence: str) -> str:
    """Text as Markdown that shows it as it is: a sentence may repeat what a link said, and that is no markup.

    Only a joiner, which has no width, keeps an address from becoming a link: escapes are undone before those
    are looked for.
    """
    escaped = MARKUP.sub(r"\\\g<0>", " ".join(sentence.split()))
    return ADDRESS.sub("\u2060", escaped)
