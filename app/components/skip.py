"""A link for the keyboard from a page's head to its ladder, seen while it has the focus."""

import streamlit as st

from app.words import _

LINK = """<style>
.feint-skip { position: absolute; right: 0; top: -2.2rem; padding: 0.3rem 0.75rem; z-index: 10; opacity: 0;
  pointer-events: none; white-space: nowrap; border-radius: 0.5rem; color: #fff !important;
  background: var(--st-primary-color, #0072B2); }
.feint-skip:focus { opacity: 1; pointer-events: auto; }
</style><a class="feint-skip" href="#to-ladder" target="_self">WORDS</a>"""
PLACE = '<div id="to-ladder" tabindex="-1"></div>'


def head() -> None:
    """Keep the place of the link in a page's head; it stays empty where no ladder follows."""
    st.session_state["skip_slot"] = st.container(width="content")


def to_ladder() -> None:
    """Draw the link, and where it leads: what is drawn next."""
    if "skip_slot" in st.session_state:
        st.session_state["skip_slot"].html(LINK.replace("WORDS", _("Skip to the ladder")))
        st.html(PLACE)
