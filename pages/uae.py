"""Unsupervised adversarial examples: unlike their originals, handled as well; and what they are worth."""

import streamlit as st

from app.address import layout
from app.explain import explain
from app.forms.choose_sample import choose_sample
from app.papers import on_train
from app.papers.studies import tables
from app.papers.uae import augment, choose, contrast, likeness, ten, through_time
from app.papers.uae.choose import ATTACK, DIRECTIONS, PAGE
from app.runs import headline, reproduce, wanted
from app.words import _

TITLE, ICON, PLACE = "UAE", "image_search", 65
UNDER = "Papers"
TABS = {
    "ten": _("Ten samples"),
    "augment": _("Augment"),
    "tables": _("Published and measured"),
    "train": _("Train it live"),
}


def pictures() -> dict[str, str]:
    """Ten of many, then one of them through time."""
    left, look = layout.choose_and_look()
    with left:
        towards = DIRECTIONS[choose.direction()]
        victim = choose.model(towards)
        threat = choose.threat(towards)
        slot = st.container()
    wish = choose.attacked(threat, victim, towards)
    with look:
        run = wanted.wanted_or_button(wish, _("Look for {n} such samples").format(n=choose.N))
        found = None if run is None else ten.of(run, victim, farthest=towards.ability == "reconstructs")
        with slot:
            sample = choose_sample(victim, first=None if found is None else found.ids[0])
        if run is not None and found is None:
            st.info(_("None of the samples succeeded. Choose a larger ε, or another model."))
        if run is not None and found is not None:
            st.markdown(ten.sentence(found, victim, run.table()))
            ten.show(found, victim, sample)
            likeness.show(found, victim, threat, towards, sample)
            with st.container(horizontal=True):
                there = {"model": victim.name, "run": found.run.name}
                headline.link("inspect", _("Inspect all {n}").format(n=choose.N), "search", there)
                same = choose.in_address_of_attack(found.run, victim, sample)
                headline.link("attack", _("Attack this model otherwise"), "bolt", same)
        st.subheader(_("Sample {number}, one step after the other").format(number=sample), anchor=False)
        question, answer, level = through_time.show(victim, threat, sample)
    one = reproduce.one_sample(threat.wanted(victim.run), question, answer.levels[level])
    return one | {"Command line": f"{reproduce.command(wish)}\n{one['Command line']}"}


def of_studies() -> dict[str, str]:
    """Any study of the paper, and what was published of contrastive encoders."""
    contrast.show()
    return tables.tables(PAGE)


layout.page_head(
    _("How far may a sample go and still be copied better?"),
    _(
        "The attack looks for the least similar sample that an autoencoder copies better than the original."
        " Appended to the training data, such samples shall make a better model: here that is put to the"
        " test."
    ),
)
SHOW = {
    "ten": pictures,
    "augment": augment.show,
    "tables": of_studies,
    "train": lambda: on_train.tab(on_train.of_family(PAGE)),
}
again = SHOW[layout.choose_tab(TABS)]()
explain(
    ("attack", ATTACK),
    *(("objective", direction.objective) for direction in DIRECTIONS.values()),
    ("objective", contrast.OBJECTIVE),
    *(("model", direction.example) for direction in DIRECTIONS.values()),
    ("model", contrast.MODEL),
)
layout.page_foot(again)
