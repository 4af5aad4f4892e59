"""Data sets in a list, and what has to be said of one before it is used."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.data.listing import owners


def title(card: Mapping[str, Any]) -> str:
    """A data set in a list, with what its first use fetches."""
    away = (
        ""
        if here(card)
        else (
            " · from a folder of your own"
            if card.get("obtained")
            else f" · fetched at first use ({card.get('download', 0) / 1e6:.0f} MB)"
        )
    )
    return f"{card.get('title', card['name'])}{away}"


def here(card: Mapping[str, Any]) -> bool:
    """Whether a data set loads without a network, looked at now: it may have come since the catalogue was
    read.
    """
    known = owners().get(card["name"])
    return bool(card.get("here", True) or known is not None and known.whereabouts() is not None)


def about(card: Mapping[str, Any]) -> bool:
    """What has to be said of a data set under its name; whether it can be used now."""
    if card.get("obtained") and not card.get("here", True):
        st.info(f"{card['title']} may not be fetched. {card['obtained']}", icon=":material/folder:")
        return False
    if card.get("views", 1) > 1:
        st.caption(card["note"])
    return True
