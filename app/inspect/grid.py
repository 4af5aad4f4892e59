"""The selected samples as pictures, a page at a time."""

import numpy as np
import streamlit as st

from app.address import state
from app.components.picker import picker
from app.inspect.finished_attack import FinishedAttack

ORDERS = {
    "margin_attacked": "Margin",
    "l2": "L2 moved",
    "embedding_move": "Embedding",
    "assignment_kl": "L_AM",
    "id": "Number",
}


GRID = 40
"""Thumbnails on a page of the grid."""


def ordered(attacked: FinishedAttack, mask: np.ndarray) -> np.ndarray:
    """The selected ids in the order of the grid."""
    options = [name for name in ORDERS if name in attacked.table]
    by = state.value("order", "margin_attacked", lambda name: name in options)
    values = attacked.table[by].to_numpy()[mask]
    return attacked.ids[mask][
        np.argsort(values if by in ("margin_attacked", "id") else -values, kind="stable")
    ]


def show(attacked: FinishedAttack, ids: np.ndarray, sample: int) -> None:
    """The selected samples as pictures, a page at a time; those that changed their cluster are marked."""
    options = [name for name in ORDERS if name in attacked.table]
    with st.container(horizontal=True):
        st.segmented_control(
            "Sorted by",
            options,
            key=state.key("order", "margin_attacked", lambda name: name in options),
            format_func=ORDERS.__getitem__,
            required=True,
            help=(
                "Margin: by how much the clean cluster leads under attack, most broken first. Others: largest"
                " first."
            ),
        )
        which = st.segmented_control(
            "Pictures",
            ["adversarial", "clean"],
            default="adversarial",
            required=True,
            key="inspect_pictures",
            persist_state="session",
        )
    pages = max(1, -(-len(ids) // GRID))
    page = _page(pages)
    part = ids[(page - 1) * GRID : page * GRID]
    places = [attacked.place(number) for number in part]
    images = attacked.images[places] if which == "adversarial" else clean_images(attacked)[places]
    rows = attacked.table.iloc[places]
    names = attacked.victim.names
    captions = [
        f"{names[before]} → {names[after]}" if before != after else names[before]
        for before, after in zip(rows["cluster_clean"], rows["cluster_attacked"], strict=True)
    ]
    clicked = picker(
        images,
        attacked.victim.shape,
        part.tolist(),
        captions,
        "inspect_grid",
        chosen=sample,
        marked=rows["flipped"].tolist(),
        label="Selected samples",
        size=52,
    )
    if clicked is not None and clicked != sample:
        state.put("sample", clicked)
        st.rerun()
    st.caption("A corner marks samples that changed their cluster (clean → attacked).")


def _page(pages: int) -> int:
    """The page of the grid, which the buttons beside the sample turn too: the widget is made anew for
    that.
    """
    at = st.session_state.setdefault("inspect_page", {"page": 1, "turn": 0})
    if pages > 1:
        at["page"] = st.pagination(
            pages, default=min(at["page"], pages), key=f"inspect_page/{pages}/{at['turn']}"
        )
    return min(at["page"], pages)


def turn_to(page: int) -> None:
    """Show this page of the grid."""
    at = st.session_state["inspect_page"]
    if at["page"] != page:
        st.session_state["inspect_page"] = {"page": page, "turn": at["turn"] + 1}


def clean_images(attacked: FinishedAttack) -> np.ndarray:
    """(n, d) uint8 in the table's order."""
    if attacked.latent:
        return attacked.moved.arrays["recon_clean"]
    return _clean(attacked.victim.run.spec.data, attacked.run.key, attacked.ids)


@st.cache_resource(max_entries=4, show_spinner=False)
def _clean(data: str, key: str, _ids: np.ndarray) -> np.ndarray:
    return state.ask({"ask": "images", "data": data, "ids": [int(number) for number in _ids]}).arrays[
        "images"
    ]
