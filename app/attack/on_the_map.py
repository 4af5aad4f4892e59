"""A ladder's trail on the map of the embedding: PCA at once, UMAP when it is there."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.address import state
from app.forms.choose_model import Victim
from engine.asking import legacy as answers
from engine.asking.answers import Answer


def with_map(
    victim: Victim, question: Mapping[str, Any], answer: Answer, umap: bool = True
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The answer with the points behind its trail: UMAP where both places are there already, else PCA."""
    places, moved = (answers.kept(asked) if umap else None for asked in _umap_of(victim, question))
    cluster = victim.overview.arrays["cluster"]
    if places is not None and moved is not None:
        arrays = answer.arrays | moved.arrays | {"map_xy": places.arrays["xy"], "map_cluster": cluster}
        return answer.json | {"map_name": "UMAP of the embedding"}, arrays
    arrays = answer.arrays | {"map_xy": victim.overview.arrays["xy"], "map_cluster": cluster}
    return answer.json | {"map_name": "PCA of the embedding"}, arrays


def _umap_of(victim: Victim, question: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The questions of a model's UMAP and of a ladder's places on it."""
    return {"ask": "umap", "model": victim.run.key, "seed": 0}, {
        "ask": "place",
        "model": victim.run.key,
        "ladder": dict(question),
    }


def place_on_umap(victim: Victim, question: Mapping[str, Any]) -> None:
    """Last on a page, when all else is drawn: place a ladder on the UMAP where it is not yet, and
    draw again.
    """
    missing = [asked for asked in _umap_of(victim, question) if answers.kept(asked) is None]
    for asked in missing:
        state.ask(
            asked,
            "Placing it on the UMAP; the first time takes up to a minute, and nothing waits for it…",
            timeout=600,
        )
    if missing:
        state.draw_again()
