"""Data that are not here are offered: how large they are, a button that fetches them, how far that is, or why
they cannot be had.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.address import fetching, notices
from app.words import _
from engine.data.listing import owners

TICK = 1.0
"""Seconds between looks at a fetch."""


def here(card: Mapping[str, Any]) -> bool:
    """Whether a data set loads without a network, looked at now: it may have come since the catalogue was
    read.
    """
    known = owners().get(card["name"])
    return bool(card.get("here", True) or known is not None and known.whereabouts() is not None)


def called(card: Mapping[str, Any]) -> str:
    """A data set in a list, with what is to be fetched for it."""
    title = _(str(card.get("title", card["name"])))
    if here(card):
        return title
    if card.get("obtained"):
        return _("{title} · from a folder of your own").format(title=title)
    return _("{title} · {size:.0f} MB to fetch").format(title=title, size=card.get("download", 0) / 1e6)


def offer(data: str, place: str) -> None:
    """What is to be said and done about data that are not here; nothing where they are, or where nobody has
    them. `place` is where on the page this stands.
    """
    if not fetching.fetchable(data):
        return
    away, fetch = fetching.about(data), _("Fetch {size:.0f} MB").format(size=fetching.megabytes(data))
    if away is not None and away.coming:
        bar(data)
        return
    if away is not None:
        st.caption(notices.plain(f"{_('It could not be fetched.')} {fetching.why(data)}"))
    st.button(
        fetch if away is None else _("Fetch it again"),
        icon=":material/download:" if away is None else ":material/refresh:",
        key=f"fetch/{place}/{data}",
        on_click=fetching.fetch,
        args=(data,),
        help=_("In the background, once for everybody who uses this server; pages go on meanwhile."),
    )


def bar(data: str) -> None:
    """How far a fetch is, until it has ended: then the whole page is drawn anew."""
    st.fragment(_bar, run_every=TICK)(data)


def _bar(data: str) -> None:
    away = fetching.about(data)
    if away is None or not away.coming:
        st.rerun()
    share, size = fetching.part(data), fetching.megabytes(data)
    st.progress(share, _("{here:.0f} of {size:.0f} MB are here").format(here=share * size, size=size))
