"""The selected samples as pictures, a page at a time."""

import numpy as np
import streamlit as st

from app.address import links
from app.components.picker import picker
from app.inspect import columns
from app.inspect.finished_attack import FinishedAttack
from app.words import N_, _

PICTURES = (N_("adversarial"), N_("clean"))
ON_A_PAGE = 40
"""Thumbnails on a page of the grid."""
NUMBER = "id"
"""The order by the sample's place in the data."""


def ordered(attacked: FinishedAttack, mask: np.ndarray) -> np.ndarray:
    """The selected ids in the order of the grid."""
    known = columns.known(attacked)
    by = links.value("order", next(iter(known), NUMBER), lambda name: name in (*known, NUMBER))
    ids = attacked.ids[mask]
    if by == NUMBER:
        return np.sort(ids)
    return ids[known[by].worst_first(attacked.table[by].to_numpy()[mask])]


def _follow(ids: np.ndarray, sample: int) -> None:
    """Turn to the page of a sample that was chosen elsewhere: on the map, among neighbours, in a link."""
    at = st.session_state.setdefault("inspect_page", {"page": 1, "turn": 0, "sample": None})
    if at["sample"] != sample:
        page = int(np.flatnonzero(ids == sample)[0]) // ON_A_PAGE + 1
        at |= {"page": page, "turn": at["turn"] + (page != at["page"]), "sample": sample}


def show(attacked: FinishedAttack, ids: np.ndarray, sample: int) -> None:
    """The selected samples as pictures; those where the attack reached what it wants are marked."""
    which = _choose(attacked)
    _follow(ids, sample)
    page = _page(max(1, -(-len(ids) // ON_A_PAGE)))
    part = ids[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    places = np.array([attacked.place(number) for number in part])
    images = attacked.images[places] if which == "adversarial" else clean_images(attacked)[places]
    clicked = picker(
        images,
        attacked.victim.shape,
        part.tolist(),
        attacked.captions(places),
        "inspect_grid",
        chosen=sample,
        marked=[] if attacked.reached is None else attacked.reached[places].tolist(),
        label=_("Selected samples"),
        size=52,
    )
    if clicked is not None and clicked != sample:
        links.put("sample", clicked)
        st.rerun()
    if attacked.reached is not None:
        st.caption(_("A corner marks samples that are {there}.").format(there=attacked.does))


def _choose(attacked: FinishedAttack) -> str:
    """By what the grid is sorted (kept in the address); gives which pictures it shows."""
    known = columns.known(attacked)
    titles = {name: column.title for name, column in known.items()} | {NUMBER: _("Number")}
    first = next(iter(titles))
    with st.container(horizontal=True):
        st.selectbox(
            _("Sorted by"),
            list(titles),
            key=links.key("order", first, lambda name: name in titles),
            format_func=titles.__getitem__,
            help=_("Those that the attack changed most come first."),
            width=220,
        )
        return str(
            st.segmented_control(
                _("Shown"),
                PICTURES,
                format_func=_,
                required=True,
                key=links.key("pictures", "adversarial", lambda name: name in PICTURES),
            )
        )


def _page(pages: int) -> int:
    """The page of the grid, which choosing a sample elsewhere turns too: the widget is made anew for that."""
    at = st.session_state["inspect_page"]
    if pages > 1:
        at["page"] = st.pagination(
            pages, default=min(at["page"], pages), key=f"inspect_page/{pages}/{at['turn']}"
        )
    return int(min(at["page"], pages))


def clean_images(attacked: FinishedAttack) -> np.ndarray:
    """(n, d) uint8 in the table's order; where the embedding was moved, decoded from the clean one."""
    if attacked.latent and attacked.answer.recon_clean is not None:
        return attacked.answer.recon_clean
    return attacked.clean_pictures(attacked.ids)
