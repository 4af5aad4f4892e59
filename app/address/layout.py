"""A page's head, its two columns and its foot."""

import sys
from collections.abc import Mapping
from importlib.metadata import version

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.address import house, links, ramp
from app.address.connection import catalogue
from app.address.links import remember
from app.address.notices import show_notices
from app.components import skip
from app.components.link import copy_link
from app.components.report import report
from app.words import N_, _, browsers, languages
from engine.home import home

KEYS = N_("""
| key | what it does |
|---|---|
| Tab, Shift+Tab | next and previous control |
| ← → on a ladder | one level; with Shift five |
| Space on a ladder | play and pause |
| Home on a ladder | to the first level at which the attack succeeds |
| ← → ↑ ↓ in a grid | next sample; Enter chooses it |
| J, K on Inspect | previous and next sample |
| Escape on Inspect | clears the selection |
""")


def page_head(question: str, lead: str = "") -> None:
    """A page's title is its question, beside it the link and the keys; below it one line, and what has to be
    said first.
    """
    st.session_state["notices_told"] = []
    st.session_state["page_question"] = question
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(question, anchor=False, width="stretch")
        house.choose()
        copy_link()
        with st.popover(_("Keys, colours"), icon=":material/keyboard:"):
            st.markdown(_(KEYS))
            ramp.choose()
            _choose_language()
        skip.head()
    if lead:
        st.markdown(lead)
    st.session_state["notice_slot"] = st.container()
    for sentence in catalogue()["problems"]:
        st.session_state["notice_slot"].warning(sentence)


def _choose_language() -> None:
    """The language of the pages and the lessons; at first the browser's."""
    names = languages()
    key = links.key("lang", browsers(), lambda code: code in names)
    st.selectbox(_("Language"), list(names), key=key, format_func=names.__getitem__)


def choose_and_look() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The two columns of a page: choices at the left, evidence at the right; on a phone the evidence comes
    first.
    """
    choose, look = st.container(key="choose_look").columns([3, 9], gap="medium")
    return choose, look


def choose_tab(tabs: Mapping[str, str]) -> str:
    """One of a page's tabs (name -> title), the first at first; kept in the address."""
    return str(
        st.segmented_control(
            _("Show"),
            list(tabs),
            key=links.key("tab", next(iter(tabs)), lambda name: name in tabs),
            format_func=tabs.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
    )


def page_foot(reproduce: Mapping[str, str] | None = None) -> None:
    """The Reproduce expander and the link; writes the address and shows what the old one said wrongly."""
    remember()
    show_notices()
    versions = f"Python {sys.version.split()[0]}, torch {version('torch')}, streamlit {st.__version__}"
    report(st.session_state["page_question"], reproduce or {}, versions)
    query = "&".join(f"{name}={text}" for name, text in st.query_params.to_dict().items())
    with st.expander(_("Reproduce and share"), icon=":material/link:", key="reproduce"):
        st.caption(_("This page's address holds every choice, defaults too. Whoever opens it sees the same."))
        st.code(f"?{query}", language=None, wrap_lines=True)
        for language, text in (reproduce or {}).items():
            st.caption({"Command line": _("Command line")}.get(language, language))
            st.code(text, language="python" if language == "Python" else "bash", wrap_lines=True)
        st.caption(_("{versions} · runs in `{home}`").format(versions=versions, home=home()))
