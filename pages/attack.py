"""Attack: one sample moved along ε, along the path over T, or along λ."""

import streamlit as st

from app.address import state
from app.attack import before_and_after, controls, downloads, levels, on_the_map, other_models, takeaway
from app.components.ladder import ladder
from app.explain import explain, python_lines
from app.forms.choose_model import choose_model
from app.forms.choose_sample import choose_sample
from app.forms.choose_threat import choose_threat

AXES = {"epsilon": "over ε", "path": "over the path T", "lambda": "over λ"}

state.page_head(
    "How little does it take to move this image to another cluster?",
    "Drag the handle: image, perturbation, clusters and map move with your hand. The server is asked only"
    " when you let go.",
)
choose, look = state.choose_and_look()
with choose:
    victim = choose_model()
    sample = choose_sample(victim)
    axis = state.value("tab", "epsilon", lambda name: name in AXES)
    threat = choose_threat(victim, axis=axis)
with look:
    with st.container(horizontal=True, vertical_alignment="center"):
        axis = st.segmented_control(
            "Ladder",
            list(AXES),
            key=state.key("tab", "epsilon", lambda name: name in AXES),
            format_func=AXES.get,
            required=True,
            label_visibility="collapsed",
        )
        umap = st.toggle(
            "UMAP",
            key=state.key("umap", True),
            help="Until a sample has been placed on the UMAP, its PCA is shown.",
        )
    question = levels.ladder_for(threat, victim, sample, axis)
    answer = state.ask(question, "Climbing the ladder…")
    if axis == "epsilon":
        levels.jump(answer)
    takeaway.show(answer)
    drawn = on_the_map.with_map(victim, question, answer, umap)
    released = ladder(
        *drawn, key=f"ladder-{axis}-{st.session_state.get('jumps', 0)}", level=state.value("step", -1)
    )
    if released is not None:
        state.put("step", released)
    level = levels.shown_level(answer, state.value("step", -1))
    before_and_after.show(victim, answer, level)
    downloads.show(victim, threat, answer, drawn, level)
    opened = st.expander(
        "Is it the attack, or would anything do? Controls at this ε",
        expanded=True,
        key="open_controls",
        icon=":material/balance:",
        on_change="rerun",
    )
    if opened.open:
        with opened:
            controls.show(victim, question, answer, level)
    others = st.expander(
        "The same sample in other models",
        key="open_others",
        icon=":material/compare_arrows:",
        on_change="rerun",
    )
    if others.open:
        with others:
            other_models.show(victim, threat, sample)
explain(("model", victim.run.spec.name), ("attack", threat.attack), ("objective", threat.objective))
shown = levels.at_level(threat, answer, level)
state.page_foot({"Command line": shown.command(victim.name), "Python": python_lines(victim, shown)})
if umap:
    on_the_map.place_on_umap(victim, question)
