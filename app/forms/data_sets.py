"""What has to be said of a data set before it is used."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.address import fetching, offered


def about(card: Mapping[str, Any]) -> bool:
    """What has to be said of a data set under its name; whether it can be used now."""
    if card.get("obtained") and not offered.here(card):
        st.info(f"{card['title']} may not be fetched. {card['obtained']}", icon=":material/folder:")
        return False
    if card.get("views", 1) > 1:
        st.caption(card["note"])
    name = card["name"]
    offered.offer(name, "form")
    return not fetching.fetchable(name) or fetching.is_first(name)
