"""One sample of a data set, chosen by number or from a grid."""

import numpy as np
import streamlit as st

from app.address import connection, fetching, links
from app.components.picker import picker
from app.forms.choose_model import Victim
from app.words import N_, _
from engine.asking.answers import OverviewAnswer
from engine.asking.questions import LOOKED_AT, SHOWN, ImagesQuestion

LISTED = 24
"""Pictures in the grid."""


def first_sample(data: str) -> int:
    """The sample that a page shows before anybody has chosen one."""
    return SHOWN.get(data, 0)


def choose_sample(victim: Victim, first: int | None = None) -> int:
    """A sample: by number, or from a grid of fragile, safe or group-wise ones. `first` is shown before
    anybody has chosen.
    """
    n = victim.overview.n
    default = first_sample(victim.run.spec.data) if first is None else first
    key = links.key(
        "sample",
        default,
        lambda number: 0 <= number < n,
        _("a whole number from 0 to {last}").format(last=n - 1),
    )
    with st.expander(_("Choose a sample"), icon=":material/grid_view:", expanded=False):
        ids, images = _shown(victim, _ids(victim))
        groups = victim.overview.group
        names = victim.captions(None if groups is None else groups[ids]) or [f"#{number}" for number in ids]
        chosen = st.session_state[key]
        clicked = (
            picker(images, victim.shape, ids, names, "sample_picker", chosen=chosen, size=44) if ids else None
        )
        if clicked is not None:
            links.put("sample", clicked)
    return int(st.number_input(_("Sample number"), 0, n - 1, key=key, help=_("Its place in the data set.")))


def _shown(victim: Victim, ids: list[int]) -> tuple[list[int], np.ndarray]:
    """Samples with their pictures (m, d) uint8; those that ship where the data are not here."""
    try:
        return ids, connection.ask(ImagesQuestion.of(victim.run.spec, ids)).images
    except fetching.DataAway as away:
        ids = list(LOOKED_AT.get(victim.run.spec.data, ()))
        st.caption(_("{away} Until then, these:").format(away=away) if ids else str(away))
    return ids, connection.ask(ImagesQuestion.of(victim.run.spec, ids)).images if ids else np.empty((0, 0))


def _ids(victim: Victim) -> list[int]:
    """The samples of the grid: by margin and group where the model sorts into groups, else any."""
    if victim.overview.margin is None:
        return _any(np.arange(victim.overview.n))[:LISTED]
    order = st.segmented_control(
        _("Order"),
        [N_("fragile"), N_("safe"), N_("any")],
        format_func=_,
        default="fragile",
        required=True,
        label_visibility="collapsed",
        help=_("Fragile first: by the margin between the two likeliest groups."),
    )
    group = st.pills(
        _("Class") if victim.grouping == "class" else _("Cluster"),
        range(len(victim.names)),
        format_func=lambda number: victim.names[number],
        key="sample_cluster",
        label_visibility="collapsed",
    )
    return _ordered(victim.overview, order, group)[:LISTED]


def _ordered(overview: OverviewAnswer, order: str, group: int | None) -> list[int]:
    """Ids by the margin between the two likeliest groups, of one group or of all."""
    assert overview.margin is not None, "asked only where there are groups"
    everyone = np.arange(overview.n)
    ids = everyone if group is None else np.flatnonzero(overview.group == group)
    if order == "any":
        return _any(ids)
    ranked = ids[np.argsort(overview.margin[ids])]
    return [int(number) for number in (ranked if order == "fragile" else ranked[::-1])]


def _any(ids: np.ndarray) -> list[int]:
    return [int(number) for number in np.random.default_rng(0).permutation(ids)]
