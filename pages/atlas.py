"""Atlas: striking attacks on the models that ship, chosen by measured rules."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.address import layout
from app.atlas import along_training, choose, show
from app.words import _

TITLE, ICON, PLACE = "Atlas", "photo_library", 7
BESIDE = 2
"""Cards side by side."""

layout.page_head(
    _("Which attacks are the most striking?"),
    _(
        "Nobody picked these by eye: each is the extreme of a measured rule, among the first samples of every"
        " model that ships."
    ),
)
atlas = choose.opened()
if atlas is not None:
    chosen = choose.cases(atlas)
    st.caption(_("{n} of {total} cases").format(n=len(chosen), total=len(atlas.cases)))
    columns: list[DeltaGenerator] = []
    for place in chosen:
        columns = columns or st.columns(BESIDE, gap="medium")
        with columns.pop(0):
            show.card(atlas, place)
along_training.show()
layout.page_foot({"Command line": show.command()})
