"""What is decoded from clean and from attacked embeddings of the same samples."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.address import links
from app.components.picker import picker
from app.papers.robust.attacked import Attacked
from app.papers.robust.networks import PAGE
from app.words import _


def pictures(attacked: Attacked, ids: Sequence[int], chosen: int, key: str) -> None:
    """Pictures of these samples with their clusters, clean and attacked; a click chooses one. Nothing for
    samples that are no pictures.
    """
    if len(attacked.victim.shape) != 3:
        return
    known = [attacked.sample(number) for number in ids]
    before = [int(one.q_clean.argmax()) for one in known]
    after = [int(one.q.argmax()) for one in known]
    flips = [old != new for old, new in zip(before, after, strict=True)]
    rows = (
        (_("Decoded, clean"), [one.recon_clean for one in known], before, [False] * len(known)),
        (_("Decoded, attacked: a corner marks another cluster"), [one.recon for one in known], after, flips),
    )
    for place, (title, images, clusters, marked) in enumerate(rows):
        st.caption(title)
        clicked = picker(
            np.stack(images),
            attacked.victim.shape,
            ids,
            [attacked.names[cluster] for cluster in clusters],
            f"{key}/decoded{place}",
            chosen=chosen,
            marked=marked,
            label=title,
            size=44,
        )
        if clicked is not None and clicked != chosen:
            links.go(PAGE, {"sample": clicked})  # its widget stands above, and is drawn already
