"""What became of the paper's criterion for contrastive encoders: as published it is a constant, here it is
repaired.
"""

import math

import streamlit as st

from app.runs import headline
from app.words import _

MODEL, OBJECTIVE = "simclr", "keep_contrast"
EXAMPLE = {"model": "digits/simclr", "attack": "pgd", "objective": OBJECTIVE, "tab": "epsilon"}
PUBLISHED = 2 * math.log(99)
"""The published loss: each of 50 pairs, all of one picture, among 99 that are as near, both ways."""


def show() -> None:
    """What is asked of a contrastive encoder, and where the repaired criterion is seen to move."""
    said = _(
        "Of contrastive encoders the paper asks that x + δ be told from others as well as x. As published"
        " that criterion is constant: its views are drawn without any augmentation, so that all are one"
        " picture, its loss is 2 log 99 = {constant} nats whatever δ is, and every δ succeeds. Here the"
        " repaired one is used: the same random views of x and x + δ, among views of others."
    )
    st.caption(said.format(constant=f"{PUBLISHED:.3f}"))
    headline.link("attack", _("See the repaired loss move"), "bolt", EXAMPLE)
