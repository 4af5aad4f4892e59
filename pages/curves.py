"""Curves: how an attack's effect grows with ε, or what keeping the reconstruction costs it along λ."""

import streamlit as st

from app.address import fetching, layout, links
from app.curves import axes, beside, choose, follow, images_of_a_point, which
from app.forms.choose_model import choose_model
from app.forms.choose_threat import choose_threat
from app.runs import reproduce
from app.runs import wanted as runs
from app.words import _

TITLE, ICON, PLACE = "Curves", "show_chart", 30

layout.page_head(
    _("How much does it take, and how sure is that?"),
    _(
        "Sweep an attack over many samples and seeds; the curves fill while it runs. Click a point to see the"
        " samples behind it."
    ),
)
which.open_link()
left, look = layout.choose_and_look()
with left:
    victim = choose_model()
    names = axes.of_model(victim)
    axis = axes.AXES[
        st.segmented_control(
            _("Sweep"),
            names,
            key=links.key("tab", names[0], lambda name: name in names),
            format_func=lambda name: _(axes.AXES[name].along),
            on_change=which.close,
            required=True,
        )
    ]
    with st.expander(_("The attack"), icon=":material/bolt:"):
        threat = choose_threat(victim, with_epsilon=axis is axes.LAMBDA, fitted=axis is axes.EPSILON)
    grid = choose.choose_grid(axis, threat, victim)
    asked = choose.wanted(victim, threat, grid)
    st.caption(choose.expected(victim, threat, grid))
    if st.button(_("Start the sweep"), type="primary", icon=":material/play_arrow:", width="stretch"):
        begun = runs.begin(asked)
        if begun is not None:
            links.put("run", begun.key)
            links.put("at", "")
            st.rerun()
with look:
    run = which.choose(axis, victim)
    if run is None:
        st.info(
            _("No sweep of this model {along} is here yet. Choose its range and press Start.").format(
                along=_(axis.along)
            ),
            icon=":material/show_chart:",
        )
    else:
        at = which.other_value(run, axis)
        beside.show(run, axis, at)
        follow.follow(run, axis, at)
        with fetching.aside():
            images_of_a_point.show(run, axis, at)
    with st.expander(_("What am I seeing?"), icon=":material/help:"):
        st.markdown(
            _(
                "**Success** needs no labels: it is what the objective calls so, such as another cluster than"
                " the clean one. Beside the attack stand two controls from the same ball: random noise, and"
                " perturbations made for other samples, which the box cuts a little shorter. What they move,"
                " no attack is needed for. An objective without success is drawn by its mean."
            )
        )
        st.markdown(
            _(
                "**ACC** matches clusters to classes anew under attack, which hides a consistent relabelling;"
                " ACC with the **clean matching** keeps that of the clean samples, and falls first."
                " **Legibility** asks whether the samples are still what they were: 5 nearest neighbours on"
                " the raw numbers, among clean samples, read them. Where that falls too, it is the samples"
                " that broke."
            )
        )
        st.markdown(
            _(
                "Each attack seed draws its own samples and random starts. With two seeds or more a band is"
                " Student's 95 % interval over seeds, with one it is Wilson's over the samples of the cell. A"
                " curve is a lower bound on what an attacker can do: more steps may find more."
            )
        )
layout.page_foot(reproduce.lines(asked if run is None else run.spec))
