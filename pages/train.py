"""Train: what happens inside while a model learns to cluster? Choose on the left, look on the right; a run
outlives the page.
"""

import streamlit as st

from app.address import connection, house, layout
from app.runs import reproduce
from app.train import choose, follow
from app.train.explain import explain
from app.words import _

TITLE, ICON, PLACE = "Train", "model_training", 70

catalogue = connection.catalogue()
layout.page_head(
    _("What happens inside while it learns?"),
    _(
        "Train a method on real data and watch: its losses pull against each other, its clusters settle, its"
        " copies blur. It goes on when you leave; the same address brings you back."
    ),
)
asked = follow.in_address()
choose.adopt(asked)
left, right = layout.choose_and_look()
with left:
    data, usable = choose.choose_data(catalogue["data"], house.data())
    card = catalogue["data"][data]
    names = [name for name, entry in catalogue["model"].items() if choose.trains_on(entry, card)]
    method = choose.choose_method(names, choose.suggested(names, card))
    choose.begin(method, data, f"train/{data}", usable, compare=True)
with right:
    shown = follow.shown(asked, data, method["name"])
    if not shown:
        follow.nothing_yet(_("digits take about a minute, larger samples longer"))
    elif len(shown) > 1:
        follow.several(shown)
    else:
        follow.one(shown[0])
    entry = catalogue["model"].get(follow.method_of(shown), method)
    explain(entry, angles=bool(entry["control"] or entry["blocks"]), watched=follow.watched_with(shown))

run = connection.store().find(shown[0]) if follow.method_of(shown) else None
if run is not None:
    st.download_button(
        _("Card (JSON)"),
        reproduce.card(run),
        f"feint-{run.key}.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )
layout.page_foot(reproduce.lines(run.spec) if run is not None else {})
