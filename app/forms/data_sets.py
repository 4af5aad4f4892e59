"""What has to be said of a data set before it is used."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.address import fetching, offered
from app.words import _


def about(card: Mapping[str, Any]) -> bool:
    """What has to be said of a data set under its name; whether it can be used now."""
    if card.get("obtained") and not offered.here(card):
        away = _("{title} may not be fetched.").format(title=_(card["title"]))
        st.info(f"{away} {_(card['obtained'])}", icon=":material/folder:")
        return False
    if card.get("views", 1) > 1:
        st.caption(_(card["note"]))
    name = card["name"]
    offered.offer(name, "form")
    return not fetching.fetchable(name) or fetching.is_first(name)
