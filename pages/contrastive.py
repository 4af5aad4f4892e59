"""Robust contrastive learning: an encoder's clusters, and pushes towards the neighbouring one."""

import streamlit as st

from app.address import fetching, layout
from app.attack import other_models
from app.explain import explain
from app.forms.choose_sample import choose_sample
from app.papers import on_train
from app.papers.contrastive import choose, encoder_map, slide, weight, which_k
from app.papers.contrastive.choose import PAGE
from app.papers.studies import tables
from app.runs import reproduce
from app.words import _

TITLE, ICON, PLACE = "Contrastive", "hub", 67
UNDER = "Papers"
TABS = {
    "clusters": _("Slide to the neighbour"),
    "tables": _("Published and measured"),
    "train": _("Train it live"),
}


def clusters() -> dict[str, str]:
    """The map, one sample on it, and its way to the neighbour."""
    left, look = layout.choose_and_look()
    with left:
        encoder, clusters_slot = choose.encoder(), st.container()
        weighted = weight.with_weight(encoder)
        with clusters_slot:
            chosen = None if weighted is None else choose.with_clusters(choose.of(weighted))
        slot = st.container()
    if weighted is None or chosen is None:
        with look:  # what does not depend on the K or the λ that is awaited
            which_k.show(choose.of(encoder))
            weight.show(encoder)
        return {}
    victim = chosen.victim
    with slot:
        sample = choose_sample(victim)
        threat = choose.threat(victim)
    with look:
        question, answer = slide.asked(victim, threat, sample)
        own, neighbour = slide.centroids(answer, int(threat.objective_settings.get("neighbour", 2)))
        encoder_map.show(victim, sample, own, neighbour)
        encoder_map.exemplars(victim, own, neighbour)
        level = slide.show(victim, threat, answer, own, neighbour)
        others = st.expander(
            _("The same sample in other encoders"),
            key="open_others",
            icon=":material/compare_arrows:",
            on_change="rerun",
        )
        if others.open:
            with others, fetching.aside():
                other_models.show(victim, threat, sample)
        which_k.show(chosen)
        weight.show(weighted)
    return reproduce.one_sample(threat.wanted(victim.run), question, answer.levels[level])


layout.page_head(
    _("How far is it to the neighbouring cluster?"),
    _(
        "A contrastive encoder was never told what a class is, yet its embeddings fall into clusters. Push a"
        " picture from its own towards the next one; then see which training makes that hard."
    ),
)
SHOW = {
    "clusters": clusters,
    "tables": lambda: tables.tables(PAGE),
    "train": lambda: on_train.tab(on_train.of_family(PAGE)),
}
again = SHOW[layout.choose_tab(TABS)]()
explain(("model", "simclr"), ("model", "deacl"), ("model", "ncp_acl"), ("objective", "ncp"))
layout.page_foot(again)
