"""Robust clustering: an attack on the embedding, a defence against it, and a second attack on what was
defended.
"""

import streamlit as st

from app.address import connection, layout
from app.attack import levels, on_the_map
from app.explain import explain
from app.forms.choose_sample import choose_sample
from app.papers import on_train
from app.papers.robust import along_nu, columns, networks, own_attack, rounds
from app.papers.robust.networks import PAGE
from app.papers.studies import against_control, tables
from app.runs import reproduce
from app.words import _

TITLE, ICON, PLACE = "Robust clustering", "rebase_edit", 60
UNDER = "Papers"
TABS = {
    "acts": _("Attack and defence"),
    "nu": _("Drag ν"),
    "strength": _("Any ν"),
    "pixels": _("On the pixels"),
    "tables": _("Published and measured"),
    "fit": _("Your own attack"),
    "train": _("Train it live"),
}


def attack_and_defence() -> dict[str, str]:
    """The same samples in the base network, in the defended one, and under a fresh attack."""
    left, look = layout.choose_and_look()
    with left:
        networks.choose_methods()
        victim = networks.choose_base()
        sample = choose_sample(victim, first=0)
        chosen = rounds.choose(victim)
    with look:
        said = rounds.sentence(chosen)
        if said:
            st.markdown(said)
        rounds.make_missing(chosen)
        columns.show(chosen, sample)
    return reproduce.lines(*rounds.made_by(chosen))


def drag() -> dict[str, str]:
    """One sample along ν: δ found for it alone, or read off it by one network at each ν."""
    left, look = layout.choose_and_look()
    with left:
        networks.attacks().choose()
        base = networks.choose_base()
        sample = choose_sample(base, first=0)
        victim, fitted = along_nu.choose(rounds.choose(base))
    with look:
        question = along_nu.question(victim, sample, fitted)
        answer = connection.ask(question, _("Climbing the ladder…"))
        along_nu.takeaway(answer)
        drawing = on_the_map.drawing(victim, question.objective.name, answer)
        level = levels.drawn(drawing, f"nu-{'-'.join(question.attack.fitted)}")
        along_nu.likeness(answer, level)
    return reproduce.along_nu(question, answer.levels[level])


def train() -> dict[str, str]:
    """Links to Train, for the base networks and the defence."""
    again = on_train.tab([*networks.base_names(), *networks.defences().names])
    st.caption(_("The defence trains its base and fits its attack first, or finds them."))
    return again


def fit() -> dict[str, str]:
    """An attack of one's own on any network that decodes."""
    left, look = layout.choose_and_look()
    with left:
        wish = own_attack.choose(networks.attacks().choose())
    with look:
        own_attack.show(wish)
    return reproduce.lines(wish)


layout.page_head(
    _("What if the embedding itself is moved?"),
    _(
        "The attack shifts the embedding, not the pixels: decoded pictures stay alike, clusters change. The"
        " defence learns to ignore that shift; then the attacker learns anew."
    ),
)
SHOW = {
    "acts": attack_and_defence,
    "nu": drag,
    "strength": lambda: against_control.show(PAGE, "against_nu"),
    "pixels": lambda: against_control.show(PAGE, "against_epsilon"),
    "tables": lambda: tables.tables(PAGE),
    "fit": fit,
    "train": train,
}
again = SHOW[layout.choose_tab(TABS)]()
explain(
    ("model", networks.base_names()[0]),
    ("model", networks.defence()),
    ("attack", networks.attack()),
    ("objective", networks.objective()),
)
layout.page_foot(again)
