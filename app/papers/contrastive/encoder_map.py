"""The map of an encoder: every sample by the direction of its embedding, each cluster by its centroid with
the picture nearest to it; and the pictures nearest to two of the centroids.
"""

from typing import Any

import numpy as np
import streamlit as st

from app import gallery
from app.address import connection, fetching, links
from app.components.map import Classes, MapDrawing, Marks, map_payload, point_map
from app.components.picker import picker
from app.forms.choose_model import Victim
from app.papers.contrastive.choose import PAGE
from app.words import N_, _
from engine.asking.questions import ImagesQuestion

SIZE = 44


def show(victim: Victim, sample: int, own: int, neighbour: int) -> None:
    """The map; a click on a point chooses its sample."""
    seen = victim.overview
    assert seen.xy is not None and seen.group is not None and seen.centroid_xy is not None, "it compares"
    order = victim.order
    shown = np.argsort(order)
    names, places = [victim.names[group] for group in order], [victim.colours[group] for group in order]
    colour = Classes(_("cluster"), shown[seen.group], names, places=places)
    labels = [] if seen.label is None else [Classes(_("label"), seen.label, seen.class_names)]
    drawing = MapDrawing(
        xy=seen.xy,
        colour=colour,
        title=_("What the encoder takes for alike"),
        caption=_(
            "PCA of the embedding's directions; framed pictures stand at the centroids. Line: to the sample's"
            " own centroid; dashed: to the neighbour. Distances on a plane are less than the whole truth."
        ),
        extra=labels,
        sprite=_sheet(victim),
        focus=sample,
        marks=Marks(
            seen.centroid_xy,
            None if seen.medoid_images is None else seen.medoid_images.reshape(-1, *victim.shape),
            [int(shown[group]) for group in range(len(names))],
            solid=(own,),
            dashed=(neighbour,),
        ),
    )
    picked = point_map(map_payload(drawing), key=f"contrastive_map/{victim.run.key}")
    if picked.point is not None and picked.point != sample:
        links.go(PAGE, {"sample": picked.point})


def exemplars(victim: Victim, own: int, neighbour: int) -> None:
    """The samples nearest to the own centroid and to the neighbour's."""
    near = victim.overview.exemplars
    assert near is not None, "asked of encoders that compare"
    ids = np.unique(near)
    try:
        images = connection.ask(ImagesQuestion.of(victim.run.spec, ids.tolist())).images
    except fetching.DataAway as away:
        st.caption(str(away))
        return
    label, classes = victim.overview.label, victim.overview.class_names
    both = ((own, N_("Nearest to its own centroid")), (neighbour, N_("Nearest to the neighbour's")))
    for column, (group, title) in zip(st.columns(2), both, strict=True):
        row = near[group]
        with column:
            below = "" if label is None else "; " + _("below each its label")
            st.caption(f"{_(title)}, **{victim.names[group]}**{below}")
            clicked = picker(
                images[np.searchsorted(ids, row)],
                victim.shape,
                row.tolist(),
                [] if label is None else [classes[label[number]] for number in row],
                f"exemplars/{title}",
                label=_(title),
                size=SIZE,
            )
        if clicked is not None:
            links.go(PAGE, {"sample": clicked})


def _sheet(victim: Victim) -> dict[str, Any] | None:
    """Pictures for the hover cards: of the samples nearest to the centroids, where they are here."""
    near = victim.overview.exemplars
    if near is None or len(victim.shape) != 3:
        return None
    ids = np.unique(near)
    try:
        images = connection.ask(ImagesQuestion.of(victim.run.spec, ids.tolist())).images
    except fetching.DataAway:
        return None
    return gallery.sprite_sheet(images.reshape(len(ids), *victim.shape), ids)
