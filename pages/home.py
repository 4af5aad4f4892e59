"""Home: a real digit under attack, playing by itself; below it a card for every page."""

import streamlit as st

from app.address import connection, house, layout, links
from app.attack import on_the_map
from app.components.ladder import ladder
from app.forms.choose_model import default_model, victim_of
from app.forms.choose_sample import first_sample
from app.forms.threat import Threat
from app.home import cards, welcome
from app.words import _

TITLE, ICON, PLACE = "Home", "waving_hand", 0

layout.page_head(_("What do you want to break?"))
zoo, name = connection.store().zoo(), default_model()
if name in zoo:
    run = zoo[name]
    victim, threat, sample = victim_of(run, name), Threat(), first_sample(run.spec.data)
    question = threat.ladder(run.key, sample)
    answer = connection.ask(question)
    st.markdown(welcome.story(answer))
    drawing = on_the_map.drawing(victim, threat.objective, answer, question)
    level = ladder(drawing, key="ladder-home", level=-1, autoplay=True)
    with st.container(horizontal=True):
        if st.button(_("Attack it your way"), type="primary", icon=":material/bolt:"):
            at = answer.levels[answer.start if level is None else level]
            links.go("attack", {"model": victim.name, "sample": sample, "tab": "epsilon", "eps": at})
        if st.button(_("See which samples break"), icon=":material/search:"):
            links.go("inspect", {"model": victim.name})
        if st.button(_("Train one yourself"), icon=":material/model_training:"):
            links.go("train", {"data": run.spec.data})
else:
    st.info(
        _(
            "The zoo is empty. Build it with `python3 -m engine zoo`, or train a model on the Train page;"
            " digits take about a minute."
        )
    )
cards.cards(house.ready())
welcome.recent()
welcome.machine()
layout.page_foot()
