"""What the papers say, and what is left of it here: each claim with its study, its control, its command."""

import streamlit as st

from app.address import layout, links
from app.papers.studies import every_claim
from app.words import _

TITLE, ICON, PLACE = "Claims", "fact_check", 72
UNDER = "Papers"

layout.page_head(
    _("What do the papers claim, and what is left of it?"),
    _(
        "Each claim in a sentence, held against what was measured here: over seeds, beside the control that"
        " the paper lacks. The small data of these studies are stand-ins: what holds is the order, not the"
        " number."
    ),
)
word = st.pills(
    _("Show"),
    every_claim.WORDS,
    key=links.key("status", every_claim.ALL, lambda name: name in every_claim.WORDS),
    label_visibility="collapsed",
    required=True,
    format_func=_,
)
titles = every_claim.papers()
paper = st.pills(
    _("Paper"),
    titles,
    key=links.key("paper", every_claim.ALL, lambda name: name in titles),
    label_visibility="collapsed",
    required=True,
    format_func=titles.__getitem__,
)
commands = every_claim.show(str(word), str(paper))
layout.page_foot({"Command line": "\n".join(commands)} if commands else {})
