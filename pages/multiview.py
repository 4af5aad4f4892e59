"""Multi-view: one sample of several views, each moved along ε, with locks on views that may not be
touched.
"""

import streamlit as st

from app.address import connection, layout, links, notices
from app.attack import controls, levels, on_the_map, takeaway
from app.components.ladder import ladder
from app.explain import explain
from app.forms.choose_sample import choose_sample
from app.papers import multiview, views
from app.runs import reproduce

layout.page_head(
    "Two views of one thing: what if both are attacked?",
    "Each row is a view. Drag the handle and see when the fusion lets go; lock a view and see what the other"
    " can do alone.",
)
choose, look = layout.choose_and_look()
with choose:
    victim = multiview.choose_model()
    sample = choose_sample(victim)
    threat = multiview.choose_threat(victim)
with look:
    multiview.watch_fitting(
        victim.run, links.value("attacker", "pgd"), multiview.locks(), links.value("protocol", "transductive")
    )
    if threat is None and len(multiview.locks()) < victim.overview.json["views"]:
        st.info("Fit generators to this model first, or choose PGD.", icon=":material/model_training:")
    elif threat is not None:
        known = connection.ask({"ask": "views", "model": victim.run.key}, "Looking at the views…")
        whole = threat.question(victim.run.key, sample, multiview.LEVELS)
        question = (
            whole
            if multiview.ready(victim, whole)
            else threat.question(victim.run.key, sample, multiview.FIRST)
        )
        answer = connection.ask(question, "Climbing the ladder…")
        levels.jump(answer)
        takeaway.show(victim, "mv_disrupt", answer)
        multiview.labelled(threat)
        released = ladder(
            on_the_map.drawing(victim, "mv_disrupt", answer),
            key=f"views-{st.session_state.get('jumps', 0)}",
            level=multiview.level_in(answer, links.value("step", -1)),
        )
        if released is not None:
            links.put("step", multiview.level_out(answer, released))
        level = levels.shown_level(answer, multiview.level_in(answer, links.value("step", -1)))
        views.sizes(known, answer, level)
        left, right = st.columns([1, 3], gap="medium")
        with left:
            views.agree(known, answer, level)
            views.mitigation(answer, level)
        with right:
            views.alone(victim, known, answer, level)
        views.maps(victim, known, answer, level)
        views.about_data(victim)
        st.subheader("And the others?", anchor=False)
        views.matrices(victim, threat, round(float(answer.json["levels"][level]), 4))
        with st.expander(
            "Is it the attack, or would anything do? Controls at this ε",
            key="open_controls",
            icon=":material/balance:",
            on_change="rerun",
        ) as opened:
            if opened.open:
                controls.show(victim, question, answer, level)
explain(
    ("model", victim.run.spec.name),
    ("attack", "pgd" if threat is None or threat.fitted is None else "mv_gan"),
    ("objective", "mv_disrupt"),
)
layout.page_foot(reproduce.lines(multiview.attack_of(victim, threat)) if threat else {})
if threat is not None and question is not whole:
    connection.ask(whole, "Filling in the levels between…", timeout=600)
    notices.draw_again()
