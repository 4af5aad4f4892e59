"""One sample that slides from its own centroid towards a neighbour, along ε: place, clusters and nearest
pictures move with the hand.
"""

from dataclasses import replace

import numpy as np
import streamlit as st

from app.address import connection, fetching
from app.attack import levels, on_the_map, takeaway
from app.components.ladder import Drawing, Near
from app.forms.choose_model import Victim
from app.forms.threat import Threat
from app.words import _
from engine.asking.answers import LadderAnswer
from engine.asking.questions import ImagesQuestion, LadderQuestion


def asked(victim: Victim, threat: Threat, sample: int) -> tuple[LadderQuestion, LadderAnswer]:
    """The ladder of a sample, and its answer."""
    question = threat.ladder(victim.run.key, sample, levels.axis(threat, "epsilon"))
    return question, connection.ask(question, _("Sliding it towards the neighbour…"))


def centroids(answer: LadderAnswer, n: int) -> tuple[int, int]:
    """The clusters of the nearest and of the n-th nearest centroid to the clean sample."""
    assert answer.q_clean is not None, "an encoder with centroids clusters"
    order = np.argsort(-answer.q_clean, kind="stable")
    return int(order[0]), int(order[min(n, len(order)) - 1])


def show(victim: Victim, threat: Threat, answer: LadderAnswer, own: int, neighbour: int) -> int:
    """The sentence and the ladder; the level where it stands."""
    takeaway.show(victim, threat.objective, answer)
    drawing = on_the_map.drawing(victim, threat.objective, answer)
    return levels.drawn(_with_centroids(drawing, victim, answer, own, neighbour), "contrastive")


def _with_centroids(
    drawing: Drawing, victim: Victim, answer: LadderAnswer, own: int, neighbour: int
) -> Drawing:
    """The drawing with both centroids on its map, and with who is near at each level where pictures are
    here.
    """
    xy, place = victim.overview.centroid_xy, drawing.place
    if xy is not None and place is not None:
        place = replace(place, marks=[(group, xy[group]) for group in (own, neighbour)])
    return replace(drawing, place=place, near=_near(victim, answer))


def _near(victim: Victim, answer: LadderAnswer) -> Near | None:
    if answer.near is None or answer.near_clean is None:
        return None
    every = ImagesQuestion.around(victim.run.spec, answer.near_clean.tolist(), answer.near)
    try:
        images = connection.ask(every).images
    except fetching.DataAway as away:
        st.caption(str(away))
        return None
    places = np.asarray(every.ids)
    return Near(images, np.searchsorted(places, answer.near_clean), np.searchsorted(places, answer.near))
