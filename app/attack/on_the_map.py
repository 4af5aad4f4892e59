"""A ladder's trail on the map of the embedding: PCA at once, UMAP when it is there."""

from typing import Any

import numpy as np
import streamlit as st

from app.address import connection, fetching, links, notices
from app.components.ladder import Drawing, Place
from app.forms import possible
from app.forms.choose_model import Victim
from app.words import N_, _
from engine.asking import keeping
from engine.asking.answers import LadderAnswer
from engine.asking.questions import LadderQuestion, PlaceOnUmapQuestion, Question

UMAP_COMES = N_("{map} (UMAP is being made)")
UMAP_NEEDS = N_("{map} (UMAP needs the data, which are not here yet)")
"""What stands beside the PCA while there is no UMAP."""


def drawing(
    victim: Victim, objective: str, answer: LadderAnswer, question: LadderQuestion | None = None
) -> Drawing:
    """What a ladder draws: its answer with the points behind its trail. On the UMAP where the `question` is
    given and both are there already, else on the PCA; none for a model without an embedding.
    """
    place = None
    if answer.xy is not None and answer.xy_clean is not None:
        name = _(N_("PCA of the embedding") if answer.map_name == "PCA of z" else answer.map_name)
        if question is not None:
            here = fetching.here(victim.run.spec.data)
            name = _(UMAP_COMES if here else UMAP_NEEDS).format(map=name)
        place = (_on_umap(victim, question) if question is not None else None) or Place(
            name,
            _background(victim),
            answer.xy,
            answer.xy_clean,
            answer.xy_error,
            victim.overview.group,
        )
    effect = _(str(possible.entry("objective", objective).get("effect") or "{value}"))
    said = effect.replace("{value}", "…")
    return Drawing(answer, place, victim.grouping, said, victim.colours, victim.features)


def umap_toggle(victim: Victim) -> bool:
    """Whether a person wants the UMAP; not asked of a model without an embedding."""
    if victim.overview.xy is None:
        return False
    return st.toggle(
        "UMAP",
        key=links.key("umap", True),
        help=_("Until a sample has been placed on the UMAP, its PCA is shown."),
    )


def place_on_umap(question: LadderQuestion) -> None:
    """Last on a page, when all else is drawn: place a ladder on the UMAP where it is not yet, and draw
    again.
    """
    placed = PlaceOnUmapQuestion(ladder=question)
    questions: tuple[Question[Any], ...] = (placed.umap, placed)
    missing = [asked for asked in questions if keeping.kept(asked) is None]
    for asked in missing:
        connection.ask(
            asked,
            _("Placing it on the UMAP; the first time takes up to a minute, and nothing waits for it…"),
        )
    if missing:
        notices.draw_again()


def _on_umap(victim: Victim, question: LadderQuestion) -> Place | None:
    """The ladder's place on the UMAP, where it was computed before."""
    asked = PlaceOnUmapQuestion(ladder=question)
    whole, placed = keeping.kept(asked.umap), keeping.kept(asked)
    if whole is None or placed is None:
        return None
    return Place(
        _("UMAP of the embedding"),
        whole.xy,
        placed.xy,
        placed.xy_clean,
        placed.xy_error,
        victim.overview.group,
    )


def _background(victim: Victim) -> np.ndarray:
    """(n, 2): every clean sample on the PCA."""
    return np.empty((0, 2)) if victim.overview.xy is None else victim.overview.xy
