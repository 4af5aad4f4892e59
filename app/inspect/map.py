"""Every attacked sample on the map, clean and attacked; a lasso or the legend selects, a click opens."""

from typing import Any

import numpy as np
import streamlit as st

from app import gallery
from app.address import state
from app.components.map import Classes, Values, map_payload, point_map
from app.inspect.finished_attack import FinishedAttack
from app.inspect.selection import Terms, choose
from engine.asking.answers import Answer

COLOURS = {"label": "Label", "cluster": "Cluster", "margin": "Margin", "flipped": "Flipped"}


ARROWS = 120
"""Arrows drawn while nothing is selected."""


SHEET = 1000
"""Samples up to which the map's hover cards carry pictures."""


def show(attacked: FinishedAttack, terms: Terms, mask: np.ndarray, sample: int) -> None:
    """Every attacked sample, clean and attacked; a lasso or the legend selects, a click opens."""
    options = [name for name in COLOURS if name != "label" or attacked.labelled]
    with st.container(horizontal=True):
        key = state.key("colour", "cluster", lambda name: name in options)
        colour = str(
            st.segmented_control(
                "Colour",
                options,
                key=key,
                format_func=COLOURS.__getitem__,
                required=True,
                label_visibility="collapsed",
            )
        )
        umap = st.toggle(
            "UMAP",
            key=state.key("umap", False),
            help=(
                "PCA is there at once. UMAP takes up to a minute the first time in a session, then it is"
                " kept."
            ),
        )
    moved, name, error = _places(attacked, umap)
    flipped = np.flatnonzero(attacked.table["flipped"].to_numpy())
    shown = flipped[:: -(-len(flipped) // ARROWS) or 1]
    payload = map_payload(
        moved.arrays["xy_clean"],
        _colour(attacked, colour),
        ids=attacked.ids,
        xy_attacked=moved.arrays["xy"],
        uncertain=attacked.moved.arrays["uncertain"],
        arrows=shown,
        sprite=_sheet(attacked),
        selected=attacked.ids[mask] if terms.of else None,
        focus=sample,
        title=f"{name} of the embedding",
        xy_error=error,
        extra=_extra(attacked),
        caption=f"{_legend(attacked, len(shown), len(flipped), umap)} {attacked.protocol()}",
    )
    key = f"inspect_map/{attacked.run.key}/{umap}"
    picked = point_map(payload, key=key, on_selection=lambda: _lassoed(key))
    if picked.point is not None and picked.point != sample:
        state.put("sample", picked.point)
        st.rerun()


def _legend(attacked: FinishedAttack, shown: int, flipped: int, umap: bool) -> str:
    grey = "; grey ones are shorter than the error of this map" if umap else ""
    return (
        f"Arrows: {shown} of {flipped} that moved to another cluster{grey}. Rings:"
        f" {attacked.moved.json['uncertain']} attacked samples lie farther from every clean one than 99 % of"
        " these do from theirs, so their place says little."
    )


def _lassoed(name: str) -> None:
    selection = st.session_state[name].get("selection")
    choose(Terms.read().with_("map", selection) if selection else Terms({}))


def _places(attacked: FinishedAttack, umap: bool) -> tuple[Answer, str, float]:
    if not umap:
        return attacked.moved, "PCA", 0.0
    placed = state.ask(
        {"ask": "moved_umap", "run": attacked.run.key},
        "Drawing the UMAP; the first one takes up to a minute…",
        timeout=300,
    )
    return placed, "UMAP", float(placed.json["error"])


def _colour(attacked: FinishedAttack, colour: str) -> Classes | Values:
    table = attacked.table
    if colour == "margin":
        return Values("margin under attack", table["margin_attacked"].to_numpy())
    if colour == "label":
        return Classes("label", table["label"].to_numpy(), attacked.classes)
    if colour == "flipped":
        return Classes("under attack", table["flipped"].to_numpy().astype(int), ["held", "flipped"])
    shown = np.argsort(attacked.order)
    names = [attacked.victim.names[cluster] for cluster in attacked.order]
    return Classes(
        "cluster",
        shown[table["cluster_clean"].to_numpy()],
        names,
        shown[table["cluster_attacked"].to_numpy()],
    )


def _extra(attacked: FinishedAttack) -> list[Classes]:
    names, table = attacked.victim.names, attacked.table
    label = [Classes("label", table["label"].to_numpy(), attacked.classes)] if attacked.labelled else []
    return [
        *label,
        Classes("clean", table["cluster_clean"].to_numpy(), names),
        Classes("attacked", table["cluster_attacked"].to_numpy(), names),
    ]


def _sheet(attacked: FinishedAttack) -> dict[str, Any] | None:
    if len(attacked.victim.shape) != 3 or len(attacked.ids) > SHEET:
        return None
    return _sprite(attacked.run.key, attacked.images, attacked.victim.shape, attacked.ids)


@st.cache_resource(max_entries=4, show_spinner=False)
def _sprite(key: str, _images: np.ndarray, _shape: list[int], _ids: np.ndarray) -> dict[str, Any]:
    return gallery.sprite_sheet(_images.reshape(len(_images), *_shape), _ids)
