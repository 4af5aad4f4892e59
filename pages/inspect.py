"""Inspect: matrices, map, grid and sample are one workspace with one selection."""

import streamlit as st

from app.address import layout, notices
from app.explain import explain
from app.inspect import choose_attack, downloads, grid, map, matrices, sample, scores, who_becomes_whom
from app.inspect.selection import Selection, chips
from app.runs import reproduce
from app.words import _

TITLE, ICON, PLACE = "Inspect", "search", 20

layout.page_head(
    _("Which samples broke, and why?"),
    _(
        "One attack on many samples. Choose in any view, a cell, a header, points or a legend: all the others"
        " follow."
    ),
)
choose_attack.adopt()
notices.show_notices()
victim, threat, n = choose_attack.choose()
attacked = choose_attack.attacked(victim, threat, n)
scores.show(attacked)
chosen = Selection.read()
mask = chosen.mask(attacked)
chips(attacked, chosen, mask)
ids = grid.ordered(attacked, mask)
number = sample.current(ids if len(ids) else attacked.ids)
if attacked.before is None:  # no matrices beside the map
    map.show(attacked, chosen, mask, number)
else:
    left, right = st.columns(2, gap="large")
    with left:
        matrices.show(attacked, chosen)
    with right:
        map.show(attacked, chosen, mask, number)
left, right = st.columns([2, 3], gap="large")
with left:
    if len(ids):
        grid.show(attacked, ids, number)
        downloads.show(attacked, mask)
    else:
        st.info(
            _("Nothing is in this selection. Take a part of it away, or clear it."),
            icon=":material/filter_alt_off:",
        )
with right:
    if len(ids):
        sample.steps(ids, number)
        sample.show(attacked, threat, number)
who_becomes_whom.show(attacked, threat)
spec = attacked.run.spec
explain(("model", victim.run.spec.name), ("attack", spec.name), ("objective", spec.settings["objective"]))
layout.page_foot(reproduce.lines(spec))
map.make_umap(attacked)
