"""Inspect: matrices, map, grid and sample are one workspace with one selection."""

import streamlit as st

from app.address import state
from app.attack import evidence
from app.inspect import anatomy, broken, workspace

state.page_head(
    "Which samples broke, and why?",
    "One attack on many samples. Choose in any view, a cell, a header, points or a legend: all the others"
    " follow.",
)
workspace.adopt()
state.show_notices()
victim, threat, n = workspace.choose()
found = workspace.attacked(victim, threat, n)
broken.scores(found)
terms = workspace.Terms.read()
mask = terms.mask(found)
broken.chips(found, terms, mask)
ids = broken.ordered(found, mask)
sample = anatomy.current(ids if len(ids) else found.ids)
left, right = st.columns(2, gap="large")
with left:
    broken.matrices(found, terms)
with right:
    broken.show_map(found, terms, mask, sample)
left, right = st.columns([2, 3], gap="large")
with left:
    if len(ids):
        broken.grid(found, ids, sample)
        anatomy.downloads(found, mask)
    else:
        st.info(
            "Nothing is in this selection. Take a part of it away, or clear it.",
            icon=":material/filter_alt_off:",
        )
with right:
    if len(ids):
        anatomy.steps(ids, sample)
        anatomy.show(found, threat, sample)
anatomy.pairs(found, threat)
evidence.explain(("model", victim.run.spec.name), ("attack", threat.attack), ("objective", threat.objective))
state.page_foot(
    {
        "Command line": f"{threat.command(victim.name)} --n {n}",
        "Python": evidence.python_lines(victim, threat),
    }
)
