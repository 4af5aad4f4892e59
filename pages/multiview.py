"""Multi-view: one sample of several views, each moved along ε, with locks on views that may not be
touched.
"""

import streamlit as st

from app.address import connection, layout, notices
from app.attack import before_and_after, controls, levels, on_the_map, takeaway
from app.explain import explain
from app.forms import possible
from app.forms.choose_model import choose_model
from app.forms.choose_sample import choose_sample
from app.papers.multiview import attackers, many_samples, one_sample
from app.papers.multiview.levels import questions
from app.runs import reproduce
from app.words import _

TITLE, ICON, PLACE = "Multi-view", "stacks", 40
UNDER = "Papers"

layout.page_head(
    _("Two views of one thing: what if both are attacked?"),
    _(
        "Each row is a view. Drag the handle and see when the fusion lets go; lock a view and see what the"
        " other can do alone."
    ),
)
choose, look = layout.choose_and_look()
with choose:
    victim = choose_model("fuses")
    sample = choose_sample(victim)
    chosen = attackers.choose(victim)
with look:
    threat = attackers.ready(victim, chosen) if chosen is not None else None
if chosen is None or threat is None:
    layout.page_foot()
    st.stop()
with look:
    views = one_sample.views_of(victim)
    question, whole = questions(victim, threat, sample)
    answer = connection.ask(question, possible.waiting(threat.attack))
    levels.jump(answer)
    takeaway.show(victim, threat.objective, answer)
    attackers.explain_fit(chosen, threat)
    level = levels.drawn(on_the_map.drawing(victim, threat.objective, answer), "views")
    one_sample.sizes(views, answer, level)
    if words := before_and_after.smaller(answer, level):
        st.caption(words)
    left, right = st.columns([1, 3], gap="medium")
    with left:
        one_sample.agreement(views, answer, level)
        one_sample.kl_of_assignments(answer, level)
    with right:
        one_sample.each_alone(victim, views, answer, level)
    one_sample.maps(victim, views, answer, level)
    one_sample.about_data(victim)
    st.subheader(_("And the others?"), anchor=False)
    many_samples.matrices(victim, chosen, threat, round(answer.levels[level], 4))
    opened = st.expander(
        _("Is it the attack, or would anything do? Controls at this ε"),
        key="open_controls",
        icon=":material/balance:",
        on_change="rerun",
    )
    if opened.open:
        with opened:
            controls.show(victim, question, answer, level)
explain(("model", victim.run.spec.name), ("attack", threat.attack), ("objective", threat.objective))
wish = levels.at_level(threat, answer, level).wanted(victim.run)
again = reproduce.one_sample(wish, whole, answer.levels[level])
on_all = reproduce.command(attackers.on_all(victim, chosen, threat))
layout.page_foot(again | {"Command line": f"{again['Command line']}\n{on_all}"})
if question is not whole:
    connection.ask(whole, _("Filling in the levels between…"))
    notices.draw_again()
