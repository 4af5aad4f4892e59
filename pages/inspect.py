"""Inspect: matrices, map, grid and sample are one workspace with one selection."""

import streamlit as st

from app.address import state
from app.explain import explain, python_lines
from app.inspect import (
    choose_attack,
    downloads,
    grid,
    map,
    matrices,
    sample,
    scores,
    selection,
    who_becomes_whom,
)

state.page_head(
    "Which samples broke, and why?",
    "One attack on many samples. Choose in any view, a cell, a header, points or a legend: all the others"
    " follow.",
)
choose_attack.adopt()
state.show_notices()
victim, threat, n = choose_attack.choose()
found = choose_attack.attacked(victim, threat, n)
scores.show(found)
terms = selection.Terms.read()
mask = terms.mask(found)
selection.chips(found, terms, mask)
ids = grid.ordered(found, mask)
number = sample.current(ids if len(ids) else found.ids)
left, right = st.columns(2, gap="large")
with left:
    matrices.show(found, terms)
with right:
    map.show(found, terms, mask, number)
left, right = st.columns([2, 3], gap="large")
with left:
    if len(ids):
        grid.show(found, ids, number)
        downloads.show(found, mask)
    else:
        st.info(
            "Nothing is in this selection. Take a part of it away, or clear it.",
            icon=":material/filter_alt_off:",
        )
with right:
    if len(ids):
        sample.steps(ids, number)
        sample.show(found, threat, number)
who_becomes_whom.show(found, threat)
explain(("model", victim.run.spec.name), ("attack", threat.attack), ("objective", threat.objective))
state.page_foot(
    {"Command line": f"{threat.command(victim.name)} --n {n}", "Python": python_lines(victim, threat)}
)
