"""One sample of a data set, chosen by number or from a grid."""

import numpy as np
import streamlit as st

from app.address import state
from app.components.picker import picker
from app.forms.choose_model import Victim
from engine.asking import legacy as answers
from engine.asking.answers import Answer


def first_sample(data: str) -> int:
    """The sample that a page shows before anybody has chosen one."""
    return answers.SHOWN.get(data, 0)


def choose_sample(victim: Victim, first: int | None = None) -> int:
    """A sample: by number, or from a grid of fragile, safe or cluster-wise ones. `first` is shown before
    anybody has chosen.
    """
    n = victim.overview.json["n"]
    default = first_sample(victim.run.spec.data) if first is None else first
    key = state.key("sample", default, lambda number: 0 <= number < n, f"a whole number from 0 to {n - 1}")
    with st.expander("Choose a sample", icon=":material/grid_view:", expanded=False):
        order = st.segmented_control(
            "Order",
            ["fragile", "safe", "any"],
            default="fragile",
            required=True,
            label_visibility="collapsed",
            help="By the margin between the two likeliest clusters.",
        )
        cluster = st.pills(
            "Cluster",
            range(len(victim.names)),
            format_func=lambda number: victim.names[number],
            key="sample_cluster",
            label_visibility="collapsed",
        )
        ids = _ordered(victim.overview, order, cluster)[:24]
        shown = state.ask({"ask": "images", "data": victim.run.spec.data, "ids": ids})
        captions = [victim.names[victim.overview.arrays["cluster"][number]] for number in ids]
        clicked = picker(
            shown.arrays["images"],
            victim.shape,
            ids,
            captions,
            "sample_picker",
            chosen=st.session_state[key],
            size=44,
        )
        if clicked is not None:
            state.put("sample", clicked)
    return int(st.number_input("Sample number", 0, n - 1, key=key, help="Its place in the data set."))


def _ordered(overview: Answer, order: str, cluster: int | None) -> list[int]:
    margin, clusters = overview.arrays["margin"], overview.arrays["cluster"]
    ids = np.arange(len(margin)) if cluster is None else np.flatnonzero(clusters == cluster)
    if order == "any":
        return [int(number) for number in np.random.default_rng(0).permutation(ids)]
    ranked = ids[np.argsort(margin[ids])]
    return [int(number) for number in (ranked if order == "fragile" else ranked[::-1])]
