"""The same samples, found by each way to tell how alike they are to their originals: the paper's figure 1, of
any model.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from app.address import links
from app.components.picker import picker
from app.forms.choose_model import Victim
from app.forms.threat import Threat
from app.papers.uae import choose, ten
from app.papers.uae.choose import PAGE, LookedFor
from app.papers.uae.ten import Ten
from app.runs import wanted
from app.words import N_, _
from engine.store.run import Run


@dataclass(frozen=True)
class Way:
    """One way: its name, and what it changes in the attack."""

    title: str
    settings: Mapping[str, Any]


WAYS = {
    "pairs": Way(N_("MINE, random pairs"), {"compress_by": "pairs"}),
    "convolution": Way(N_("MINE, the model's first convolution"), {"compress_by": "convolution"}),
    "closed_form": Way(N_("What MINE estimates, in closed form"), {"similarity": "closed_form"}),
    "l2": Way(N_("Distance (L2-UAE)"), {"similarity": "l2", "accept_by": "l2"}),
}
LEAST = 16
"""Pixels of a side from which on classifiers begin with a convolution."""


def show(found: Ten, victim: Victim, threat: Threat, towards: LookedFor, chosen: int) -> None:
    """A row of pictures for each way, and a button where it was not tried."""
    opened = st.expander(
        _("Each way to tell how alike they are, as in the paper's figure 1"),
        key="open_likeness",
        on_change="rerun",
    )
    if opened.open:
        with opened:
            _every_way(found, victim, threat, towards, chosen)


def _every_way(found: Ten, victim: Victim, threat: Threat, towards: LookedFor, chosen: int) -> None:
    st.caption(
        _(
            "The same samples, ε and K: only the measure of likeness differs. Below each, what the model"
            " makes of it."
        )
    )
    for name, wish in _wishes(victim, threat, towards):
        title = _(WAYS[name].title)
        run = wanted.wanted_or_button(
            wish, _("Look for them by: {way}").format(way=title), primary=False, key=f"likeness/{name}"
        )
        if run is not None:
            _row(name, title, run, found, victim, chosen)


def _wishes(victim: Victim, threat: Threat, towards: LookedFor) -> Iterator[tuple[str, Any]]:
    """Name of a way that this model allows -> the run of it."""
    convolves = victim.grouping == "class" and victim.features is None and min(victim.shape[1:]) >= LEAST
    for name, way in WAYS.items():
        if name != "convolution" or convolves:
            told = replace(threat, settings={**threat.settings, **way.settings})
            yield name, choose.attacked(told, victim, towards)


def _row(name: str, title: str, run: Run, found: Ten, victim: Victim, chosen: int) -> None:
    """How many succeed and how far they moved; and the ten, where a sample is a picture."""
    table = run.table()
    counted = table[table["counted"] == 1]
    there = counted[counted["reached"] == 1]
    said = _("**{way}**: {n} of {total} succeed, ‖δ‖ {length} on average.").format(
        way=title,
        n=len(there),
        total=len(counted),
        length=f"{there['l2'].mean():.2f}" if len(there) else "–",
    )
    st.markdown(said)
    if victim.features is not None:
        return
    of = {int(number): place for place, number in enumerate(table["id"])}
    places = np.array([of[number] for number in found.ids])
    images = ten.answers(run, places)
    same = replace(found, run=run, table=table.iloc[places], attacked=images, places=places)
    captions = ten.taken(same, victim, "attacked") if victim.names else ten.errors(same, "attacked")
    clicked = picker(
        images,
        victim.shape,
        found.ids,
        captions,
        f"likeness_{name}",
        chosen=chosen,
        label=title,
        size=ten.SIZE,
    )
    if clicked is not None and clicked != chosen:
        links.go(PAGE, {"sample": clicked})
