"""What the papers say, and what is left of it here: each claim with its study, its control, its command."""

import streamlit as st

from app.address import layout, links
from app.papers.studies import every_claim

TITLE, ICON, PLACE = "Claims", "fact_check", 72
UNDER = "Papers"

layout.page_head(
    "What do the papers claim, and what is left of it?",
    "Each claim in a sentence, held against what was measured here: over seeds, beside the control that the"
    " paper lacks. The small data of these studies are stand-ins: what holds is the order, not the number.",
)
word = st.pills(
    "Show",
    every_claim.WORDS,
    key=links.key("status", every_claim.ALL, lambda name: name in every_claim.WORDS),
    label_visibility="collapsed",
    required=True,
)
every_claim.show(str(word))
layout.page_foot({})
