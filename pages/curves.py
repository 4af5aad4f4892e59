"""Curves: how an attack's effect grows with ε, or what keeping the reconstruction costs it along λ."""

import streamlit as st

from app.address import state
from app.curves import choose as sweeps
from app.curves import follow, images_of_a_point, reproduce
from app.forms.choose_model import choose_model
from app.forms.choose_threat import choose_threat

state.page_head(
    "How much does it take, and how sure is that?",
    "Sweep an attack over many samples and seeds; the curves fill while it runs. Click a point to see the"
    " images behind it.",
)
sweeps.open_link()
choose, look = state.choose_and_look()
with choose:
    victim = choose_model()
    axis = st.segmented_control(
        "Sweep",
        list(sweeps.AXES),
        key=state.key("tab", "epsilon", lambda name: name in sweeps.AXES),
        format_func=sweeps.AXES.get,
        required=True,
    )
    with st.expander("The attack", icon=":material/bolt:"):
        threat = choose_threat(victim, with_epsilon=axis == "lambda", fitted=axis == "epsilon")
    grid = sweeps.choose_grid(axis, threat, victim)
    st.caption(sweeps.expected(victim, threat, grid))
    if st.button("Start the sweep", type="primary", icon=":material/play_arrow:", width="stretch"):
        made = sweeps.start(victim, threat, grid)
        if made is not None:
            state.put("run", made)
            state.put("step", -1)
            st.rerun()
with look:
    run = sweeps.choose(axis, victim)
    if run is None:
        st.info(
            f"No sweep of this model {sweeps.AXES[axis]} is here yet. Choose its range and press Start.",
            icon=":material/show_chart:",
        )
    else:
        at = sweeps.other_value(run, axis)
        follow.follow(run, axis, at)
        images_of_a_point.show(run, axis, at)
    with st.expander("What am I seeing?", icon=":material/help:"):
        st.markdown(
            "**Flips** need no labels: a sample flips where its cluster under attack is not its clean one."
            " Beside the attack stand two controls from the same ball: random noise, and perturbations made"
            " for other samples, which the box cuts a little shorter. What they move, no attack is needed"
            " for."
        )
        st.markdown(
            "**ACC** matches clusters to classes anew under attack, which hides a consistent relabelling;"
            " **ACC, clean matching** keeps the matching of the clean samples, and falls first."
            " **Legibility** asks whether the images are still what they were: 5 nearest neighbours on raw"
            " pixels, among clean samples, read them. Where that falls too, it is the images that broke."
        )
        st.markdown(
            "Each attack seed draws its own samples and random starts. With two seeds or more a band is"
            " Student's 95 % interval over seeds, with one it is Wilson's over the samples of the cell. A"
            " curve is a lower bound on what an attacker can do: more steps may find more."
        )
state.page_foot(
    reproduce.command_of(run)
    if run is not None
    else reproduce.command(threat.attack, victim.name, sweeps.wanted(threat, grid))
)
