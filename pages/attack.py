"""Attack: one sample moved along ε, along the path over T, or along λ."""

from dataclasses import replace

import streamlit as st

from app.address import connection, fetching, layout
from app.attack import (
    before_and_after,
    controls,
    downloads,
    fixed_places,
    levels,
    on_the_map,
    other_models,
    subject,
    takeaway,
)
from app.explain import explain
from app.forms import possible
from app.forms.choose_model import choose_model
from app.forms.choose_threat import choose_threat
from app.runs import reproduce
from app.words import _

TITLE, ICON, PLACE = "Attack", "bolt", 10

layout.page_head(
    _("How little does it take to mislead the model on this sample?"),
    _(
        "Drag the handle: sample, perturbation and what the model makes of it move with your hand. The server"
        " is asked only when you let go."
    ),
)
choose, look = layout.choose_and_look()
with choose:
    victim = choose_model()
    number, way, own = subject.choose(victim)
    threat = choose_threat(victim, axis=levels.axis_of_address(victim))
    threat = replace(threat, fixed=fixed_places.of_address(victim))
    marks = fixed_places.expander()
with look:
    beside = subject.show(way, own)
    subject.require_label(threat.objective, own)
    sample = subject.asked(number, own)
    with st.container(horizontal=True, vertical_alignment="center"):
        axis = levels.choose_axis(victim, threat)
        umap = on_the_map.umap_toggle(victim)
    question = threat.ladder(victim.run.key, sample, levels.axis(threat, axis))
    answer = connection.ask(question, possible.waiting(threat.attack))
    fixed_places.choose(victim, answer, marks)
    subject.taken_for(victim, answer, beside)
    if axis == "epsilon":
        levels.jump(answer)
    takeaway.show(victim, threat.objective, answer)
    fixed_places.beside_free(victim, threat.objective, question)
    drawing = on_the_map.drawing(victim, threat.objective, answer, question if umap else None)
    if threat.fixed:
        drawing = replace(drawing, fixed=fixed_places.bits(victim))
    level = levels.drawn(drawing, "ladder")
    wanted = levels.at_level(threat, answer, level).wanted(victim.run)
    again = reproduce.one_sample(wanted, question, answer.levels[level], own.key if own else "")
    before_and_after.show(victim, answer, level)
    downloads.show(victim, threat, question, drawing, level, again["Command line"])
    opened = st.expander(
        _("Is it the attack, or would anything do? Controls at this ε"),
        expanded=True,
        key="open_controls",
        icon=":material/balance:",
        on_change="rerun",
    )
    if opened.open:
        with opened, fetching.aside():
            controls.show(victim, question, answer, level)
    others = st.expander(
        _("The same sample in other models"),
        key="open_others",
        icon=":material/compare_arrows:",
        on_change="rerun",
    )
    if others.open:
        with others, fetching.aside():
            other_models.show(victim, threat, sample)
explain(("model", victim.run.spec.name), ("attack", threat.attack), ("objective", threat.objective))
layout.page_foot(again)
if umap:
    with fetching.aside():
        on_the_map.place_on_umap(question)
